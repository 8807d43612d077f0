"""What callers see of a tenant's policies: the check, and the allowed IPs."""

from __future__ import annotations

from functions.words import Json, present, problem, time
from shared.domain.allowed_ips import AllowedIps, AllowedIpsState, Exclusion
from shared.domain.policy_check import BlockingPolicy, CheckSummary, Finding, PolicyCheck, Verdict


def check_summary(found: CheckSummary) -> Json:
    """contracts/schemas/policyCheckSummary.json."""
    counts = {verdict.value: found.counts.get(verdict, 0) for verdict in Verdict} if found.counts else None
    return present(state=found.state.value, checkedAt=time(found.checked_at), counts=counts)


def policy_check(found: PolicyCheck) -> Json:
    """contracts/schemas/policyCheck.json."""
    return present(
        state=found.state.value,
        startedAt=time(found.started_at),
        checkedAt=time(found.checked_at),
        operationId=str(found.operation_id),
        rows=[_finding(row) for row in found.findings],
    )


def _finding(row: Finding) -> Json:
    return present(
        name=row.check.value,
        verdict=row.verdict.value,
        cause=row.cause,
        fix=row.fix,
        link=row.link,
        policies=[_blocking(policy) for policy in row.policies] or None,
    )


def _blocking(policy: BlockingPolicy) -> Json:
    return present(
        id=policy.policy_id,
        displayName=policy.display_name,
        state=policy.state.value,
        isMicrosoftManaged=policy.is_microsoft_managed,
        controls=list(policy.controls),
        resources=[resource.value for resource in policy.resources],
        sourceIps=list(policy.source_ips),
        exclusion=policy.exclusion,
        blocksFrom=time(policy.blocks_from),
    )


def allowed_ips(found: AllowedIps) -> Json:
    """contracts/schemas/allowedIps.json."""
    is_set = found.state is not AllowedIpsState.NONE
    return present(
        state=found.state.value,
        ranges=list(found.all_ranges),
        outside=found.outside.value if is_set else None,
        exclusions=[_exclusion(each) for each in found.exclusions] if is_set else None,
        updatedAt=time(found.updated_at),
        error=problem(found.problem) or None,
    )


def _exclusion(found: Exclusion) -> Json:
    return {
        "policyId": found.policy_id,
        "displayName": found.display_name,
        "state": "applied" if found.is_applied else "proposed",
        "before": list(found.before),
        "after": list(found.after),
    }
