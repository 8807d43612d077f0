"""Conditional access is asked one thing at a time in a tenant, a second apart, because Microsoft answers no faster.

One request a second in a tenant, for all applications together; the 429 of a faster one says not when to come back
(https://learn.microsoft.com/graph/throttling-limits). Other workers and other applications are not seen from here, so a
429 can come all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from shared.adapters.graph_calls import GraphCalls, Reply, Request
from shared.adapters.graph_requests import GraphRequests, TokenFor
from shared.adapters.patience import Pause, patiently
from shared.domain.directory_roles import Registration
from shared.domain.ids import TenantId
from shared.domain.ports import Clock
from shared.domain.secret import Secret

PACE: Final = timedelta(seconds=1)
THROTTLED_FOR: Final = timedelta(seconds=2)
"""How long to stay away after a 429 that does not say: whoever else asked in this tenant then has its second too."""


@dataclass(slots=True)
class _Line:
    """Those who want to ask something in one tenant; whoever holds `turn` does."""

    turn: Lock = field(default_factory=Lock)
    members: int = 0
    answered_at: datetime | None = None

    def closed_for(self, now: datetime) -> timedelta:
        """What is left of the second since the last answer; nothing when the clock was set back meanwhile."""
        since = PACE if self.answered_at is None else now - self.answered_at
        return PACE - since if timedelta() <= since < PACE else timedelta()


class Pace:
    """Turns, tenant by tenant, for all applications of ours.

    It remembers a tenant for as long as somebody asks there, and a second longer.
    """

    def __init__(self, clock: Clock, pause: Pause) -> None:
        self.pause = pause
        self._clock = clock
        self._lines: dict[TenantId, _Line] = {}
        self._lock = Lock()

    @contextmanager
    def turn(self, tenant_id: TenantId) -> Iterator[None]:
        """Wait until nobody of this process has asked in the tenant for a second; the block is ours to ask in."""
        line = self._join(tenant_id)
        try:
            with line.turn:
                left = line.closed_for(self._clock.now())
                if left:
                    self.pause(left)
                try:
                    yield
                finally:
                    line.answered_at = self._clock.now()
        finally:
            with self._lock:
                line.members -= 1

    def _join(self, tenant_id: TenantId) -> _Line:
        with self._lock:
            now = self._clock.now()
            self._lines = {key: line for key, line in self._lines.items() if line.members or line.closed_for(now)}
            line = self._lines.setdefault(tenant_id, _Line())
            line.members += 1
            return line


class PacedRequests(GraphRequests):
    """Requests to conditional access, each try of which waits for its turn. A refused try is made once more."""

    def __init__(self, calls: GraphCalls, token_for: TokenFor, asked: Registration, pace: Pace) -> None:
        super().__init__(calls, token_for, asked)
        self._pace = pace

    def _exchange(self, tenant_id: TenantId, request: Request, token: Secret) -> Reply:
        def ask() -> Reply:
            with self._pace.turn(tenant_id):
                return self._calls.ask(request, token, throttled_for=THROTTLED_FOR)

        return patiently(ask, is_read=request.is_read, pause=self._pace.pause, unasked=(THROTTLED_FOR,))
