"""Read what callers and executors send into the types of bodies.py: strictly, and without quoting it in an error."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Final, NoReturn, TypeVar
from uuid import UUID

import msgspec

from functions.bodies import (
    FORMS,
    GUID_PATTERN,
    MAX_BODY,
    ActionRequestMessage,
    SessionBody,
    TurnOffBody,
    TurnOnAsAdminBody,
    TurnOnBody,
)
from shared.domain.action import ActionRequest, Operator
from shared.domain.errors import Code, Invalid, Problem
from shared.domain.ids import ActionId, TenantId
from shared.domain.limits import Limits
from shared.domain.resources import ALL_RESOURCES
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from shared.services.turn_on_as_admin import Credentials

T = TypeVar("T")

_LONGEST_SEARCH: Final = 256
"""Characters, as long as a name can be."""

_KINDS: Final = {"str": "Text", "bool": "`true` or `false`", "array": "A list", "object": "An object"}
"""JSON's kinds of values, as msgspec calls them, for people."""


def read_session(raw: bytes) -> SessionBody:
    """The body of `PUT …/session`: which of the three it is, `state` and `method` say.

    Raises:
        Invalid: as `read`.
    """
    document = _object(raw, limit=MAX_BODY)
    state, method = document.get("state"), document.get("method")
    if state == "off":
        return _converted(document, TurnOffBody)
    if state == "on" and method == "globalAdmin":
        return _converted(document, TurnOnAsAdminBody)
    if "state" in document and state != "on":
        raise _invalid(Code.INVALID_VALUE, "`on` or `off` is expected here.", "state")
    return _converted(document, TurnOnBody)


def read(raw: bytes, into: type[T], *, limit: int) -> T:
    """JSON text as one of the types above; an empty text counts as `{}`.

    Raises:
        Invalid: `bodyTooLarge`, `invalidJson`, `duplicateKey`, `notAnObject`, `unsupportedSchemaVersion`,
            `missingField`, `unknownField` or `invalidValue`, with the field as target. Never quotes the input.
    """
    return _converted(_object(raw, limit=limit), into)


def _object(raw: bytes, *, limit: int) -> dict[str, object]:
    if len(raw) > limit:
        raise _invalid(Code.BODY_TOO_LARGE, f"The body has more than {limit} bytes.")
    document = _parse(raw) if raw else {}
    if not isinstance(document, dict):
        raise _invalid(Code.NOT_AN_OBJECT, "The body must be a JSON object.")
    return document


def _converted(document: dict[str, object], into: type[T]) -> T:
    if "schema_version" in getattr(into, "__struct_fields__", ()):
        _check_version(document)
    try:
        found = msgspec.convert(document, type=into)
    except msgspec.ValidationError as error:
        raise _translate(str(error)) from None
    _check_unique(found)
    return found


def without_password(raw: bytes) -> bytes:
    """What a request is recognised by: its body in one order of names, less what must not even be kept as a digest."""
    if len(raw) > MAX_BODY:
        return b""  # it will be refused
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return b""  # likewise
    if isinstance(document, dict):
        document.pop("password", None)
    return json.dumps(document, sort_keys=True).encode()


def ip_ranges(texts: list[str]) -> tuple[str, ...]:
    """CIDR ranges in their shortest form, each once; conditional access takes masks from /9 (IPv4) on.

    https://learn.microsoft.com/entra/identity/conditional-access/concept-assignment-network

    Raises:
        Invalid: `invalidValue`, naming which one.
    """
    found = []
    for number, text in enumerate(texts):
        try:
            network = ip_network(text, strict=True)
        except ValueError:
            network = None
        if network is None or "/" not in text or network.prefixlen <= 8:
            raise _invalid(Code.INVALID_VALUE, "A range like 203.0.113.0/29 is expected here.", f"ranges[{number}]")
        found.append(str(network))
    return tuple(dict.fromkeys(found))


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


def credentials(body: TurnOnAsAdminBody) -> Credentials:
    """What a Global Administrator signs in with; the password is a Secret from here on."""
    return Credentials(body.username, Secret(body.password))


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
        raise _invalid(Code.INVALID_VALUE, FORMS[GUID_PATTERN], target)
    return UUID(text)


def session_state(text: str | None) -> SessionState | None:
    """A session state in a query, where there is one.

    Raises:
        Invalid: `invalidValue`.
    """
    if text is not None and text not in set(SessionState):
        raise _invalid(Code.INVALID_VALUE, "A session state is expected here.", "state")
    return SessionState(text) if text else None


def truth(text: str | None, target: str) -> bool | None:
    """`true` or `false` in a query, where there is one.

    Raises:
        Invalid: `invalidValue`.
    """
    if text not in (None, "true", "false"):
        raise _invalid(Code.INVALID_VALUE, "`true` or `false` is expected here.", target)
    return text == "true" if text else None


def search(text: str | None) -> str | None:
    """What to search names for, where something is.

    Raises:
        Invalid: `invalidValue`: it is longer than any name.
    """
    if text is not None and len(text) > _LONGEST_SEARCH:
        raise _invalid(Code.INVALID_VALUE, f"At most {_LONGEST_SEARCH} characters are expected here.", "search")
    return text


def _parse(raw: bytes) -> object:
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)  # refuses half a surrogate pair, which is no text (RFC 7493 §2.1)
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_float=_number,
            parse_constant=_no_constant,
        )
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


def _number(text: str) -> float:
    """1.0 is the integer 1 (JSON Schema 2020-12, core §4.2.1)."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _check_version(document: dict[str, object]) -> None:
    version = document.get("schemaVersion")
    if isinstance(version, int) and not isinstance(version, bool) and version > 1:
        raise _invalid(Code.UNSUPPORTED_SCHEMA_VERSION, "This schemaVersion is not known here; 1 is.", "schemaVersion")


def _check_unique(found: object) -> None:
    for name in ("kinds", "roles", "resources", "ranges"):
        values = getattr(found, name, None)
        if isinstance(values, list) and len(set(values)) != len(values):
            raise _invalid(Code.INVALID_VALUE, "Each value may occur once.", name)


def _translate(message: str) -> Invalid:
    """The one sentence of msgspec as our error: what was expected and where; no value is quoted."""
    where = re.search(r" - at `\$?\.?(.*?)`$", message)
    target = where.group(1) if where else None
    if lacking := re.search(r"missing required field `(\w+)`", message):
        return _invalid(Code.MISSING_FIELD, "The field is required.", _joined(target, lacking.group(1)))
    if unknown := re.search(r"contains unknown field `(.*?)`(?: - at `\$[^`]*`)?$", message, re.DOTALL):
        return _invalid(Code.UNKNOWN_FIELD, "There is no such field.", _joined(target, unknown.group(1)[:64]))
    return _invalid(Code.INVALID_VALUE, _expected(message), target)


def _expected(message: str) -> str:
    if form := next((text for pattern, text in FORMS.items() if repr(pattern) in message), None):
        return form
    if bound := re.match(r"Expected `(str|array)` of length (<=|>=) (\d+)", message):
        if bound.group(2, 3) == (">=", "1"):
            return "This must not be empty."
        most, what = "most" if bound[2] == "<=" else "least", "characters" if bound[1] == "str" else "values"
        return f"At {most} {bound[3]} {what} are expected here."
    expected = re.match(r"Expected `([^`]*)`", message)
    kind = _KINDS.get(expected[1]) if expected else None
    return f"{kind} is expected here." if kind else "The value is not one of those allowed here."


def _joined(target: str | None, name: str) -> str:
    return f"{target}.{name}" if target else name


def _invalid(code: Code, message: str, target: str | None = None) -> Invalid:
    return Invalid(Problem(code, message, target))
