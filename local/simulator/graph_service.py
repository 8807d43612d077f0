"""The gate of Microsoft Graph: who calls, from which tenant, and whether their permissions reach that far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.simulator.calls import GraphCall, GraphRoute, graph_error
from local.simulator.entra.resources import graph_audiences
from local.simulator.graph.routes import ROUTES
from local.simulator.state import World
from local.simulator.tokens import TokenRefused, verify
from local.simulator.wire import NoRoute, Request, Response, find_route

BROKEN_JSON = (
    "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON."
)


@dataclass(frozen=True, slots=True)
class GraphService:
    """The simulated graph.microsoft.com."""

    world: World

    def answer(self, request: Request) -> Response:
        """The handler's answer, or the refusal of a caller who may not ask; all refusals have Graph's error shape."""
        try:
            claims = verify(
                self.world,
                request.headers.get("authorization"),
                audiences=graph_audiences(self.world),
                now=self.world.clock.now(),
            )
        except TokenRefused as refused:
            return self.refuse(
                401, "InvalidAuthenticationToken", refused.reason, {"WWW-Authenticate": 'Bearer realm=""'}
            )
        tenant = self.world.tenants.get(str(claims.get("tid")))
        if tenant is None:
            return self.refuse(401, "InvalidAuthenticationToken", "The token's tenant does not exist.")
        try:
            route, parameters = find_route(ROUTES, request)
        except NoRoute as missing:
            return self._no_route(request, missing)
        if not _may_use(claims, route):
            message = "Insufficient privileges to complete the operation."
            return self.refuse(403, "Authorization_RequestDenied", message)
        if request.has_broken_json():
            return self.refuse(400, "BadRequest", BROKEN_JSON)
        return route.handler(GraphCall(self.world, tenant, claims, request, parameters, self.world.clock))

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """A refusal in Graph's error shape."""
        return graph_error(status, code, message, headers=headers)

    def _no_route(self, request: Request, missing: NoRoute) -> Response:
        if missing.allowed:
            message = "Specified HTTP method is not allowed for the request target."
            return self.refuse(405, "Request_BadRequest", message, missing.headers)
        segment = request.path.rstrip("/").rpartition("/")[2]
        return self.refuse(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def _may_use(claims: Mapping[str, object], route: GraphRoute) -> bool:
    """Whether an app-only caller holds one of the route's permissions; users are judged by the handler."""
    if claims.get("idtyp") != "app" or not route.permissions:
        return True
    roles = claims.get("roles", [])
    return isinstance(roles, list) and not route.permissions.isdisjoint(roles)
