"""Two things are timed in turns, round after round, so that what the machine does meanwhile happens to both."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all are not above (nearest rank).

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


@dataclass(frozen=True, slots=True)
class Rounds:
    """Seconds by name, round by round: `seconds[name][round]` are the times of one round."""

    seconds: Mapping[str, Sequence[Sequence[float]]]

    def typical(self, name: str, share: float) -> float:
        """The percentile of a typical round: one that the machine spoiled moves it little."""
        return median(percentile(times, share) for times in self.seconds[name])

    def ratio(self, name: str, to: str, share: float) -> float:
        """How the percentiles of `name` and `to` relate, in the median of all rounds."""
        pairs = zip(self.seconds[name], self.seconds[to], strict=True)
        return median(percentile(ours, share) / percentile(theirs, share) for ours, theirs in pairs)


def in_turns(acts: Mapping[str, Callable[[], object]], *, rounds: int, times: int) -> Rounds:
    """Do each of `acts` `times` times in each of the `rounds`, one after the other and over again."""
    seconds: dict[str, list[list[float]]] = {name: [] for name in acts}
    for _ in range(rounds):
        for found in seconds.values():
            found.append([])
        for _ in range(times):
            for name, act in acts.items():
                seconds[name][-1].append(_timed(act))
    return Rounds(seconds)


def _timed(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start
