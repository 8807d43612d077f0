"""One table, reduced to what we do with it: read a row, read a range, change rows together, put one, delete one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared.adapters.storage.account import Once, StorageAccount
from shared.adapters.storage.failures import NOT_DEPLOYED, code_of, translated
from shared.domain.errors import AlreadyExists, Conflict

if TYPE_CHECKING:
    from azure.data.tables import TableClient, TableEntity

Entity = Mapping[str, str | int | bool]
"""`PartitionKey`, `RowKey` and the properties. An empty text stands for nothing: a merge leaves out what is None."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entity as it was read."""

    entity: Entity
    etag: str


class How(StrEnum):
    """What a change does to its row."""

    CREATE = "create"
    REPLACE = "replace"
    PUT = "put"
    MERGE = "merge"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Change:
    """One row's part in a transaction.

    Attributes:
        entity: all of it; for MERGE the properties to change, for DELETE the keys; always with both keys.
        etag: of the row that REPLACE and DELETE are meant for. MERGE is for whatever is there, PUT even for nothing.
    """

    how: How
    entity: Entity
    etag: str = ""


class Table(Protocol):
    """A table. Rows have the order of their keys; what was written is read at once."""

    def get(self, partition: str, row: str) -> Found | None:
        """The row, or None."""

    def between(
        self,
        partition: str,
        low: str,
        high: str,
        *,
        limit: int | None = None,
        written_before: datetime | None = None,
    ) -> tuple[Found, ...]:
        """The rows with `low` <= RowKey < `high`, in order, at most `limit` of them.

        With `written_before` those that nobody has written since, by the table's own clock.
        """

    def commit(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """Make all changes of one partition, or none; the rows' new etags, "" for one deleted.

        Raises:
            AlreadyExists: a row to be created is there.
            Conflict: a row to be replaced, merged or deleted is gone, or is not the one that was read.
        """

    def put(self, entity: Entity) -> None:
        """Write the row, over any of its keys."""

    def delete(self, partition: str, row: str) -> None:
        """Delete the row; gone already is fine."""


class AzureTable:
    """A table of an Azure Storage account (Table)."""

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._client: Final[Once[TableClient]] = Once(lambda: account.tables().get_table_client(name))

    def get(self, partition: str, row: str) -> Found | None:
        from azure.core.exceptions import ResourceNotFoundError

        with translated():
            try:
                return _found(self._client().get_entity(partition, row))
            except ResourceNotFoundError as error:
                if code_of(error) in NOT_DEPLOYED:
                    raise
                return None

    def between(
        self,
        partition: str,
        low: str,
        high: str,
        *,
        limit: int | None = None,
        written_before: datetime | None = None,
    ) -> tuple[Found, ...]:
        wanted = "PartitionKey eq @partition and RowKey ge @low and RowKey lt @high"
        parameters: dict[str, str | datetime] = {"partition": partition, "low": low, "high": high}
        if written_before is not None:
            wanted += " and Timestamp lt @moment"
            parameters["moment"] = written_before
        with translated():
            entities = self._client().query_entities(wanted, parameters=parameters, results_per_page=limit)
            return tuple(_found(entity) for entity in islice(entities, limit))

    def commit(self, changes: Sequence[Change]) -> tuple[str, ...]:
        """One request, whatever the number of rows.

        It is repeated when it could not be sent, and when storage says that it is busy or has failed; not when the
        answer is lost. A repetition can never do the work twice, for every transaction creates a row or names an etag;
        at worst it meets what the first one did, and says Conflict or AlreadyExists: read again and see.
        """
        from azure.data.tables import TableTransactionError

        with translated():
            try:
                done = self._client().submit_transaction(
                    [_operation(change) for change in changes], retry_on_methods=["POST"], retry_read=0
                )
            except TableTransactionError as error:
                if error.status_code == 409 and code_of(error) == "EntityAlreadyExists":
                    raise AlreadyExists from error
                if error.status_code in (404, 412) and code_of(error) not in NOT_DEPLOYED:
                    raise Conflict from error
                raise
        return tuple(
            "" if change.how is How.DELETE else str(result["etag"])
            for change, result in zip(changes, done, strict=True)
        )

    def put(self, entity: Entity) -> None:
        from azure.data.tables import UpdateMode

        with translated():
            self._client().upsert_entity(dict(entity), mode=UpdateMode.REPLACE)

    def delete(self, partition: str, row: str) -> None:
        with translated():
            self._client().delete_entity(partition, row)


def _found(entity: TableEntity) -> Found:
    return Found(entity, str(entity.metadata["etag"]))


def _operation(change: Change) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A change as `submit_transaction` takes it; "update" and "delete" without a match condition would always win."""
    from azure.core import MatchConditions
    from azure.data.tables import UpdateMode

    entity = dict(change.entity)
    unchanged = {"etag": change.etag, "match_condition": MatchConditions.IfNotModified}
    match change.how:
        case How.CREATE:
            return "create", entity, {}
        case How.REPLACE:
            return "update", entity, {"mode": UpdateMode.REPLACE, **unchanged}
        case How.PUT:
            return "upsert", entity, {"mode": UpdateMode.REPLACE}
        case How.MERGE:
            return "update", entity, {"mode": UpdateMode.MERGE, "match_condition": MatchConditions.Unconditionally}
        case How.DELETE:
            return "delete", entity, unchanged
