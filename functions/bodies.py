"""What callers and executors send: the contract's bodies and messages, read strictly into the domain's words.

Field by field these types say what contracts/schemas/ says; tests/contract proves that both accept the same.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NoReturn, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shared.domain.action import ActionKind, ActionRequest, Operator, Outcome
from shared.domain.actors import Right
from shared.domain.directory_roles import RoleProfile
from shared.domain.errors import Code, Invalid, Problem
from shared.domain.ids import ActionId, TenantId
from shared.domain.limits import Limits
from shared.domain.resources import ALL_RESOURCES, Resource

GUID_PATTERN = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$"
_MINUTES_TO_8_HOURS = r"^PT(([1-9]|[1-9][0-9]|[1-3][0-9]{2}|4[0-7][0-9]|480)M|[1-8]H|[1-7]H([1-9]|[1-5][0-9])M)$"
_5_MINUTES_TO_24_HOURS = (
    r"^PT(([5-9]|[1-9][0-9]{1,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)M"
    r"|([1-9]|1[0-9]|2[0-4])H|([1-9]|1[0-9]|2[0-3])H([1-9]|[1-5][0-9])M)$"
)
_UTC = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,7})?Z$"

Guid = Annotated[str, Meta(pattern=GUID_PATTERN)]
ShortDuration = Annotated[str, Meta(pattern=_MINUTES_TO_8_HOURS)]
LongDuration = Annotated[str, Meta(pattern=_5_MINUTES_TO_24_HOURS)]
Name = Annotated[str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Moment = Annotated[str, Meta(pattern=_UTC)]

MAX_BODY = 64 * 1024
"""Bytes; far below the platform's own limit, far above anything this API takes."""

MAX_MESSAGE = 48 * 1024
"""Bytes before base64: a Storage Queue message is at most 64 KiB after it."""


class Body(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A body or message: camelCase on the wire, unknown fields refused."""


class TenantBody(Body, frozen=True):
    """contracts/schemas/tenantRequest.json."""

    display_name: Name | UnsetType = UNSET
    role_profile: RoleProfile | UnsetType = UNSET


class ServiceAccountBody(Body, frozen=True):
    """contracts/schemas/serviceAccountRequest.json."""

    role_profile: RoleProfile | UnsetType = UNSET


class EmptyBody(Body, frozen=True):
    """contracts/schemas/emptyRequest.json."""


class TurnOnBody(Body, frozen=True, tag_field="state", tag="on"):
    """contracts/schemas/turnOnRequest.json."""

    method: Literal["serviceAccount"]
    duration: LongDuration | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


class TurnOffBody(Body, frozen=True, tag_field="state", tag="off"):
    """contracts/schemas/turnOffRequest.json."""

    drain: bool = False
    reason: Reason | UnsetType = UNSET


class AutoEnableBody(Body, frozen=True):
    """contracts/schemas/autoEnableRequest.json."""

    enabled: bool
    kinds: Annotated[list[ActionKind], Meta(min_length=1)] | UnsetType = UNSET
    idle_timeout: ShortDuration | UnsetType = UNSET


class OperatorBody(Body, frozen=True):
    """contracts/schemas/operatorGrantRequest.json."""

    roles: Annotated[list[Right], Meta(min_length=1)]
    display_name: Name | UnsetType = UNSET


class TokenBody(Body, frozen=True):
    """contracts/schemas/tokenRequest.json."""

    resource: Resource


class RenewalBody(Body, frozen=True):
    """contracts/schemas/leaseRenewalRequest.json."""

    duration: ShortDuration = "PT1H"


class OperatorPart(Body, frozen=True):
    """contracts/schemas/operator.json."""

    object_id: Guid
    name: Name


class ActionRequestMessage(Body, frozen=True):
    """contracts/schemas/actionRequestV1.json."""

    schema_version: Literal[1]
    action_id: Guid
    tenant_id: Guid
    kind: ActionKind
    executor: Guid
    operator: OperatorPart
    deadline: Moment | UnsetType = UNSET
    duration: ShortDuration = "PT1H"
    resources: Annotated[list[Resource], Meta(min_length=1)] | UnsetType = UNSET


class ActionCompletionMessage(Body, frozen=True):
    """contracts/schemas/actionCompletionV1.json."""

    schema_version: Literal[1]
    action_id: Guid
    tenant_id: Guid
    outcome: Outcome


class OperationMessage(Body, frozen=True):
    """contracts/schemas/operationMessageV1.json."""

    schema_version: Literal[1]
    tenant_id: Guid
    operation_id: Guid


T = TypeVar("T")


def read(raw: bytes, into: type[T] | Any, *, limit: int) -> T:
    """JSON text as one of the types above; an empty text counts as `{}`.

    Raises:
        Invalid: `bodyTooLarge`, `invalidJson`, `duplicateKey`, `notAnObject`, `unsupportedSchemaVersion`,
            `missingField`, `unknownField` or `invalidValue`, with the field as target. Never quotes the input.
    """
    if len(raw) > limit:
        raise _invalid(Code.BODY_TOO_LARGE, f"The body has more than {limit} bytes.")
    document = _parse(raw) if raw else {}
    if not isinstance(document, dict):
        raise _invalid(Code.NOT_AN_OBJECT, "The body must be a JSON object.")
    if isinstance(into, type) and "schema_version" in getattr(into, "__struct_fields__", ()):
        _check_version(document)
    try:
        found: T = msgspec.convert(document, type=into)
    except msgspec.ValidationError as error:
        raise _translate(str(error)) from None
    _check_unique(found)
    return found


def duration(text: str) -> timedelta:
    """`PT1H30M` and the like, as the patterns above let through (ISO 8601-1 §5.5.2)."""
    hours, minutes = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?", text).groups()  # type: ignore[union-attr]
    return timedelta(hours=int(hours or 0), minutes=int(minutes or 0))


def moment(text: str, target: str) -> datetime:
    """A time in UTC.

    Raises:
        Invalid: `invalidValue`: the date does not exist.
    """
    try:
        return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
    except ValueError:
        raise _invalid(Code.INVALID_VALUE, "There is no such date.", target) from None


def action_request(message: ActionRequestMessage, now: datetime, limits: Limits) -> ActionRequest:
    """The message in the domain's words; a deadline that is missing or far away is cut to `limits.answer_within`.

    Raises:
        Invalid: `invalidValue`: a deadline that does not exist.
    """
    latest = now + limits.answer_within
    deadline = moment(message.deadline, "deadline") if message.deadline else latest
    return ActionRequest(
        ActionId(UUID(message.action_id)),
        TenantId(UUID(message.tenant_id)),
        message.kind,
        UUID(message.executor),
        Operator(UUID(message.operator.object_id), message.operator.name),
        min(deadline, latest),
        duration(message.duration),
        tuple(message.resources) if message.resources else ALL_RESOURCES,
    )


def guid(text: str, target: str) -> UUID:
    """A GUID from a URL.

    Raises:
        Invalid: `invalidValue`.
    """
    if not re.fullmatch(GUID_PATTERN, text):
        raise _invalid(Code.INVALID_VALUE, "A GUID is needed, like 6d5cb1d2-5a0e-4b43-9d5c-0c6a1f3f2d10.", target)
    return UUID(text)


def _parse(raw: bytes) -> object:
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, numbers too long, nested too deep
        raise _invalid(Code.INVALID_JSON, "The body is not JSON in UTF-8.") from None


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """RFC 8259 §4 leaves duplicate names undefined; we refuse them rather than let two readers differ."""
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise _invalid(Code.DUPLICATE_KEY, "A name occurs twice in one object.", name[:64])
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _check_version(document: dict[str, object]) -> None:
    version = document.get("schemaVersion")
    if isinstance(version, int) and not isinstance(version, bool) and version > 1:
        raise _invalid(Code.UNSUPPORTED_SCHEMA_VERSION, "This schemaVersion is not known here; 1 is.", "schemaVersion")


def _check_unique(found: object) -> None:
    for name in ("kinds", "roles", "resources"):
        values = getattr(found, name, None)
        if isinstance(values, list) and len(set(values)) != len(values):
            raise _invalid(Code.INVALID_VALUE, "Each value may occur once.", name)


def _translate(message: str) -> Invalid:
    """The one sentence of msgspec as our error: what was expected and where; no value is quoted."""
    where = re.search(r" - at `\$?\.?(.*?)`$", message)
    target = where.group(1) if where else None
    if lacking := re.search(r"missing required field `(\w+)`", message):
        return _invalid(Code.MISSING_FIELD, "The field is required.", _joined(target, lacking.group(1)))
    if unknown := re.search(r"contains unknown field `(.*?)`", message):
        return _invalid(Code.UNKNOWN_FIELD, "There is no such field.", _joined(target, unknown.group(1)[:64]))
    expected = re.match(r"Expected `([^`]*)`", message)
    text = f"{expected.group(1)} is expected here." if expected else "The value is not one of those allowed here."
    return _invalid(Code.INVALID_VALUE, text, target)


def _joined(target: str | None, name: str) -> str:
    return f"{target}.{name}" if target else name


def _invalid(code: Code, message: str, target: str | None = None) -> Invalid:
    return Invalid(Problem(code, message, target))
