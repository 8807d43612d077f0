"""Rows as a later release leaves them, for a service that was rolled back or runs beside it."""

from __future__ import annotations

from collections.abc import Iterable

from shared.adapters.storage.rows import SCHEMA_VERSION, Kind
from shared.adapters.storage.table import Entity, Table
from shared.domain.ids import TenantId
from tests.fakes.tables import MemoryTable


def later(entity: Entity) -> Entity:
    """The row, in a version that this release does not know."""
    return {**entity, "SchemaVersion": SCHEMA_VERSION + 1}


def rewrite(table: Table, partition: str, beginning: str = "") -> None:
    """Have a later release write the rows again whose keys begin so."""
    found = table.between(partition, beginning, f"{beginning}~")
    assert found, "there is no such row"
    for each in found:
        table.put(later(each.entity))


def rewrite_kind(tables: Iterable[MemoryTable], kind: Kind, tenant_id: TenantId) -> None:
    """Have it write every row of that kind again that is about the tenant.

    Raises:
        AssertionError: there is none, so that a test would show nothing: let its story leave one.
    """
    found = [
        (table, row.entity)
        for table in tables
        for row in table.rows()
        if row.entity["Kind"] == kind and str(tenant_id) in f"{row.entity['PartitionKey']}/{row.entity['RowKey']}"
    ]
    assert found, f"the story leaves no row of the kind {kind}"
    for table, entity in found:
        table.put(later(entity))
