"""How a row lies in a table: under which key, in which version of the schema, as a JSON document.

Table `Tenants`, PartitionKey the tenant's id. RowKeys, so that what is read together lies together:

    0-gate-0 … 0-gate-f, 0-tenant      the tenant and its gates, one range (gates.py)
    activity-{time, inverted}-{entry}  the newest first
    parked-{id}                        all that wait, one range
    operation-{id}, action-{id}, replay-{key}, policy-check,
    poison-{message id}
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from shared import telemetry
from shared.adapters.storage.table import Entity, Found
from shared.domain.action import Action, ParkedAction
from shared.domain.activity import Activity
from shared.domain.errors import Code, Invalid, Problem, WrittenLater, refused
from shared.domain.ids import ActionId, OperationId, TenantId
from shared.domain.operation import Operation
from shared.domain.poison import PoisonMessage
from shared.domain.policy_check import PolicyCheck
from shared.domain.store import Replay, TenantSummary
from shared.domain.tenant import Tenant

Document = Tenant | Operation | Action | ParkedAction | Activity | Replay | PolicyCheck | PoisonMessage | TenantSummary
D = TypeVar("D", bound=Document)

SCHEMA_VERSION: Final = 1
PART: Final = 16_000
"""Characters in one property, so at most 32,000 UTF-16 code units; storage takes 32,768
(https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model)."""
MOST_PARTS: Final = 16
"""At most 1,024,000 bytes; storage takes entities of 1 MiB."""

TENANT: Final = "0-tenant"
POLICY_CHECK: Final = "policy-check"
OVERVIEW: Final = ("0-", "1")
PARKED: Final = ("parked-", "parked.")
POISON: Final = ("poison-", "poison.")
ACTIVITY: Final = ("activity-", "activity.")
"""Ranges of RowKeys, from the first to below the second; `.` is the character after `-`."""

_COLUMNS: Final = ("Document", *(f"Document{number}" for number in range(2, MOST_PARTS + 1)))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = 10**20 - 1


class Kind(StrEnum):
    """What a row is."""

    TENANT = "tenant"
    GATE = "gate"
    OPERATION = "operation"
    ACTION = "action"
    PARKED_ACTION = "parkedAction"
    ACTIVITY = "activity"
    REPLAY = "replay"
    POLICY_CHECK = "policyCheck"
    POISON_MESSAGE = "poisonMessage"
    TENANT_SUMMARY = "tenantSummary"
    DUE = "due"


_KINDS: Final[dict[type, Kind]] = {
    Tenant: Kind.TENANT,
    Operation: Kind.OPERATION,
    Action: Kind.ACTION,
    ParkedAction: Kind.PARKED_ACTION,
    Activity: Kind.ACTIVITY,
    Replay: Kind.REPLAY,
    PolicyCheck: Kind.POLICY_CHECK,
    PoisonMessage: Kind.POISON_MESSAGE,
    TenantSummary: Kind.TENANT_SUMMARY,
}
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {kind: msgspec.json.Decoder(kind) for kind in _KINDS}


def operation_key(operation_id: OperationId) -> str:
    """The RowKey of an operation."""
    return f"operation-{operation_id}"


def action_key(action_id: ActionId) -> str:
    """The RowKey of an action."""
    return f"action-{action_id}"


def replay_key(key: str) -> str:
    """The RowKey of what an Idempotency-Key stood for; `key` is a digest, in characters a key may have."""
    return f"replay-{key}"


def poison_key(message_id: UUID) -> str:
    """The RowKey of a kept message."""
    return f"poison-{message_id}"


def replays_in(part: int) -> tuple[str, str]:
    """The range of RowKeys of one sixteenth, 0 to 15, of what Idempotency-Keys stood for: digests are spread evenly."""
    return f"replay-{part:x}", f"replay-{part:x}~"


def activity_key(entry: Activity) -> str:
    """The RowKey of a trail entry: microseconds counted backwards, so that the newest comes first."""
    return f"activity-{_backwards(entry.at):020d}-{entry.entry_id.hex[:8]}"


def activity_before(moment: datetime) -> tuple[str, str]:
    """The range of RowKeys of the trail's entries from before that moment."""
    return f"activity-{_backwards(moment) + 1:020d}", ACTIVITY[1]


def _backwards(moment: datetime) -> int:
    return _LAST - (moment - _EPOCH) // timedelta(microseconds=1)


def row_key(row: Document) -> str:
    """The RowKey of a row within its tenant's partition."""
    match row:
        case Tenant():
            return TENANT
        case Operation():
            return operation_key(row.operation_id)
        case Action():
            return action_key(row.request.action_id)
        case ParkedAction():
            return f"parked-{row.request.action_id}"
        case Activity():
            return activity_key(row)
        case Replay():
            return replay_key(row.key)
        case PolicyCheck():
            return POLICY_CHECK
        case PoisonMessage():
            return poison_key(row.message_id)
        case TenantSummary():
            return str(row.tenant_id)


def partition_key(tenant_id: TenantId) -> str:
    """The partition that all of a tenant's rows share."""
    return str(tenant_id)


def document_entity(partition: str, row: Document) -> Entity:
    """The entity that holds `row`: its document in `Document` and, when that is long, in `Document2` and so on.

    Raises:
        Refused: `bodyTooLarge`, the row does not fit.
        Invalid: `invalidValue`, a text in it is not Unicode.
        TypeError: it holds what may not be stored, such as a Secret.
    """
    kind = _KINDS[type(row)]
    text = json_text(row, kind, longest=MOST_PARTS * PART)
    parts = {name: text[start : start + PART] for name, start in zip(_COLUMNS, range(0, len(text), PART), strict=False)}
    return {**header(partition, row_key(row), kind), **parts}


def document_row(entity: Entity, kind: type[D]) -> D:
    """The row that an entity holds.

    Raises:
        WrittenLater: a newer release wrote it, or put a word into it that this one does not know.
    """
    entity = current(entity, _KINDS[kind])
    try:
        row: D = _DECODERS[kind].decode("".join(str(entity.get(name, "")) for name in _COLUMNS))
    except msgspec.ValidationError:
        raise WrittenLater(_KINDS[kind].value) from None
    return row


def readable_row(found: Found, kind: type[D]) -> D | None:
    """The row that an entity of a list holds; None, and a line in the log, when a newer release wrote it.

    The others are listed all the same: it may be one of thousands.
    """
    try:
        return document_row(found.entity, kind)
    except WrittenLater as error:
        partition, key = found.entity["PartitionKey"], found.entity["RowKey"]
        telemetry.event("rowLeftOut", code=error.problem.code, kind=error.kind, partition=partition, row=key)
        return None


def header(partition: str, key: str, kind: Kind) -> dict[str, str | int | bool]:
    """What every entity begins with."""
    return {"PartitionKey": partition, "RowKey": key, "SchemaVersion": SCHEMA_VERSION, "Kind": kind.value}


def current(entity: Entity, kind: Kind) -> Entity:
    """The entity in this release's version: the one place where an older release's row would be brought up to it.

    A release reads what the one before it wrote. A newer release's row is left as it is: half understood, it could only
    be written back spoilt.

    Raises:
        WrittenLater: it is a newer release's.
    """
    if entity["SchemaVersion"] == SCHEMA_VERSION:
        return entity
    raise WrittenLater(kind)


def json_text(value: object, kind: Kind, *, longest: int) -> str:
    """`value` as JSON of at most `longest` characters. Raises as `document_entity`."""
    try:
        text = msgspec.json.encode(value).decode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can spell and UTF-8 cannot
        raise Invalid(Problem(Code.INVALID_VALUE, f"A text in the {kind} is not valid Unicode.")) from error
    if len(text) > longest:
        raise refused(Code.BODY_TOO_LARGE, f"The {kind} holds more than can be stored.")
    return text
