"""An operation: the tracked asynchronous work behind a 202, step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.domain.actors import Actor
from shared.domain.errors import Problem
from shared.domain.ids import OperationId, TenantId


class OperationKind(StrEnum):
    """What is being done to a tenant. At most one operation runs in a tenant at a time."""

    CREATE_SERVICE_ACCOUNT = "createServiceAccount"
    ROTATE_PASSWORD = "rotatePassword"  # noqa: S105 - a name
    DELETE_SERVICE_ACCOUNT = "deleteServiceAccount"
    CHECK_POLICIES = "checkPolicies"
    SET_ALLOWED_IPS = "setAllowedIps"
    REMOVE_ALLOWED_IPS = "removeAllowedIps"
    TURN_ON = "turnOn"
    TURN_OFF = "turnOff"


IN_WORDS: Final[Mapping[OperationKind, str]] = {
    OperationKind.CREATE_SERVICE_ACCOUNT: "the service account is being created",
    OperationKind.ROTATE_PASSWORD: "the password is being rotated",
    OperationKind.DELETE_SERVICE_ACCOUNT: "advanced management is being disabled",
    OperationKind.CHECK_POLICIES: "the policies are being checked",
    OperationKind.SET_ALLOWED_IPS: "the allowed IPs are being set",
    OperationKind.REMOVE_ALLOWED_IPS: "the allowed IPs are being removed",
    OperationKind.TURN_ON: "the management session is being turned on",
    OperationKind.TURN_OFF: "the management session is being turned off",
}
"""What each kind is doing, for people."""


class Status(StrEnum):
    """Where the work stands; the words of Azure's long-running operations."""

    NOT_STARTED = "notStarted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


TERMINAL: Final = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELED})

_FIRST_DELAY: Final = timedelta(seconds=2)
_LONGEST_DELAY: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Step:
    """One named piece of the work."""

    name: str
    status: Status = Status.NOT_STARTED
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A piece of work with its progress.

    Attributes:
        notes: what steps learned and later ones need (names, ids, versions; never a secret).
        attempts: how often the current step was put off.
        deadline: when the work gives up.
        claimed_until: while this lies ahead nobody takes it up: one worker has it, or it waits for its next attempt.
    """

    operation_id: OperationId
    tenant_id: TenantId
    kind: OperationKind
    requested_by: Actor
    correlation_id: str
    created_at: datetime
    deadline: datetime
    steps: tuple[Step, ...]
    status: Status = Status.NOT_STARTED
    notes: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    claimed_until: datetime | None = None
    updated_at: datetime | None = None
    problem: Problem | None = None
    result: Mapping[str, object] | None = None

    @property
    def is_terminal(self) -> bool:
        """True once nothing more will happen."""
        return self.status in TERMINAL

    @property
    def percent_complete(self) -> int:
        """0 to 100: the share of steps done."""
        if self.status is Status.SUCCEEDED:
            return 100
        return 100 * sum(step.status is Status.SUCCEEDED for step in self.steps) // max(1, len(self.steps))

    @property
    def current(self) -> Step | None:
        """The first step that is not done."""
        return next((step for step in self.steps if step.status is not Status.SUCCEEDED), None)

    def is_claimed(self, now: datetime) -> bool:
        """True while another worker has it, and while it waits for its next attempt."""
        return self.claimed_until is not None and now < self.claimed_until

    def claimed(self, now: datetime, lasting: timedelta) -> Operation:
        """This operation in one worker's hands, who says so again with every step and during a long one."""
        return replace(self, status=Status.RUNNING, claimed_until=now + lasting, updated_at=now)

    def started(self, name: str, now: datetime) -> Operation:
        """This operation with the step under way; when it started for the first time stays."""
        return self._with_step(name, now, lambda s: replace(s, status=Status.RUNNING, started_at=s.started_at or now))

    def done(self, name: str, now: datetime, **notes: str) -> Operation:
        """This operation with the step done, and what it learned."""
        moved = self._with_step(
            name, now, lambda s: replace(s, status=Status.SUCCEEDED, started_at=s.started_at or now, ended_at=now)
        )
        return replace(moved, attempts=0, notes={**self.notes, **notes})

    def put_off(self, now: datetime, delay: timedelta = timedelta()) -> Operation:
        """This operation let go of, to be taken up again after `delay` and not before, whatever message comes."""
        return replace(self, attempts=self.attempts + 1, claimed_until=now + delay, updated_at=now)

    def delay(self, asked: timedelta | None = None) -> timedelta:
        """How long to wait before the next attempt: what the other side asked, else 2, 4, 8 … 60 seconds."""
        grown = _FIRST_DELAY * (1 << min(self.attempts, 6))
        return min(grown, _LONGEST_DELAY) if asked is None else asked

    def ended(
        self,
        status: Status,
        now: datetime,
        *,
        problem: Problem | None = None,
        result: Mapping[str, object] | None = None,
    ) -> Operation:
        """This operation at its end. A step under way shares the end of the whole."""
        problem = replace(problem, correlation_id=self.correlation_id) if problem else None
        steps = tuple(replace(s, status=status, ended_at=now) if s.status is Status.RUNNING else s for s in self.steps)
        return replace(
            self, status=status, steps=steps, claimed_until=None, updated_at=now, problem=problem, result=result
        )

    def _with_step(self, name: str, now: datetime, change: Callable[[Step], Step]) -> Operation:
        steps = tuple(change(s) if s.name == name else s for s in self.steps)
        return replace(self, status=Status.RUNNING, steps=steps, updated_at=now)
