"""Tokens of a single-page application: a public client that proves itself with PKCE and lives in a browser."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.simulator.entra.caller_tokens import SCOPE, caller_token
from local.simulator.entra.claims import issuer
from local.simulator.entra.errors import SignInRefused
from local.simulator.state import Caller, JsonObject, RefreshToken, Tenant, World

_CODE_LIFE = timedelta(minutes=10)
_TOKEN_LIFE = 3600  # seconds

# refresh-tokens (learn.microsoft.com/entra/identity-platform): a single-page application's live for a day.
_REFRESH_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SpaTokens:
    """What the token endpoint of the vendor's tenant does for the console."""

    world: World

    def serves(self, tenant: Tenant, form: Mapping[str, str]) -> bool:
        """Whether the request is a public client's of the vendor's own."""
        people = self.world.callers.values()
        return tenant.id == self.world.home_tenant_id and any(
            each.idtyp == "user" and each.client_id == form.get("client_id") for each in people
        )

    def answer(self, tenant: Tenant, form: Mapping[str, str], *, origin: str | None) -> JsonObject:
        """A token response with ID token and refresh token.

        `origin` is the page's: Entra redeems such a client's codes across origins only.

        Raises:
            SignInRefused: 9002327, 70003, or why the code or the refresh token is not accepted.
        """
        if origin is None:
            raise SignInRefused(9002327)
        grant = form.get("grant_type", "")
        if grant == "authorization_code":
            person, scope, nonce = self._redeem_code(tenant, form)
        elif grant == "refresh_token":
            person, scope, nonce = self._redeem_refresh_token(tenant, form), form.get("scope", ""), None
        else:
            raise SignInRefused(70003, grant=grant)
        return self._tokens(tenant, person, form["client_id"], scope=form.get("scope") or scope, nonce=nonce)

    def _redeem_code(self, tenant: Tenant, form: Mapping[str, str]) -> tuple[Caller, str, str | None]:
        code = self.world.authorization_codes.get(form.get("code", ""))
        if code is None or code.client_id != form["client_id"]:
            raise SignInRefused(70000)
        if code.is_redeemed:
            raise SignInRefused(54005)
        if self.world.clock.now() > code.issued_at + _CODE_LIFE:
            raise SignInRefused(70008)
        if code.redirect_uri != form.get("redirect_uri"):
            raise SignInRefused(50011, redirect=form.get("redirect_uri", ""), client=code.client_id)
        if not hmac.compare_digest(_challenge(form.get("code_verifier", "")), code.challenge):
            raise SignInRefused(501481)
        code.is_redeemed = True
        return self._person(tenant, code.object_id), code.scope, code.nonce

    def _redeem_refresh_token(self, tenant: Tenant, form: Mapping[str, str]) -> Caller:
        grant = tenant.refresh_tokens.get(form.get("refresh_token", ""))
        if grant is None or grant.client_id != form["client_id"]:
            raise SignInRefused(70000)
        if self.world.clock.now() > grant.issued_at + _REFRESH_LIFE:
            raise SignInRefused(700084)
        return self._person(tenant, grant.user_id)

    def _person(self, tenant: Tenant, object_id: str) -> Caller:
        for each in self.world.callers.values():
            if each.object_id == object_id:
                return each
        raise SignInRefused(50034, user=object_id, tenant=tenant.display_name)

    def _tokens(self, tenant: Tenant, person: Caller, client_id: str, *, scope: str, nonce: str | None) -> JsonObject:
        access_scope = f"api://{self.world.api_audience}/{SCOPE}"
        wanted = [each for each in scope.split() if "/" in each]
        if wanted and wanted != [access_scope]:
            raise SignInRefused(70011, scope=scope)
        access_token, _ = caller_token(self.world, person, tenant_id=tenant.id, lifetime=_TOKEN_LIFE, overrides={})
        refresh_token = f"1.{secrets.token_urlsafe(96)}"
        tenant.refresh_tokens[refresh_token] = RefreshToken(person.object_id, client_id, self.world.clock.now())
        return {
            "token_type": "Bearer",
            "scope": access_scope,
            "expires_in": _TOKEN_LIFE,
            "ext_expires_in": _TOKEN_LIFE,
            "access_token": access_token,
            "refresh_token": refresh_token,
            "refresh_token_expires_in": int(_REFRESH_LIFE.total_seconds()),
            "id_token": self.world.signing_key.sign(self._identity(tenant, person, client_id, nonce)),
            "client_info": _encoded(json.dumps({"uid": person.object_id, "utid": tenant.id}).encode()),
        }

    def _identity(self, tenant: Tenant, person: Caller, client_id: str, nonce: str | None) -> JsonObject:
        now = int(datetime.now(UTC).timestamp())  # browsers live in the real time, whatever the simulated clock says
        claims: JsonObject = {
            "aud": client_id,
            "iss": issuer(self.world, tenant.id),
            "iat": now,
            "nbf": now,
            "exp": now + _TOKEN_LIFE,
            "name": person.name,
            "oid": person.object_id,
            "preferred_username": person.username,
            "sub": person.object_id,
            "tid": tenant.id,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
        }
        return claims if nonce is None else {**claims, "nonce": nonce}


def _challenge(verifier: str) -> str:
    """S256 of RFC 7636 §4.2."""
    return _encoded(hashlib.sha256(verifier.encode()).digest())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
