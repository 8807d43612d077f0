"""Key Vault secrets: kept under a name, read by version, made unreadable, never shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final, TypeVar, cast

from shared.adapters.patience import CONNECT_SECONDS, READ_SECONDS, Pause, asked_to_wait, patiently
from shared.domain.errors import Code, Problem, Refused, ReplyLost, Transient, refused, unavailable
from shared.domain.secret import Secret

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.exceptions import HttpResponseError
    from azure.core.rest import HttpResponse
    from azure.keyvault.secrets import SecretClient

T = TypeVar("T")

NAME: Final = "Key Vault"
_SETTLING: Final = timedelta(seconds=5)
"""Deleting and recovering take some seconds (https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview)."""
_IN_THE_BIN: Final = "ObjectIsDeletedButRecoverable"


class _State(Exception):
    """What is asked for is in no state for it: the HTTP status, and the inner code that tells which state."""

    def __init__(self, status: int, inner_code: str) -> None:
        super().__init__(inner_code)
        self.status = status
        self.inner_code = inner_code

    @property
    def is_disabled(self) -> bool:
        return self.status == 403 and self.inner_code == "SecretDisabled"


class KeyVaultSecrets:
    """A key vault's secrets (Vault port, https://learn.microsoft.com/rest/api/keyvault/secrets).

    The client library checks that the vault's challenge names the vault's own domain before it shows its token.

    Args:
        vault_url: e.g. `https://NAME.vault.azure.net`.
        credential: makes, or hands out, what opens the vault; asked at the first use.
    """

    def __init__(self, vault_url: str, credential: Callable[[], TokenCredential], *, pause: Pause) -> None:
        self._vault_url = vault_url
        self._credential = credential
        self._pause = pause

    def put(self, name: str, secret: Secret, *, purpose: str) -> str:
        """A name in the recycle bin is recovered first; nothing here waits until that is done."""
        try:
            return self._set(name, secret, purpose)
        except _State as state:
            if state.inner_code != _IN_THE_BIN:
                raise _unsettled() from None
        try:
            self._ask(lambda client: client.begin_recover_deleted_secret(name))
            return self._set(name, secret, purpose)
        except _State:
            raise _unsettled() from None

    def get(self, name: str, version: str | None = None) -> Secret:
        """One version, or the newest."""
        try:
            value = self._ask(lambda client: client.get_secret(name, version).value, is_read=True)
        except _State:
            value = None
        if value is None:
            raise _missing(name)
        return Secret(value)

    def newest(self, name: str) -> str | None:
        """The version that a read without one would give."""
        try:
            return str(self._ask(lambda client: client.get_secret(name).properties.version, is_read=True))
        except _State:
            return None

    def readable(self, name: str, *, before: datetime) -> tuple[str, ...]:
        """Pages of 25, which the client library goes through (https://learn.microsoft.com/rest/api/keyvault/secrets)."""
        try:
            found = self._ask(lambda client: list(client.list_properties_of_secret_versions(name)), is_read=True)
        except _State:
            return ()
        readable = (each for each in found if each.enabled and each.created_on and each.created_on < before)
        return tuple(str(each.version) for each in readable)

    def retire(self, name: str, version: str) -> None:
        """Disable the version. What is deleted cannot be read either."""
        self._unless_gone(lambda client: client.update_secret_properties(name, version, enabled=False))

    def delete(self, name: str) -> None:
        """Start the deletion; the vault ends it by itself."""
        self._unless_gone(lambda client: client.begin_delete_secret(name))

    def exists(self, name: str) -> bool:
        """Whether the name's newest version is there, disabled or not."""
        try:
            self._ask(lambda client: client.get_secret(name).name, is_read=True)
        except _State as state:
            return state.is_disabled
        return True

    def _set(self, name: str, secret: Secret, purpose: str) -> str:
        kept = self._ask(
            lambda client: client.set_secret(
                name,
                secret.reveal(),
                content_type="text/plain",
                tags={"purpose": purpose, "managed-by": "management-sessions"},
            )
        )
        return str(kept.properties.version)

    def _unless_gone(self, ask: Callable[[SecretClient], object]) -> None:
        try:
            self._ask(ask)
        except _State as state:
            if state.status == 409 and state.inner_code not in (_IN_THE_BIN, "ObjectIsBeingDeleted"):
                raise _unsettled() from None

    def _ask(self, ask: Callable[[SecretClient], T], *, is_read: bool = False) -> T:
        """What the vault answers.

        Raises:
            _State: 404; 409, the name is between two states; 403, the version is disabled.
            Refused: `internalError`, the request makes no sense to the vault.
            Transient: everything else, our own missing right to the vault too: whoever runs the service mends that.
        """
        return patiently(lambda: self._once(ask, is_read=is_read), is_read=is_read, pause=self._pause)

    def _once(self, ask: Callable[[SecretClient], T], *, is_read: bool) -> T:
        from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ServiceRequestError

        failure: Exception
        try:
            return ask(self._client)
        except (ClientAuthenticationError, ValueError):  # ValueError: the challenge names another domain
            failure = _not_let_in()
        except HttpResponseError as error:
            failure = _understood(error, is_read=is_read)
        except ServiceRequestError:
            failure = unavailable(NAME)
        except AzureError:
            failure = _reply_lost()
        # Raised here and not above: the request, with the secret in it, hangs on azure-core's exception.
        raise failure

    @cached_property
    def _client(self) -> SecretClient:
        from azure.keyvault.secrets import SecretClient

        from shared.adapters.tls import transport

        return SecretClient(
            self._vault_url,
            self._credential(),
            retry_total=0,  # azure-core's retries sleep for as long as Retry-After says
            transport=transport(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS),
        )


def _understood(error: HttpResponseError, *, is_read: bool) -> Exception:
    response = cast("HttpResponse | None", error.response)
    status = response.status_code if response else 0
    inner = error.error.innererror if error.error else {}
    state = _State(status, str(inner.get("code") or ""))
    if status in (404, 409) or state.is_disabled:
        return state
    if status in (401, 403):
        return _not_let_in()
    if response and (status in (429, 503) or (is_read and status >= 500)):
        return unavailable(NAME, asked_to_wait(response.headers))
    if 400 <= status < 500:
        return refused(Code.INTERNAL_ERROR, f"Key Vault did not understand a request of this service ({status}).")
    return _reply_lost()


def _missing(name: str) -> Refused:
    return refused(
        Code.SECRET_MISSING,
        f"Key Vault has no readable secret {name}.",
        step="Turn the session off and on again; if this stays, retry the service account creation.",
    )


def _unsettled() -> Transient:
    message = "Key Vault is still deleting or recovering the secret."
    return Transient(Problem(Code.UPSTREAM_UNAVAILABLE, message), _SETTLING)


def _not_let_in() -> Transient:
    return Transient(Problem(Code.SERVICE_UNAVAILABLE, "Key Vault does not let this service in."))


def _reply_lost() -> ReplyLost:
    return ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, "Key Vault did not answer in time."))
