"""The answer to the request that turned a session on by itself, given in the transaction that ends the turn-on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from shared.domain.action import Action, ActionRequest, Decision, ParkedAction, Verdict
from shared.domain.errors import Problem
from shared.domain.ids import gate_of, lease_id_for
from shared.domain.lease import Gate
from shared.domain.store import Insert, Put, Remove, SetGates, Stored, Write
from shared.services.decisions import decision_entry, denied, grant, too_late
from shared.services.work import Send
from shared.services.world import World


class AnswerAtOnce:
    """What a worker that carries out a turn-on owes the one request it has in hand (Answer).

    The request's place among those who wait goes with the answer's record, before the answer is sent: if the process
    dies in between, the platform delivers the request again, and it gets the answer that is on record.
    """

    def __init__(self, world: World, parked: Stored[ParkedAction]) -> None:
        self._world = world
        self._parked = parked

    def __call__(self, ending: Sequence[Write], problem: Problem | None) -> tuple[tuple[Write, ...], Send]:
        """A lease when the gates are opened, else why there is none."""
        request, now = self._parked.row.request, self._world.clock.now()
        if problem is not None:
            decision = Decision(request.action_id, request.tenant_id, Verdict.FAILED, problem=problem)
        elif now >= request.deadline - self._world.limits.answer_margin:
            decision = denied(request, too_late())
        else:
            ending, decision = self._let_in(request, ending, now)
        answered = Put(Action(request, self._parked.row.received_at).decided(decision, now))
        told = Insert(decision_entry(request, decision, now))
        writes = (*ending, Remove(self._parked.row, self._parked.etag), answered, told)
        return writes, partial(self._world.messages.send_decision, request.kind, decision)

    def _let_in(
        self, request: ActionRequest, ending: Sequence[Write], now: datetime
    ) -> tuple[Sequence[Write], Decision]:
        """The same end, but that the request's gate is opened with its lease inside."""
        gates = next(write for write in ending if isinstance(write, SetGates))
        number = gate_of(lease_id_for(request.tenant_id, request.action_id))
        gate, decision = grant(request, Gate(number, gates.state, gates.session_id, gates.expires_at), now, self._world)
        return [replace(gates, leases=gate.leases) if write is gates else write for write in ending], decision
