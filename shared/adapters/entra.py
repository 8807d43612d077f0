"""Microsoft Entra's token endpoint over msal: one sign-in is one request, and leaves nothing behind in this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

from shared.adapters.graph_calls import GraphCalls, Request
from shared.adapters.graph_refusals import Need, refusal
from shared.adapters.token_claims import claims_in, permissions_in
from shared.domain.directory_roles import SINGLE, Registration
from shared.domain.errors import Code, NextStep, Problem, Refused, refused, unavailable
from shared.domain.ids import TenantId
from shared.domain.ports import Clock, SignedIn
from shared.domain.secret import AccessToken, Secret
from shared.domain.sign_in_errors import classify

if TYPE_CHECKING:
    from shared.adapters.entra_http import EntraHttp

NAME: Final = "Microsoft Entra"
MARGIN: Final = timedelta(minutes=5)
"""An app-only token is not used in its last minutes, so that it does not end under way."""
TENANTS_REMEMBERED: Final = 1024

Credential = Secret | Callable[[], Secret]
"""How our application proves itself: a client secret, or whatever makes a federated assertion."""


_SWITCHED_OFF: Final = frozenset({Code.CONSENT_MISSING, Code.INTERNAL_ERROR})
"""How an application is switched off: the tenant disables it or takes its consent back, or we take its credential."""

_OWN_PASSWORD: Final = Need("User-PasswordProfile.ReadWrite.All", purpose="let the account change its own password")


class _Msal(Protocol):
    """What we use of msal.ConfidentialClientApplication, which is untyped. Refusals are answers, not exceptions."""

    def acquire_token_for_client(self, scopes: list[str]) -> Mapping[str, object]: ...

    def acquire_token_by_username_password(
        self, username: str, password: str, scopes: list[str]
    ) -> Mapping[str, object]: ...

    def acquire_token_by_refresh_token(self, refresh_token: str, scopes: list[str]) -> Mapping[str, object]: ...


@dataclass(slots=True)
class _Slot:
    """A tenant's app-only token; the lock makes those who need it at the same time ask once."""

    lock: Lock = field(default_factory=Lock)
    token: AccessToken | None = None


class EntraSignIn:
    """Sign-ins of our application and of its users (SignIn port).

    Args:
        authority_host: e.g. `https://login.microsoftonline.com`; https, without a path.
        graph_scope: what Graph is asked for, e.g. `https://graph.microsoft.com/.default`.
        asked: what the application asks tenants for.
    """

    def __init__(
        self,
        *,
        authority_host: str,
        client_id: str,
        credential: Credential,
        graph_scope: str,
        graph: GraphCalls,
        clock: Clock,
        asked: Registration = SINGLE,
    ) -> None:
        self._authority_host = authority_host.rstrip("/")
        self._client_id = client_id
        self._credential = credential
        self._graph_scope = graph_scope
        self._graph = graph
        self._clock = clock
        self._asked = asked
        self._slots: OrderedDict[TenantId, _Slot] = OrderedDict()
        self._slots_lock = Lock()

    def app_token(self, tenant_id: TenantId, *, fresh: bool = False) -> AccessToken:
        """An app-only token for Graph: the one at hand, or a new one when that is about to end or `fresh` is asked.

        Raises:
            Refused: `consentMissing`, and what else the AADSTS catalogue says; `onboardingOff` for an application that
                may be switched off, and is.
            Transient: Entra is busy or away.
        """
        slot = self._slot(tenant_id)
        with slot.lock:
            held = slot.token
            if fresh or held is None or not held.lasts(MARGIN, self._clock.now()):
                slot.token = None  # a refusal now ends the token of before, too
                held = slot.token = self._new_app_token(tenant_id)
            return held

    def permissions(self, tenant_id: TenantId) -> frozenset[str]:
        """The Graph application permissions a fresh token carries; other callers get that token from now on."""
        claims = claims_in(self.app_token(tenant_id, fresh=True).value)
        if not claims:
            raise unavailable(NAME)
        return permissions_in(claims)

    def with_password(self, tenant_id: TenantId, user_principal_name: str, password: Secret) -> SignedIn:
        """Sign the user in (https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc)."""
        answer = self._ask(
            tenant_id,
            lambda app: app.acquire_token_by_username_password(
                user_principal_name, password.reveal(), [self._graph_scope]
            ),
        )
        return _signed_in(answer, tenant_id)

    def redeem(self, tenant_id: TenantId, refresh_token: Secret, scope: str) -> AccessToken:
        """An access token for one resource; the refresh token stays good, Entra does not revoke it on use.

        https://learn.microsoft.com/entra/identity-platform/refresh-tokens#token-lifetime
        """
        asked_at = self._clock.now()
        answer = self._ask(
            tenant_id,
            lambda app: app.acquire_token_by_refresh_token(refresh_token.reveal(), [scope]),
            lasting=False,
        )
        return _access_token(answer, asked_at)

    def change_own_password(self, tenant_id: TenantId, user_principal_name: str, old: Secret, new: Secret) -> None:
        """Sign the user in with its old password and let it set the new one.

        https://learn.microsoft.com/graph/api/user-changepassword

        Raises:
            Refused: what signing in raises; `permissionMissing`; `credentialRejected` when Graph takes neither
                password.
        """
        asked_at = self._clock.now()
        answer = self._ask(
            tenant_id,
            lambda app: app.acquire_token_by_username_password(user_principal_name, old.reveal(), [self._graph_scope]),
            lasting=False,
        )
        token = _access_token(answer, asked_at).value
        body = {"currentPassword": old.reveal(), "newPassword": new.reveal()}
        reply = self._graph.send(Request("POST", "/v1.0/me/changePassword", body=body), token)
        if reply.status == 400:
            raise refused(
                Code.CREDENTIAL_REJECTED,
                "Microsoft Entra did not accept the change from the old password to the new one.",
                step="Rotate the password again; if that fails too, retry the service account creation.",
                link="https://learn.microsoft.com/entra/identity/authentication/concept-password-ban-bad",
            )
        if not reply.is_success:
            raise refusal(reply, _OWN_PASSWORD, claims_in(token), self._asked)

    def _slot(self, tenant_id: TenantId) -> _Slot:
        with self._slots_lock:
            slot = self._slots.setdefault(tenant_id, _Slot())
            self._slots.move_to_end(tenant_id)
            if len(self._slots) > TENANTS_REMEMBERED:
                self._slots.popitem(last=False)
            return slot

    def _new_app_token(self, tenant_id: TenantId) -> AccessToken:
        asked_at = self._clock.now()
        try:
            answer = self._ask(tenant_id, lambda app: app.acquire_token_for_client([self._graph_scope]), lasting=False)
        except Refused as error:
            if self._asked.may_be_off and error.problem.code in _SWITCHED_OFF:
                raise _off(self._asked.name, error.problem) from error
            raise
        return _access_token(answer, asked_at)

    def _ask(
        self, tenant_id: TenantId, ask: Callable[[_Msal], Mapping[str, object]], *, lasting: bool = True
    ) -> Mapping[str, object]:
        """What Entra answers; `lasting` asks for a refresh token too."""
        application = self._application(tenant_id, lasting=lasting)
        try:
            answer = ask(application)
        except (ValueError, LookupError, AttributeError, TypeError):
            # MSAL could not take the answer apart. Its exception may quote a token, so it goes no further.
            answer = None
        if answer is None:
            raise unavailable(NAME)
        if "error" in answer:
            raise _sign_in_error(answer)
        return answer

    def _application(self, tenant_id: TenantId, *, lasting: bool) -> _Msal:
        """A new application object: 0.1 ms, and with it goes all that MSAL would remember.

        Kept, it would hold every user's tokens for the life of the process, and replay a refusal for a minute after
        its cause was mended (msal.throttled_http_client).
        """
        from msal import ConfidentialClientApplication  # type: ignore[import-untyped]

        credential = self._credential
        application: _Msal = ConfidentialClientApplication(
            self._client_id,
            client_credential=(
                credential.reveal()
                if isinstance(credential, Secret)
                else {"client_assertion": lambda: credential().reveal()}
            ),
            authority=f"{self._authority_host}/{tenant_id}",
            instance_discovery=False,
            exclude_scopes=None if lasting else ["offline_access"],
            http_client=self._http,
        )
        return application

    @cached_property
    def _http(self) -> EntraHttp:
        from shared.adapters.entra_http import EntraHttp  # loads requests

        return EntraHttp()


def _off(name: str, why: Problem) -> Refused:
    text = f"{name} is switched off or has no consent, so no account, role or policy can be made or removed."
    step = f"Switch {name} on, have the tenant grant it admin consent with its consent link, then ask again."
    link = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"
    return Refused(Problem(Code.ONBOARDING_OFF, text, next_step=NextStep(step, link), details=(why,)))


def _sign_in_error(answer: Mapping[str, object]) -> Exception:
    codes = answer.get("error_codes")
    return classify(
        str(answer["error"]),
        [code for code in codes if isinstance(code, int)] if isinstance(codes, list) else [],
        str(answer.get("error_description") or ""),
    ).as_error()


def _access_token(answer: Mapping[str, object], asked_at: datetime) -> AccessToken:
    value, life = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(value, str) or not isinstance(life, int):
        raise unavailable(NAME)
    return AccessToken(Secret(value), asked_at + timedelta(seconds=life))


def _signed_in(answer: Mapping[str, object], tenant_id: TenantId) -> SignedIn:
    claims = answer.get("id_token_claims")
    try:
        if not isinstance(claims, dict):
            raise ValueError("no id token")
        object_id, tenant = UUID(str(claims["oid"])), UUID(str(claims["tid"]))
    except (KeyError, ValueError):
        raise unavailable(NAME) from None
    if tenant != tenant_id:
        raise refused(
            Code.CREDENTIAL_REJECTED,
            "The account that signed in belongs to another tenant.",
            step="Use an account of this tenant.",
        )
    refresh_token = answer.get("refresh_token")
    if not isinstance(refresh_token, str):
        raise refused(
            Code.CONSENT_MISSING,
            "Microsoft Entra gave no refresh token, so no session can stand on this sign-in.",
            step="Grant admin consent again, with the delegated permission offline_access.",
            link="https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent",
        )
    return SignedIn(object_id, tenant, Secret(refresh_token))
