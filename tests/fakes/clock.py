"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)


class FakeClock:
    """The time a test wants it to be; 2026-11-23T09:00:00Z at first (Clock port)."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, span: timedelta) -> datetime:
        """Let `span` pass; the time it is then."""
        self._now += span
        return self._now

    def pause(self, span: timedelta) -> None:
        """Return at once, with `span` gone by."""
        self.advance(span)
