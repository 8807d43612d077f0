"""The token endpoint: an application, a user's password, a refresh token, a browser's code; state decides."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.simulator.entra import claims
from local.simulator.entra.clients import Proof, authenticate_client
from local.simulator.entra.errors import SignInRefused
from local.simulator.entra.resources import GRAPH, Wanted, parse_scope
from local.simulator.entra.sign_in import authenticate, check_account, check_policies
from local.simulator.entra.spa_tokens import SpaTokens
from local.simulator.state import Application, JsonObject, RefreshToken, Tenant, User, World
from local.simulator.timestamps import moment_of
from local.simulator.wire import Request, Response

INACTIVITY = timedelta(days=90)  # a refresh token lives that long unused (configurable-token-lifetimes)

# Entra words a missing consent differently for an application's own sign-in and for a user's.
_NO_PRINCIPAL_FOR_APP, _NO_PRINCIPAL_FOR_USER = 7000229, 700016


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """POST /{tenant}/oauth2/v2.0/token."""

    world: World

    def answer(self, request: Request, tenant: Tenant) -> Response:
        """A token response (RFC 6749 §5.1).

        Raises:
            SignInRefused: with the AADSTS code that the tenant's state asks for.
            ValueError: the body is no form.
        """
        form = request.form()
        grant = form.get("grant_type", "")
        if not grant:
            raise SignInRefused(90014, field="grant_type")
        browser = SpaTokens(self.world)
        if browser.serves(tenant, form):
            document = browser.answer(tenant, form, origin=request.headers.get("origin"))
        elif grant == "client_credentials":
            document = self._client_credentials(tenant, form)
        elif grant == "password":
            document = self._password(tenant, form, ip=self._ip(request))
        elif grant == "refresh_token":
            document = self._refresh_token(tenant, form, ip=self._ip(request))
        else:
            raise SignInRefused(70003, grant=grant)
        return Response(200, document, {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})

    def _client_credentials(self, tenant: Tenant, form: Mapping[str, str]) -> JsonObject:
        application, proof = authenticate_client(self.world, tenant, form, missing_principal=_NO_PRINCIPAL_FOR_APP)
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            raise SignInRefused(1002012, scope=scope)
        wanted = parse_scope(self.world, tenant, scope)
        return self._access_token(
            claims.app_claims(
                self.world,
                tenant,
                application,
                audience=wanted.audience,
                graph=wanted.resource is GRAPH,
                authentication=proof,
            )
        )

    def _password(self, tenant: Tenant, form: Mapping[str, str], *, ip: str) -> JsonObject:
        application, proof = authenticate_client(self.world, tenant, form, missing_principal=_NO_PRINCIPAL_FOR_USER)
        for required in ("username", "password"):
            if not form.get(required):
                raise SignInRefused(90014, field=required)
        wanted = parse_scope(self.world, tenant, form.get("scope", ""))
        user = authenticate(self.world, tenant, username=form["username"], password=form["password"])
        return self._user_tokens(tenant, application, user, wanted, form, ip=ip, proof=proof)

    def _refresh_token(self, tenant: Tenant, form: Mapping[str, str], *, ip: str) -> JsonObject:
        application, proof = authenticate_client(self.world, tenant, form, missing_principal=_NO_PRINCIPAL_FOR_USER)
        wanted = parse_scope(self.world, tenant, form.get("scope", ""))
        user = self._redeem(tenant, application, form.get("refresh_token", ""))
        return self._user_tokens(tenant, application, user, wanted, form, ip=ip, proof=proof)

    def _redeem(self, tenant: Tenant, application: Application, refresh_token: str) -> User:
        grant = tenant.refresh_tokens.get(refresh_token)
        if grant is None or grant.client_id != application.client_id:
            raise SignInRefused(70000)
        user = tenant.users.get(grant.user_id)
        if user is None or user.deleted_at is not None:
            raise SignInRefused(50034, user=grant.user_id, tenant=tenant.display_name)
        check_account(user)
        if grant.revoked or grant.issued_at < _sessions_valid_from(user):
            raise SignInRefused(50173)
        if self.world.clock.now() > grant.issued_at + INACTIVITY:
            raise SignInRefused(700082)
        return user

    def _user_tokens(
        self,
        tenant: Tenant,
        application: Application,
        user: User,
        wanted: Wanted,
        form: Mapping[str, str],
        *,
        ip: str,
        proof: Proof,
    ) -> JsonObject:
        check_policies(self.world, tenant, user, wanted.resource, ip=ip)
        granted = tenant.consents[application.client_id].delegated.get(wanted.resource.key, set())
        if not granted or not wanted.permissions <= granted:
            raise SignInRefused(65001, client=application.client_id)
        document = self._access_token(
            claims.user_claims(
                self.world,
                tenant,
                application,
                user,
                audience=wanted.audience,
                resource_key=wanted.resource.key,
                ip=ip,
                authentication=proof,
            )
        )
        document["scope"] = " ".join(f"{wanted.audience}/{permission}" for permission in sorted(granted))
        if "offline_access" in wanted.openid:
            document["refresh_token"] = self._issue_refresh_token(tenant, application, user)
        if "openid" in wanted.openid:
            identity = claims.id_token_claims(self.world, tenant, application, user)
            document["id_token"] = self.world.signing_key.sign(identity)
        if form.get("client_info") == "1":
            document["client_info"] = _client_info(user, tenant)
        return document

    def _access_token(self, content: JsonObject) -> JsonObject:
        life = content["exp"] - content["iat"]
        token = self.world.signing_key.sign(content)
        return {"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}

    def _issue_refresh_token(self, tenant: Tenant, application: Application, user: User) -> str:
        # Opaque, and older ones stay good: Entra does not revoke a refresh token when it hands out another.
        token = f"1.{secrets.token_urlsafe(96)}"
        tenant.refresh_tokens[token] = RefreshToken(user.id, application.client_id, self.world.clock.now())
        return token

    def _ip(self, request: Request) -> str:
        return request.headers.get("x-simulated-ip", self.world.egress_ip)


def _sessions_valid_from(user: User) -> datetime:
    return moment_of(user.document["signInSessionsValidFromDateTime"])


def _client_info(user: User, tenant: Tenant) -> str:
    """Who signed in, for MSAL's account cache: base64url without padding."""
    document = json.dumps({"uid": user.id, "utid": tenant.id})
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")
