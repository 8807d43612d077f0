"""What an executor is told, and what the trail says of it: the same words whoever decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared import telemetry
from shared.domain.action import ActionRequest, Decision, Verdict
from shared.domain.activity import Activity, Event
from shared.domain.actors import Actor, ActorKind
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.ids import lease_id_for
from shared.domain.lease import Gate, Lease
from shared.domain.standing_refusal import standing_refusal
from shared.domain.tenant import Tenant
from shared.services.world import World


def grant(request: ActionRequest, gate: Gate, now: datetime, world: World) -> tuple[Gate, Decision]:
    """The gate with a lease for the request, and the decision that says so.

    Raises:
        Refused: as `Gate.grant`.
    """
    lease_id = lease_id_for(request.tenant_id, request.action_id)
    until = now + min(request.duration, world.limits.lease_longest)
    asked = Lease(lease_id, request.action_id, request.executor, request.resources, now, until)
    granted = gate.grant(asked, now)
    lease = granted.find(lease_id, now)
    decision = Decision(
        request.action_id, request.tenant_id, Verdict.READY, lease_id=lease_id, expires_at=lease.expires_at
    )
    return granted, decision


def denied(request: ActionRequest, problem: Problem) -> Decision:
    """The decision that says no."""
    return Decision(request.action_id, request.tenant_id, Verdict.DENIED, problem=problem)


def why_not_auto_enabled(tenant: Tenant, request: ActionRequest) -> Problem | None:
    """None when the session may turn itself on for this request; else what to tell its executor."""
    if not tenant.auto_enable.enabled:
        step = NextStep("Turn the management session on, or enable auto-enable for this tenant.")
        return Problem(Code.MANAGEMENT_OFF, "The management session is off, and auto-enable is off.", next_step=step)
    if request.kind not in tenant.auto_enable.kinds:
        step = NextStep("Turn the management session on, or add this kind to auto-enable.")
        text = f"The management session is off, and auto-enable does not cover {request.kind.value}."
        return Problem(Code.KIND_NOT_ALLOWED, text, next_step=step)
    if not tenant.account.is_usable:
        step = NextStep("Create the service account, then send the request again with a new actionId.")
        return Problem(Code.SERVICE_ACCOUNT_MISSING, "The tenant has no management service account.", next_step=step)
    return standing_refusal(tenant)


def too_late() -> Problem:
    """The reason for a request that nobody could answer in time."""
    step = NextStep("Send a new request with a later deadline.")
    return Problem(Code.DEADLINE_PASSED, "The deadline passed before there was an answer.", next_step=step)


def action_entry(request: ActionRequest, event: Event, summary: str, now: datetime) -> Activity:
    """The trail's entry for something that happened to an action, in the name of its operator."""
    return Activity(
        request.tenant_id,
        now,
        event,
        Actor(ActorKind.USER, request.operator.object_id, request.operator.name),
        summary,
        telemetry.correlation_id(),
        action_id=request.action_id,
        facts={"kind": request.kind, "executor": str(request.executor)},
    )


def decision_entry(request: ActionRequest, decision: Decision, now: datetime) -> Activity:
    """The trail's entry for a decision."""
    event = {
        Verdict.READY: Event.ACTION_READY,
        Verdict.DENIED: Event.ACTION_DENIED,
        Verdict.FAILED: Event.ACTION_FAILED,
    }[decision.verdict]
    text = (
        decision.problem.message
        if decision.problem
        else f"A lease was granted until {decision.expires_at:%Y-%m-%dT%H:%M:%SZ}."
    )
    entry = action_entry(request, event, text, now)
    facts = dict(entry.facts)
    if decision.problem:
        facts["code"] = decision.problem.code
    if decision.lease_id:
        facts["leaseId"] = str(decision.lease_id)
    return replace(entry, facts=facts)
