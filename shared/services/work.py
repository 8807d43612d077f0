"""An operation in a worker's hands, and the one way in which its progress is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from shared.domain.errors import Conflict, ManagementSessionError, Problem, ReplyLost
from shared.domain.operation import Operation
from shared.domain.store import Replace, Stored, Write
from shared.domain.tenant import Tenant
from shared.services.world import World

Change = Callable[[Tenant], Tenant]
Send = Callable[[], None]
Answer = Callable[[Sequence[Write], Problem | None], tuple[tuple[Write, ...], Send]]
"""To the request that an operation was begun for, from what the operation's end writes and the problem it ends with:
what it writes with the answer in it, and how to send the answer once that is written."""

_RACES = 8


class Superseded(Exception):
    """The tenant has gone on without this operation; its worker must stop.

    Attributes:
        operation: what could not be recorded any more.
    """

    def __init__(self, operation: Operation) -> None:
        super().__init__("superseded")
        self.operation = operation


class Work:
    """An operation that one worker carries out, with the tenant it belongs to.

    Attributes:
        answer: what its end owes, if this worker can give it.
    """

    def __init__(
        self,
        world: World,
        tenant: Stored[Tenant],
        operation: Stored[Operation],
        *,
        listed: Tenant | None = None,
        answer: Answer | None = None,
    ) -> None:
        self._world = world
        self._tenant = tenant
        self._operation = operation
        self._listed = listed or tenant.row
        self._ahead = operation.row
        self._changes: tuple[Change, ...] = ()
        self.answer = answer

    @property
    def tenant(self) -> Tenant:
        """The tenant as last read or written, with what is kept for the next record."""
        return self._changed(None)

    @property
    def operation(self) -> Operation:
        """The operation as last read or written, or as it is kept for the next record."""
        return self._ahead

    @property
    def owns_tenant(self) -> bool:
        """True while the tenant's row names this operation as the running one."""
        running = self.tenant.operation
        return running is not None and running.operation_id == self.operation.operation_id

    @contextmanager
    def held(self) -> Iterator[None]:
        """Say, during the block, that this worker lives: a process that is gone goes on saying nothing.

        A step may take long, for what it asks may be slow or throttled. Who has lost the operation learns it when the
        step is to be recorded.
        """
        claim = self._world.limits.stuck_after

        def say() -> None:
            with suppress(Superseded, ManagementSessionError):
                self.write(self.operation.claimed(self._world.clock.now(), claim))

        with self._world.clock.every(claim / 3, say):
            yield

    def keep(self, operation: Operation, change: Change | None) -> None:
        """Have a step's outcome recorded with whatever is written next; a worker that dies leaves the step undone."""
        self._ahead = operation
        self._changes += (change,) if change else ()

    def write(
        self,
        operation: Operation,
        change: Change | None = None,
        also: tuple[Write, ...] = (),
        *,
        rather: tuple[Write, ...] | None = None,
    ) -> bool:
        """Record the operation, the tenant's change and whatever else, together; read again when a setting got between.

        `rather` is written instead of `also` at the first attempt only, for it names etags of rows that somebody else
        may have changed; True when it was.

        Raises:
            Superseded: the operation is no longer ours to go on with.
            Transient: the tables are away, and what was to be recorded is not.
        """
        for attempt in range(_RACES):
            was, changed = self._tenant.row, self._changed(change)
            beside = also if rather is None or attempt else rather
            writes: list[Write] = [Replace(operation, self._operation.etag)]
            if changed is not was:
                writes.append(Replace(changed, self._tenant.etag))
            try:
                etags = self._world.store.commit(was.tenant_id, [*writes, *beside])
            except (Conflict, ReplyLost) as error:
                if not self._has_landed(operation, error):
                    continue
            else:
                self._operation = Stored(operation, etags[0])
                if changed is not was:
                    self._tenant = Stored(changed, etags[1])
            self._ahead, self._changes = operation, ()
            return beside is rather
        raise Superseded(operation)

    def enter_in_index(self) -> None:
        """Bring the list of tenants up to date with what was last written."""
        self._world.enter_in_index(self._tenant.row, self._listed)
        self._listed = self._tenant.row

    def _changed(self, change: Change | None) -> Tenant:
        tenant = self._tenant.row
        for each in (*self._changes, change):
            tenant = each(tenant) if each else tenant
        return tenant

    def _has_landed(self, ours: Operation, error: Conflict | ReplyLost) -> bool:
        """Whether the write that seemed to fail was done: a repeated request meets what the first one did.

        Raises:
            Superseded: somebody else has written the operation, or has the tenant.
            ReplyLost: as before: it was not done, and may be done yet.
        """
        store, tenant_id = self._world.store, self.tenant.tenant_id
        found = store.operation(tenant_id, ours.operation_id)
        tenant = store.tenant(tenant_id)
        if found.etag == self._operation.etag:
            if isinstance(error, ReplyLost):
                raise error
            self._tenant = tenant
            if not self.owns_tenant:
                raise Superseded(ours)
            return False
        if replace(found.row, result=None) != replace(ours, result=None):
            raise Superseded(ours)
        self._operation, self._tenant = found, tenant
        return True
