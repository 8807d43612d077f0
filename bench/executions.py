"""What the host's log says of its functions: when each run began and ended, told by the host and not by the callers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

_RUN: Final = re.compile(
    r"^\[(?P<at>\S+)\] \S+ \S+: (?P<what>Executing|Executed) 'Functions\.(?P<function>\w+)' "
    r"\((?P<outcome>Succeeded|Failed)?.*?Id=(?P<id>[0-9a-f-]+)"
)
_PATIENCE: Final = 120.0  # seconds


class NotDone(Exception):
    """A function has not run as often as it should in time; the message says which."""


class RunFailed(Exception):
    """A run of the function has failed; the message says which."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of one function: how many, and how many seconds from the first one's start to the last one's end."""

    count: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Throughput."""
        return self.count / self.seconds


class Executions:
    """The host's log, from the moment on at which this was made."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._from = log.stat().st_size

    def wait_for(self, function: str, count: int) -> Runs:
        """The next `count` runs of the function, when they have ended.

        Raises:
            NotDone: they have not in two minutes.
            RunFailed: one has failed.
        """
        until = time.monotonic() + _PATIENCE
        while True:
            ends = [at for at, what in self._lines(function) if what == "Executed"]
            if len(ends) >= count:
                begins = [at for at, what in self._lines(function) if what == "Executing"]
                return Runs(count, (max(ends) - min(begins)).total_seconds())
            if time.monotonic() > until:
                raise NotDone(f"{function} has ended {len(ends)} times instead of {count}")
            time.sleep(0.2)

    def _lines(self, function: str) -> Iterator[tuple[datetime, str]]:
        with self._log.open("r", encoding="utf-8", errors="replace") as log:
            log.seek(self._from)
            for found in map(_RUN.match, log):
                if found and found["function"] == function:
                    if found["outcome"] == "Failed":
                        raise RunFailed(f"{function} has failed; see {self._log}")
                    yield datetime.fromisoformat(found["at"]), found["what"]
