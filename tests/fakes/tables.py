"""A table in memory, as strict as Azure's: the same keys, sizes and types are refused, the same races are lost."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from threading import Lock
from typing import Final

from shared.adapters.storage.table import Change, Entity, Found, How
from shared.domain.errors import AlreadyExists, Conflict
from shared.domain.ports import Clock
from tests.fakes.clock import FakeClock

_KEY: Final = re.compile(r"[^/\\#?\x00-\x1f\x7f-\x9f]{0,512}")
_LONGEST_TEXT: Final = 32_768
_MOST_PROPERTIES: Final = 252
_LARGEST: Final = 2**20
_MOST_CHANGES: Final = 100

_Key = tuple[str, str]


class MemoryTable:
    """Rows in a dictionary, changed by one thread at a time (Table)."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or FakeClock()
        self._rows: dict[_Key, Found] = {}
        self._written: dict[_Key, datetime] = {}
        self._versions = count(1)
        self._lock = Lock()

    def take_over(self, other: MemoryTable) -> None:
        """Hold what the other one holds, under the same etags."""
        with self._lock:
            self._rows, self._written = dict(other._rows), dict(other._written)
            self._versions = count(next(other._versions))

    def rows(self) -> tuple[Found, ...]:
        """Everything that lies in the table."""
        with self._lock:
            return tuple(self._rows.values())

    def text(self) -> str:
        """Everything that lies in the table, to be searched for what must not."""
        return "\n".join(str(value) for found in self.rows() for value in found.entity.values())

    def get(self, partition: str, row: str) -> Found | None:
        with self._lock:
            return self._rows.get((partition, row))

    def between(
        self,
        partition: str,
        low: str,
        high: str,
        *,
        limit: int | None = None,
        written_before: datetime | None = None,
    ) -> tuple[Found, ...]:
        with self._lock:
            keys = sorted(key for key in self._rows if key[0] == partition and low <= key[1] < high)
            if written_before is not None:
                keys = [key for key in keys if self._written[key] < written_before]
            return tuple(self._rows[key] for key in keys[:limit])

    def commit(self, changes: Sequence[Change]) -> tuple[str, ...]:
        assert 0 < len(changes) <= _MOST_CHANGES
        assert len({_key(change.entity) for change in changes}) == len(changes)
        assert len({change.entity["PartitionKey"] for change in changes}) == 1
        with self._lock:
            for change in changes:
                _check(change.entity)
                self._meet(change)
            return tuple(self._make(change) for change in changes)

    def put(self, entity: Entity) -> None:
        self.commit([Change(How.PUT, entity)])

    def delete(self, partition: str, row: str) -> None:
        with self._lock:
            self._rows.pop((partition, row), None)

    def _meet(self, change: Change) -> None:
        there = self._rows.get(_key(change.entity))
        match change.how:
            case How.CREATE if there is not None:
                raise AlreadyExists
            case How.MERGE if there is None:
                raise Conflict
            case How.REPLACE | How.DELETE if there is None or there.etag != change.etag:
                raise Conflict

    def _make(self, change: Change) -> str:
        key = _key(change.entity)
        if change.how is How.DELETE:
            del self._rows[key]
            return ""
        kept = self._rows[key].entity if change.how is How.MERGE else {}
        self._written[key] = self._clock.now()
        self._rows[key] = Found({**kept, **change.entity}, f'W/"{next(self._versions)}"')
        return self._rows[key].etag


def _key(entity: Entity) -> _Key:
    return str(entity["PartitionKey"]), str(entity["RowKey"])


def _check(entity: Entity) -> None:
    """https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model."""
    assert len(entity) <= _MOST_PROPERTIES
    assert all(_KEY.fullmatch(key) for key in _key(entity))
    assert sum(2 * len(name) + 8 + len(str(value).encode("utf-16-le")) for name, value in entity.items()) < _LARGEST
    for value in entity.values():
        if isinstance(value, str):
            assert len(value.encode("utf-16-le")) // 2 <= _LONGEST_TEXT
        else:
            assert -(2**31) <= value < 2**31
