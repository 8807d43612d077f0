"""Forget what ended long ago: the trail with the operations and actions it tells of, remembered keys, kept messages.

The trail lies in the order of time, so its old end is read at once, and it names what else is old: nothing is searched
for. Keys and messages are not named by it; of the keys a sixteenth is looked through each day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final, TypeVar
from uuid import UUID

from shared import telemetry
from shared.domain.action import Action
from shared.domain.activity import Activity
from shared.domain.errors import Conflict, NotFound
from shared.domain.ids import ActionId, OperationId, TenantId
from shared.domain.operation import Operation
from shared.domain.poison import PoisonMessage
from shared.domain.store import Remove, Stored
from shared.services.world import World

R = TypeVar("R", Operation, Action)

_ENTRIES: Final = 200
_OF_THE_TRAIL: Final = 400
_OF_THE_REST: Final = 50
MOST: Final = _OF_THE_TRAIL + 2 * _OF_THE_REST
"""Rows removed at one look."""
_AT_ONCE: Final = 100
_PARTS: Final = 16
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ForgetOldRows:
    """Part of upkeep's daily look."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, tenant_id: TenantId, running: OperationId | None = None) -> bool:
        """Remove what is old, at most `MOST` rows; True when there is more of it.

        Entries go a day later than what they name, so that this has ended. Keys go before the operations they stand
        for, so early that all sixteen parts are through by then. `running` is the operation that has the tenant: it
        stays, and so does the one of the latest policy check.

        Raises:
            Transient: our own tables are away.
        """
        store, now = self._world.store, self._world.clock.now()
        before, part = now - self._world.limits.retention, (now - _EPOCH).days % _PARTS
        entries = store.old_activity(tenant_id, before=before - _DAY, limit=_ENTRIES)
        replays = store.old_replays(tenant_id, part=part, before=before + _PARTS * _DAY, limit=_OF_THE_REST)
        messages = [kept for kept in store.poison_messages(tenant_id) if _moved_at(kept.row) < before]
        removals = [
            *islice(self._told_by(tenant_id, entries, before, running), _OF_THE_TRAIL),
            *(Remove(replay.row, replay.etag) for replay in replays),
            *(Remove(kept.row, kept.etag) for kept in messages[:_OF_THE_REST]),
        ]
        is_all = len(entries) < _ENTRIES and max(len(replays), len(messages)) < _OF_THE_REST
        return self._remove(tenant_id, removals) and not is_all

    def _told_by(
        self, tenant_id: TenantId, entries: Sequence[Stored[Activity]], before: datetime, running: OperationId | None
    ) -> Iterator[Remove]:
        """The entries, each after what it names; one that names what has not ended stays with it."""
        store, gone, alive = self._world.store, set[UUID](), {running} if running else set[OperationId]()
        check = store.policy_check(tenant_id) if entries else None
        if check is not None and (check.row.checked_at or check.row.started_at) < before:
            yield Remove(check.row, check.etag)
        elif check is not None:
            alive.add(check.row.operation_id)
        for entry in entries:
            operation_id, action_id = entry.row.operation_id, entry.row.action_id
            operation = _row(operation_id, gone, lambda named: store.operation(tenant_id, OperationId(named)))
            action = _row(action_id, gone, lambda named: store.action(tenant_id, ActionId(named)))
            found: list[Stored[Operation] | Stored[Action]] = [row for row in (operation, action) if row is not None]
            if operation_id in alive or not all(_has_ended(row.row, before) for row in found):
                continue
            gone |= {named for named in (operation_id, action_id) if named is not None}
            yield from (Remove(row.row, row.etag) for row in found)
            yield Remove(entry.row, entry.etag)

    def _remove(self, tenant_id: TenantId, removals: Sequence[Remove]) -> bool:
        """Whether all of it is gone, and it was not nothing."""
        for first in range(0, len(removals), _AT_ONCE):
            try:
                self._world.store.commit(tenant_id, removals[first : first + _AT_ONCE])
            except Conflict:  # somebody else is at it, or has just used one of them: tomorrow is another day
                return False
        if removals:
            telemetry.event("rowsForgotten", tenant_id=tenant_id, rows=len(removals))
        return bool(removals)


def _row(named: UUID | None, gone: set[UUID], read: Callable[[UUID], Stored[R]]) -> Stored[R] | None:
    """The row of that name, if there is a name and the row is still there."""
    if named is None or named in gone:
        return None
    try:
        return read(named)
    except NotFound:
        return None


def _has_ended(row: Operation | Action, before: datetime) -> bool:
    """Whether nothing was written to it since; an action that waits for its decision has not ended."""
    if isinstance(row, Operation):
        return (row.updated_at or row.created_at) < before
    return row.decision is not None and (row.completed_at or row.decided_at or row.received_at) < before


def _moved_at(message: PoisonMessage) -> datetime:
    return max(message.at, message.replayed_at or message.at)
