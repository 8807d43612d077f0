"""An executor asks to act: a lease at once, a place among those who wait, or a reasoned no. One decision always."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared import telemetry
from shared.domain.action import Action, ActionRequest, Decision, Outcome, ParkedAction, Verdict
from shared.domain.activity import Activity, Event
from shared.domain.actors import Actor, ActorKind
from shared.domain.errors import AlreadyExists, Code, Conflict, NextStep, NotFound, Problem, Refused
from shared.domain.ids import ActionId, TenantId, gate_of, lease_id_for
from shared.domain.lease import Gate, GateState, Lease
from shared.domain.session import AutoEnableOutcome, LastAutoEnable, SessionState
from shared.domain.standing_refusal import standing_refusal
from shared.domain.store import Due, Insert, Replace, Stored, Write
from shared.domain.tenant import Tenant
from shared.services.accept import contended
from shared.services.toggle_session import ToggleSession
from shared.services.world import World

_RACES = 40
_SAY_AGAIN = timedelta(minutes=1)


class Act:
    """The services behind the queues `action-requests` and `action-completions`."""

    def __init__(self, world: World, toggle: ToggleSession) -> None:
        self._world = world
        self._toggle = toggle

    def request(self, request: ActionRequest) -> None:
        """Decide on a request, or park it. The same request again gets the same answer again.

        With the session on this is one read, one transaction and one message.

        Raises:
            Transient: our own tables or queues are away; the platform delivers the message again.
        """
        for _ in range(_RACES):
            try:
                decision = self._decide(request)
            except AlreadyExists:
                decision = self._decided_before(request)
            except Conflict:
                continue
            if decision is not None:
                self._world.messages.send_decision(request.kind, decision)
            return
        raise contended()

    def _decided_before(self, request: ActionRequest) -> Decision | None:
        return self._world.store.action(request.tenant_id, request.action_id).row.decision

    def _decide(self, request: ActionRequest) -> Decision | None:
        world, now = self._world, self._world.clock.now()
        lease_id = lease_id_for(request.tenant_id, request.action_id)
        try:
            gate = world.store.gate(request.tenant_id, gate_of(lease_id))
        except NotFound as error:
            telemetry.event("actionForUnknownTenant", tenant_id=request.tenant_id, action_id=request.action_id)
            return denied(request, error.problem)
        if now >= request.deadline - world.limits.answer_margin:
            return self._record(request, denied(request, too_late()), ())
        if gate.row.lets_new_in(now):
            return self._grant(request, gate, now)
        if gate.row.state is GateState.OPENING:
            self._park(request, gate)
            return None
        return self._not_on(request, gate)

    def _grant(self, request: ActionRequest, gate: Stored[Gate], now: datetime) -> Decision:
        try:
            granted, decision = grant(request, gate.row, now, self._world)
        except Refused as error:
            return self._record(request, denied(request, error.problem), ())
        return self._record(request, decision, (Replace(granted, gate.etag),))

    def _not_on(self, request: ActionRequest, gate: Stored[Gate]) -> Decision | None:
        """The session is off, failed, draining, on its way off, or past its end."""
        tenant = self._world.store.tenant(request.tenant_id)
        problem = why_not_auto_enabled(tenant.row, request)
        if problem is not None:
            return self._deny_off(request, tenant, problem)
        if tenant.row.session.state in (SessionState.OFF, SessionState.FAILED) and not tenant.row.is_busy:
            self._enter_deadline(request)
            self._toggle.auto_enable(tenant, request, self._waiting(request))
            self._remind(request)
            return None
        self._park(request, gate)
        return None

    def _deny_off(self, request: ActionRequest, tenant: Stored[Tenant], problem: Problem) -> Decision:
        """No, with the reason kept where the console shows it."""
        now = self._world.clock.now()
        last = LastAutoEnable(AutoEnableOutcome.NOT_ENABLED, now, request.action_id, problem.message)
        if _said_lately(tenant.row.session.last_auto_enable, last):
            return self._record(request, denied(request, problem), ())
        noted = replace(tenant.row, session=replace(tenant.row.session, last_auto_enable=last))
        return self._record(request, denied(request, problem), (Replace(noted, tenant.etag),))

    def _park(self, request: ActionRequest, gate: Stored[Gate]) -> None:
        """Wait. Writing the gate back proves that whoever opens or closes it has not done so yet, and will see us."""
        self._enter_deadline(request)
        writes = [Replace(gate.row, gate.etag), *self._waiting(request)]
        self._world.store.commit(request.tenant_id, writes)
        self._remind(request)

    def _enter_deadline(self, request: ActionRequest) -> None:
        """Upkeep answers at the deadline whoever has not been answered by then."""
        self._world.due.add(Due(request.tenant_id, request.deadline - self._world.limits.answer_margin))

    def _waiting(self, request: ActionRequest) -> tuple[Write, ...]:
        now = self._world.clock.now()
        text = "The request waits for the management session."
        return (
            Insert(Action(request, now)),
            Insert(ParkedAction(request, now)),
            Insert(action_entry(request, Event.ACTION_PARKED, text, now)),
        )

    def _remind(self, request: ActionRequest) -> None:
        """Have somebody answer in time when the deadline comes before the turn-on's own."""
        limits, now = self._world.limits, self._world.clock.now()
        if request.deadline >= now + limits.turn_on_within:
            return
        tenant = self._world.store.tenant(request.tenant_id).row
        if tenant.operation is not None:
            wait = max(request.deadline - limits.answer_margin - now, timedelta())
            self._world.messages.send_operation(tenant.tenant_id, tenant.operation.operation_id, after=wait)

    def _record(self, request: ActionRequest, decision: Decision, also: tuple[Write, ...]) -> Decision:
        now = self._world.clock.now()
        action = Insert(Action(request, now).decided(decision, now))
        self._world.store.commit(request.tenant_id, [*also, action, Insert(decision_entry(request, decision, now))])
        return decision

    def give_up(self, request: ActionRequest, problem: Problem) -> None:
        """Answer a request that kept failing: with the decision that was recorded, if only its sending failed."""
        failed = Decision(request.action_id, request.tenant_id, Verdict.FAILED, problem=problem)
        decision: Decision | None
        try:
            decision = self._record(request, failed, ())
        except AlreadyExists:
            decision = self._decided_before(request)
        if decision is not None:
            self._world.messages.send_decision(request.kind, decision)

    def complete(self, tenant_id: TenantId, action_id: ActionId, outcome: Outcome) -> None:
        """An executor says it is done: note how, and let its lease go. Twice is once; undecided, it cannot be done."""
        for _ in range(_RACES):
            try:
                self._complete(tenant_id, action_id, outcome)
            except Conflict:
                continue
            except NotFound as error:
                telemetry.event("completionOfUnknownAction", tenant_id=tenant_id, code=error.problem.code)
            return
        raise contended()

    def _complete(self, tenant_id: TenantId, action_id: ActionId, outcome: Outcome) -> None:
        store, now = self._world.store, self._world.clock.now()
        action = store.action(tenant_id, action_id)
        if action.row.outcome is not None or action.row.decision is None:
            return
        request = action.row.request
        entry = action_entry(request, Event.ACTION_COMPLETED, f"The action ended: {outcome.value}.", now)
        writes: list[Write] = [Replace(action.row.completed(outcome, now), action.etag), Insert(entry)]
        lease_id = lease_id_for(tenant_id, action_id)
        gate = store.gate(tenant_id, gate_of(lease_id))
        released = gate.row.release(lease_id, now)
        if released is not gate.row:
            writes.append(Replace(released, gate.etag))
        store.commit(tenant_id, writes)


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


def _said_lately(before: LastAutoEnable | None, now: LastAutoEnable) -> bool:
    """True when the console shows this already: a hundred refusals a second must not fight over the tenant's row."""
    return before is not None and before.reason == now.reason and now.at - before.at < _SAY_AGAIN


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
        decision.problem.message if decision.problem else f"A lease was granted until {decision.expires_at:%H:%M:%SZ}."
    )
    entry = action_entry(request, event, text, now)
    facts = dict(entry.facts)
    if decision.problem:
        facts["code"] = decision.problem.code
    if decision.lease_id:
        facts["leaseId"] = str(decision.lease_id)
    return replace(entry, facts=facts)
