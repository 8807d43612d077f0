"""The simulated world's clock: the real one plus an offset that tests may move, so an hour passes in a call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class Clock:
    """Tells the time of the simulated world. Everything that stamps or compares moments asks here."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        """Moves the clock by `seconds`; a negative number moves it back."""
        self.offset += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Makes `moment` (aware) the present; time goes on from there."""
        self.offset = moment - datetime.now(UTC)

    def reset(self) -> None:
        """Returns to the real time."""
        self.offset = timedelta(0)
