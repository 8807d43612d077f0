"""Rate limits: one caller, or the callers of one tenant, must not use up what all share.

Buckets live in this process: with n instances a caller gets at most n times its rate. They protect the tenants' Graph
budget and our tables from a runaway client; they are no quota.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.errors import Code, Problem, Transient
from shared.domain.ports import Clock

_MOST_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and so many a second after that."""

    burst: int
    per_second: float


CALLER = Rate(burst=400, per_second=100)
TENANT_WRITES = Rate(burst=120, per_second=2)
REFUSALS = Rate(burst=40, per_second=0.1)
"""Of one caller: those that leave a trace in trails. More of them would push out what support looks for."""


class RateLimits:
    """Token buckets, one for each key (https://learn.microsoft.com/azure/architecture/patterns/rate-limiting-pattern)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def give_back(self, key: str, rate: Rate) -> None:
        """Undo a `take` that turned out to be nobody's business here: it does not count against the others."""
        with self._lock:
            if key in self._buckets:
                level, since = self._buckets[key]
                self._buckets[key] = (min(float(rate.burst), level + 1), since)

    def take(self, key: str, rate: Rate) -> None:
        """Let one pass.

        Raises:
            Transient: `tooManyRequests`, with the time until one may pass again.
        """
        now = self._clock.now()
        with self._lock:
            level, since = self._buckets.pop(key, (float(rate.burst), now))
            level = min(rate.burst, level + max(0.0, (now - since).total_seconds()) * rate.per_second)
            may_pass = level >= 1
            self._buckets[key] = (level - 1 if may_pass else level, now)
            while len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        if not may_pass:
            wait = timedelta(seconds=(1 - level) / rate.per_second)
            raise Transient(Problem(Code.TOO_MANY_REQUESTS, "Too many requests."), wait)
