"""The first start, walked through dry: what Bicep configures is enough, and whatever is missing is named."""

from __future__ import annotations

import re

import pytest

from shared.config import SettingInvalid, read_settings
from tests.infra.bicep_template import Deployment
from tests.infra.promises import settings

REQUIRED = ("SessionStorage__accountName", "KEY_VAULT_URL", "APP_CLIENT_ID", "API_AUDIENCE", "API_ISSUER")


def environment_of(deployment: Deployment) -> dict[str, str]:
    """The settings as the app would find them; values that only Azure knows are made up."""
    known = {".vaultUri>": "https://vault.example/", ".ipPrefix>": "203.0.113.8/31", ".clientId>": "identity"}
    found = {}
    for name, value in settings(deployment).items():
        later = re.fullmatch(r"<.*?(\.\w+>)", value)
        found[name] = known.get(later[1], "made up") if later else value
    return found


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_what_bicep_configures_is_all_that_the_service_needs(name: str, request: pytest.FixtureRequest) -> None:
    deployment: Deployment = request.getfixturevalue(name)

    found = read_settings(environment_of(deployment))

    assert (found.app_client_secret, found.onboarding_client_secret) == (None, None)
    assert found.onboarding_client_id not in (None, found.app_client_id)
    assert found.storage.connection_string is None
    assert found.api_issuer.startswith(found.authority_host)
    assert found.egress_ips == (("203.0.113.8/31",) if name == "prod" else ())


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_setting_is_named(name: str, prod: Deployment) -> None:
    environment = environment_of(prod)
    del environment[name]

    with pytest.raises(SettingInvalid) as refusal:
        read_settings(environment)

    assert name in refusal.value.text


def test_no_other_setting_is_required(prod: Deployment) -> None:
    environment = environment_of(prod)

    read_settings({name: environment[name] for name in REQUIRED})


def test_one_application_does_everything_unless_another_is_named(prod: Deployment) -> None:
    assert read_settings(environment_of(prod) | {"ONBOARDING_CLIENT_ID": ""}).onboarding_client_id is None


def test_the_application_that_can_be_switched_off_is_not_the_one_that_must_not(prod: Deployment) -> None:
    environment = environment_of(prod)

    with pytest.raises(SettingInvalid) as refusal:
        read_settings(environment | {"ONBOARDING_CLIENT_ID": environment["APP_CLIENT_ID"].upper()})

    assert "another application than APP_CLIENT_ID" in refusal.value.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SessionStorage__credential", "systemassigned"),
        ("KEY_VAULT_URL", "http://vault.example"),
        ("ENTRA_AUTHORITY_HOST", "login.example"),
        ("GRAPH_ENDPOINT", "http://graph.example"),
        ("APP_CLIENT_ID", "management-sessions"),
        ("ONBOARDING_CLIENT_ID", "management-sessions-onboarding"),
        ("API_AUDIENCE", "api://management-sessions"),
        ("API_ISSUER", "https://login.example/common/v2.0"),
        ("EGRESS_IPS", "203.0.113.9/31"),
        ("EGRESS_COUNTRY", "NLD"),
        ("STUCK_AFTER_SECONDS", "two minutes"),
        ("RETENTION_DAYS", "7"),
        ("RETENTION_DAYS", "10000"),
        ("CONSENT_REDIRECT_URI", "http://console.example"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(name: str, value: str, prod: Deployment) -> None:
    environment = environment_of(prod) | {name: value}

    with pytest.raises(SettingInvalid) as refusal:
        read_settings(environment)

    assert name in refusal.value.text
    assert value not in refusal.value.text
