"""Take a request for long work in: check it, record it with its operation in one transaction, then wake a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import uuid4

from shared import telemetry
from shared.domain.activity import Activity, Event
from shared.domain.actors import Actor, Caller, Right
from shared.domain.errors import Code, Conflict, NextStep, Problem, Refused, Transient, refused
from shared.domain.ids import OperationId, TenantId, operation_id_for
from shared.domain.operation import Operation, OperationKind, Status, Step
from shared.domain.store import Due, Insert, Replace, Replay, Stored, Write
from shared.domain.tenant import RunningOperation, Tenant
from shared.services.world import World, authorise

_RACES = 20
_BEFORE_PLAN = 3


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for something, and on which terms.

    Attributes:
        idempotency_key: the same key again means the same request again.
        fingerprint: digest of what is asked, so that a key used for something else is noticed; no secret goes into it.
        if_match: the etag the caller has seen, or None for any.
    """

    caller: Caller
    idempotency_key: str | None = None
    fingerprint: str = ""
    if_match: str | None = None

    @property
    def replay_key(self) -> str | None:
        """What the key is kept under: a digest, one caller's apart from another's."""
        if self.idempotency_key is None:
            return None
        return sha256(f"{self.caller.object_id}/{self.idempotency_key}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request comes to: the operation, the tenant as it will be, and what else is written with them.

    The operation takes the place of the one that has the tenant, if there is one.
    """

    operation: Operation
    tenant: Tenant
    entry: Activity
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """A plan on record, whose operation the worker that began it has claimed.

    Attributes:
        etags: those of the plan's own writes, in their order.
    """

    tenant: Stored[Tenant]
    operation: Stored[Operation]
    etags: tuple[str, ...]


Decide = Callable[[Stored[Tenant]], Plan | Operation | None]
"""From a tenant to a plan; or to the operation that does it already; or None: it already is so.

Raises Conflict when the tenant has changed while it looked at other rows.
"""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer: the operation to follow, or None when nothing is left to do."""

    tenant: Stored[Tenant]
    operation: Operation | None


class Accept:
    """What every request for long work has in common."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, tenant_id: TenantId, asking: Asking, right: Right, decide: Decide) -> Accepted:
        """Take the request in, once.

        Raises:
            NotFound, Refused: what `authorise` or `decide` say; `idempotencyKeyReused`.
            Conflict: `preconditionFailed`: `if_match` is not the tenant's etag.
            Transient: too many others change this tenant at the same time.
        """
        store = self._world.store
        for _ in range(_RACES):
            tenant = store.tenant(tenant_id)
            authorise(asking.caller, tenant.row, right)
            seen = self._seen(tenant, asking)
            if seen is not None:
                return seen
            if asking.if_match not in (None, "*", tenant.etag):
                raise Conflict("the tenant")
            try:
                plan = decide(tenant)
                if isinstance(plan, Plan):
                    return Accepted(self.begin(tenant, plan, asking), plan.operation)
                self._remember(tenant_id, asking, plan)
                return Accepted(tenant, plan)
            except Conflict:
                continue
        raise contended()

    def begin(self, tenant: Stored[Tenant], plan: Plan, asking: Asking | None = None) -> Stored[Tenant]:
        """Record the plan and wake a worker; upkeep wakes one when we die in between.

        Raises:
            Conflict: the tenant changed meanwhile.
        """
        world, tenant_id, operation = self._world, tenant.row.tenant_id, plan.operation
        running = _running(plan)
        writes = self._writes(tenant, running, plan, asking)
        world.due.add(Due(tenant_id, operation.created_at + world.limits.stuck_after))
        etags = world.store.commit(tenant_id, writes)
        world.enter_in_index(running, tenant.row)
        _tell(plan)
        world.messages.send_operation(tenant_id, operation.operation_id)
        return Stored(running, etags[0])

    def begin_claimed(self, tenant: Stored[Tenant], plan: Plan, guard: Callable[[], None]) -> Begun:
        """As `begin`, for a worker that goes on by itself, at once: no message is sent, and the list stays as it was.

        `guard` is what enters the tenant in the due list, beside the transaction and not before it: the worker has a
        message of its own in hand, which comes again if the process dies with only one of the two done.

        Raises:
            Conflict: the tenant changed meanwhile.
        """
        now, first = plan.operation.created_at, plan.operation.current
        claimed = plan.operation.claimed(now, self._world.limits.stuck_after)
        plan = replace(plan, operation=claimed.started(first.name, now) if first else claimed)
        running = _running(plan)
        writes = self._writes(tenant, running, plan, None)
        with self._world.clock.beside(guard):
            etags = self._world.store.commit(tenant.row.tenant_id, writes)
        _tell(plan)
        of_plan = etags[_BEFORE_PLAN:][: len(plan.writes)]
        return Begun(Stored(running, etags[0]), Stored(plan.operation, etags[1]), of_plan)

    def _writes(self, tenant: Stored[Tenant], running: Tenant, plan: Plan, asking: Asking | None) -> list[Write]:
        """The plan's own writes come after `_BEFORE_PLAN` others."""
        operation = plan.operation
        writes: list[Write] = [Replace(running, tenant.etag), Insert(operation), Insert(plan.entry), *plan.writes]
        if asking and asking.replay_key:
            writes.append(Insert(Replay(asking.replay_key, asking.fingerprint, operation.operation_id)))
        if tenant.row.operation is not None:  # whoever made the plan has decided that it may be superseded
            writes += self._cancel(tenant.row.tenant_id, tenant.row.operation.operation_id, operation)
        return writes

    def running(self, tenant: Tenant) -> Operation | None:
        """The operation that has the tenant and must be waited for, or None; a policy check gives way."""
        return self.under_way(tenant) if tenant.is_busy else None

    def under_way(self, tenant: Tenant) -> Operation | None:
        """The operation that has the tenant, whatever it is, or None."""
        if tenant.operation is None:
            return None
        return self._world.store.operation(tenant.tenant_id, tenant.operation.operation_id).row

    def _remember(self, tenant_id: TenantId, asking: Asking, joined: Operation | None) -> None:
        """Keep what the key stood for, though nothing new began: sent again later it must not begin anything either."""
        if asking.replay_key:
            replay = Replay(asking.replay_key, asking.fingerprint, joined.operation_id if joined else None)
            self._world.store.commit(tenant_id, [Insert(replay)])

    def _seen(self, tenant: Stored[Tenant], asking: Asking) -> Accepted | None:
        replay = seen_before(self._world, tenant.row.tenant_id, asking)
        if replay is None:
            return None
        if replay.operation_id is None:
            return Accepted(tenant, None)
        return Accepted(tenant, self._world.store.operation(tenant.row.tenant_id, replay.operation_id).row)

    def _cancel(self, tenant_id: TenantId, cancels: OperationId, by: Operation) -> list[Write]:
        stored = self._world.store.operation(tenant_id, cancels)
        text = f"Another operation, {by.kind.value}, took this one's place."
        canceled = stored.row.ended(Status.CANCELED, by.created_at, problem=Problem(Code.OPERATION_CANCELED, text))
        entry = Activity(
            tenant_id,
            by.created_at,
            Event.OPERATION_CANCELED,
            by.requested_by,
            f"{stored.row.kind.value} was canceled by {by.kind.value}.",
            by.correlation_id,
            operation_id=cancels,
        )
        return [Replace(canceled, stored.etag), Insert(entry)]


def _running(plan: Plan) -> Tenant:
    return replace(plan.tenant, operation=RunningOperation(plan.operation.operation_id, plan.operation.kind))


def _tell(plan: Plan) -> None:
    operation = plan.operation
    telemetry.event(
        plan.entry.event,
        tenant_id=operation.tenant_id,
        operation_id=operation.operation_id,
        actor=operation.requested_by.object_id,
    )


def seen_before(world: World, tenant_id: TenantId, asking: Asking) -> Replay | None:
    """What this Idempotency-Key was used for already; None when it is new, or when there is none.

    Raises:
        Refused: `idempotencyKeyReused`: it was for another request.
    """
    replay = world.store.replay(tenant_id, asking.replay_key) if asking.replay_key else None
    if replay is not None and replay.fingerprint != asking.fingerprint:
        raise refused(
            Code.IDEMPOTENCY_KEY_REUSED,
            "This Idempotency-Key was used for another request.",
            target="Idempotency-Key",
            step="Use a new key for a new request.",
        )
    return replay


def new_operation(
    tenant_id: TenantId,
    kind: OperationKind,
    steps: tuple[str, ...],
    by: Actor,
    *,
    now: datetime,
    within: timedelta,
    asking: Asking | None = None,
    notes: dict[str, str] | None = None,
) -> Operation:
    """An operation not yet started; its id follows from the Idempotency-Key where there is one."""
    operation_id = OperationId(uuid4())
    if asking and asking.idempotency_key:
        caller = f"{asking.caller.object_id}/{kind}"
        operation_id = operation_id_for(tenant_id, caller, asking.idempotency_key)
    return Operation(
        operation_id,
        tenant_id,
        kind,
        by,
        telemetry.correlation_id(),
        created_at=now,
        deadline=now + within,
        steps=tuple(Step(name) for name in steps),
        notes=notes or {},
        updated_at=now,
    )


def contended() -> Transient:
    """Everybody else was faster, again and again: nothing is wrong, and the caller may ask again."""
    return Transient(Problem(Code.SERVICE_UNAVAILABLE, "Too many requests change this tenant at the same time."))


def busy(running: Operation) -> Refused:
    """The refusal while another operation has the tenant."""
    return Refused(
        Problem(
            Code.OPERATION_IN_PROGRESS,
            f"Another operation, {running.kind.value}, is under way in this tenant.",
            next_step=NextStep("Wait until it has ended, then ask again."),
        )
    )
