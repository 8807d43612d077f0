"""What a tenant has consented to, application by application: read from the permissions that fresh tokens carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared.domain.directory_roles import CREATE_PERMISSIONS, ONBOARDING, SINGLE, Registration
from shared.domain.errors import Code, ManagementSessionError, NextStep, Problem, Refused
from shared.domain.ids import TenantId
from shared.domain.ports import SignIn
from shared.domain.tenant import Consent, ConsentState, Tenant
from shared.services.work import Change
from shared.services.world import World

_GRANT = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"


def consent_of(world: World, tenant_id: TenantId) -> Consent:
    """The tenant's consent as it is now, to each of our applications; "unknown" when Entra does not say."""
    now = world.clock.now()
    found = _seen(world.sign_in, tenant_id, world.registration, now)
    if world.onboarding is None:
        return found
    return replace(found, onboarding=_seen(world.onboarding.sign_in, tenant_id, ONBOARDING, now))


def require_creation(world: World, tenant_id: TenantId) -> Change:
    """How the consent is recorded, which was seen to suffice for creating the account.

    Raises:
        Refused: `permissionMissing`: what is missing, and where to grant it; `onboardingOff`.
        Transient: Entra is away.
    """
    acting, asked = (world.onboarding, ONBOARDING) if world.onboarding else (world, SINGLE)
    try:
        held = acting.sign_in.permissions(tenant_id)
    except Refused as error:
        if error.problem.code is not Code.CONSENT_MISSING:
            raise
        raise _permission_missing(CREATE_PERMISSIONS, asked, error.problem) from error
    lacking = [name for name in CREATE_PERMISSIONS if name not in held]
    if lacking:
        raise _permission_missing(lacking, asked)
    consent = _that_holds(held, asked, world.clock.now())

    def record(tenant: Tenant) -> Tenant:
        seen = consent if asked is SINGLE else replace(tenant.consent, onboarding=consent)
        return replace(tenant, consent=seen)

    return record


def require_onboarding(world: World, tenant_id: TenantId) -> None:
    """Let nothing begin that takes the onboarding application while it is switched off; a single one is not asked.

    Raises:
        Refused: `onboardingOff`.
        Transient: Entra is away.
    """
    if world.onboarding is not None:
        world.onboarding.sign_in.permissions(tenant_id)


def require_onboarding_to_remove(world: World, tenant_id: TenantId) -> None:
    """The same before a removal, unless the tenant has thrown all of us out: then what is left is reported instead.

    Raises:
        Refused, Transient: as `require_onboarding`.
    """
    try:
        require_onboarding(world, tenant_id)
    except Refused:
        runtime = _seen(world.sign_in, tenant_id, world.registration, world.clock.now())
        if runtime.state is not ConsentState.MISSING:
            raise


def _seen(sign_in: SignIn, tenant_id: TenantId, asked: Registration, now: datetime) -> Consent:
    """The consent to one application.

    A token's `roles` are the application permissions consented to
    (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
    """
    try:
        return _that_holds(sign_in.permissions(tenant_id), asked, now)
    except ManagementSessionError as error:
        if error.problem.code in (Code.CONSENT_MISSING, Code.ONBOARDING_OFF):
            return Consent(ConsentState.MISSING, (), tuple(asked.permissions), now, error.problem)
        return Consent(ConsentState.UNKNOWN, (), (), now, error.problem)


def _that_holds(held: frozenset[str], asked: Registration, now: datetime) -> Consent:
    missing = asked.missing(held)
    state = ConsentState.PARTIAL if missing else ConsentState.GRANTED
    return Consent(state, tuple(name for name in asked.permissions if name in held), missing, now)


def _permission_missing(names: Sequence[str], asked: Registration, cause: Problem | None = None) -> Refused:
    whose = "the consent link of the tenant" if asked is SINGLE else f"the consent link of {asked.name}"
    return Refused(
        Problem(
            Code.PERMISSION_MISSING,
            "Management Sessions doesn't have permission to create a service account on your tenant.",
            next_step=NextStep(f"Grant admin consent for {', '.join(names)} with {whose}, then retry.", _GRANT),
            details=(cause,) if cause else (),
        )
    )
