"""Timer triggers: a function runs at each occurrence of its schedule, never twice at a time, failing or not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime

from local.host.protocol import TypedData
from local.host.schedule import Schedule

Run = Callable[[TypedData], bool]
"""Runs the function with the timer's state; tells whether it succeeded."""


def timer_state(*, last: datetime | None, due: datetime) -> TypedData:
    """What a timer function is told: the occurrence before, this one, and that it is not late.

    The shape is that of the timer extension (webjobs-sdk-extensions, TimerInfo). Nothing is past due here: the local
    host keeps no monitor of what it missed while it was not running.
    """
    before = last and last.isoformat()
    status = {"Last": before, "Next": due.isoformat(), "LastUpdated": before}
    state = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": False}
    return TypedData(json=json.dumps(state))


class TimerListener:
    """Runs one timer function on its schedule, from `start` to `stop`."""

    def __init__(self, schedule: Schedule, run: Run, *, run_on_startup: bool = False) -> None:
        self._schedule = schedule
        self._run = run
        self._run_on_startup = run_on_startup
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep_time, name="timer", daemon=True)

    def start(self) -> None:
        """Waits for the first occurrence, or runs at once where the function asks for `runOnStartup`."""
        self._thread.start()

    def stop(self) -> None:
        """Returns when a run that is under way has ended."""
        self._stopping.set()
        self._thread.join()

    def _keep_time(self) -> None:
        last = None
        if self._run_on_startup:
            last = datetime.now(UTC)
            self._run(timer_state(last=None, due=last))
        while not self._stopping.is_set():
            due = self._schedule.next_after(datetime.now(UTC))
            if self._stopping.wait((due - datetime.now(UTC)).total_seconds()):
                return
            self._run(timer_state(last=last, due=due))
            last = due
