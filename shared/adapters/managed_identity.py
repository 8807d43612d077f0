"""The app's own identity in Azure: it opens the vault, and vouches for our application at every tenant's Entra."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shared.adapters.patience import CONNECT_SECONDS, READ_SECONDS
from shared.domain.errors import Code, Problem, Transient
from shared.domain.secret import Secret

if TYPE_CHECKING:
    from azure.identity import ManagedIdentityCredential


class ManagedIdentity:
    """A managed identity; without a client id the one that the system assigned.

    Nothing is loaded or asked before the first use: azure-identity costs a cold start 200 ms.

    Args:
        audience: whom its assertions are for; each national cloud has its own.
    """

    def __init__(self, client_id: str | None, *, audience: str = "api://AzureADTokenExchange") -> None:
        self._client_id = client_id
        self._audience = audience

    @cached_property
    def credential(self) -> ManagedIdentityCredential:
        """The credential as Azure's client libraries take it; it caches its tokens."""
        from azure.identity import ManagedIdentityCredential

        from shared.adapters.tls import transport

        limited = transport(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS)
        return ManagedIdentityCredential(client_id=self._client_id, transport=limited)

    def assertion(self) -> Secret:
        """What proves to Entra, in place of a client secret, that we are the application that trusts this identity.

        https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity

        Raises:
            Transient: `serviceUnavailable`, the platform gives this identity no token.
        """
        from azure.core.exceptions import AzureError

        try:
            return Secret(self.credential.get_token(f"{self._audience}/.default").token)
        except AzureError:
            failure = Transient(Problem(Code.SERVICE_UNAVAILABLE, "The managed identity has no token right now."))
        raise failure
