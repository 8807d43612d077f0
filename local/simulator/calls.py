"""A Graph call that is already authenticated and routed, and the shape in which Graph refuses one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from local.simulator.clock import Clock
from local.simulator.state import JsonObject, Tenant, World
from local.simulator.wire import Request, Response, match_template


@dataclass(frozen=True, slots=True)
class GraphCall:
    """What a Graph handler is given: the caller's verified token, its tenant, and the world around them."""

    world: World
    tenant: Tenant
    claims: Mapping[str, object]  # of the verified access token: oid, tid, idtyp, roles | scp + wids, …
    request: Request
    parameters: Mapping[str, str]  # the path template's
    clock: Clock


GraphHandler = Callable[[GraphCall], Response]


@dataclass(frozen=True, slots=True)
class GraphRoute:
    """A Graph operation and the application permissions any one of which lets an app-only caller use it.

    An empty `permissions` admits every caller. What a user's token may do (scp, wids) is the handler's to judge.
    """

    method: str
    template: str  # "/v1.0/users/{id}": `{name}` stands for one segment
    handler: GraphHandler
    permissions: frozenset[str] = frozenset()

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """The path's parameters, or None when this route is not meant."""
        return match_template(self.template, path) if method == self.method else None


def graph_error(
    status: int,
    code: str,
    message: str,
    *,
    details: Sequence[JsonObject] = (),
    client_request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A refusal in Graph's error shape (learn.microsoft.com/graph/errors).

    `headers` are sent along, e.g. Retry-After. Without `client_request_id` Graph repeats its own request id there.
    """
    request_id = str(uuid.uuid4())
    error: JsonObject = {
        "code": code,
        "message": message,
        "innerError": {
            "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id or request_id,
        },
    }
    if details:
        error["details"] = list(details)
    return Response(status, {"error": error}, {"request-id": request_id, **(headers or {})})
