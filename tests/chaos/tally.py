"""What a run has tried and what came of it: the figures that are printed at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts, filled in by the tests.

    Attributes:
        kills: how often the app's process was killed.
        played: steps of the story that came to their end meanwhile.
        decided: action requests that were answered.
        requests: requests of the fuzzer.
        crowd: requests, toggles and upkeeps that came at once with others.
    """

    kills: int = 0
    played: int = 0
    decided: int = 0
    requests: int = 0
    crowd: int = 0
    began: float = field(default_factory=time.monotonic)

    def lines(self) -> Iterator[str]:
        """The summary."""
        yield f"killed processes  {self.kills:,} kills, {self.played:,} steps of the story, {self.decided:,} decisions"
        yield f"fuzzing           {self.requests:,} requests"
        yield f"crowds            {self.crowd:,} at once with others"
        yield f"seconds           {time.monotonic() - self.began:.0f}"
