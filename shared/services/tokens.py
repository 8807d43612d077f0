"""The access tokens this process holds: fetched once, however many ask, and never found again after their session."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace

from shared import telemetry
from shared.domain.activity import Activity, Event
from shared.domain.actors import SERVICE
from shared.domain.errors import Code, Conflict, Problem, Refused, Transient, refused
from shared.domain.ids import SessionId, TenantId
from shared.domain.resources import Resource
from shared.domain.secret import AccessToken, Secret
from shared.domain.session import Method, SessionState
from shared.domain.standing_refusal import standing_refusal
from shared.domain.store import Insert, Replace, Stored
from shared.domain.tenant import Tenant, session_secret_of
from shared.services.accept import contended
from shared.services.kept_secrets import delete_if_removed, keep_refresh_token, retire_unless_recorded
from shared.services.sign_in_account import may_be_too_new, sign_in_account
from shared.services.world import World

_MOST = 2_000
_DEAD = frozenset({Code.CREDENTIAL_REJECTED, Code.SECRET_MISSING})
_Key = tuple[SessionId, Resource]


class Tokens:
    """A cache keyed by session, so that a token of an ended session can never be found again."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, AccessToken] = OrderedDict()
        self._fetching: dict[_Key, threading.Lock] = {}

    def held(self, session_id: SessionId | None, resource: Resource) -> AccessToken | None:
        """The token, when this process has one that still lasts; no request is made."""
        if session_id is None:
            return None
        with self._lock:
            token = self._held.get((session_id, resource))
        if token is None or not token.lasts(self._world.limits.token_margin, self._world.clock.now()):
            return None
        return token

    def fetch(self, tenant_id: TenantId, session_id: SessionId | None, resource: Resource) -> AccessToken:
        """The token, asked of Key Vault and Entra by the first who comes; the others wait for that one.

        Raises:
            Refused: `sessionNotOn`, or why Entra does not sign the account in any more.
            Transient: Key Vault or Entra are away.
        """
        if session_id is None:
            raise _not_on()
        key = (session_id, resource)
        with self._lock:
            turn = self._fetching.setdefault(key, threading.Lock())
        try:
            with turn:
                token = self.held(session_id, resource)
                if token is None:
                    token = self._ask(tenant_id, session_id, resource)
                    self._keep(key, token)
        finally:
            with self._lock:
                self._fetching.pop(key, None)  # whoever waits holds the lock itself; whoever comes finds the token
        return token

    def _keep(self, key: _Key, token: AccessToken) -> None:
        with self._lock:
            self._held[key] = token
            self._held.move_to_end(key)
            while len(self._held) > _MOST:
                self._held.popitem(last=False)

    def _ask(self, tenant_id: TenantId, session_id: SessionId, resource: Resource) -> AccessToken:
        stored = self._world.store.tenant(tenant_id)
        tenant = stored.row
        lives = tenant.session.state in (SessionState.ON, SessionState.DRAINING)
        if not lives or tenant.session.session_id != session_id:
            raise _not_on()
        refusal = standing_refusal(tenant)
        if refusal is not None and tenant.session.refused_at is not None:
            raise Refused(refusal)
        scope = self._world.audiences.scope(resource, str(tenant.initial_domain))
        try:
            refresh_token = self._world.vault.get(session_secret_of(tenant), tenant.session.secret_version)
            return self._world.sign_in.redeem(tenant_id, refresh_token, scope)
        except Refused as error:
            if error.problem.code not in _DEAD or tenant.session.method is not Method.SERVICE_ACCOUNT:
                raise
            if refusal is not None:  # by a check: the password is not sent again to hear the same
                raise Refused(refusal) from error
        telemetry.event("refreshTokenDead", tenant_id=tenant_id)
        return self._world.sign_in.redeem(tenant_id, self._sign_in_again(stored), scope)

    def _sign_in_again(self, stored: Stored[Tenant]) -> Secret:
        """A new refresh token in place of one that was revoked or cut by a sign-in frequency policy."""
        tenant, vault, name = stored.row, self._world.vault, session_secret_of(stored.row)
        if tenant.session.secret_version:  # it is dead: whoever dies below leaves nothing that could be used
            vault.retire(name, tenant.session.secret_version)
        try:
            signed_in, _ = sign_in_account(self._world, tenant)
        except Refused as error:
            if may_be_too_new(tenant.account, error, self._world.clock.now()):
                raise Transient(error.problem) from error
            self._remember(stored, error.problem)
            raise
        version = keep_refresh_token(self._world, tenant, signed_in.refresh_token)
        renewed = replace(tenant, session=tenant.session.signed_in_again(version))
        try:
            self._world.store.commit(tenant.tenant_id, [Replace(renewed, stored.etag)])
        except Conflict as error:
            retire_unless_recorded(self._world, tenant.tenant_id, name, version)
            delete_if_removed(self._world, tenant)
            raise contended() from error  # the session may be going off: the caller asks again
        return signed_in.refresh_token

    def _remember(self, stored: Stored[Tenant], problem: Problem) -> None:
        """However often executors ask, one refused password is enough: more would lock the account out."""
        tenant, now, thread = stored.row, self._world.clock.now(), telemetry.correlation_id()
        refused_now = tenant.at(now, session=tenant.session.refused(replace(problem, correlation_id=thread), now))
        entry = Activity(
            tenant.tenant_id,
            now,
            Event.SESSION_SIGN_IN_REFUSED,
            SERVICE,
            f"No new token can be had: {problem.message}",
            thread,
            facts={"code": str(problem.code)},
        )
        with suppress(Conflict):  # somebody else changes the tenant: whoever asks next finds out again
            self._world.store.commit(tenant.tenant_id, [Replace(refused_now, stored.etag), Insert(entry)])
            self._world.enter_in_index(refused_now, tenant)
        telemetry.event(Event.SESSION_SIGN_IN_REFUSED, tenant_id=tenant.tenant_id, code=problem.code)


def _not_on() -> Refused:
    return refused(Code.SESSION_NOT_ON, "The management session is not on, so no token can be had.")
