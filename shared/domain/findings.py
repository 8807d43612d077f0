"""From facts to findings: what each fact about a tenant means for its management session, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.allowed_ips import AllowedIps, AllowedIpsState
from shared.domain.directory_roles import PERMISSIONS, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR, PROFILES, ROLE_NAMES
from shared.domain.errors import Problem
from shared.domain.policies import NamedLocation, Policy
from shared.domain.policy_check import FOREIGN_IP, BlockingPolicy, Check, Finding, PolicyState, Verdict, WhatIf
from shared.domain.ports import Organization
from shared.domain.tenant import ServiceAccount, Tenant

_PORTAL = "https://entra.microsoft.com/#view/"
_POLICIES = _PORTAL + "Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies"
_CONSENT = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"
_ROLES = _PORTAL + "Microsoft_AAD_IAM/RolesManagementMenuBlade"
_SECURITY_DEFAULTS = "https://learn.microsoft.com/entra/fundamentals/security-defaults"
_PER_USER_MFA = "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userstates"
_LICENCES = "https://learn.microsoft.com/entra/fundamentals/licensing"
_DOMAINS = "https://learn.microsoft.com/entra/identity/users/domains-manage"
_METHODS = "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userdevicesettings"

MANAGED_POLICY_GRACE = timedelta(days=45)
"""A Microsoft-managed policy stays report-only at least this long
(https://learn.microsoft.com/entra/identity/conditional-access/managed-policies)."""


def passed(check: Check) -> Finding:
    """Nothing is in the way."""
    return Finding(check, Verdict.PASS)


def skipped(check: Check, why: str) -> Finding:
    """It does not apply."""
    return Finding(check, Verdict.SKIPPED, why)


def unknown(check: Check, problem: Problem) -> Finding:
    """It could not be found out."""
    step = problem.next_step
    return Finding(
        check,
        Verdict.UNKNOWN,
        problem.message,
        step.text if step else "Run the check again.",
        step.link if step else None,
    )


def consent(held: frozenset[str]) -> Finding:
    """Whether the application permissions are consented to."""
    missing = [name for name in PERMISSIONS if name not in held]
    if not missing:
        return passed(Check.CONSENT)
    cause = f"Admin consent is missing for {', '.join(missing)}."
    return Finding(Check.CONSENT, Verdict.FAIL, cause, "Grant admin consent with the tenant's consent link.", _CONSENT)


def no_consent(problem: Problem) -> Finding:
    """No token can be had in the tenant at all."""
    fix = "Grant admin consent with the tenant's consent link."
    return Finding(Check.CONSENT, Verdict.FAIL, problem.message, fix, _CONSENT, is_obstacle=True)


def admin_role(held: frozenset[UUID]) -> Finding:
    """Whether our application may act on an account that holds administrator roles."""
    needed = PRIVILEGED_AUTHENTICATION_ADMINISTRATOR
    if needed.template_id in held:
        return passed(Check.ADMIN_ROLE)
    return Finding(
        Check.ADMIN_ROLE,
        Verdict.FAIL,
        f"Our application does not hold {needed.name}, so it cannot reset or restore an account that holds roles.",
        f"Assign {needed.name} to the enterprise application Management Sessions.",
        _ROLES,
    )


def tenant_facts(found: Organization) -> Finding:
    """Whether accounts in the initial domain have passwords of their own."""
    if found.initial_domain_is_managed:
        return passed(Check.TENANT_FACTS)
    cause = f"The domain {found.initial_domain} is federated: its accounts have no password in Entra."
    fix = "Make the initial domain a managed one."
    return Finding(Check.TENANT_FACTS, Verdict.FAIL, cause, fix, _DOMAINS, is_obstacle=True)


def licence(has_premium: bool) -> Finding:
    """Whether there is conditional access at all."""
    if has_premium:
        return passed(Check.LICENCE)
    cause = "The tenant has no Entra ID P1: no conditional access, and so no allowed IPs."
    return Finding(
        Check.LICENCE, Verdict.FAIL, cause, "Add Entra ID P1 to restrict where the account signs in.", _LICENCES
    )


def security_defaults(is_on: bool) -> Finding:
    """Security defaults demand MFA of administrators, without exception."""
    if not is_on:
        return passed(Check.SECURITY_DEFAULTS)
    cause = "Security defaults are on: every account with an administrator role must do MFA."
    fix = "Replace security defaults by conditional access policies that exclude the service account."
    return Finding(Check.SECURITY_DEFAULTS, Verdict.FAIL, cause, fix, _SECURITY_DEFAULTS, is_obstacle=True)


def per_user_mfa(state: str) -> Finding:
    """Per-user MFA asks for a second factor whatever the policies say."""
    if state == "disabled":
        return passed(Check.PER_USER_MFA)
    cause = f"Per-user MFA is {state} for the service account."
    fix = "Disable per-user MFA for the service account."
    return Finding(Check.PER_USER_MFA, Verdict.FAIL, cause, fix, _PER_USER_MFA, is_obstacle=True)


def conditional_access(
    tenant: Tenant, policies: Sequence[Policy], what_ifs: Sequence[WhatIf]
) -> tuple[Finding, Finding]:
    """What blocks now, and what will: every grant control is one that a password sign-in cannot meet."""
    own = [evaluated for evaluated in what_ifs if evaluated.ip != FOREIGN_IP]
    if policies and not own:
        cause = "It is not known from which addresses our sign-ins come, so nothing could be evaluated."
        unasked = Finding(Check.CONDITIONAL_ACCESS, Verdict.UNKNOWN, cause, "Set EGRESS_IPS for this service.")
        return unasked, replace(unasked, check=Check.COMING_POLICIES)
    hits = [_blocking(tenant, policy, own) for policy in policies if _blocks(tenant, policy, own)]
    now = tuple(hit for hit in hits if hit.state is PolicyState.ENABLED)
    coming = tuple(hit for hit in hits if hit.state is PolicyState.REPORT_ONLY)
    return _blocked(tenant, policies, own, now), _coming(coming)


def _blocked(
    tenant: Tenant, policies: Sequence[Policy], own: Sequence[WhatIf], now: tuple[BlockingPolicy, ...]
) -> Finding:
    if now:
        names = ", ".join(f"“{hit.display_name}” ({' and '.join(hit.controls)})" for hit in now)
        fix = "Exclude the service account from it, by hand or with allowed IPs and applyExclusions."
        return Finding(
            Check.CONDITIONAL_ACCESS,
            Verdict.FAIL,
            f"Conditional access blocks the service account: {names}.",
            fix,
            _POLICIES,
            now,
            is_obstacle=True,
        )
    unsure = {policy_id for evaluated in own for policy_id in evaluated.uncertain}
    doubtful = [policy.display_name for policy in policies if policy.policy_id in unsure and policy.controls]
    if doubtful:
        cause = f"Whether these policies apply depends on what only a real sign-in shows: {', '.join(doubtful)}."
        return Finding(Check.CONDITIONAL_ACCESS, Verdict.UNKNOWN, cause, "Turn the session on to find out.", _POLICIES)
    return passed(Check.CONDITIONAL_ACCESS)


def _coming(coming: tuple[BlockingPolicy, ...]) -> Finding:
    if not coming:
        return passed(Check.COMING_POLICIES)
    dates = [hit.blocks_from for hit in coming if hit.blocks_from]
    when = f", from {min(dates):%Y-%m-%d} on at the earliest" if dates else ""
    names = ", ".join(f"“{hit.display_name}”" for hit in coming)
    cause = f"Policies that only report today will block the service account once enabled{when}: {names}."
    fix = "Exclude the service account from them before they are enabled."
    return Finding(Check.COMING_POLICIES, Verdict.FAIL, cause, fix, _POLICIES, coming)


def _blocks(tenant: Tenant, policy: Policy, own: Sequence[WhatIf]) -> bool:
    ours = policy.policy_id == tenant.allowed_ips.policy_id
    applies = any(policy.policy_id in evaluated.applied for evaluated in own)
    return applies and bool(policy.controls) and policy.state != "disabled" and not (ours and not _enforced(policy))


def _enforced(policy: Policy) -> bool:
    return policy.state == "enabled"


def _blocking(tenant: Tenant, policy: Policy, own: Sequence[WhatIf]) -> BlockingPolicy:
    hits = [evaluated for evaluated in own if policy.policy_id in evaluated.applied]
    from_date = None
    if policy.is_microsoft_managed and not _enforced(policy) and policy.created_at:
        from_date = policy.created_at + MANAGED_POLICY_GRACE
    return BlockingPolicy(
        policy.policy_id,
        policy.display_name,
        PolicyState.ENABLED if _enforced(policy) else PolicyState.REPORT_ONLY,
        policy.is_microsoft_managed,
        policy.controls,
        tuple(dict.fromkeys(hit.resource for hit in hits)),
        tuple(dict.fromkeys(hit.ip for hit in hits)),
        f"Exclude the user {tenant.account.user_principal_name} in this policy, and nobody else.",
        from_date,
    )


def named_location(
    wanted: AllowedIps, egress: Sequence[str], locations: Iterable[NamedLocation], what_ifs: Sequence[WhatIf]
) -> Finding:
    """Whether the location we made is still there, untrusted, current, and bites from elsewhere."""
    check = Check.NAMED_LOCATION
    if wanted.state in (AllowedIpsState.NONE, AllowedIpsState.REMOVING):
        return skipped(check, "No allowed IPs are set for this tenant.")
    fix = "Set the allowed IPs again (PUT …/allowed-ips)."
    found = next((place for place in locations if place.location_id == wanted.location_id), None)
    if found is None:
        return Finding(check, Verdict.FAIL, "The named location of the allowed IPs is gone.", fix, _POLICIES)
    if found.is_trusted:
        cause = (
            "The named location was marked as trusted, so other people's MFA policies may let sign-ins from it pass."
        )
        return Finding(check, Verdict.FAIL, cause, fix, _POLICIES)
    if set(found.ranges) != {*wanted.ranges, *egress}:
        cause = "The named location does not hold the allowed addresses that are in force now."
        return Finding(check, Verdict.FAIL, cause, fix, _POLICIES)
    foreign = [evaluated for evaluated in what_ifs if evaluated.ip == FOREIGN_IP]
    if any(wanted.policy_id not in evaluated.applied for evaluated in foreign):
        return Finding(
            check, Verdict.FAIL, "A sign-in from elsewhere would not meet the allowed IPs policy.", fix, _POLICIES
        )
    return passed(check)


def roles(tenant: Tenant, held: frozenset[UUID]) -> Finding:
    """Whether the account holds its profile's roles, and no others."""
    wanted = {role.template_id for role in PROFILES[tenant.role_profile]}
    lacking, extra = wanted - held, held - wanted
    if lacking:
        cause = f"The service account lacks {_names(lacking)}."
        fix = "Retry the service account creation, which gives the roles back."
        return Finding(Check.ROLES, Verdict.FAIL, cause, fix, _ROLES, is_obstacle=True)
    if extra:
        cause = f"The service account holds more than its profile: {_names(extra)}."
        return Finding(Check.ROLES, Verdict.FAIL, cause, "Remove these roles, or choose a wider role profile.", _ROLES)
    return passed(Check.ROLES)


def credential_age(account: ServiceAccount, now: datetime) -> Finding:
    """Whether the password is rotated when it is due."""
    if account.next_rotation_at is None:
        return skipped(Check.CREDENTIAL_AGE, "The account has no password yet.")
    if now <= account.next_rotation_at + timedelta(days=1):
        return passed(Check.CREDENTIAL_AGE)
    cause = f"The password should have been rotated on {account.next_rotation_at:%Y-%m-%d}."
    return Finding(Check.CREDENTIAL_AGE, Verdict.FAIL, cause, "Rotate the password (POST …/service-account/rotate).")


def other_methods(methods: Sequence[str]) -> Finding:
    """Whether somebody registered another way to sign in as the account."""
    if not methods:
        return passed(Check.OTHER_SIGN_IN_METHODS)
    cause = f"The service account has other sign-in methods: {', '.join(methods)}. We registered none."
    fix = "Find out who registered them, remove them, and rotate the password."
    return Finding(Check.OTHER_SIGN_IN_METHODS, Verdict.FAIL, cause, fix, _METHODS)


def sign_in_refused(problem: Problem) -> Finding:
    """The real sign-in was refused: the last word, whatever the other rows say."""
    found = unknown(Check.SIGN_IN, problem)
    return replace(found, verdict=Verdict.FAIL, is_obstacle=True)


def _names(template_ids: Iterable[UUID]) -> str:
    return ", ".join(sorted(ROLE_NAMES.get(role, str(role)) for role in template_ids))
