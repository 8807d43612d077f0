"""The managed identity endpoint, through azure-identity and bare."""

from __future__ import annotations

import time

import jwt
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ManagedIdentityCredential

from local.simulator.seed import HOME, MANAGED_IDENTITY
from tests.simulator.clients import Microsoft


def ask(microsoft: Microsoft, header: str = MANAGED_IDENTITY.header, **query: str) -> requests.Response:
    """A bare call; the query is right unless a part of it is given."""
    return microsoft.session.get(
        f"{microsoft.simulator.url}/msi/token",
        params={"resource": "https://vault.example", "api-version": "2019-08-01"} | query,
        headers={"X-IDENTITY-HEADER": header},
    )


def test_azure_identity_gets_a_token_for_any_resource(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{microsoft.simulator.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", MANAGED_IDENTITY.header)

    with ManagedIdentityCredential(connection_verify=str(microsoft.simulator.ca_bundle)) as credential:
        token = credential.get_token("https://vault.example/.default")

    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert claims["aud"] == "https://vault.example"
    assert claims["oid"] == MANAGED_IDENTITY.object_id
    assert claims["tid"] == HOME


def test_wrong_identity_header_is_401(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{microsoft.simulator.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "only-for-tests-wrong")

    with (
        ManagedIdentityCredential(connection_verify=str(microsoft.simulator.ca_bundle)) as credential,
        pytest.raises(ClientAuthenticationError),
    ):
        credential.get_token("https://vault.example/.default")

    assert ask(microsoft, header="").status_code == 401


@pytest.mark.parametrize("query", [{"client_id": HOME}, {"api-version": "2017-09-01"}, {"resource": ""}])
def test_question_that_makes_no_sense_is_400(microsoft: Microsoft, query: dict[str, str]) -> None:
    response = ask(microsoft, **query)

    assert response.status_code == 400
    assert response.json()["statusCode"] == 400


def test_tokens_of_the_platform_ignore_the_simulated_clock(microsoft: Microsoft) -> None:
    microsoft.control("POST", "clock", {"advance": 365 * 24 * 3600})

    assert abs(int(ask(microsoft).json()["expires_on"]) - time.time() - 24 * 3600) < 60
