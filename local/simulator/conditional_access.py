"""Conditional access: one set of rules that says what a what-if shows and what a sign-in is refused with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from local.simulator.directory_roles import SECURITY_DEFAULTS_ADMINISTRATORS
from local.simulator.policy_conditions import CONDITIONS, Reason
from local.simulator.sign_ins import SignIn
from local.simulator.state import JsonObject, Tenant, User, World
from local.simulator.timestamps import moment_of

BLOCKED = 53003
MFA_REQUIRED = 50076
MFA_ENROLMENT_REQUIRED = 50079
BLOCKED_BY_SECURITY_DEFAULTS = 530035

LEGACY_CLIENTS = frozenset({"other", "exchangeActiveSync", "easSupported"})

# AADSTS codes of the controls that a password alone can never satisfy, in the order in which Entra asks for them
# (learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-policies, "enforcement").
_REFUSALS: tuple[tuple[str, int], ...] = (
    ("mfa", MFA_REQUIRED),
    ("compliantDevice", 53000),
    ("domainJoinedDevice", 53001),
    ("approvedApplication", 53002),
    ("compliantApplication", 53009),
    ("passwordChange", 50135),
    ("riskRemediation", 50135),
    ("termsOfUse", 50158),
    ("customAuthenticationFactors", 50158),
)


def analyse(policy: JsonObject, sign_in: SignIn) -> Reason:
    """Whether a policy applies to a sign-in: NOT_SET if it does, else why not (whatIfAnalysisReasons).

    A condition that is certainly not met is told before one that could not be judged. A report-only policy applies.
    """
    if policy.get("state", "disabled") == "disabled":
        return Reason.POLICY_NOT_ENABLED
    conditions = policy.get("conditions") or {}
    reasons = [reason for rule in CONDITIONS if (reason := rule(conditions, sign_in)) is not Reason.NOT_SET]
    certain = [reason for reason in reasons if reason is not Reason.NOT_ENOUGH_INFORMATION]
    return (certain or reasons or [Reason.NOT_SET])[0]


def sign_in_outcome(
    world: World,
    tenant: Tenant,
    user: User,
    *,
    client_app_type: str,
    resource_app_id: str,
    ip: str,
    now: datetime,
) -> int | None:
    """What a correct password meets: the AADSTS code it is refused with, or None when it suffices.

    `client_app_type` is conditionalAccessClientApp ("mobileAppsAndDesktopClients" for the password grant),
    `resource_app_id` the application id of what the token is for, `ip` where the sign-in comes from, `now` its moment:
    a policy younger than `world.policy_delay` seconds has not reached the sign-in service yet.

    Enabled policies, security defaults and per-user MFA all count; a block outranks every other demand.
    """
    sign_in = SignIn.of_password(
        world, tenant, user, client_app_type=client_app_type, resource_app_id=resource_app_id, ip=ip
    )
    applied = [
        policy
        for policy in tenant.policies.values()
        if policy.get("state") == "enabled"
        and _has_arrived(policy, world.policy_delay, now)
        and analyse(policy, sign_in) is Reason.NOT_SET
    ]
    demands = _demands(applied)
    if "block" in demands:
        return BLOCKED
    if tenant.security_defaults:
        if client_app_type in LEGACY_CLIENTS:
            return BLOCKED_BY_SECURITY_DEFAULTS
        if sign_in.roles & SECURITY_DEFAULTS_ADMINISTRATORS:
            demands.add("mfa")
    if user.per_user_mfa in ("enabled", "enforced"):
        demands.add("mfa")
    return next((_for_user(code, user) for control, code in _REFUSALS if control in demands), None)


def _has_arrived(policy: JsonObject, delay: float, now: datetime) -> bool:
    created = policy.get("createdDateTime")
    return created is None or moment_of(created) + timedelta(seconds=delay) <= now


def _demands(policies: Iterable[JsonObject]) -> set[str]:
    """Every control the policies ask for. OR or AND is the same here: a password satisfies none of them."""
    demands: set[str] = set()
    for policy in policies:
        controls = policy.get("grantControls") or {}
        demands.update(controls.get("builtInControls") or ())
        demands.update(name for name in ("termsOfUse", "customAuthenticationFactors") if controls.get(name))
        if controls.get("authenticationStrength"):
            demands.add("mfa")
    return demands


def _for_user(code: int, user: User) -> int:
    """A user without a second factor is told to enrol: 50079 for MFA, 53004 where a password change needs it first."""
    if user.methods:
        return code
    return {MFA_REQUIRED: MFA_ENROLMENT_REQUIRED, 50135: 53004}.get(code, code)
