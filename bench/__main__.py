"""`python -m bench` takes the figures of all marks and prints them; unless it is in a hurry, it keeps them too."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench import auto_enable, fleet, granting, lives, load, redemption, storm
from bench.cold_start import ColdStart
from bench.figures import Figure, table
from bench.place import Place
from bench.processes import Processes, can_count
from bench.results import keep
from bench.surroundings import surroundings
from local.__main__ import stop_signals_interrupt
from local.addresses import LOCAL

_DIRECTORY: Final = LOCAL / "bench"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done for a figure: the more, the less chance has a part in it. Counts do not depend on it.

    Attributes:
        storm: tenants, and requests in all of them.
        fleets, due: numbers of tenants, and how many of them have work due.
        is_whole: whether instructions are counted, and the first request of each door is taken.
    """

    customers: int
    rounds: int
    redemptions: int
    batches: int
    batch: int
    seconds: float
    starts: int
    soak: int
    storm: tuple[int, int]
    repetitions: int
    fleets: Sequence[int]
    due: int
    lists: Sequence[int]
    is_whole: bool


_FULL: Final = Effort(
    customers=8,
    rounds=5,
    redemptions=300,
    batches=9,
    batch=100,
    seconds=2.0,
    starts=15,
    soak=100_000,
    storm=(100, 1_000),
    repetitions=5,
    fleets=(100, 1_000, 10_000, 100_000),
    due=1_000,
    lists=(1_000, 10_000, 100_000),
    is_whole=True,
)
_QUICK: Final = Effort(
    customers=2,
    rounds=1,
    redemptions=60,
    batches=1,
    batch=10,
    seconds=0.5,
    starts=1,
    soak=1_000,
    storm=(4, 80),  # 24 requests are at work at once: in four tenants a greater part of them comes while they open
    repetitions=1,
    fleets=(10, 100, 1_000),
    due=100,
    lists=(1_000, 5_000),
    is_whole=False,
)

Part = Callable[[], Iterable[Figure]]


def main() -> int:
    """The exit status: 1 when a promise does not hold; what was timed is told, but never fails."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, in under a minute; keeps nothing")
    is_quick = parser.parse_args().quick
    stop_signals_interrupt()
    for part in ("place", "storm", "auto-enable", "lives"):  # what is compiled stays
        shutil.rmtree(_DIRECTORY / part, ignore_errors=True)
    began, around = time.monotonic(), surroundings()
    figures = sorted(_figures(_QUICK if is_quick else _FULL), key=lambda figure: figure.mark)
    seconds = round(time.monotonic() - began)
    sys.stdout.write(table(figures))
    sys.stdout.write(f"{seconds} seconds\n")
    if not (is_quick or can_count()):
        sys.stdout.write("valgrind is not here: instructions were not counted.\n")
    if not is_quick:
        keep(figures, around, seconds=seconds)
    broken = [figure for figure in figures if figure.is_promise and not figure.is_met]
    for figure in broken:
        sys.stderr.write(f"The promise of mark {figure.mark} does not hold: {figure.what}.\n")
    return 1 if broken else 0


def _figures(effort: Effort) -> Iterator[Figure]:
    """Every figure; what is timed first, while nothing else runs."""
    with Place.opened(_DIRECTORY / "place", customers=effort.customers) as place:
        processes = Processes(_DIRECTORY, place.stack.addresses.settings)
        cold = ColdStart(place, processes)
        yield from _told("timed", _timed(effort, place, cold))
        with ThreadPoolExecutor(1) as pool:
            memory = pool.submit(lambda: list(load.measure_memory(place, processes, count=effort.soak)))
            yield from _told("instructions", [cold.counted] if effort.is_whole else [])
            yield from _told("memory", [memory.result])
        yield from _told("doors", [cold.doors] if effort.is_whole else [])
    yield from _told("counted", _counted(effort))


def _timed(effort: Effort, place: Place, cold: ColdStart) -> Iterator[Part]:
    yield partial(redemption.measure, place, rounds=effort.rounds, times=effort.redemptions)
    yield partial(granting.measure, place, rounds=effort.batches, batch=effort.batch)
    yield partial(load.measure, place, rounds=effort.rounds, seconds=effort.seconds)
    yield partial(cold.timed, times=effort.starts)


def _counted(effort: Effort) -> Iterator[Part]:
    tenants, requests = effort.storm
    yield partial(storm.measure, _DIRECTORY / "storm", tenants=tenants, requests=requests)
    yield partial(auto_enable.measure, _DIRECTORY / "auto-enable", repetitions=effort.repetitions)
    yield partial(lives.measure, _DIRECTORY / "lives")
    yield partial(fleet.measure_upkeep, sizes=effort.fleets, due=effort.due)
    yield partial(fleet.measure_list, sizes=effort.lists)


def _told(what: str, parts: Iterable[Part]) -> Iterator[Figure]:
    """The figures of these parts, while somebody who waits is told how it goes."""
    for part in parts:
        began = time.monotonic()
        figures = list(part())
        yield from figures
        marks = sorted({figure.mark for figure in figures})
        sys.stderr.write(f"{what}: mark {', '.join(map(str, marks))}, {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main())
