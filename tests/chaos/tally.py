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
        cut_off: runs of functions that a kill has ended.
        played: steps of the story that were played all the same.
        decided: action requests that were answered all the same.
        lost: what was not, and every promise that did not hold afterwards.
        fuzzed: requests of the fuzzer.
        astray: those of them that got an answer outside the contract.
        crowd: requests, toggles and upkeeps that came at once with others.
    """

    kills: int = 0
    cut_off: int = 0
    played: int = 0
    decided: int = 0
    lost: int = 0
    fuzzed: int = 0
    astray: int = 0
    crowd: int = 0
    began: float = field(default_factory=time.monotonic)

    def lines(self) -> Iterator[str]:
        """The summary."""
        survived = f"{self.played:,} steps of the story and {self.decided:,} action requests survived"
        yield f"killed processes: {self.kills:,} kills cut {self.cut_off:,} runs off; {survived}, {self.lost:,} lost"
        yield f"fuzzing: {self.fuzzed:,} requests, {self.astray:,} answered outside the contract"
        yield f"crowds: {self.crowd:,} requests, toggles and upkeeps came at once with others"
        yield f"{time.monotonic() - self.began:.0f} seconds"
