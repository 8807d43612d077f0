"""The token endpoint for applications and refresh tokens, and the shape of its refusals."""

from __future__ import annotations

import re
import time
from typing import Any

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

from local.simulator.seed import (
    APP_CLIENT_ID,
    APP_CLIENT_SECRET,
    APP_ROLES,
    CONTOSO,
    FABRIKAM,
    HOME,
    MANAGED_IDENTITY,
    MISSING_AT_FABRIKAM,
    TAILSPIN,
)
from local.simulator.signing import SigningKey
from tests.simulator.clients import EXCHANGE, GRAPH, TAILSPIN_ADMIN, Microsoft, codes

RESOURCES = (
    (GRAPH, "https://graph.microsoft.com"),
    (EXCHANGE, "https://outlook.office365.com"),
    ("https://tailspin-admin.sharepoint.com/.default", "https://tailspin-admin.sharepoint.com"),
    ("48ac35b8-9aa8-4d74-927d-1f4a14a0b239/.default", "48ac35b8-9aa8-4d74-927d-1f4a14a0b239"),
    ("https://ps.compliance.protection.outlook.com/.default", "https://ps.compliance.protection.outlook.com"),
)


def claims_of(result: dict[str, Any]) -> dict[str, Any]:
    """The claims of an access token, unverified."""
    claims: dict[str, Any] = jwt.decode(result["access_token"], options={"verify_signature": False})
    return claims


def request_token(microsoft: Microsoft, tenant: str = TAILSPIN, **form: str) -> requests.Response:
    """A bare call of the token endpoint."""
    return microsoft.session.post(f"{microsoft.simulator.url}/{tenant}/oauth2/v2.0/token", data=form)


def assertion(microsoft: Microsoft, resource: str = "api://AzureADTokenExchange") -> str:
    """The managed identity's token for that resource."""
    response = microsoft.session.get(
        f"{microsoft.simulator.url}/msi/token",
        params={"resource": resource, "api-version": "2019-08-01", "client_id": MANAGED_IDENTITY.client_id},
        headers={"X-IDENTITY-HEADER": MANAGED_IDENTITY.header},
    )
    return str(response.json()["access_token"])


def test_app_token_carries_exactly_the_consented_permissions(microsoft: Microsoft) -> None:
    whole, partial = claims_of(microsoft.app_token(TAILSPIN)), claims_of(microsoft.app_token(FABRIKAM))

    assert whole["roles"] == sorted(APP_ROLES)
    assert partial["roles"] == sorted(APP_ROLES - MISSING_AT_FABRIKAM)
    assert whole["idtyp"] == "app"
    assert whole["appid"] == APP_CLIENT_ID
    assert whole["oid"] != partial["oid"]
    assert (whole["tid"], partial["tid"]) == (TAILSPIN, FABRIKAM)


def test_app_token_for_the_simulators_own_address_is_a_graph_token(microsoft: Microsoft) -> None:
    result = microsoft.app_token(scope=f"{microsoft.simulator.url}/.default")

    assert claims_of(result)["roles"] == sorted(APP_ROLES)
    assert microsoft.graph("GET", "/v1.0/organization", result["access_token"]).status_code == 200


def test_app_token_names_the_roles_of_the_service_principal(microsoft: Microsoft) -> None:
    microsoft.change_tenant(directoryRoles=["Global Reader"])

    assert claims_of(microsoft.app_token())["wids"] == ["f2ef992c-3afb-46b9-b7cf-a126ee74c451"]


def test_app_token_for_exchange_carries_no_permission(microsoft: Microsoft) -> None:
    assert "roles" not in claims_of(microsoft.app_token(scope=EXCHANGE))


def test_app_without_a_service_principal_is_7000229(microsoft: Microsoft) -> None:
    assert codes(microsoft.app_token(CONTOSO)) == [7000229]


def test_unknown_application_is_700016(microsoft: Microsoft) -> None:
    application = microsoft.application(client_id=HOME)

    assert codes(application.acquire_token_for_client([GRAPH])) == [700016]


def test_application_disabled_in_the_tenant_is_7000112(microsoft: Microsoft) -> None:
    microsoft.change_tenant(servicePrincipalEnabled=False)

    assert codes(microsoft.app_token()) == [7000112]


def test_wrong_client_secret_is_7000215_with_status_401(microsoft: Microsoft) -> None:
    form = {"grant_type": "client_credentials", "client_id": APP_CLIENT_ID, "scope": GRAPH}

    response = request_token(microsoft, client_secret="only-for-tests-wrong", **form)

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert codes(response.json()) == [7000215]
    assert codes(request_token(microsoft, **form).json()) == [7000218]


def test_managed_identity_assertion_replaces_the_secret(microsoft: Microsoft) -> None:
    application = microsoft.application(credential={"client_assertion": lambda: assertion(microsoft)})

    result = application.acquire_token_for_client([GRAPH])

    assert claims_of(result)["appidacr"] == "2"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"aud": "https://graph.microsoft.com"}, 700212),
        ({"sub": HOME}, 700213),
        ({"iss": "https://login.example/v2.0"}, 700211),
        ({"exp": 1}, 700024),
    ],
)
def test_assertion_that_fits_no_federated_credential_is_refused(
    microsoft: Microsoft, change: dict[str, object], code: int
) -> None:
    key = microsoft.simulator.world.signing_key
    forged = key.sign(key.read(assertion(microsoft)) | change)

    result = microsoft.application(credential={"client_assertion": lambda: forged}).acquire_token_for_client([GRAPH])

    assert codes(result) == [code]


def test_assertion_signed_by_a_stranger_is_700027(microsoft: Microsoft, strange_key: SigningKey) -> None:
    claims = microsoft.simulator.world.signing_key.read(assertion(microsoft))

    application = microsoft.application(credential={"client_assertion": lambda: strange_key.sign(claims)})

    assert codes(application.acquire_token_for_client([GRAPH])) == [700027]


def test_unknown_tenant_is_90002(microsoft: Microsoft) -> None:
    response = request_token(microsoft, tenant=HOME.replace("a", "b"), grant_type="client_credentials")

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert codes(response.json()) == [90002]


def test_tenant_can_be_named_by_domain(microsoft: Microsoft) -> None:
    assert claims_of(microsoft.app_token("tailspin.onmicrosoft.com"))["tid"] == TAILSPIN


def test_refusal_has_entras_shape(microsoft: Microsoft) -> None:
    result = microsoft.app_token(CONTOSO)

    assert result["error_codes"] == [7000229]
    assert re.fullmatch(r"[0-9a-f-]{36}", result["trace_id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", result["timestamp"])
    assert result["error_description"].startswith("AADSTS7000229: ")
    for part in ("Trace ID: " + result["trace_id"], "Correlation ID: " + result["correlation_id"], "Timestamp: "):
        assert part in result["error_description"]


def test_scope_that_is_not_default_is_refused_for_applications(microsoft: Microsoft) -> None:
    form = {"grant_type": "client_credentials", "client_id": APP_CLIENT_ID, "client_secret": APP_CLIENT_SECRET}

    response = request_token(microsoft, scope="https://graph.microsoft.com/User.Read", **form)

    assert response.json()["error"] == "invalid_scope"
    assert codes(response.json()) == [1002012]


def test_request_that_is_no_form_is_400(microsoft: Microsoft) -> None:
    url = f"{microsoft.simulator.url}/{TAILSPIN}/oauth2/v2.0/token"

    response = microsoft.session.post(url, data=b"grant_type=\xff")

    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("tenant", "grant", "code"), [(TAILSPIN, "device_code", 70003), ("common", "password", 9001023)]
)
def test_unsupported_grants_are_refused(microsoft: Microsoft, tenant: str, grant: str, code: int) -> None:
    assert codes(request_token(microsoft, tenant=tenant, grant_type=grant).json()) == [code]


def test_one_refresh_token_serves_every_resource_and_is_not_used_up(microsoft: Microsoft) -> None:
    first = microsoft.sign_in()["refresh_token"]

    for scope, audience in RESOURCES:
        result = microsoft.application().acquire_token_by_refresh_token(first, [scope])

        assert claims_of(result)["aud"] == audience
        assert result["refresh_token"] != first


def test_refresh_token_survives_a_password_change(microsoft: Microsoft) -> None:
    refresh_token = microsoft.sign_in()["refresh_token"]
    microsoft.change_tenant(users={TAILSPIN_ADMIN: {"password": "only-for-tests-Passw0rd"}})

    assert "access_token" in microsoft.application().acquire_token_by_refresh_token(refresh_token, [GRAPH])


def test_refresh_token_dies_when_sessions_are_revoked(microsoft: Microsoft) -> None:
    signed_in = microsoft.sign_in()
    oid = signed_in["id_token_claims"]["oid"]

    response = microsoft.graph("POST", f"/v1.0/users/{oid}/revokeSignInSessions")

    assert response.ok
    refused = microsoft.application().acquire_token_by_refresh_token(signed_in["refresh_token"], [GRAPH])
    assert codes(refused) == [50173]
    assert "access_token" in microsoft.sign_in()


def test_access_token_outlives_the_revocation_of_sessions(microsoft: Microsoft) -> None:
    signed_in = microsoft.sign_in()
    oid = signed_in["id_token_claims"]["oid"]

    microsoft.graph("POST", f"/v1.0/users/{oid}/revokeSignInSessions")

    assert microsoft.graph("GET", "/v1.0/me", signed_in["access_token"]).status_code == 200


def test_refresh_token_follows_the_account(microsoft: Microsoft) -> None:
    refresh_token = microsoft.sign_in()["refresh_token"]
    microsoft.change_tenant(users={TAILSPIN_ADMIN: {"accountEnabled": False}})
    disabled = microsoft.application().acquire_token_by_refresh_token(refresh_token, [GRAPH])

    microsoft.change_tenant(users={TAILSPIN_ADMIN: None})
    gone = microsoft.application().acquire_token_by_refresh_token(refresh_token, [GRAPH])

    assert codes(disabled) == [50057]
    assert codes(gone) == [50034]


def test_refresh_token_unused_for_ninety_days_is_700082(microsoft: Microsoft) -> None:
    refresh_token = microsoft.sign_in()["refresh_token"]
    microsoft.control("POST", "clock", {"advance": 91 * 24 * 3600})

    assert codes(microsoft.application().acquire_token_by_refresh_token(refresh_token, [GRAPH])) == [700082]


def test_invented_refresh_token_is_70000(microsoft: Microsoft) -> None:
    result = microsoft.application().acquire_token_by_refresh_token("only-for-tests-invented", [GRAPH])

    assert codes(result) == [70000]


def test_discovery_and_keys_verify_a_token_the_simulator_signed(microsoft: Microsoft) -> None:
    discovery = microsoft.session.get(
        f"{microsoft.simulator.url}/{TAILSPIN}/v2.0/.well-known/openid-configuration"
    ).json()
    keys = microsoft.session.get(discovery["jwks_uri"]).json()

    id_token = microsoft.sign_in()["id_token"]

    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(id_token)["kid"]]
    claims = jwt.decode(id_token, key, algorithms=["RS256"], audience=APP_CLIENT_ID, issuer=discovery["issuer"])
    assert claims["tid"] == TAILSPIN
    assert discovery["token_endpoint"] == f"{microsoft.simulator.url}/{TAILSPIN}/oauth2/v2.0/token"


def test_azure_identity_gets_an_app_token_and_raises_the_refusal(microsoft: Microsoft) -> None:
    def credential(tenant: str) -> ClientSecretCredential:
        return ClientSecretCredential(
            tenant,
            APP_CLIENT_ID,
            APP_CLIENT_SECRET,
            authority=microsoft.simulator.url,
            disable_instance_discovery=True,
            connection_verify=str(microsoft.simulator.ca_bundle),
        )

    with credential(TAILSPIN) as consented, credential(CONTOSO) as strange:
        token = consented.get_token(GRAPH)

        assert token.expires_on > time.time()
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000229"):
            strange.get_token(GRAPH)
