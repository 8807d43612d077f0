"""The managed identity endpoint of App Service, through which an app gets tokens without any credential of its own."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from local.simulator.entra.claims import issuer
from local.simulator.state import World
from local.simulator.wire import NoRoute, Request, Response, Route, find_route

LIFE = 24 * 3600  # seconds: managed identity tokens live a day
API_VERSION = "2019-08-01"


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """The app's user-assigned identity; the endpoint serves no other."""

    client_id: str
    object_id: str
    header: str  # what IDENTITY_HEADER says and X-IDENTITY-HEADER must repeat


@dataclass(frozen=True, slots=True)
class ManagedIdentityService:
    """GET /msi/token (learn.microsoft.com/azure/app-service/overview-managed-identity, REST endpoint reference)."""

    world: World
    identity: ManagedIdentity

    def answer(self, request: Request) -> Response:
        """A token for `resource`, or a refusal."""
        try:
            route, parameters = find_route((Route("GET", "/msi/token", self._token),), request)
        except NoRoute as missing:
            return self.refuse(405 if missing.allowed else 404, "", "There is nothing here.", missing.headers)
        return route.handler(request, parameters)

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """App Service's error shape, which has no code besides the status."""
        return Response(status, {"statusCode": status, "message": f"{code} {message}".strip()}, headers or {})

    def _token(self, request: Request, _: Mapping[str, str]) -> Response:
        if not hmac.compare_digest(request.headers.get("x-identity-header", ""), self.identity.header):
            return self.refuse(401, "", "The X-IDENTITY-HEADER is missing or wrong.")
        if request.query.get("api-version") != API_VERSION:
            return self.refuse(400, "", f"The api-version must be {API_VERSION}.")
        resource = request.query.get("resource", "").rstrip("/")
        if not resource:
            return self.refuse(400, "", "The resource is missing.")
        if request.query.get("client_id", self.identity.client_id) != self.identity.client_id:
            return self.refuse(400, "", "No User Assigned or Delegated Managed Identity found for specified ClientId.")
        # The platform's own time, not the simulated one: the identity belongs to the app that is being tested.
        now = int(datetime.now(UTC).timestamp())
        home = self.world.home_tenant_id
        token = self.world.signing_key.sign(
            {
                "aud": resource,
                "iss": issuer(self.world, home),
                "iat": now,
                "nbf": now,
                "exp": now + LIFE,
                "appid": self.identity.client_id,
                "appidacr": "2",
                "idtyp": "app",
                "oid": self.identity.object_id,
                "sub": self.identity.object_id,
                "tid": home,
                "uti": secrets.token_urlsafe(16),
                "ver": "2.0",
            }
        )
        return Response(
            200,
            {
                "access_token": token,
                "client_id": self.identity.client_id,
                "expires_on": str(now + LIFE),
                "not_before": str(now),
                "resource": resource,
                "token_type": "Bearer",
            },
        )
