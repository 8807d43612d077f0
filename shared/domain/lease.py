"""Leases, and the sixteen gates they pass through.

A lease is an executor's right to tokens of one tenant, for one action, for a while. A tenant has sixteen gates; the
first digit of a lease's id says which is its own. A gate says whether the session lets anybody through and holds the
leases granted there, so one read of one row tells everything a token depends on, requests for different actions do not
wait for each other, and writing sixteen rows in one transaction stops all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.domain.errors import Code, not_found, refused
from shared.domain.ids import ActionId, LeaseId, SessionId
from shared.domain.resources import Resource

MAX_LEASES_A_GATE: Final = 64
"""Keeps a gate's row below Table Storage's 64 KiB a property; 1,024 leases a tenant at the most."""


class GateState(StrEnum):
    """Who gets through: nobody; nobody yet; everybody; only those who hold a lease already."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Lease:
    """An executor's right to tokens, for one action.

    Attributes:
        executor: the client id or the service principal id of the application that may redeem it.
        expires_at: never later than the session's end.
    """

    lease_id: LeaseId
    action_id: ActionId
    executor: UUID
    resources: tuple[Resource, ...]
    granted_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Gate:
    """One of a tenant's sixteen gates.

    Attributes:
        expires_at: when the session ends; nothing lasts longer.
        used: whether a lease was granted here since the session began.
        idle_since: when the last lease held here ended.
    """

    number: int
    state: GateState = GateState.CLOSED
    session_id: SessionId | None = None
    expires_at: datetime | None = None
    used: bool = False
    idle_since: datetime | None = None
    leases: tuple[Lease, ...] = ()

    def live(self, now: datetime) -> tuple[Lease, ...]:
        """The leases that have not ended at `now`."""
        return tuple(lease for lease in self.leases if lease.expires_at > now)

    def lets_new_in(self, now: datetime) -> bool:
        """True while a new lease may be granted."""
        return self.state is GateState.OPEN and self.expires_at is not None and now < self.expires_at

    def grant(self, lease: Lease, now: datetime) -> Gate:
        """This gate with one lease more, cut to the session's end.

        Raises:
            Refused: `sessionNotOn`, or `tooManyLeases` when this gate holds all it can.
        """
        if not self.lets_new_in(now) or self.expires_at is None:
            raise refused(Code.SESSION_NOT_ON, "The management session is not on.")
        held = self.live(now)
        if len(held) >= MAX_LEASES_A_GATE:
            raise refused(
                Code.TOO_MANY_LEASES,
                "Too many actions hold a lease in this tenant.",
                step="Complete running actions, then send the request again with a new actionId.",
            )
        cut = replace(lease, expires_at=min(lease.expires_at, self.expires_at))
        return replace(self, used=True, idle_since=None, leases=(*held, cut))

    def find(self, lease_id: LeaseId, now: datetime) -> Lease:
        """The live lease of that id.

        Raises:
            Refused: `sessionNotOn`: the session has been turned off or has expired; `leaseEnded`: the lease has.
            NotFound: `leaseNotFound`: it was released, or it never was.
        """
        if self.state not in (GateState.OPEN, GateState.DRAINING) or self.expires_at is None or now >= self.expires_at:
            raise refused(Code.SESSION_NOT_ON, "The management session is not on, so no token can be had.")
        lease = next((held for held in self.leases if held.lease_id == lease_id), None)
        if lease is None:
            raise not_found(Code.LEASE_NOT_FOUND, "There is no such lease, or it has ended.")
        if lease.expires_at <= now:
            raise refused(Code.LEASE_ENDED, "The lease has ended.", step="Send a new action request.")
        return lease

    def renew(self, lease_id: LeaseId, duration: timedelta, *, longest: timedelta, now: datetime) -> Gate:
        """This gate with the lease ending `duration` from now, but not past the session nor `longest` after its grant.

        Raises:
            Refused, NotFound: as `find`.
        """
        lease = self.find(lease_id, now)
        until = min(now + duration, lease.granted_at + longest, self.expires_at or now)
        renewed = replace(lease, expires_at=max(until, lease.expires_at))
        return replace(self, leases=tuple(renewed if x.lease_id == lease_id else x for x in self.live(now)))

    def release(self, lease_id: LeaseId, now: datetime) -> Gate:
        """This gate without the lease, and without those that have expired. Releasing twice changes nothing."""
        kept = tuple(lease for lease in self.live(now) if lease.lease_id != lease_id)
        if kept == self.leases:
            return self
        ended = [min(lease.expires_at, now) for lease in self.leases if lease not in kept]
        return replace(self, leases=kept, idle_since=None if kept else max(ended))
