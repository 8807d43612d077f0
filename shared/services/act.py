"""An executor asks to act: a lease at once, a place among those who wait, or a reasoned no. One decision always."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from shared import telemetry
from shared.domain.action import Action, ActionRequest, Decision, Outcome, ParkedAction, Verdict
from shared.domain.activity import Event
from shared.domain.errors import AlreadyExists, Conflict, NotFound, Problem, Refused
from shared.domain.ids import ActionId, OperationId, TenantId, gate_of, lease_id_for
from shared.domain.lease import Gate, GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.session import AutoEnableOutcome, LastAutoEnable, SessionState
from shared.domain.store import Due, Insert, Replace, Stored, Write
from shared.domain.tenant import Tenant
from shared.services.accept import contended
from shared.services.answer_at_once import AnswerAtOnce
from shared.services.carry_out import CarryOut
from shared.services.decisions import action_entry, decision_entry, denied, grant, too_late, why_not_auto_enabled
from shared.services.toggle_session import ToggleSession
from shared.services.turn_on import is_checked
from shared.services.turns import Turns
from shared.services.work import Work
from shared.services.world import World

_RACES = 40
_SAY_AGAIN = timedelta(minutes=1)


class Act:
    """The services behind the queues `action-requests` and `action-completions`."""

    def __init__(self, world: World, toggle: ToggleSession, carry_out: CarryOut) -> None:
        self._world = world
        self._toggle = toggle
        self._carry_out = carry_out
        self._turns = Turns(world.clock)

    def request(self, request: ActionRequest) -> None:
        """Decide on a request, or park it. The same request again gets the same answer again.

        With the session on this is one read, one transaction and one message. With the session off, auto-enable on and
        the policies checked of late, the request turns the session on by itself and is answered when that is done.

        Raises:
            Transient: our own tables or queues are away; the platform delivers the message again.
        """
        for _ in range(_RACES):
            try:
                with self._turns.of(request.tenant_id) as turn:
                    decision = self._decide(request, turn)
            except AlreadyExists:
                decision = self._decided_before(request)
            except Conflict:
                continue
            if decision is not None:
                self._world.messages.send_decision(request.kind, decision)
            return
        raise contended()

    def _decided_before(self, request: ActionRequest) -> Decision | None:
        """What was decided; else it waits, or whoever was at it has died: upkeep sees, and a worker at the deadline."""
        decision = self._world.store.action(request.tenant_id, request.action_id).row.decision
        if decision is None:
            self._world.due.add(Due(request.tenant_id, self._world.clock.now()))
            self._remind(request)
        return decision

    def _decide(self, request: ActionRequest, turn: ExitStack) -> Decision | None:
        world, now = self._world, self._world.clock.now()
        lease_id = lease_id_for(request.tenant_id, request.action_id)
        try:
            gate = world.store.gate(request.tenant_id, gate_of(lease_id))
        except NotFound as error:
            telemetry.event("actionForUnknownTenant", tenant_id=request.tenant_id, action_id=request.action_id)
            return denied(request, error.problem)
        if gate.row.state is not GateState.CLOSED:
            turn.close()
        if now >= request.deadline - world.limits.answer_margin:
            return self._record(request, denied(request, too_late()), ())
        if gate.row.lets_new_in(now):
            self._turns.saw_open(request.tenant_id)
            return self._grant(request, gate, now)
        if gate.row.state is GateState.OPENING:
            self._park(request, gate, is_watched=True)
            self._remind(request)
            return None
        return self._not_on(request, gate, turn)

    def _grant(self, request: ActionRequest, gate: Stored[Gate], now: datetime) -> Decision:
        try:
            granted, decision = grant(request, gate.row, now, self._world)
        except Refused as error:
            return self._record(request, denied(request, error.problem), ())
        return self._record(request, decision, (Replace(granted, gate.etag),))

    def _not_on(self, request: ActionRequest, gate: Stored[Gate], turn: ExitStack) -> Decision | None:
        """The session is off, failed, draining, on its way off, or past its end."""
        tenant = self._world.store.tenant(request.tenant_id)
        problem = why_not_auto_enabled(tenant.row, request)
        if problem is not None:
            turn.close()
            return self._deny_off(request, tenant, problem)
        if tenant.row.session.state not in (SessionState.OFF, SessionState.FAILED) or tenant.row.is_busy:
            self._park(request, gate, is_watched=tenant.row.operation is not None)
            self._remind(request, tenant.row)
        elif is_checked(self._world, tenant.row):
            self._turn_on_at_once(request, tenant, turn)
        else:
            self._watch_if_soon(request)
            self._toggle.auto_enable(tenant, request, _waiting(ParkedAction(request, self._world.clock.now())))
            self._remind(request)
        return None

    def _turn_on_at_once(self, request: ActionRequest, tenant: Stored[Tenant], turn: ExitStack) -> None:
        """Be the worker of the turn-on that this request causes: five requests to storage, one after the other."""

        def guard(operation: Operation) -> None:
            self._watch(request, within=self._world.limits.stuck_after)
            if self._may_come_late(request):
                self._send_reminder(request, operation.operation_id)

        parked = ParkedAction(request, self._world.clock.now())
        begun = self._toggle.auto_enable_at_once(tenant, request, _waiting(parked), guard)
        turn.close()
        answer = AnswerAtOnce(self._world, Stored(parked, begun.etags[0]))
        work = Work(self._world, begun.tenant, begun.operation, listed=tenant.row, answer=answer)
        self._carry_out.at_once(OperationKind.TURN_ON, work)

    def _deny_off(self, request: ActionRequest, tenant: Stored[Tenant], problem: Problem) -> Decision:
        """No, with the reason kept where the console shows it."""
        now = self._world.clock.now()
        last = LastAutoEnable(AutoEnableOutcome.NOT_ENABLED, now, request.action_id, problem.message)
        if _said_lately(tenant.row.session.last_auto_enable, last):
            return self._record(request, denied(request, problem), ())
        noted = replace(tenant.row, session=replace(tenant.row.session, last_auto_enable=last))
        return self._record(request, denied(request, problem), (Replace(noted, tenant.etag),))

    def _park(self, request: ActionRequest, gate: Stored[Gate], *, is_watched: bool) -> None:
        """Wait. Writing the gate back proves that whoever opens or closes it has not done so yet, and will see us.

        While an operation has the tenant, upkeep looks at it every two minutes (`stuck_after`) in any case.
        """
        if is_watched:
            self._watch_if_soon(request)
        else:
            self._watch(request)
        waiting = _waiting(ParkedAction(request, self._world.clock.now()))
        self._world.store.commit(request.tenant_id, [Replace(gate.row, gate.etag), *waiting])

    def _watch(self, request: ActionRequest, *, within: timedelta | None = None) -> None:
        """Have upkeep answer at the deadline whoever has not been answered by then; or look before that, `within`."""
        deadline = request.deadline - self._world.limits.answer_margin
        at = deadline if within is None else min(deadline, self._world.clock.now() + within)
        self._world.due.add(Due(request.tenant_id, at))

    def _watch_if_soon(self, request: ActionRequest) -> None:
        """Have upkeep look at the deadline if it comes before upkeep looks anyway."""
        deadline = request.deadline - self._world.limits.answer_margin
        if deadline < self._world.clock.now() + self._world.limits.stuck_after:
            self._watch(request)

    def _remind(self, request: ActionRequest, tenant: Tenant | None = None) -> None:
        """Have somebody answer in time when the deadline comes before the end of what the request waits for.

        That is a turn-on, unless `tenant` shows another operation.
        """
        if tenant is None and self._may_come_late(request):
            tenant = self._world.store.tenant(request.tenant_id).row
        if tenant is not None and tenant.operation is not None:
            self._send_reminder(request, tenant.operation.operation_id)

    def _may_come_late(self, request: ActionRequest) -> bool:
        return request.deadline < self._world.clock.now() + self._world.limits.turn_on_within

    def _send_reminder(self, request: ActionRequest, operation_id: OperationId) -> None:
        wait = request.deadline - self._world.limits.answer_margin - self._world.clock.now()
        self._world.messages.send_operation(request.tenant_id, operation_id, after=max(wait, timedelta()))

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


def _waiting(parked: ParkedAction) -> tuple[Write, ...]:
    """What parks a request, its place among those who wait first."""
    request, now = parked.request, parked.received_at
    text = "The request waits for the management session."
    return Insert(parked), Insert(Action(request, now)), Insert(action_entry(request, Event.ACTION_PARKED, text, now))


def _said_lately(before: LastAutoEnable | None, now: LastAutoEnable) -> bool:
    """True when the console shows this already: a hundred refusals a second must not fight over the tenant's row."""
    return before is not None and before.reason == now.reason and now.at - before.at < _SAY_AGAIN
