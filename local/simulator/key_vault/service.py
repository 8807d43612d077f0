"""The secrets API of a vault: a challenge for strangers, the managed identity's token for everything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from local.simulator.key_vault import bundles
from local.simulator.state import JsonObject, World
from local.simulator.tokens import TokenMissing, TokenRefused, verify
from local.simulator.vault import SecretState, Vault, VaultRefused
from local.simulator.wire import NoRoute, Request, Response, Route, find_route

LARGEST_PAGE = 25


@dataclass(frozen=True, slots=True)
class KeyVaultService:
    """One vault with role-based access, where only the app's managed identity holds a role."""

    world: World
    reader_object_id: str  # the managed identity

    def answer(self, request: Request) -> Response:
        """The vault's answer; refusals have Key Vault's error shape."""
        try:
            claims = verify(
                self.world,
                request.headers.get("authorization"),
                audiences=(self._resource,),
                now=datetime.now(UTC),  # the identity's tokens are stamped with the real time
            )
        except TokenMissing:
            return self._challenge("AKV10000: Request is missing a Bearer or PoP token.")
        except TokenRefused as refused:
            return self._challenge(f"AKV10022: {refused.reason}")
        if claims.get("oid") != self.reader_object_id:
            return self._error(403, "Forbidden", "Caller is not authorized to perform action.", "ForbiddenByRbac")
        if request.has_broken_json():
            return self._error(400, "BadParameter", "The request body is not JSON.")
        if not request.query.get("api-version"):
            return self._error(400, "BadParameter", "api-version must be specified")
        try:
            route, parameters = find_route(self._routes(), request)
            return route.handler(request, parameters)
        except NoRoute as missing:
            status = 405 if missing.allowed else 404
            return self.refuse(status, "BadParameter", "There is no such operation.", missing.headers)
        except VaultRefused as refused:
            return self._error(refused.status, refused.code, refused.message, refused.inner_code)

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """A refusal in Key Vault's error shape."""
        return Response(status, {"error": {"code": code, "message": message}}, headers or {})

    @property
    def _vault(self) -> Vault:
        return self.world.vault

    @property
    def _resource(self) -> str:
        # The SDK accepts a challenge only if the vault's host ends with "." + the resource's. 127.0.0.1 ends with
        # ".0.0.1", so the check that protects production stays on against an address without a domain.
        host, _, port = urlsplit(self.world.key_vault_origin).netloc.partition(":")
        return f"https://{host.partition('.')[2]}:{port}"

    def _routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", "/secrets", self._list),
            Route("PUT", "/secrets/{name}", self._set),
            Route("DELETE", "/secrets/{name}", self._delete),
            Route("GET", "/secrets/{name}/versions", self._list_versions),
            Route("GET", "/secrets/{name}", self._get),
            Route("GET", "/secrets/{name}/", self._get),
            Route("GET", "/secrets/{name}/{version}", self._get),
            Route("PATCH", "/secrets/{name}", self._update),
            Route("PATCH", "/secrets/{name}/", self._update),
            Route("PATCH", "/secrets/{name}/{version}", self._update),
            Route("GET", "/deletedsecrets", self._list_deleted),
            Route("GET", "/deletedsecrets/{name}", self._get_deleted),
            Route("DELETE", "/deletedsecrets/{name}", self._purge),
            Route("POST", "/deletedsecrets/{name}/recover", self._recover),
        )

    def _set(self, request: Request, parameters: Mapping[str, str]) -> Response:
        version = bundles.new_version(request.json(), now=self._now)
        secret = self._vault.put(parameters["name"], version)
        return Response(200, bundles.bundle(self._origin, self._vault, secret, version))

    def _get(self, _: Request, parameters: Mapping[str, str]) -> Response:
        secret, version = self._vault.get(parameters["name"], parameters.get("version", ""), now=self._now)
        if not version.enabled:
            raise VaultRefused(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
        return Response(200, bundles.bundle(self._origin, self._vault, secret, version))

    def _update(self, request: Request, parameters: Mapping[str, str]) -> Response:
        secret, version = self._vault.get(parameters["name"], parameters.get("version", ""), now=self._now)
        bundles.change(version, request.json(), now=self._now)
        return Response(200, bundles.item(self._origin, self._vault, secret, version, with_version=True))

    def _delete(self, _: Request, parameters: Mapping[str, str]) -> Response:
        secret = self._vault.delete(parameters["name"], now=self._now)
        return Response(200, bundles.deleted(self._origin, self._vault, secret, with_version=True))

    def _get_deleted(self, _: Request, parameters: Mapping[str, str]) -> Response:
        secret = self._vault.get_deleted(parameters["name"], now=self._now)
        return Response(200, bundles.deleted(self._origin, self._vault, secret, with_version=True))

    def _recover(self, _: Request, parameters: Mapping[str, str]) -> Response:
        secret = self._vault.recover(parameters["name"], now=self._now)
        return Response(200, bundles.item(self._origin, self._vault, secret, secret.latest, with_version=True))

    def _purge(self, _: Request, parameters: Mapping[str, str]) -> Response:
        self._vault.purge(parameters["name"], now=self._now)
        return Response(204)

    def _list(self, request: Request, _: Mapping[str, str]) -> Response:
        found = self._vault.secrets(SecretState.LIVE, now=self._now)
        rows = [bundles.item(self._origin, self._vault, each, each.latest, with_version=False) for each in found]
        return self._page(request, rows)

    def _list_versions(self, request: Request, parameters: Mapping[str, str]) -> Response:
        secret, _ = self._vault.get(parameters["name"], "", now=self._now)
        rows = [bundles.item(self._origin, self._vault, secret, each, with_version=True) for each in secret.versions]
        return self._page(request, rows)

    def _list_deleted(self, request: Request, _: Mapping[str, str]) -> Response:
        found = self._vault.secrets(SecretState.DELETED, now=self._now)
        return self._page(
            request, [bundles.deleted(self._origin, self._vault, each, with_version=False) for each in found]
        )

    def _page(self, request: Request, rows: Sequence[JsonObject]) -> Response:
        """`maxresults` rows from where `$skiptoken` says, and the link to the next ones."""
        try:
            size = int(request.query.get("maxresults", LARGEST_PAGE))
            start = int(request.query.get("$skiptoken", 0))
        except ValueError as error:
            raise VaultRefused(400, "BadParameter", "maxresults and $skiptoken must be numbers.") from error
        if not 1 <= size <= LARGEST_PAGE or start < 0:
            raise VaultRefused(400, "BadParameter", f"maxresults must be between 1 and {LARGEST_PAGE}.")
        link = None
        if start + size < len(rows):
            query = {"api-version": request.query["api-version"], "$skiptoken": start + size, "maxresults": size}
            link = f"{self._origin}{request.path}?{urlencode(query)}"
        return Response(200, {"value": list(rows[start : start + size]), "nextLink": link})

    @property
    def _now(self) -> datetime:
        return self.world.clock.now()

    @property
    def _origin(self) -> str:
        return self.world.key_vault_origin

    def _challenge(self, message: str) -> Response:
        authority = f"{self.world.origin}/{self.world.home_tenant_id}"
        challenge = f'Bearer authorization="{authority}", resource="{self._resource}"'
        return self.refuse(401, "Unauthorized", message, {"WWW-Authenticate": challenge})

    def _error(self, status: int, code: str, message: str, inner_code: str | None = None) -> Response:
        error: JsonObject = {"code": code, "message": message}
        if inner_code:
            error["innererror"] = {"code": inner_code}
        return Response(status, {"error": error})
