"""A clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

START: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)


@dataclass(slots=True, eq=False)
class _Tick:
    """Something that is done again and again."""

    span: timedelta
    act: Callable[[], None]
    at: datetime


class FakeClock:
    """The time a test wants it to be; 2026-11-23T09:00:00Z at first (TickingClock port)."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._ticks: list[_Tick] = []

    def now(self) -> datetime:
        return self._now

    def advance(self, span: timedelta) -> datetime:
        """Let `span` pass, in which nobody does anything: a process stands still; the time it is then."""
        self._now += span
        return self._now

    def pause(self, span: timedelta) -> None:
        """Return at once, with `span` gone by, and done what was to be done `every` so often."""
        end = self._now + span
        while due := [tick for tick in self._ticks if tick.at <= end]:
            first = min(due, key=lambda tick: tick.at)
            self._now = max(self._now, first.at)
            first.at += first.span
            first.act()
        self._now = max(self._now, end)

    @contextmanager
    def every(self, span: timedelta, act: Callable[[], None]) -> Iterator[None]:
        """Do `act` while a pause is made inside the block."""
        tick = _Tick(span, act, self._now + span)
        self._ticks.append(tick)
        try:
            yield
        finally:
            self._ticks.remove(tick)

    @contextmanager
    def beside(self, act: Callable[[], None]) -> Iterator[None]:
        """The block first, `act` afterwards: of all orders the one in which a crash in between leaves most undone."""
        yield
        act()
