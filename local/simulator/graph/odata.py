"""OData answers: entities and collections, cut down by $select, $filter, $top and $count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from local.simulator.calls import GraphCall
from local.simulator.graph.refusals import GraphRefusal, bad_request
from local.simulator.state import JsonObject
from local.simulator.wire import Response

MAX_PAGE = 999
DEFAULT_PAGE = 100

Predicate = Callable[[JsonObject], bool]

_SUPPORTED = frozenset({"$select", "$filter", "$top", "$count", "$skiptoken"})
_FUNCTION = re.compile(r"(startswith|endswith)\(\s*(\w+)\s*,\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)
_COMPARISON = re.compile(r"(\w+)\s+(eq|ne)\s+(?:'((?:[^']|'')*)'|([\w.:-]+))", re.IGNORECASE)
_LITERALS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class EntityType:
    """What a kind of object is called and which properties it has (Microsoft's v1.0 metadata)."""

    name: str  # microsoft.graph.<name>
    context: str  # the entity set's path in @odata.context
    properties: tuple[str, ...]
    default: tuple[str, ...] | None = None  # what is answered without $select; None: everything
    is_advanced: bool = False  # endsWith and ne need ConsistencyLevel: eventual and $count (aad-advanced-queries)


def words(text: str) -> tuple[str, ...]:
    """Property names written one after another."""
    return tuple(text.split())


def entity(call: GraphCall, kind: EntityType, document: JsonObject, *, status: int = 200) -> Response:
    """One object.

    Raises:
        GraphRefusal: the query names an unknown property or an option that is not supported.
    """
    _refuse_unsupported(call)
    body = {"@odata.context": f"{_metadata(call)}#{kind.context}/$entity", **_cut(document, _selected(call, kind))}
    return Response(status, body)


def collection(call: GraphCall, kind: EntityType, documents: Iterable[JsonObject]) -> Response:
    """The objects that pass $filter, a page of them when $top asks for fewer, with @odata.nextLink to the rest.

    Raises:
        GraphRefusal: the query names an unknown property, or is one that is not supported.
    """
    _refuse_unsupported(call)
    selected, admits = _selected(call, kind), _predicate(call, kind)
    found = [document for document in documents if admits(document)]
    size, start = _page(call)
    body: JsonObject = {"@odata.context": f"{_metadata(call)}#{kind.context}"}
    if call.request.query.get("$count") == "true":
        body["@odata.count"] = len(found)
    if start + size < len(found):
        query = {**call.request.query, "$skiptoken": str(start + size)}
        body["@odata.nextLink"] = f"{call.world.origin}{call.request.path}?{urlencode(query)}"
    body["value"] = [_cut(document, selected) for document in found[start : start + size]]
    return Response(200, body)


def no_content() -> Response:
    """204: done, and nothing to say."""
    return Response(204)


def _metadata(call: GraphCall) -> str:
    version = call.request.path.split("/")[1]
    return f"https://graph.microsoft.com/{version}/$metadata"


def _refuse_unsupported(call: GraphCall) -> None:
    for option in call.request.query:
        if option.startswith("$") and option not in _SUPPORTED:
            raise bad_request(f"The query option '{option}' is not supported here.")


def _selected(call: GraphCall, kind: EntityType) -> tuple[str, ...] | None:
    wanted = call.request.query.get("$select")
    if wanted is None:
        return kind.default
    names = tuple(name.strip() for name in wanted.split(","))
    _check_known(kind, names, "Parsing OData Select and Expand failed: ")
    return names


def _cut(document: JsonObject, selected: tuple[str, ...] | None) -> JsonObject:
    if selected is None:
        return document
    annotations = {name: value for name, value in document.items() if name.startswith("@")}
    # What tells its own type has no property of a sibling type, not even as null.
    chosen = [name for name in selected if name in document or "@odata.type" not in annotations]
    return annotations | {name: document.get(name) for name in chosen}


def _check_known(kind: EntityType, names: Iterable[str], failure: str) -> None:
    for name in names:
        if name not in kind.properties:
            raise bad_request(
                f"{failure}Could not find a property named '{name}' on type 'microsoft.graph.{kind.name}'."
            )


def _page(call: GraphCall) -> tuple[int, int]:
    top, token = call.request.query.get("$top", str(DEFAULT_PAGE)), call.request.query.get("$skiptoken", "0")
    if not top.isdecimal() or not 1 <= int(top) <= MAX_PAGE:
        raise bad_request(f"Invalid page size specified: '{top}'. Must be between 1 and {MAX_PAGE} inclusive.")
    if not token.isdecimal():
        raise bad_request("The skip token is not valid.")
    return int(top), int(token)


def _predicate(call: GraphCall, kind: EntityType) -> Predicate:
    written = call.request.query.get("$filter")
    if not written:
        return lambda _: True
    clauses = [_clause(call, kind, clause.strip()) for clause in re.split(r"\s+and\s+", written)]
    return lambda document: all(clause(document) for clause in clauses)


def _clause(call: GraphCall, kind: EntityType, written: str) -> Predicate:
    if function := _FUNCTION.fullmatch(written):
        verb, name, wanted = function[1].lower(), function[2], _unquoted(function[3])
        _check_known(kind, [name], "Invalid filter clause: ")
        if verb == "endswith":
            _need_advanced(call, kind, "endsWith")
            return lambda document: str(document.get(name) or "").lower().endswith(wanted)
        return lambda document: str(document.get(name) or "").lower().startswith(wanted)
    if comparison := _COMPARISON.fullmatch(written):
        name, operator, quoted, bare = comparison.groups()
        _check_known(kind, [name], "Invalid filter clause: ")
        value = _unquoted(quoted) if quoted is not None else _LITERALS.get(bare.lower(), bare.lower())
        if operator.lower() == "ne":
            _need_advanced(call, kind, "ne")
            return lambda document: _folded(document.get(name)) != value
        return lambda document: _folded(document.get(name)) == value
    raise bad_request(f"Invalid filter clause: '{written}' is not supported here.")


def _unquoted(literal: str) -> str:
    return literal.replace("''", "'").lower()


def _folded(value: object) -> object:
    """Directory strings compare without regard to case."""
    return value.lower() if isinstance(value, str) else value


def _need_advanced(call: GraphCall, kind: EntityType, operator: str) -> None:
    is_eventual = call.request.headers.get("consistencylevel", "").lower() == "eventual"
    if kind.is_advanced and not (is_eventual and call.request.query.get("$count") == "true"):
        raise GraphRefusal(
            400,
            "Request_UnsupportedQuery",
            f"Operator '{operator}' is not supported because the 'ConsistencyLevel:eventual' header or '$count=true' "
            "is missing. Refer to https://aka.ms/graph-docs/advanced-queries for more information.",
        )
