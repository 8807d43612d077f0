"""How tests speak to the simulator: the true SDKs over TLS that is verified, and the control interface."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msal  # type: ignore[import-untyped]
import requests
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

from local.simulator.seed import APP_CLIENT_ID, APP_CLIENT_SECRET, MANAGED_IDENTITY, TAILSPIN, password_of
from local.simulator.server import Simulator

GRAPH = "https://graph.microsoft.com/.default"
EXCHANGE = "https://outlook.office365.com/.default"

TAILSPIN_ADMIN = "admin@tailspin.onmicrosoft.com"


@dataclass(frozen=True, slots=True)
class ManagedRealm:
    """The answer to MSAL's user-realm question, as much of a response as MSAL reads."""

    status_code: int = 200
    text: str = json.dumps({"account_type": "Managed"})
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """There is nothing to raise."""


@dataclass(frozen=True, slots=True)
class MsalTransport:
    """What MSAL sends through. It answers the user-realm question itself, because MSAL drops the port when asking."""

    session: requests.Session

    def get(self, url: str, **kwargs: Any) -> requests.Response | ManagedRealm:
        """A GET, except for the user realm."""
        return ManagedRealm() if "/common/userrealm/" in url else self.session.get(url, **kwargs)

    def post(self, url: str, **kwargs: Any) -> requests.Response:
        """A POST."""
        return self.session.post(url, **kwargs)

    def close(self) -> None:
        """Nothing: the session outlives MSAL."""


@contextmanager
def session_for(simulator: Simulator) -> Iterator[requests.Session]:
    """A session that trusts the simulator's certificate and nothing the environment says."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(simulator.ca_bundle)
        yield session


@dataclass(frozen=True, slots=True)
class Microsoft:
    """The simulated cloud as one client of the vendor sees it."""

    simulator: Simulator
    session: requests.Session

    def application(
        self, tenant: str = TAILSPIN, credential: object = APP_CLIENT_SECRET, client_id: str = APP_CLIENT_ID
    ) -> msal.ConfidentialClientApplication:
        """MSAL for the service's application, without memory of earlier answers."""
        return msal.ConfidentialClientApplication(
            client_id,
            client_credential=credential,
            authority=f"{self.simulator.url}/{tenant}",
            instance_discovery=False,
            http_client=MsalTransport(self.session),
            http_cache={},
        )

    def sign_in(
        self,
        username: str = TAILSPIN_ADMIN,
        password: str | None = None,
        *,
        tenant: str = TAILSPIN,
        scope: str = GRAPH,
    ) -> dict[str, Any]:
        """A password sign-in; the seeded password unless another is given."""
        result: dict[str, Any] = self.application(tenant).acquire_token_by_username_password(
            username, password_of(username) if password is None else password, [scope]
        )
        return result

    def app_token(self, tenant: str = TAILSPIN, scope: str = GRAPH) -> dict[str, Any]:
        """The application's own sign-in."""
        result: dict[str, Any] = self.application(tenant).acquire_token_for_client([scope])
        return result

    def graph(self, method: str, path: str, token: str | None = None, **kwargs: Any) -> requests.Response:
        """A Graph call; as the application in Tailspin unless a token is given."""
        bearer = token if token is not None else str(self.app_token()["access_token"])
        return self.session.request(
            method, f"{self.simulator.url}{path}", headers={"Authorization": f"Bearer {bearer}"}, **kwargs
        )

    def control(self, method: str, path: str, body: Any = None) -> requests.Response:
        """A call to the control interface, which must succeed."""
        response = self.session.request(method, f"{self.simulator.url}/_simulator/{path}", json=body)
        response.raise_for_status()
        return response

    def change_tenant(self, tenant: str = TAILSPIN, **changes: Any) -> dict[str, Any]:
        """Changes a tenant and returns its new state."""
        state: dict[str, Any] = self.control("PATCH", f"tenants/{tenant}", changes).json()
        return state

    @contextmanager
    def vault(self) -> Iterator[SecretClient]:
        """Key Vault as the app reaches it: a managed identity, and the challenge's resource verified.

        IDENTITY_ENDPOINT and IDENTITY_HEADER must be set.
        """
        bundle = str(self.simulator.ca_bundle)
        credential = ManagedIdentityCredential(client_id=MANAGED_IDENTITY.client_id, connection_verify=bundle)
        client = SecretClient(self.simulator.key_vault_url, credential, connection_verify=bundle)
        with credential, client:
            yield client


def codes(result: Mapping[str, Any]) -> list[int]:
    """The AADSTS codes of a refused sign-in; none for a token."""
    return list(result.get("error_codes", ()))
