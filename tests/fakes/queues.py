"""The queues in memory: what was sent, in order, and when it can be received."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.adapters.storage.messages import OPERATIONS, RESULTS, decision_text, operation_text
from shared.domain.action import ActionKind, Decision
from shared.domain.ids import OperationId, TenantId
from shared.domain.ports import Clock, Messages
from tests.fakes.calls import CallLog, logs


@dataclass(frozen=True, slots=True)
class SentOperation:
    """A worker was asked to go on with an operation, from `deliver_at` on."""

    tenant_id: TenantId
    operation_id: OperationId
    deliver_at: datetime


@dataclass(frozen=True, slots=True)
class SentDecision:
    """An executor was answered."""

    kind: ActionKind
    decision: Decision
    deliver_at: datetime


@logs(Messages)
class FakeMessages:
    """Messages.

    Attributes:
        operations, decisions: what was sent, in order; a test takes out what it has delivered.
        texts: queue name and text of every message, as Azure would have got it.
    """

    def __init__(self, log: CallLog, clock: Clock) -> None:
        self.log = log
        self.operations: list[SentOperation] = []
        self.decisions: list[SentDecision] = []
        self.texts: list[tuple[str, str]] = []
        self._clock = clock

    def send_operation(self, tenant_id: TenantId, operation_id: OperationId, *, after: timedelta = timedelta()) -> None:
        self.texts.append((OPERATIONS, operation_text(tenant_id, operation_id)))
        self.operations.append(SentOperation(tenant_id, operation_id, self._clock.now() + after))

    def send_decision(self, kind: ActionKind, decision: Decision) -> None:
        self.texts.append((RESULTS[kind], decision_text(decision)))
        self.decisions.append(SentDecision(kind, decision, self._clock.now()))

    def take_due(self) -> tuple[SentOperation, ...]:
        """The operation messages that can be received now, the oldest first; they are gone from the queue then."""
        now = self._clock.now()
        due = tuple(sorted((sent for sent in self.operations if sent.deliver_at <= now), key=lambda s: s.deliver_at))
        self.operations = [sent for sent in self.operations if sent.deliver_at > now]
        return due
