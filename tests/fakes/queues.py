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
    """A worker is asked to go on with an operation, from `deliver_at` on; `text` is what lies in the queue."""

    tenant_id: TenantId
    operation_id: OperationId
    deliver_at: datetime
    text: str
    queue: str = OPERATIONS


@dataclass(frozen=True, slots=True)
class SentDecision:
    """An executor is answered; `text` is what lies in the queue."""

    kind: ActionKind
    decision: Decision
    deliver_at: datetime
    text: str

    @property
    def queue(self) -> str:
        return RESULTS[self.kind]


@dataclass(frozen=True, slots=True)
class SentAgain:
    """A kept message, back on its queue."""

    queue: str
    text: str
    deliver_at: datetime


@logs(Messages)
class FakeMessages:
    """Messages.

    Attributes:
        sent: what lies in the queues, in the order of sending. A test takes out what it delivers; what it leaves in or
            puts back is delivered again.
    """

    def __init__(self, log: CallLog, clock: Clock) -> None:
        self.log = log
        self.sent: list[SentOperation | SentDecision | SentAgain] = []
        self._clock = clock

    @property
    def operations(self) -> tuple[SentOperation, ...]:
        """What was sent to workers."""
        return tuple(sent for sent in self.sent if isinstance(sent, SentOperation))

    @property
    def decisions(self) -> tuple[SentDecision, ...]:
        """What was sent to executors."""
        return tuple(sent for sent in self.sent if isinstance(sent, SentDecision))

    def send_operation(self, tenant_id: TenantId, operation_id: OperationId, *, after: timedelta = timedelta()) -> None:
        text = operation_text(tenant_id, operation_id)
        self.sent.append(SentOperation(tenant_id, operation_id, self._clock.now() + after, text))

    def send_again(self, queue: str, text: str) -> None:
        self.sent.append(SentAgain(queue, text, self._clock.now()))

    def send_decision(self, kind: ActionKind, decision: Decision) -> None:
        self.sent.append(SentDecision(kind, decision, self._clock.now(), decision_text(decision)))

    def take_due(self) -> tuple[SentOperation, ...]:
        """The operation messages that can be received now, in the order of `deliver_at`; they leave the queue."""
        now = self._clock.now()
        due = sorted((sent for sent in self.operations if sent.deliver_at <= now), key=lambda sent: sent.deliver_at)
        for sent in due:
            self.sent.remove(sent)
        return tuple(due)
