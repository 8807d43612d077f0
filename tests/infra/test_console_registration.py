"""The console's app registration: a public client that the API trusts, and without a credential."""

from __future__ import annotations

import json

import pytest

from infra.entra import register
from infra.entra.register import API, Json, NotThereYet, RegistrationFailed
from infra.entra.register_console import CONSOLE, register_console
from tests.infra.test_registrations import API_MANIFEST, FakeGraph

(SCOPE,) = API_MANIFEST["api"]["oauth2PermissionScopes"]


class Directory(FakeGraph):
    """The same, and applications can be read whole."""

    def _application(self, method: str, name: str, body: Json, creates: bool) -> Json:
        if method == "PATCH" and not creates:
            self.applications[name].update(body)
            return {}
        found = super()._application(method, name, body, creates)
        return found | self.applications[name] if method == "GET" else found


@pytest.fixture
def registered() -> Directory:
    """A home tenant where `register.py applications` has run."""
    graph = Directory()
    register.register(graph, pause=0)
    return graph


def test_console_is_a_single_page_application_that_asks_for_the_api_s_scope(registered: Directory) -> None:
    client_id = register_console(registered, addresses=["https://console.example", "http://127.0.0.1:7080/"], pause=0)

    made = registered.applications[CONSOLE]
    assert client_id == f"client-of-{CONSOLE}"
    assert client_id in registered.principals
    assert made["spa"] == {"redirectUris": ["https://console.example/", "http://127.0.0.1:7080/"]}
    assert made["signInAudience"] == "AzureADMyOrg"
    assert made["requiredResourceAccess"] == [
        {"resourceAppId": f"client-of-{API}", "resourceAccess": [{"id": SCOPE["id"], "type": "Scope"}]}
    ]
    assert not {"web", "passwordCredentials", "keyCredentials"} & made.keys()


def test_api_trusts_it_beside_those_it_trusted_before_and_keeps_all_else(registered: Directory) -> None:
    other = {"appId": "another", "delegatedPermissionIds": [SCOPE["id"]]}
    registered.applications[API]["api"]["preAuthorizedApplications"] = [other]

    for _ in range(2):
        client_id = register_console(registered, addresses=["https://console.example"], pause=0)

    own = {"appId": client_id, "delegatedPermissionIds": [SCOPE["id"]]}
    assert registered.applications[API]["api"] == {**API_MANIFEST["api"], "preAuthorizedApplications": [other, own]}


def test_without_the_api_s_registration_there_is_nothing_to_trust_it() -> None:
    graph = Directory(lag=1)

    with pytest.raises(NotThereYet):
        register_console(graph, addresses=["https://console.example"], pause=0)

    assert graph.applications == {}


def test_api_without_the_scope_is_named(registered: Directory) -> None:
    registered.applications[API]["api"] = json.loads(json.dumps(API_MANIFEST["api"]).replace(SCOPE["value"], "Other"))

    with pytest.raises(RegistrationFailed, match=r"offers no scope Sessions\.Access"):
        register_console(registered, addresses=["https://console.example"], pause=0)
