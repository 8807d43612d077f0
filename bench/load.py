"""Mark 9: how much one instance does when more and more callers ask at once, and what that does to its memory."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle
from pathlib import Path
from statistics import median
from threading import Event
from typing import Final

from azure.data.tables import TableClient
from azure.storage.queue import QueueClient

from bench.figures import Figure, at_least, at_most, ratio, timed
from bench.mailbox import Mailbox, action_request, decoded
from bench.place import Place
from bench.processes import Processes
from bench.redemption import Redemption
from shared.adapters.storage import tenant_table
from shared.adapters.storage.messages import RESULTS
from shared.domain.action import ActionKind

_AT_ONCE: Final = (1, 8, 32)
"""Callers."""
_SOAKERS: Final = 64
"""Callers whose requests go through one process as fast as it can take them."""
_DELETERS: Final = 4
"""Threads that delete decisions, so that receiving them need not wait."""
_PROCESSES: Final = {"the instance": "app", "Azurite": "azurite"}


def measure(place: Place, *, rounds: int, seconds: float) -> Iterator[Figure]:
    """Each of the numbers of callers asks for so many seconds in each round, at either door."""
    redemption = Redemption(place, callers=max(_AT_ONCE))
    with place.mailbox() as mailbox:
        doors: Mapping[str, Callable[[int, float], float]] = {
            "tokens": lambda callers, span: _tokens(place, redemption, callers, span),
            "leases granted": lambda callers, span: _leases(place, mailbox, callers, span),
        }
        for what, door in doors.items():
            door(_AT_ONCE[1], seconds)  # warm
            found: dict[int, list[float]] = {callers: [] for callers in _AT_ONCE}
            busy: dict[str, list[float]] = {name: [] for name in _PROCESSES}
            for _ in range(rounds):
                for callers, rates in found.items():
                    with _Cores(place) as cores:
                        rates.append(door(callers, seconds))
                for name, shares in busy.items():
                    shares.append(cores.used[name])
            typical = {callers: median(rates) for callers, rates in found.items()}
            for callers, rate in typical.items():
                yield timed(9, f"{what} at {callers} callers", rate, "a second")
            yield ratio(9, f"{what}, 32 callers to 1", typical[32] / typical[1], at_least(1))
            for name, shares in busy.items():
                yield timed(9, f"{what} at 32 callers, {name}", median(shares), "cores")


def measure_memory(place: Place, processes: Processes, *, count: int) -> Iterator[Figure]:
    """What a process has in memory after so many requests, against what it has after a tenth of them."""
    redemption = Redemption(place, callers=_SOAKERS)
    with TableClient.from_connection_string(
        place.stack.addresses.storage_connection_string, tenant_table.NAME
    ) as table:
        rows = [dict(row) for row in table.query_entities(f"PartitionKey eq '{redemption.tenant_id}'")]
    given = {"rows": rows, "requests": redemption.requests(_SOAKERS), "count": count, "settled": count // 10}
    settled, after = json.loads(processes.run("-m", "bench.soak", text=json.dumps(given)))
    yield ratio(9, f"memory after {count:,} token requests to after {count // 10:,}", after / settled, at_most(1.02))
    yield timed(9, f"memory after {count:,} token requests", after / 1024, "MiB")


def _tokens(place: Place, redemption: Redemption, callers: int, seconds: float) -> float:
    """Redemptions a second, while so many callers ask one after the other."""
    until = time.monotonic() + seconds

    def ask() -> int:
        count = 0
        with closing(place.line()) as line:
            while time.monotonic() < until:
                redemption.once(line)
                count += 1
        return count

    with ThreadPoolExecutor(callers) as pool:
        asked = [pool.submit(ask) for _ in range(callers)]
    return sum(each.result() for each in asked) / seconds


def _leases(place: Place, mailbox: Mailbox, callers: int, seconds: float) -> float:
    """Decisions a second, while so many executors ask one after the other and each waits for its answer."""
    tenants, until = cycle(place.tenants), time.monotonic() + seconds
    waiting: dict[str, Event] = {}

    def ask() -> int:
        count = 0
        while time.monotonic() < until:
            request = action_request(next(tenants), executor=mailbox.executor, kind=ActionKind.WORKFLOW)
            answered = waiting[str(request["actionId"])] = Event()
            mailbox.send(request)
            answered.wait()
            count += 1
        return count

    connection = place.stack.addresses.storage_connection_string
    with (
        QueueClient.from_connection_string(connection, RESULTS[ActionKind.WORKFLOW]) as results,
        ThreadPoolExecutor(callers) as pool,
        ThreadPoolExecutor(_DELETERS) as deleters,
    ):
        asked = [pool.submit(ask) for _ in range(callers)]
        while not all(each.done() for each in asked):
            for message in results.receive_messages(max_messages=32):
                waiting.pop(decoded(message.content)["actionId"]).set()
                deleters.submit(results.delete_message, message)
    return sum(each.result() for each in asked) / seconds


class _Cores:
    """How many cores each process of the stack keeps busy inside the block."""

    def __init__(self, place: Place) -> None:
        self._pids = {name: place.stack.addresses.pids[key] for name, key in _PROCESSES.items()}
        self.used: Mapping[str, float] = {}

    def __enter__(self) -> _Cores:
        self._start, self._before = time.monotonic(), self._seconds()
        return self

    def __exit__(self, *_: object) -> None:
        span, after = time.monotonic() - self._start, self._seconds()
        self.used = {name: (after[name] - self._before[name]) / span for name in self._pids}

    def _seconds(self) -> Mapping[str, float]:
        """Processor time by process (proc_pid_stat(5), utime and stime)."""
        spent = {}
        for name, pid in self._pids.items():
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            spent[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return spent
