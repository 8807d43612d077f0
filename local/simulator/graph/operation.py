"""The frame of every Graph operation: is this caller allowed, run the handler, word the refusal."""

from __future__ import annotations

from collections.abc import Iterable

from local.simulator.calls import GraphCall, GraphHandler, GraphRoute, graph_error
from local.simulator.directory_roles import GLOBAL_ADMINISTRATOR
from local.simulator.graph.refusals import GraphRefusal, denied, unreadable
from local.simulator.memberships import roles_of
from local.simulator.state import JsonObject
from local.simulator.wire import Response

NOBODY: frozenset[str] = frozenset()


def operation(
    method: str,
    template: str,
    handler: GraphHandler,
    *,
    permissions: Iterable[str] = (),
    also: Iterable[str] = (),
    roles: frozenset[str] = NOBODY,
) -> GraphRoute:
    """A route whose handler only ever sees callers that may use it, and may raise `GraphRefusal`.

    One of `permissions` is needed, by app and user alike, and each of `also`. A user must hold one of `roles` besides
    (template ids; none asked = every user), because a delegated permission never exceeds what its user may do.
    """
    any_of, all_of = frozenset(permissions), frozenset(also)

    def answer(call: GraphCall) -> Response:
        try:
            _admit(call, any_of, all_of, roles)
            return handler(call)
        except GraphRefusal as refusal:
            return graph_error(
                refusal.status,
                refusal.code,
                refusal.message,
                details=refusal.details,
                client_request_id=call.request.headers.get("client-request-id"),
            )

    return GraphRoute(method, template, answer, any_of)


def _admit(call: GraphCall, any_of: frozenset[str], all_of: frozenset[str], roles: frozenset[str]) -> None:
    granted = permissions_of(call)
    if (any_of and not any_of & granted) or not all_of <= granted:
        raise denied()
    if roles and not is_application(call) and not roles & caller_roles(call):
        raise denied()


def is_application(call: GraphCall) -> bool:
    """Whether an application speaks for itself, with no user behind it."""
    return call.claims.get("idtyp") == "app"


def caller_id(call: GraphCall) -> str:
    """The object id of the user or service principal that calls."""
    return str(call.claims["oid"])


def permissions_of(call: GraphCall) -> frozenset[str]:
    """The application permissions or delegated scopes in the caller's token."""
    if is_application(call):
        granted = call.claims.get("roles") or ()
        return frozenset(granted) if isinstance(granted, (list, tuple)) else NOBODY
    return frozenset(str(call.claims.get("scp", "")).split())


def caller_roles(call: GraphCall) -> frozenset[str]:
    """The template ids of the directory roles the caller holds now, whatever its token says."""
    return roles_of(call.tenant, caller_id(call))


def require_role(call: GraphCall, roles: frozenset[str]) -> None:
    """Lets a caller pass that holds one of these directory roles; Global Administrator always passes.

    Raises:
        GraphRefusal: it holds none of them.
    """
    if not caller_roles(call) & (roles | GLOBAL_ADMINISTRATOR):
        raise denied()


def require_permission(call: GraphCall, *permissions: str) -> None:
    """Lets a caller pass whose token carries one of these permissions.

    Raises:
        GraphRefusal: it carries none of them.
    """
    if permissions_of(call).isdisjoint(permissions):
        raise denied()


def body_of(call: GraphCall) -> JsonObject:
    """The request body; no body at all is an empty object.

    Raises:
        GraphRefusal: it is not a JSON object.
    """
    try:
        body = call.request.json()
    except (ValueError, RecursionError):
        raise unreadable() from None
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise unreadable()
    return body
