"""A message the platform gave up on: kept with the reason, and sent again when somebody says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.domain.errors import Problem


@dataclass(frozen=True, slots=True)
class PoisonMessage:
    """A well-formed message that failed every time it was delivered.

    Attributes:
        message_id: the same for the same message on the same queue.
        queue: where it came from, without `-poison`.
        text: the message itself; our messages hold ids and names, never a secret.
    """

    message_id: UUID
    queue: str
    text: str
    at: datetime
    problem: Problem
    replayed_at: datetime | None = None

    def failed_again(self, at: datetime, problem: Problem) -> PoisonMessage:
        """This message, given up on once more after it was sent again."""
        return replace(self, at=at, problem=problem, replayed_at=None)
