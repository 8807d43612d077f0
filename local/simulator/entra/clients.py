"""How a client proves to be the application it names: a secret, or a managed identity's assertion."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

import jwt

from local.simulator.entra.claims import issuer
from local.simulator.entra.errors import SignInRefused
from local.simulator.state import Application, Tenant, World

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523 §2.2
EXCHANGE_AUDIENCE = "api://AzureADTokenExchange"


class Proof(StrEnum):
    """How the client authenticated, as the claim `appidacr` says it."""

    SECRET = "1"  # noqa: S105 - says which kind of proof, is none
    ASSERTION = "2"


def authenticate_client(
    world: World, tenant: Tenant, form: Mapping[str, str], *, missing_principal: int
) -> tuple[Application, Proof]:
    """The application behind a token request, with a service principal in the tenant that is enabled.

    `missing_principal` is the code for an application the tenant has not consented to; it differs by grant.

    Raises:
        SignInRefused: 90014, 700016, 7000229, 7000112, 7000215, 7000218, 700024, 700027 or 70021x.
    """
    client_id = form.get("client_id", "")
    if not client_id:
        raise SignInRefused(90014, field="client_id")
    application = world.applications.get(client_id)
    if application is None:
        raise SignInRefused(700016, client=client_id, tenant=tenant.display_name)
    consent = tenant.consents.get(client_id)
    if consent is None:
        raise SignInRefused(missing_principal, client=client_id, tenant=tenant.display_name)
    if not consent.enabled:
        raise SignInRefused(7000112, client=client_id)
    return application, _prove(world, application, form)


def _prove(world: World, application: Application, form: Mapping[str, str]) -> Proof:
    if form.get("client_assertion_type") == ASSERTION_TYPE and "client_assertion" in form:
        _check_assertion(world, application, form["client_assertion"])
        return Proof.ASSERTION
    if "client_secret" not in form:
        raise SignInRefused(7000218)
    expected = application.secret
    if expected is None or not hmac.compare_digest(expected.encode(), form["client_secret"].encode()):
        raise SignInRefused(7000215, client=application.client_id)
    return Proof.SECRET


def _check_assertion(world: World, application: Application, assertion: str) -> None:
    """Whether the assertion satisfies one of the application's federated identity credentials.

    Source: learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity.
    """
    try:
        claims = world.signing_key.read(assertion)
    except jwt.InvalidTokenError as error:
        raise SignInRefused(700027) from error
    # A managed identity's token is the hosting platform's, so it ages in real time whatever the simulated clock says.
    expires = claims.get("exp")
    if not isinstance(expires, int) or expires <= datetime.now(UTC).timestamp():
        raise SignInRefused(700024)
    if claims.get("iss") != issuer(world, world.home_tenant_id):
        raise SignInRefused(700211)
    if claims.get("aud") != EXCHANGE_AUDIENCE:
        raise SignInRefused(700212)
    if claims.get("sub") not in application.federated_subjects:
        raise SignInRefused(700213)
