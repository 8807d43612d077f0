"""When to look at which tenant: table `Due`, one partition, RowKey `{time}_{tenant id}`, so in order (DueList port)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from shared.adapters.storage.rows import Kind, header
from shared.adapters.storage.table import Entity, Table
from shared.domain.ids import TenantId
from shared.domain.store import Due

NAME: Final = "Due"

_PARTITION: Final = "due"
_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_FIRST: Final = "0"


class DueTable:
    """The due list. A row is its key: there is nothing to replace, so nobody can be the slower one.

    So it is read whichever release wrote it, too: one row that could not be read would keep every tenant waiting.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, due: Due) -> None:
        self._table.put(header(_PARTITION, _key(due), Kind.DUE))

    def until(self, now: datetime, *, limit: int) -> tuple[Due, ...]:
        """One request."""
        later = _time(now + timedelta(microseconds=1))
        return tuple(_due(found.entity) for found in self._table.between(_PARTITION, _FIRST, later, limit=limit))

    def remove(self, due: Due) -> None:
        self._table.delete(_PARTITION, _key(due))


def _key(due: Due) -> str:
    return f"{_time(due.at)}_{due.tenant_id}"


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_TIME)


def _due(entity: Entity) -> Due:
    at, _, tenant_id = str(entity["RowKey"]).partition("_")
    return Due(TenantId(UUID(tenant_id)), datetime.strptime(at, _TIME).replace(tzinfo=UTC))
