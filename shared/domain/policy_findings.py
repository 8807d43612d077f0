"""From a tenant's policies to findings: what blocks the service account now, what will, and whether ours holds.

Every grant control is one that a password sign-in cannot meet, so whatever demands one blocks
(https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Final
from uuid import UUID

from shared.domain.allowed_ips import CONTROLS, POLICY_STATES, AllowedIps, AllowedIpsState
from shared.domain.errors import Code
from shared.domain.findings import passed, skipped
from shared.domain.policies import NamedLocation, Policy
from shared.domain.policy_check import FOREIGN_IP, BlockingPolicy, Check, Finding, PolicyState, Verdict, WhatIf
from shared.domain.tenant import Tenant

_POLICIES: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies"
_SET_AGAIN: Final = "Set the allowed IPs again (PUT …/allowed-ips)."
_MADE_AGAIN: Final = "Set the allowed IPs again (PUT …/allowed-ips), or wait: within a day upkeep does."

MANAGED_POLICY_GRACE: Final = timedelta(days=45)
"""A Microsoft-managed policy stays report-only at least this long
(https://learn.microsoft.com/entra/identity/conditional-access/managed-policies)."""


def conditional_access(
    tenant: Tenant, policies: Sequence[Policy], what_ifs: Sequence[WhatIf]
) -> tuple[Finding, Finding]:
    """What blocks now, and what will once it is enabled."""
    own = [evaluated for evaluated in what_ifs if evaluated.ip != FOREIGN_IP]
    if policies and not own:
        cause = "It is not known from which addresses our sign-ins come, so nothing could be evaluated."
        unasked = Finding(Check.CONDITIONAL_ACCESS, Verdict.UNKNOWN, cause, "Set EGRESS_IPS for this service.")
        return unasked, replace(unasked, check=Check.COMING_POLICIES)
    demanding = [policy for policy in policies if _demands_something(tenant, policy)]
    hits = [_blocking(tenant, policy, own) for policy in demanding if _applies(policy, own)]
    doubtful = [policy for policy in demanding if _may_apply(policy, own) and not _applies(policy, own)]
    return (
        _now(
            tenant,
            tuple(hit for hit in hits if hit.state is PolicyState.ENABLED),
            [policy.display_name for policy in doubtful if _is_enforced(policy)],
        ),
        _later(
            tuple(hit for hit in hits if hit.state is PolicyState.REPORT_ONLY),
            [policy.display_name for policy in doubtful if not _is_enforced(policy)],
        ),
    )


def _now(tenant: Tenant, hits: tuple[BlockingPolicy, ...], doubtful: Sequence[str]) -> Finding:
    check = Check.CONDITIONAL_ACCESS
    if hits:
        names = ", ".join(f"“{hit.display_name}” ({' and '.join(hit.controls)})" for hit in hits)
        cause = f"Conditional access blocks the service account: {names}."
        fix = "Exclude the service account from it, by hand, or let the allowed IPs make the exclusion."
        if any(hit.policy_id == tenant.allowed_ips.policy_id for hit in hits):
            fix = _SET_AGAIN
        return Finding(check, Verdict.FAIL, cause, fix, _POLICIES, hits, is_obstacle=True)
    if doubtful:
        cause = f"Whether these policies apply depends on what only a real sign-in shows: {', '.join(doubtful)}."
        return Finding(check, Verdict.UNKNOWN, cause, "Turn the session on to find out.", _POLICIES)
    return passed(check)


def _later(hits: tuple[BlockingPolicy, ...], doubtful: Sequence[str]) -> Finding:
    check, fix = Check.COMING_POLICIES, "Exclude the service account from them before they are enabled."
    if hits:
        dates = [hit.blocks_from for hit in hits if hit.blocks_from]
        when = f", from {min(dates):%Y-%m-%d} on at the earliest" if dates else ""
        names = ", ".join(f"“{hit.display_name}”" for hit in hits)
        cause = f"Policies that only report today will block the service account once enabled{when}: {names}."
        return Finding(check, Verdict.FAIL, cause, fix, _POLICIES, hits)
    if doubtful:
        cause = f"Policies that only report today may block the service account once enabled: {', '.join(doubtful)}."
        return Finding(check, Verdict.UNKNOWN, cause, fix, _POLICIES)
    return passed(check)


def _demands_something(tenant: Tenant, policy: Policy) -> bool:
    """Ours in report-only is no threat: it is enforced only when it spares our addresses."""
    ours = policy.policy_id == tenant.allowed_ips.policy_id
    return bool(policy.controls) and policy.state != "disabled" and (_is_enforced(policy) or not ours)


def _applies(policy: Policy, own: Iterable[WhatIf]) -> bool:
    return any(policy.policy_id in evaluated.applied for evaluated in own)


def _may_apply(policy: Policy, own: Iterable[WhatIf]) -> bool:
    return any(policy.policy_id in evaluated.uncertain for evaluated in own)


def _is_enforced(policy: Policy) -> bool:
    return policy.state == "enabled"


def _blocking(tenant: Tenant, policy: Policy, own: Iterable[WhatIf]) -> BlockingPolicy:
    hits = [evaluated for evaluated in own if policy.policy_id in evaluated.applied]
    from_date = None
    if policy.is_microsoft_managed and not _is_enforced(policy) and policy.created_at:
        from_date = policy.created_at + MANAGED_POLICY_GRACE
    cure = f"Exclude the user {tenant.account.user_principal_name} in this policy, and nobody else."
    if policy.policy_id == tenant.allowed_ips.policy_id:
        cure = f"Exclude nobody. {_SET_AGAIN}"
    return BlockingPolicy(
        policy.policy_id,
        policy.display_name,
        PolicyState.ENABLED if _is_enforced(policy) else PolicyState.REPORT_ONLY,
        policy.is_microsoft_managed,
        policy.controls,
        tuple(dict.fromkeys(hit.resource for hit in hits)),
        tuple(dict.fromkeys(str(ip_network(hit.ip)) for hit in hits)),
        cure,
        from_date,
    )


def named_location(
    wanted: AllowedIps,
    egress: Sequence[str],
    locations: Iterable[NamedLocation],
    policy: Policy | None,
    what_ifs: Sequence[WhatIf],
    *,
    account: UUID,
) -> Finding:
    """Whether the location and the policy we made are still there, current and as asked for, and bite elsewhere only.

    `policy` is ours, None when it is gone; among `what_ifs` is one from the foreign address. `account` is the object id
    of the one user it ought to be about.
    """
    check = Check.NAMED_LOCATION
    place = next((place for place in locations if place.location_id == wanted.location_id), None)
    if place is None or policy is None or policy.only_user not in (None, str(account)):
        return Finding(check, Verdict.FAIL, _what_is_gone(place, policy), _MADE_AGAIN, _POLICIES, code=Code.NOT_FOUND)
    cause = _what_is_wrong(wanted, egress, place, policy, what_ifs)
    if cause is None:
        return passed(check)
    return Finding(check, Verdict.FAIL, cause, _SET_AGAIN, _POLICIES, code=Code.POLICY_CHANGED)


def no_named_location(wanted: AllowedIps) -> Finding | None:
    """The row where there is nothing to look at, because none is set, or not yet, or no longer; else None."""
    if wanted.state in (AllowedIpsState.NONE, AllowedIpsState.REMOVING):
        return skipped(Check.NAMED_LOCATION, "No allowed IPs are set for this tenant.")
    if wanted.state is AllowedIpsState.APPLYING:
        return skipped(Check.NAMED_LOCATION, "The allowed IPs are just being set.")
    return None


def _what_is_gone(place: NamedLocation | None, policy: Policy | None) -> str:
    if place is None:
        return "The named location of the allowed IPs is gone."
    if policy is None:
        return "The policy of the allowed IPs is gone."
    return "The policy of the allowed IPs is about another account than the one there is now."


def _what_is_wrong(
    wanted: AllowedIps, egress: Sequence[str], place: NamedLocation, policy: Policy, what_ifs: Sequence[WhatIf]
) -> str | None:
    if place.is_trusted:
        return "The named location was marked as trusted, so other people's MFA policies may let sign-ins from it pass."
    if set(place.ranges) != {*wanted.ranges, *egress}:
        return "The named location does not hold the allowed addresses that are in force now."
    if (policy.state, policy.controls) != (POLICY_STATES[wanted.wanted], (CONTROLS[wanted.outside],)):
        return "The policy of the allowed IPs is not as it was asked for."
    hit = {evaluated.ip for evaluated in what_ifs if policy.policy_id in evaluated.applied}
    if hit - {FOREIGN_IP}:
        return "The policy of the allowed IPs concerns our own addresses too."
    if FOREIGN_IP not in hit:
        return "A sign-in from elsewhere would not meet the policy of the allowed IPs."
    return None
