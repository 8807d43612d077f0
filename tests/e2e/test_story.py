"""The demo's story comes true, and leaves no secret where none may be and no more memory than promised."""

from __future__ import annotations

import re

import pytest

from local.demo import Story
from local.simulator.seed import APP_CLIENT_SECRET, MANAGED_IDENTITY
from tests.e2e.telling import Telling

pytestmark = pytest.mark.timeout(240)  # a story alone takes a minute; beside other work it takes what it takes

JWT = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+")


@pytest.fixture
def told(telling: Telling) -> Telling:
    """The story, told to its end."""
    return telling.result()


@pytest.fixture
def places(told: Telling) -> dict[str, str]:
    """Whatever was written down anywhere but in Key Vault."""
    return told.places()


def test_every_step_came_out_as_told(told: Telling) -> None:
    titles = [title for title, _ in Story(told.client).steps()]

    assert [title for title, _ in told.lines] == titles
    assert all(seen for _, seen in told.lines)


def test_there_is_something_to_be_found_and_every_place_was_looked_at(told: Telling, places: dict[str, str]) -> None:
    tokens = [token for token in told.client.tokens if token.count(".") == 2]

    assert len(told.vault_secrets) >= 4, "two passwords and two refresh tokens at the least"
    assert len(tokens) >= 8, "of four callers, and of five resources"
    assert {"tables", "queues", "journal", "app.log", "simulator.log", "azurite.log"} <= places.keys()
    for name, trace in {
        "tables": "serviceAccountCreated",
        "queues": '"decision":"denied"',
        "journal": "/oauth2/v2.0/token",
        "app.log": "Request method: 'POST'",
    }.items():
        assert trace in places[name], f"{name} was not looked at"


def test_no_secret_is_anywhere_but_in_the_vault(told: Telling, places: dict[str, str]) -> None:
    signatures = {token.rpartition(".")[2] for token in told.client.tokens}
    ours = {APP_CLIENT_SECRET, MANAGED_IDENTITY.header, told.client.addresses.master_key}
    storage = dict(part.split("=", 1) for part in told.client.addresses.storage_connection_string.split(";"))

    secrets = told.vault_secrets | signatures | ours | {storage["AccountKey"]}
    found = {name: sum(secret in text for secret in secrets) for name, text in places.items()}

    assert all(len(secret) >= 16 for secret in secrets)
    assert found == dict.fromkeys(places, 0)


def test_nothing_that_looks_like_a_token_or_an_assertion_is_anywhere(places: dict[str, str]) -> None:
    found = {name: len(JWT.findall(text)) for name, text in places.items()}

    assert found == dict.fromkeys(places, 0)


def test_the_app_needs_less_than_150_megabytes(told: Telling) -> None:
    assert told.memory < 150 * 1024 * 1024
