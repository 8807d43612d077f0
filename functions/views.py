"""What callers see: the domain's things in the contract's words, camelCase, with what is unknown left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from functions import policy_views
from functions.words import Json, next_step, present, problem, span, time
from shared.domain.action import Action, Operator
from shared.domain.activity import Activity
from shared.domain.actors import Actor, Grant
from shared.domain.directory_roles import ONBOARDING, PROFILES, ROLE_NAMES, RUNTIME, SINGLE, Registration
from shared.domain.errors import NextStep
from shared.domain.lease import Lease
from shared.domain.next_step import next_step_of
from shared.domain.operation import Operation
from shared.domain.session import Method
from shared.domain.store import Overview, TenantSummary
from shared.domain.tenant import AutoEnable, Consent, ServiceAccount, Tenant
from shared.services.onboard import ConsentUrls
from shared.services.turn_on_as_admin import WARNING


def _actor(who: Actor | None) -> Json | None:
    return (
        present(kind=who.kind.value, objectId=str(who.object_id) if who.object_id else None, name=who.name)
        if who
        else None
    )


def tenant(overview: Overview, now: datetime, urls: ConsentUrls) -> Json:
    """contracts/schemas/tenant.json."""
    row = overview.tenant.row
    running = row.operation
    return present(
        tenantId=str(row.tenant_id),
        displayName=row.display_name,
        roleProfile=row.role_profile.value,
        initialDomain=row.initial_domain,
        consent=_consents(row.consent, urls),
        serviceAccount=account(row),
        session=session(overview, now),
        autoEnable=auto_enable(row.auto_enable),
        allowedIps=policy_views.allowed_ips(row.allowed_ips),
        policyCheck=policy_views.check_summary(row.policy_check),
        operation={"id": str(running.operation_id), "kind": running.kind.value} if running else None,
        nextStep=next_step(next_step_of(row, urls.runtime, urls.onboarding)),
        createdAt=time(row.created_at),
        updatedAt=time(row.updated_at),
    )


def _consents(found: Consent, urls: ConsentUrls) -> Json:
    """contracts/schemas/consent.json."""
    if urls.onboarding is None:
        return _consent(found, SINGLE, urls.runtime)
    onboarding = _consent(found.onboarding or Consent(), ONBOARDING, urls.onboarding)
    return {**_consent(found, RUNTIME, urls.runtime), "onboarding": onboarding}


def _consent(found: Consent, asked: Registration, url: str) -> Json:
    def state(name: str) -> str:
        return "granted" if name in found.held else "missing" if name in found.missing else "unknown"

    return present(
        state=found.state.value,
        adminConsentUrl=url,
        permissions=[{"name": name, "state": state(name), "neededFor": why} for name, why in asked.permissions.items()],
        checkedAt=time(found.checked_at),
        error=problem(found.problem) or None,
    )


def account(row: Tenant) -> Json:
    """contracts/schemas/serviceAccount.json."""
    found = row.account
    dates = present(rotatedAt=time(found.rotated_at), nextRotationAt=time(found.next_rotation_at))
    return present(
        state=found.state.value,
        userPrincipalName=found.user_principal_name,
        objectId=str(found.object_id) if found.object_id else None,
        roles=_roles(row, found),
        createdAt=time(found.created_at),
        credential=dates or None,
        error=problem(found.problem) or None,
    )


def _roles(row: Tenant, account: ServiceAccount) -> list[Json]:
    """What the profile wants and whether it is held, then what is held besides."""
    if account.account_id is None:
        return []
    wanted = [role.template_id for role in PROFILES[row.role_profile]]
    extra = [role for role in account.roles if role not in wanted]
    return [
        {
            "id": str(role),
            "name": ROLE_NAMES.get(role, str(role)),
            "state": "held" if role in account.roles else "missing",
        }
        for role in (*wanted, *extra)
    ]


def session(overview: Overview, now: datetime, in_use: Sequence[tuple[Lease, Action | None]] | None = None) -> Json:
    """contracts/schemas/session.json; with the leases in use where somebody has looked them up."""
    found = overview.tenant.row.session
    last = found.last_auto_enable
    return present(
        state=found.state.value,
        method=found.method.value if found.method else None,
        turnedOnBy=_actor(found.turned_on_by),
        reason=found.reason,
        since=time(found.since),
        expiresAt=time(found.expires_at),
        leases=sum(len(gate.row.live(now)) for gate in overview.gates),
        leasesInUse=None if in_use is None else [_in_use(*each) for each in in_use],
        tokensValidUntil=time(found.tokens_valid_until),
        lastAutoEnable={
            "outcome": last.outcome.value,
            "at": time(last.at),
            "actionId": str(last.action_id),
            "reason": last.reason,
        }
        if last
        else None,
        methods=[present(method=each.value, warning=_warning(each)) for each in Method],
        warning=_warning(found.method),
        error=problem(found.problem) or None,
    )


def _in_use(lease: Lease, action: Action | None) -> Json:
    """contracts/schemas/leaseInUse.json."""
    return present(
        leaseId=str(lease.lease_id),
        actionId=str(lease.action_id),
        kind=action.request.kind.value if action else None,
        executor=str(lease.executor),
        operator=_operator(action.request.operator) if action else None,
        since=time(lease.granted_at),
        until=time(lease.expires_at),
    )


def _operator(found: Operator) -> Json:
    """contracts/schemas/operator.json."""
    return {"objectId": str(found.object_id), "name": found.name}


def _warning(method: Method | None) -> Json | None:
    """What to know of the method, before it is chosen and after."""
    return next_step(WARNING) if method is Method.GLOBAL_ADMIN else None


def auto_enable(found: AutoEnable) -> Json:
    """contracts/schemas/autoEnable.json."""
    kinds = [kind.value for kind in found.kinds]
    return {"enabled": found.enabled, "kinds": kinds, "idleTimeout": span(found.idle_timeout)}


def summary(row: TenantSummary) -> Json:
    """contracts/schemas/tenantSummary.json."""
    return present(
        tenantId=str(row.tenant_id),
        displayName=row.display_name,
        roleProfile=row.role_profile.value,
        consent={"state": row.consent.value},
        serviceAccount={"state": row.account.value},
        session=present(
            state=row.state.value,
            since=time(row.since),
            expiresAt=time(row.expires_at),
            error=problem(row.problem) or None,
        ),
        autoEnable={"enabled": row.auto_enabled},
        nextStep=next_step(row.next_step),
        createdAt=time(row.created_at),
        updatedAt=time(row.updated_at),
    )


def operation(found: Operation) -> Json:
    """contracts/schemas/operation.json."""
    return present(
        id=str(found.operation_id),
        kind=found.kind.value,
        status=found.status.value,
        percentComplete=found.percent_complete,
        steps=[
            present(
                name=step.name, status=step.status.value, startedAt=time(step.started_at), endedAt=time(step.ended_at)
            )
            for step in found.steps
        ],
        requestedBy=_actor(found.requested_by),
        correlationId=found.correlation_id,
        createdAt=time(found.created_at),
        updatedAt=time(found.updated_at),
        error=problem(found.problem) or None,
        result=_result(found.result),
        warning=next_step(WARNING) if found.notes.get("method") == Method.GLOBAL_ADMIN else None,
        nextStep=next_step(_after(found)),
    )


def _after(found: Operation) -> NextStep | None:
    """What to do now that the operation stands where it does."""
    if not found.is_terminal:
        return NextStep("Wait as long as Retry-After says, then read the operation again.")
    if found.problem is None:
        return None
    return found.problem.next_step or NextStep("Ask again; if it fails again, give support the correlation id.")


def _result(result: Mapping[str, object] | None) -> Json | None:
    if result is None:
        return None
    return {name: time(value) if isinstance(value, datetime) else value for name, value in result.items()}


def activity(entry: Activity) -> Json:
    """contracts/schemas/activityEntry.json."""
    return present(
        id=str(entry.entry_id),
        at=time(entry.at),
        kind=entry.event.value,
        summary=entry.summary,
        actor=_actor(entry.actor),
        correlationId=entry.correlation_id,
        operationId=str(entry.operation_id) if entry.operation_id else None,
        actionId=str(entry.action_id) if entry.action_id else None,
        reason=entry.reason,
        facts=dict(entry.facts),
    )


def action(found: Action) -> Json:
    """contracts/schemas/action.json."""
    request, decision = found.request, found.decision
    state = "completed" if found.completed_at else "decided" if decision else "parked"
    return present(
        actionId=str(request.action_id),
        kind=request.kind.value,
        executor=str(request.executor),
        operator=_operator(request.operator),
        state=state,
        decision=decision.verdict.value if decision else None,
        leaseId=str(decision.lease_id) if decision and decision.lease_id else None,
        expiresAt=time(decision.expires_at) if decision else None,
        error=problem(decision.problem) or None if decision else None,
        receivedAt=time(found.received_at),
        decidedAt=time(found.decided_at),
        completedAt=time(found.completed_at),
        outcome=found.outcome.value if found.outcome else None,
    )


def lease(found: Lease) -> Json:
    """contracts/schemas/lease.json, for a lease that lives."""
    return {
        "leaseId": str(found.lease_id),
        "actionId": str(found.action_id),
        "resources": [resource.value for resource in found.resources],
        "executor": str(found.executor),
        "grantedAt": time(found.granted_at),
        "expiresAt": time(found.expires_at),
        "state": "active",
    }


def operator(object_id: str, grant: Grant) -> Json:
    """contracts/schemas/operatorGrant.json."""
    return present(objectId=object_id, roles=[right.value for right in grant.rights], displayName=grant.display_name)
