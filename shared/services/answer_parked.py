"""Answer everybody who waits in a tenant, as far as there is an answer now: ready, denied, failed, or still waiting.

An answer is recorded before it is sent, and the waiting row goes only after it was sent; so a crash in between sends
the same answer again, never another one and never none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from shared import telemetry
from shared.domain.action import Action, ActionRequest, Decision, ParkedAction, Verdict
from shared.domain.errors import Conflict, Problem, Refused
from shared.domain.ids import GATES, TenantId, gate_of, lease_id_for
from shared.domain.lease import Gate
from shared.domain.session import SessionState
from shared.domain.store import Insert, Overview, Put, Remove, Replace, Stored, Write
from shared.services.decisions import decision_entry, denied, grant, too_late, why_not_auto_enabled
from shared.services.toggle_session import ToggleSession
from shared.services.world import World

_RACES = 20
_ROWS_EACH = 3
_MOST_ROWS = 100
_AT_ONCE = (_MOST_ROWS - GATES) // _ROWS_EACH
"""Answers in one transaction of at most a hundred rows: three rows each, and the gates their leases pass through."""

Parked = Stored[ParkedAction]


class AnswerParked:
    """Called when a turn-on or turn-off has ended, at a deadline, and by upkeep."""

    def __init__(self, world: World, toggle: ToggleSession) -> None:
        self._world = world
        self._toggle = toggle

    def __call__(self, tenant_id: TenantId) -> bool:
        """Answer whom we can; True when somebody still waits, or an answer may not have been sent.

        Raises:
            Transient: our own tables or queues are away.
        """
        for _ in range(_RACES):
            parked = self._world.store.parked(tenant_id)
            forgotten = [row for row in parked if self._was_forgotten(row.row)]
            self._send(tenant_id, forgotten)
            waiting = [row for row in parked if row.row.decision is None]
            try:
                answered = self._decide(tenant_id, waiting) if waiting else ()
            except Conflict:
                continue
            self._send(tenant_id, answered)
            if len(answered) in (0, len(waiting)):
                return len(parked) > len(forgotten) + len(answered)
        telemetry.event("parkedContended", tenant_id=tenant_id)
        return True

    def _was_forgotten(self, parked: ParkedAction) -> bool:
        """True for an answer that could not be sent: whoever recorded it would have sent it by now."""
        return (
            parked.decided_at is not None
            and self._world.clock.now() >= parked.decided_at + self._world.limits.resend_after
        )

    def _decide(self, tenant_id: TenantId, waiting: Sequence[Parked]) -> Sequence[Parked]:
        """Record answers for some or all who wait; the rows with their answers, which are now ours to send."""
        overview = self._world.store.overview(tenant_id)
        tenant, now = overview.tenant.row, self._world.clock.now()
        late = [row for row in waiting if now >= row.row.request.deadline - self._world.limits.answer_margin]
        if late:
            return self._record(tenant_id, [(row, denied(row.row.request, too_late())) for row in late], overview)
        match tenant.session.state:
            case SessionState.ON if tenant.session.has_expired(now):
                return ()  # it is about to be turned off, and may turn itself on again
            case SessionState.ON:
                return self._record(tenant_id, [(row, None) for row in waiting], overview)
            case SessionState.FAILED if tenant.session.problem is not None:
                problem = tenant.session.problem
                return self._record(tenant_id, [(row, _failed(row.row.request, problem)) for row in waiting], overview)
            case SessionState.OFF if not tenant.is_busy:
                return self._need_session(overview, waiting)
        return ()

    def _need_session(self, overview: Overview, waiting: Sequence[Parked]) -> Sequence[Parked]:
        tenant = overview.tenant
        refusals = [(row, why_not_auto_enabled(tenant.row, row.row.request)) for row in waiting]
        answers = [(row, denied(row.row.request, problem)) for row, problem in refusals if problem is not None]
        if answers:
            return self._record(tenant.row.tenant_id, answers, overview)
        self._toggle.auto_enable(tenant, waiting[0].row.request, ())
        return ()

    def _record(
        self, tenant_id: TenantId, answers: Sequence[tuple[Parked, Decision | None]], overview: Overview
    ) -> Sequence[Parked]:
        """Write the first of the answers with the leases they grant; None stands for a lease."""
        now = self._world.clock.now()
        gates = {gate.row.number: gate for gate in overview.gates}
        held = {number: gate.row for number, gate in gates.items()}
        writes: list[Write] = []
        answered: list[ParkedAction] = []
        for row, known in answers[:_AT_ONCE]:
            request = row.row.request
            number = gate_of(lease_id_for(tenant_id, request.action_id))
            decision = known
            if decision is None:
                held[number], decision = self._grant(request, held[number], now)
            answered.append(replace(row.row, decision=decision, decided_at=now))
            writes += [
                Replace(answered[-1], row.etag),
                Put(Action(request, row.row.received_at).decided(decision, now)),
                Insert(decision_entry(request, decision, now)),
            ]
        writes += [Replace(gate, gates[number].etag) for number, gate in held.items() if gate is not gates[number].row]
        etags = self._world.store.commit(tenant_id, writes)
        return [Stored(row, etags[_ROWS_EACH * number]) for number, row in enumerate(answered)]

    def _grant(self, request: ActionRequest, gate: Gate, now: datetime) -> tuple[Gate, Decision]:
        try:
            return grant(request, gate, now, self._world)
        except Refused as error:
            return gate, denied(request, error.problem)

    def _send(self, tenant_id: TenantId, answered: Sequence[Parked]) -> None:
        for parked in answered:
            if parked.row.decision is not None:
                self._world.messages.send_decision(parked.row.request.kind, parked.row.decision)
        for first in range(0, len(answered), _MOST_ROWS):
            removals = [Remove(parked.row, parked.etag) for parked in answered[first : first + _MOST_ROWS]]
            try:
                self._world.store.commit(tenant_id, removals)
            except Conflict:
                telemetry.event("answeredByAnother", tenant_id=tenant_id)


def _failed(request: ActionRequest, problem: Problem) -> Decision:
    return Decision(request.action_id, request.tenant_id, Verdict.FAILED, problem=problem)
