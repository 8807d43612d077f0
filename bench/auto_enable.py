"""Mark 4: what one request waits for that finds the session off, one round trip after the other.

Every request to the outside is made to last. Then those that are made side by side overlap, and the most that can be
told off one after the other, from the request to its answer, is the critical path.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Queue
from statistics import median
from typing import Final

from bench.counted import CountedPlace, Couriers
from bench.customers import Customers
from bench.figures import Figure, at_most, counted, timed
from bench.mailbox import REQUESTS, RESULTS, action_request, encoded
from bench.traffic import STORAGE, Service, Span
from local.simulator.seed import CALLERS

_LASTING: Final = 0.1
"""Seconds that each request lasts: long against the moments between them."""
_ENTRA: Final = 0.5
"""Seconds that the simulated Entra takes for a sign-in, where the time is told."""
_PATIENCE: Final = 60.0  # seconds


def measure(directory: Path, *, repetitions: int) -> Iterator[Figure]:
    """One request at a time, each in a tenant whose session has been on before and whose policies are known."""
    with CountedPlace.opened(directory) as place, place.couriers() as couriers:
        customers = place.customers
        tenants = customers.with_accounts(repetitions)
        customers.auto_enable(tenants)
        runs = _Runs(place, couriers, customers, tenants)
        runs.all({})  # every library is loaded, every connection open
        paths = [critical_path(spans) for spans, _ in runs.all(dict.fromkeys(Service, _LASTING))]
        seconds = [seconds for _, seconds in runs.all({Service.ENTRA: _ENTRA})]
    # What needs the answer of another comes after it every time; what does not, only when a thread was late.
    needed = {service: min(path[service] for path in paths) for service in Service}
    storage = min(sum(path[service] for service in STORAGE) for path in paths)
    yield counted(4, "auto-enable: storage round trips one after another", storage, "", at_most(5))
    for service in (Service.VAULT, Service.ENTRA, Service.GRAPH):
        yield counted(4, f"auto-enable: {service} round trips one after another", needed[service], "")
    ours = median(seconds) - needed[Service.ENTRA] * _ENTRA
    yield timed(4, f"auto-enable: time beside Entra's {_ENTRA:g} s for each of its own", 1000 * ours, "ms")


def critical_path(spans: Sequence[Span]) -> Counter[Service]:
    """Whom the most requests asked that can follow each other, each begun after the one before it had ended."""
    path: Counter[Service] = Counter()
    free_at = 0.0
    for span in sorted(spans, key=lambda span: span.end):
        if span.start >= free_at:
            path[span.service] += 1
            free_at = span.end
    return path


class _Runs:
    """The same request in the same tenants, again and again."""

    def __init__(self, place: CountedPlace, couriers: Couriers, customers: Customers, tenants: Collection[str]) -> None:
        self._place = place
        self._couriers = couriers
        self._customers = customers
        self._tenants = tenants

    def all(self, delays: Mapping[Service, float]) -> list[tuple[Sequence[Span], float]]:
        """What was asked until the answer, and how long that took, in each tenant; all of them are off afterwards."""
        with self._place.traffic.delayed(delays):
            found = [self._answered(tenant_id) for tenant_id in self._tenants]
        self._customers.turn_off(self._tenants)
        return found

    def _answered(self, tenant_id: str) -> tuple[Sequence[Span], float]:
        answers: Queue[float] = Queue()

        def sent(queue: str) -> None:
            if queue.startswith(RESULTS):
                answers.put(time.monotonic())

        request = action_request(tenant_id, executor=str(CALLERS["executor"].client_id))
        with self._place.traffic.told(sent), self._place.traffic.recording() as spans:
            start = time.monotonic()
            if not self._place.host.deliver(REQUESTS, encoded(request)).succeeded:
                raise RuntimeError("the request that turns the session on failed")
            answered = answers.get(timeout=_PATIENCE)
        self._couriers.wait()
        return [span for span in spans if span.end <= answered], answered - start
