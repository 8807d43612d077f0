"""Tables in memory that hold a hundred thousand tenants and count what would be asked of the service's own.

Azurite takes many minutes to fill so far. These are the tests' tables, which pass the same tests as Azure's, one for
each partition so that none is searched in vain; tests/bench shows that Azurite is asked as often by the same services.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from shared.adapters.storage.table import Change, Entity, Found
from shared.domain.ports import Clock
from tests.fakes.tables import MemoryTable

_MOST_IN_A_PAGE: Final = 1_000
"""Entities that one request gives
(https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination)."""


@dataclass(slots=True)
class Asked:
    """What was asked of tables: requests, and bytes of the entities that they gave, as JSON."""

    requests: int = 0
    bytes: int = 0
    _is_heeded: bool = False

    @contextmanager
    def anew(self) -> Iterator[None]:
        """Count from nothing, while the block lasts."""
        self.requests = self.bytes = 0
        self._is_heeded = True
        try:
            yield
        finally:
            self._is_heeded = False

    def note(self, found: Sequence[Found] = ()) -> None:
        """Something was asked, and this was the answer."""
        if self._is_heeded:
            self.requests += max(1, -(-len(found) // _MOST_IN_A_PAGE))
            self.bytes += sum(len(json.dumps(dict(each.entity))) for each in found)


class CountedTable:
    """A table of many partitions (Table)."""

    def __init__(self, asked: Asked, clock: Clock) -> None:
        self._asked = asked
        self._partitions: defaultdict[str, MemoryTable] = defaultdict(partial(MemoryTable, clock))

    def get(self, partition: str, row: str) -> Found | None:
        found = self._partitions[partition].get(partition, row)
        self._asked.note([found] if found else [])
        return found

    def between(
        self,
        partition: str,
        low: str,
        high: str,
        *,
        limit: int | None = None,
        written_before: datetime | None = None,
    ) -> tuple[Found, ...]:
        table = self._partitions[partition]
        found = table.between(partition, low, high, limit=limit, written_before=written_before)
        self._asked.note(found)
        return found

    def commit(self, changes: Sequence[Change]) -> tuple[str, ...]:
        self._asked.note()
        return self._partitions[str(changes[0].entity["PartitionKey"])].commit(changes)

    def put(self, entity: Entity) -> None:
        self._asked.note()
        self._partitions[str(entity["PartitionKey"])].put(entity)

    def delete(self, partition: str, row: str) -> None:
        self._asked.note()
        self._partitions[partition].delete(partition, row)
