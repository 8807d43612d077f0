"""Redeem, renew and release a lease: an executor's short-lived token, never the password behind it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from shared import telemetry
from shared.domain.activity import Activity, Event
from shared.domain.actors import Caller, Right
from shared.domain.errors import Code, Conflict, NotFound, WrittenLater, not_found, refused
from shared.domain.ids import LeaseId, TenantId, gate_of
from shared.domain.lease import Gate, Lease
from shared.domain.resources import Resource
from shared.domain.secret import AccessToken
from shared.domain.store import Insert, Replace, Stored, Write
from shared.services.accept import contended
from shared.services.tokens import Tokens
from shared.services.world import World, authorise, not_allowed

_RACES = 40


class HoldLease:
    """The services behind `…/leases/{leaseId}`."""

    def __init__(self, world: World, tokens: Tokens) -> None:
        self._world = world
        self._tokens = tokens

    def redeem(self, caller: Caller, tenant_id: TenantId, lease_id: LeaseId, resource: Resource) -> AccessToken:
        """A token for one resource, told to end with the lease at the latest.

        One table request when this process has the token already; one more for an executor whose right holds only
        where it was granted.

        Raises:
            NotFound: `leaseNotFound`: no such lease, ended, or somebody else's.
            Refused: `callerNotAllowed`, `sessionNotOn`, `resourceNotLeased`; what signing in again was refused for.
            Transient: Key Vault or Entra are away.
        """
        gate = self._gate(caller, tenant_id, lease_id)
        lease = self._own(caller, gate.row, lease_id)
        if resource not in lease.resources:
            raise refused(
                Code.RESOURCE_NOT_LEASED,
                f"The lease does not cover {resource.value}.",
                target="resource",
                step="Name the resource in the action request.",
            )
        token = self._tokens.held(gate.row.session_id, resource)
        if token is None:
            token = self._tokens.fetch(tenant_id, gate.row.session_id, resource)
            lease = self._own(caller, self._gate(caller, tenant_id, lease_id).row, lease_id)  # it may be off meanwhile
        return replace(token, expires_at=min(token.expires_at, lease.expires_at))

    def renew(self, caller: Caller, tenant_id: TenantId, lease_id: LeaseId, duration: timedelta) -> Lease:
        """The lease, ending later: never past the session, nor past the longest a lease may last.

        Raises:
            NotFound, Refused: as `redeem`.
        """
        for _ in range(_RACES):
            gate = self._gate(caller, tenant_id, lease_id)
            lease = self._own(caller, gate.row, lease_id)
            now = self._world.clock.now()
            renewed = gate.row.renew(lease_id, duration, longest=self._world.limits.lease_longest, now=now)
            found = renewed.find(lease_id, now)
            text = f"The lease was renewed until {found.expires_at:%Y-%m-%dT%H:%M:%SZ}."
            entry = _entry(caller, tenant_id, lease, Event.LEASE_RENEWED, text, now)
            try:
                self._world.store.commit(tenant_id, [Replace(renewed, gate.etag), Insert(entry)])
            except Conflict:
                continue
            return found
        raise contended()

    def release(self, caller: Caller, tenant_id: TenantId, lease_id: LeaseId) -> None:
        """Let the lease go. Gone already is fine; somebody else's is left alone, without a word.

        Raises:
            Refused: `callerNotAllowed`.
            NotFound: `leaseNotFound`: there is no such tenant.
        """
        for _ in range(_RACES):
            gate = self._gate(caller, tenant_id, lease_id)
            now = self._world.clock.now()
            lease = next((held for held in gate.row.live(now) if held.lease_id == lease_id), None)
            if lease is None or not _is_holder(caller, lease):
                return
            entry = _entry(caller, tenant_id, lease, Event.LEASE_RELEASED, "The lease was released.", now)
            writes: list[Write] = [Replace(gate.row.release(lease_id, now), gate.etag), Insert(entry)]
            try:
                self._world.store.commit(tenant_id, writes)
            except Conflict:
                continue
            return
        raise contended()

    def _gate(self, caller: Caller, tenant_id: TenantId, lease_id: LeaseId) -> Stored[Gate]:
        if not caller.is_application or Right.EXECUTOR not in caller.everywhere | caller.where_granted:
            raise not_allowed(Right.EXECUTOR)
        try:
            if Right.EXECUTOR not in caller.everywhere:
                authorise(caller, self._world.store.tenant(tenant_id).row, Right.EXECUTOR)
            return self._world.store.gate(tenant_id, gate_of(lease_id))
        except NotFound:
            raise _no_lease() from None
        except WrittenLater:
            if Right.EXECUTOR in caller.everywhere:
                raise
            raise _no_lease() from None  # nobody can tell whether the right was granted to this one

    def _own(self, caller: Caller, gate: Gate, lease_id: LeaseId) -> Lease:
        if any(held.lease_id == lease_id and not _is_holder(caller, held) for held in gate.leases):
            raise _no_lease()
        return gate.find(lease_id, self._world.clock.now())


def _is_holder(caller: Caller, lease: Lease) -> bool:
    return lease.executor in (caller.application_id, caller.object_id)


def _no_lease() -> NotFound:
    return not_found(Code.LEASE_NOT_FOUND, "There is no such lease, or it has ended.")


def _entry(caller: Caller, tenant_id: TenantId, lease: Lease, event: Event, summary: str, now: datetime) -> Activity:
    return Activity(
        tenant_id,
        now,
        event,
        caller.actor,
        summary,
        telemetry.correlation_id(),
        action_id=lease.action_id,
        facts={"leaseId": str(lease.lease_id)},
    )
