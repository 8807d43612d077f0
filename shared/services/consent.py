"""What a tenant has consented to: read from the permissions that a fresh token carries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.directory_roles import PERMISSIONS
from shared.domain.errors import Code, ManagementSessionError, NextStep, Problem, Refused
from shared.domain.ids import TenantId
from shared.domain.tenant import Consent, ConsentState
from shared.services.world import World

_GRANT = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"


def consent_of(world: World, tenant_id: TenantId) -> Consent:
    """The tenant's consent as it is now; "unknown" when Entra does not say.

    A token's `roles` are the application permissions consented to
    (https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference).
    """
    now = world.clock.now()
    try:
        held = world.sign_in.permissions(tenant_id)
    except ManagementSessionError as error:
        if error.problem.code is Code.CONSENT_MISSING:
            return Consent(ConsentState.MISSING, (), tuple(PERMISSIONS), now, error.problem)
        return Consent(ConsentState.UNKNOWN, (), (), now, error.problem)
    return consent_that_holds(held, now)


def consent_that_holds(held: frozenset[str], now: datetime) -> Consent:
    """The consent that a token with these permissions tells of."""
    missing = tuple(name for name in PERMISSIONS if name not in held)
    state = ConsentState.PARTIAL if missing else ConsentState.GRANTED
    return Consent(state, tuple(name for name in PERMISSIONS if name in held), missing, now)


def missing_permission(names: Sequence[str], cause: Problem | None = None) -> Refused:
    """A permission is missing: which, and where to grant it."""
    step = f"Grant admin consent for {', '.join(names)} with the consent link of the tenant, then retry."
    return Refused(
        Problem(
            Code.PERMISSION_MISSING,
            "Management Sessions doesn't have permission to create a service account on your tenant.",
            next_step=NextStep(step, _GRANT),
            details=(cause,) if cause else (),
        )
    )
