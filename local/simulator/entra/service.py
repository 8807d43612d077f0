"""Entra's endpoints under /{tenant}/…: discovery, keys, tokens, interactive sign-in, admin consent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from local.simulator.entra.admin_consent import ConsentPage
from local.simulator.entra.authorize import AuthorizeEndpoint
from local.simulator.entra.claims import issuer
from local.simulator.entra.errors import SignInRefused, refusal
from local.simulator.entra.token_endpoint import TokenEndpoint
from local.simulator.state import Tenant, World
from local.simulator.wire import NoRoute, Request, Response, Route, find_route

_NO_TENANT = frozenset({"common", "consumers", "organizations"})


@dataclass(frozen=True, slots=True)
class EntraService:
    """The simulated login.microsoftonline.com."""

    world: World

    def answer(self, request: Request) -> Response:
        """The endpoint's answer; every refusal has Entra's error shape. A page of any origin may read it."""
        response = self._answer(request)
        if "origin" not in request.headers:
            return response
        return replace(response, headers={**response.headers, "Access-Control-Allow-Origin": "*"})

    def _answer(self, request: Request) -> Response:
        try:
            route, parameters = find_route(self._routes(), request)
            return route.handler(request, parameters)
        except SignInRefused as refused:
            return self.aadsts(refused.code, request, **refused.facts)
        except NoRoute as missing:
            return self.refuse(405 if missing.allowed else 404, "invalid_request", "No such endpoint.", missing.headers)
        except ValueError:
            return self.refuse(400, "invalid_request", "The request is malformed.")

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """An OAuth error without an AADSTS code."""
        return Response(status, {"error": code, "error_description": message}, headers or {})

    def aadsts(self, code: int, request: Request, **facts: str) -> Response:
        """The refusal that Entra gives with that AADSTS code."""
        return refusal(
            code, now=self.world.clock.now(), correlation_id=request.headers.get("client-request-id"), **facts
        )

    def _routes(self) -> tuple[Route, ...]:
        consent, tokens, sign_in = ConsentPage(self.world), TokenEndpoint(self.world), AuthorizeEndpoint(self.world)
        return (
            Route("POST", "/{tenant}/oauth2/v2.0/token", self._in_tenant(tokens.answer)),
            Route("GET", "/{tenant}/oauth2/v2.0/authorize", self._in_tenant(sign_in.show)),
            Route("POST", "/{tenant}/oauth2/v2.0/authorize", self._in_tenant(sign_in.pick)),
            Route("GET", "/{tenant}/oauth2/v2.0/logout", self._in_tenant(sign_in.leave)),
            Route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", self._in_tenant(self._discovery)),
            Route("GET", "/{tenant}/discovery/v2.0/keys", self._in_tenant(self._keys)),
            Route("GET", "/{tenant}/adminconsent", self._in_tenant(consent.show)),
            Route("GET", "/{tenant}/v2.0/adminconsent", self._in_tenant(consent.show)),
            Route("POST", "/{tenant}/adminconsent", self._in_tenant(consent.accept)),
            Route("POST", "/{tenant}/v2.0/adminconsent", self._in_tenant(consent.accept)),
        )

    def _in_tenant(
        self, handler: Callable[[Request, Tenant], Response]
    ) -> Callable[[Request, Mapping[str, str]], Response]:
        """A route's handler that is given the tenant its path names, by id or by verified domain."""

        def answer(request: Request, parameters: Mapping[str, str]) -> Response:
            named = parameters["tenant"].lower()
            if named in _NO_TENANT:
                raise SignInRefused(9001023)
            for tenant in self.world.tenants.values():
                if named == tenant.id.lower() or named in (str(each["name"]).lower() for each in tenant.domains):
                    return handler(request, tenant)
            raise SignInRefused(90002, tenant=parameters["tenant"])

        return answer

    def _discovery(self, _: Request, tenant: Tenant) -> Response:
        authority = f"{self.world.origin}/{tenant.id}"
        document = {
            "issuer": issuer(self.world, tenant.id),
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
            "end_session_endpoint": f"{authority}/oauth2/v2.0/logout",
            "jwks_uri": f"{authority}/discovery/v2.0/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment"],
            "subject_types_supported": ["pairwise"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return Response(200, document)

    def _keys(self, _: Request, tenant: Tenant) -> Response:
        key = self.world.signing_key.jwk() | {"issuer": issuer(self.world, tenant.id)}
        return Response(200, {"keys": [key]})
