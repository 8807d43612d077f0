"""Mark 4: how long one request takes that finds the session off, and how many round trips that is, one after another.

A round trip on the critical path is found by delaying: when every request to a service takes `d` longer, the answer
comes `n` times `d` later, where `n` of them had to be waited for one after the other. What is done side by side, and
what is done after the answer, does not show.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from queue import Queue
from statistics import median
from typing import Final

from bench.counted import CountedPlace, Couriers
from bench.customers import Customers
from bench.figures import Figure, at_most, counted, timed
from bench.mailbox import REQUESTS, RESULTS, action_request, encoded
from bench.traffic import STORAGE, Service
from local.simulator.seed import CALLERS

_DELAY: Final = 0.2
"""Seconds; long against what the machine adds by itself."""
_ENTRA: Final = 0.5
"""Seconds that the simulated Entra takes in every run."""
_PATIENCE: Final = 60.0  # seconds

_PATHS: Final[Mapping[str, Collection[Service]]] = {
    "storage": STORAGE,
    "Key Vault": {Service.VAULT},
    "Graph": {Service.GRAPH},
    "Entra": {Service.ENTRA},
}


def measure(directory: Path, *, repetitions: int) -> Iterator[Figure]:
    """One request at a time, in tenants whose session has been on before."""
    with CountedPlace.opened(directory) as place, place.couriers() as couriers:
        customers = place.customers
        tenants = customers.with_accounts(repetitions)
        customers.auto_enable(tenants)
        runs = _Runs(place, couriers, customers, tenants)
        runs.seconds({})  # from now on every library is loaded, every connection open, and the policies are known
        alone = runs.seconds({})
        slower = {name: runs.seconds(dict.fromkeys(services, _DELAY)) for name, services in _PATHS.items()}
    round_trips = {name: round((median(seconds) - median(alone)) / _DELAY) for name, seconds in slower.items()}
    ours = median(alone) - round_trips["Entra"] * _ENTRA
    for name, count in round_trips.items():
        limit = at_most(5) if name == "storage" else None
        yield counted(4, f"auto-enable: {name} round trips one after another", count, "", limit)
    yield timed(4, f"auto-enable: time beside Entra's {_ENTRA:g} s each", 1000 * ours, "ms")


class _Runs:
    """The same request in the same tenants, again and again."""

    def __init__(self, place: CountedPlace, couriers: Couriers, customers: Customers, tenants: Collection[str]) -> None:
        self._place = place
        self._couriers = couriers
        self._customers = customers
        self._tenants = tenants

    def seconds(self, delays: Mapping[Service, float]) -> list[float]:
        """How long the answer takes in each tenant; all of them are off before and after."""
        waiting = dict(delays)
        waiting[Service.ENTRA] = _ENTRA + waiting.get(Service.ENTRA, 0.0)
        with self._place.traffic.delayed(waiting):
            found = [self._answered(tenant_id) for tenant_id in self._tenants]
        self._customers.turn_off(self._tenants)
        return found

    def _answered(self, tenant_id: str) -> float:
        """How long the answer takes, whatever the function still does afterwards."""
        answers: Queue[float] = Queue()

        def sent(queue: str) -> None:
            if queue.startswith(RESULTS):
                answers.put(time.monotonic())

        request = action_request(tenant_id, executor=str(CALLERS["executor"].client_id))
        with self._place.traffic.told(sent):
            start = time.monotonic()
            if not self._place.host.deliver(REQUESTS, encoded(request)).succeeded:
                raise RuntimeError("the request that turns the session on failed")
            answered = answers.get(timeout=_PATIENCE)
        self._couriers.wait()
        return answered - start
