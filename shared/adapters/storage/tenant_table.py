"""A tenant's rows in one partition of table `Tenants` (TenantStore port)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Final, TypeVar
from uuid import UUID

from shared.adapters.storage import rows
from shared.adapters.storage.continuation import continuation_of, key_of
from shared.adapters.storage.gates import gate_entity, gate_key, gate_merges, gate_row
from shared.adapters.storage.table import Change, Entity, Found, How, Table
from shared.domain.action import Action, ParkedAction
from shared.domain.activity import Activity
from shared.domain.errors import Code, NotFound, not_found, tenant_not_found
from shared.domain.ids import ActionId, OperationId, TenantId
from shared.domain.lease import Gate
from shared.domain.operation import Operation
from shared.domain.poison import PoisonMessage
from shared.domain.policy_check import PolicyCheck
from shared.domain.store import Insert, Overview, Page, Put, Remove, Replace, Replay, Row, SetGates, Stored, Write
from shared.domain.tenant import Tenant

D = TypeVar("D", Tenant, Operation, Action, ParkedAction, PoisonMessage)
L = TypeVar("L", Activity, Replay, PoisonMessage)

NAME: Final = "Tenants"
MOST_ROWS: Final = 100
"""In one transaction (https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions)."""

_ACTIVITY_KEY: Final = re.compile(r"activity-[0-9]{20}-[0-9a-f]{8}")


class TenantTable:
    """Every row of a tenant: reads of one request each, and one way to write."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def tenant(self, tenant_id: TenantId) -> Stored[Tenant]:
        return self._document(tenant_id, rows.TENANT, Tenant, tenant_not_found())

    def overview(self, tenant_id: TenantId) -> Overview:
        found = self._table.between(rows.partition_key(tenant_id), *rows.OVERVIEW)
        if not found:
            raise tenant_not_found()
        *gates, tenant = found
        return Overview(
            Stored(rows.document_row(tenant.entity, Tenant), tenant.etag),
            tuple(Stored(gate_row(gate.entity), gate.etag) for gate in gates),
        )

    def gate(self, tenant_id: TenantId, number: int) -> Stored[Gate]:
        found = self._table.get(rows.partition_key(tenant_id), gate_key(number))
        if found is None:
            raise tenant_not_found()
        return Stored(gate_row(found.entity), found.etag)

    def operation(self, tenant_id: TenantId, operation_id: OperationId) -> Stored[Operation]:
        absent = not_found(Code.OPERATION_NOT_FOUND, "There is no such operation.")
        return self._document(tenant_id, rows.operation_key(operation_id), Operation, absent)

    def action(self, tenant_id: TenantId, action_id: ActionId) -> Stored[Action]:
        absent = not_found(Code.ACTION_NOT_FOUND, "There is no such action.")
        return self._document(tenant_id, rows.action_key(action_id), Action, absent)

    def replay(self, tenant_id: TenantId, key: str) -> Replay | None:
        found = self._table.get(rows.partition_key(tenant_id), rows.replay_key(key))
        return rows.document_row(found.entity, Replay) if found else None

    def parked(self, tenant_id: TenantId) -> tuple[Stored[ParkedAction], ...]:
        found = self._table.between(rows.partition_key(tenant_id), *rows.PARKED)
        return tuple(Stored(rows.document_row(each.entity, ParkedAction), each.etag) for each in found)

    def policy_check(self, tenant_id: TenantId) -> Stored[PolicyCheck] | None:
        found = self._table.get(rows.partition_key(tenant_id), rows.POLICY_CHECK)
        return Stored(rows.document_row(found.entity, PolicyCheck), found.etag) if found else None

    def poison_messages(self, tenant_id: TenantId) -> tuple[Stored[PoisonMessage], ...]:
        return _readable(self._table.between(rows.partition_key(tenant_id), *rows.POISON), PoisonMessage)

    def poison_message(self, tenant_id: TenantId, message_id: UUID) -> Stored[PoisonMessage]:
        absent = not_found(Code.NOT_FOUND, "There is no such message.")
        return self._document(tenant_id, rows.poison_key(message_id), PoisonMessage, absent)

    def activity(self, tenant_id: TenantId, *, limit: int, continuation: str | None) -> Page[Activity]:
        first, end = rows.ACTIVITY
        start = key_of(continuation, _ACTIVITY_KEY) or first
        found = self._table.between(rows.partition_key(tenant_id), start, end, limit=limit + 1)
        return Page(
            tuple(entry.row for entry in _readable(found[:limit], Activity)),
            continuation_of(str(found[limit].entity["RowKey"])) if len(found) > limit else None,
        )

    def old_activity(self, tenant_id: TenantId, *, before: datetime, limit: int) -> tuple[Stored[Activity], ...]:
        partition = rows.partition_key(tenant_id)
        return _readable(self._table.between(partition, *rows.activity_before(before), limit=limit), Activity)

    def old_replays(
        self, tenant_id: TenantId, *, part: int, before: datetime, limit: int
    ) -> tuple[Stored[Replay], ...]:
        partition = rows.partition_key(tenant_id)
        found = self._table.between(partition, *rows.replays_in(part), limit=limit, written_before=before)
        return _readable(found, Replay)

    def commit(self, tenant_id: TenantId, writes: Sequence[Write]) -> tuple[str, ...]:
        """One request.

        Raises:
            ValueError: more than 100 rows, or one row twice: a defect of the caller, nothing was sent.
            Refused, Invalid: a row cannot be stored (`rows.document_entity`), nothing was sent.
        """
        partition = rows.partition_key(tenant_id)
        parts = [_changes(partition, write) for write in writes]
        changes = list(chain.from_iterable(parts))
        if len(changes) > MOST_ROWS:
            raise ValueError(f"{len(changes)} rows are more than one transaction takes")
        if len({change.entity["RowKey"] for change in changes}) < len(changes):
            raise ValueError("one transaction writes a row once")
        etags = iter(self._table.commit(changes) if changes else ())
        return tuple(_etag_of(write, [next(etags) for _ in part]) for write, part in zip(writes, parts, strict=True))

    def _document(self, tenant_id: TenantId, key: str, kind: type[D], absent: NotFound) -> Stored[D]:
        found = self._table.get(rows.partition_key(tenant_id), key)
        if found is None:
            raise absent
        return Stored(rows.document_row(found.entity, kind), found.etag)


def _readable(found: Sequence[Found], kind: type[L]) -> tuple[Stored[L], ...]:
    read = ((rows.readable_row(each, kind), each.etag) for each in found)
    return tuple(Stored(row, etag) for row, etag in read if row is not None)


def _changes(partition: str, write: Write) -> list[Change]:
    match write:
        case Insert():
            return [Change(How.CREATE, _entity(partition, write.row))]
        case Replace():
            return [Change(How.REPLACE, _entity(partition, write.row), write.etag)]
        case Put():
            return [Change(How.PUT, _entity(partition, write.row))]
        case Remove():
            return [Change(How.DELETE, _entity(partition, write.row), write.etag)]
        case SetGates():
            return [Change(How.MERGE, entity) for entity in gate_merges(partition, write)]


def _entity(partition: str, row: Row) -> Entity:
    return gate_entity(partition, row) if isinstance(row, Gate) else rows.document_entity(partition, row)


def _etag_of(write: Write, etags: list[str]) -> str:
    return "" if isinstance(write, SetGates) else etags[0]
