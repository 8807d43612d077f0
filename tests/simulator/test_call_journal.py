"""The journal holds every call and not one secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from local.simulator.journal import CAPACITY, Journal
from local.simulator.seed import APP_CLIENT_SECRET, TAILSPIN, password_of
from local.simulator.wire import Request, Response
from tests.simulator.clients import GRAPH, TAILSPIN_ADMIN, Microsoft

NEW_PASSWORD = "only-for-tests-New-Passw0rd"
SECRET_VALUE = "only-for-tests-secret-value"


def journal(microsoft: Microsoft, query: str = "") -> list[dict[str, Any]]:
    """The journal's lines, read."""
    return [json.loads(line) for line in microsoft.control("GET", f"journal{query}").text.splitlines()]


def test_call_is_recorded_with_its_query_beside_its_path(microsoft: Microsoft) -> None:
    microsoft.graph("GET", "/v1.0/organization?$select=id")

    call = journal(microsoft)[-1]
    assert call["service"] == "graph"
    assert call["method"] == "GET"
    assert call["path"] == "/v1.0/organization"
    assert call["query"] == {"$select": "id"}
    assert call["request_body"] is None
    assert call["status"] == 200
    assert call["response_body"]["value"][0]["id"] == TAILSPIN


def test_no_password_assertion_or_token_is_in_it(microsoft: Microsoft, vault: SecretClient) -> None:
    signed_in = microsoft.sign_in()
    assertion = microsoft.session.get(
        f"{microsoft.simulator.url}/msi/token",
        params={"resource": "api://AzureADTokenExchange", "api-version": "2019-08-01"},
        headers={"X-IDENTITY-HEADER": "only-for-local-identity-header"},
    ).json()["access_token"]
    application = microsoft.application(credential={"client_assertion": lambda: assertion})
    refreshed = application.acquire_token_by_refresh_token(signed_in["refresh_token"], [GRAPH])
    app_token = microsoft.app_token()["access_token"]
    vault.set_secret("account", SECRET_VALUE)
    vault.get_secret("account")
    body = {"passwordProfile": {"password": NEW_PASSWORD, "forceChangePasswordNextSignIn": False}}
    microsoft.graph("PATCH", f"/v1.0/users/{TAILSPIN_ADMIN}", app_token, json=body)
    change = {"currentPassword": NEW_PASSWORD, "newPassword": f"{NEW_PASSWORD}-2"}
    microsoft.graph("POST", "/v1.0/me/changePassword", signed_in["access_token"], json=change)

    text = microsoft.control("GET", "journal").text

    assert text.count("****") > 8
    planted = [APP_CLIENT_SECRET, password_of(TAILSPIN_ADMIN), NEW_PASSWORD, SECRET_VALUE, assertion, app_token]
    planted += [signed_in[name] for name in ("access_token", "refresh_token", "id_token")]
    planted += [str(content) for name, content in refreshed.items() if name.endswith("token")]
    assert [secret for secret in planted if secret in text] == []


def test_body_that_is_no_json_is_not_kept(microsoft: Microsoft) -> None:
    microsoft.graph("POST", "/v1.0/users", data=b'{"password": "only-for-tests-broken')

    call = journal(microsoft, "?service=graph")[-1]
    assert call["status"] == 400
    assert call["request_body"] is None


def test_call_that_met_a_fault_says_which(microsoft: Microsoft) -> None:
    microsoft.control("POST", "faults", {"faults": [{"kind": "5xx", "service": "graph"}]})

    microsoft.graph("GET", "/v1.0/organization")

    assert journal(microsoft, "?service=graph")[-1]["fault"] == "5xx"


def test_one_services_calls_can_be_asked_for(microsoft: Microsoft, vault: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError):
        vault.get_secret("nothing")
    microsoft.graph("GET", "/v1.0/organization")

    assert {call["service"] for call in journal(microsoft)} >= {"entra", "graph", "keyVault"}
    assert {call["service"] for call in journal(microsoft, "?service=keyVault")} == {"keyVault"}


def test_control_calls_are_not_in_it_and_it_can_be_emptied(microsoft: Microsoft) -> None:
    microsoft.app_token()
    before = journal(microsoft)

    microsoft.control("DELETE", "journal")

    assert [call["service"] for call in before] == ["entra", "entra"]
    assert journal(microsoft) == []


def test_oldest_calls_are_forgotten_first() -> None:
    calls = Journal()

    for number in range(CAPACITY + 5):
        calls.record(Request("graph", "GET", f"/{number}", {}, {}, b""), Response(200))

    kept = calls.calls()
    assert len(kept) == CAPACITY
    assert kept[0]["path"] == "/5"
