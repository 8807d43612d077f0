"""Requests to act in a tenant whose session is off are looked at one after the other within a process.

The first of them turns the session on, and the others find it opening. Were they looked at together, each would try to
turn it on, and each but one in vain, at the price of three more requests to storage. Processes do not know of each
other: between them the tenant's etag decides.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from threading import RLock
from typing import Final

from shared.domain.ids import TenantId
from shared.domain.ports import Clock

_LOCKS: Final = 64
_REMEMBERED: Final = 10_000
_LASTS: Final = timedelta(minutes=1)


class Turns:
    """Who may look next. Nobody waits in a tenant whose session was seen on a moment ago."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._locks = tuple(RLock() for _ in range(_LOCKS))
        self._seen_open: dict[TenantId, float] = {}

    def of(self, tenant_id: TenantId) -> ExitStack:
        """A turn, when it has come; whoever closes it lets the next one look."""
        turn = ExitStack()
        if self._clock.now().timestamp() > self._seen_open.get(tenant_id, 0) + _LASTS.total_seconds():
            turn.enter_context(self._locks[hash(tenant_id) % _LOCKS])
        return turn

    def saw_open(self, tenant_id: TenantId) -> None:
        """The session is on: for a while nobody need wait for a turn."""
        if len(self._seen_open) >= _REMEMBERED:
            self._seen_open.clear()
        self._seen_open[tenant_id] = self._clock.now().timestamp()
