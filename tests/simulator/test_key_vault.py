"""Key Vault's secrets through azure-keyvault-secrets, with the verification that protects production left on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.keyvault.secrets import SecretClient

from tests.simulator.clients import Microsoft

VALUE = "only-for-tests-value"
RETENTION = 90 * 24 * 3600


def inner_code(error: HttpResponseError) -> str:
    """The machine-readable reason inside a refusal."""
    assert error.error is not None
    return str(error.error.innererror["code"])


def delete(vault: SecretClient, name: str) -> None:
    """Deletes and waits until the secret is among the deleted."""
    vault.begin_delete_secret(name, _polling_interval=0.01).wait()


class CredentialThatMustNotBeAsked:
    """A credential that fails the test when a token is asked of it."""

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        """Nobody may come this far."""
        raise AssertionError(f"asked for {scopes}")


def test_secret_set_is_the_secret_read(vault: SecretClient) -> None:
    expires = datetime(2030, 1, 1, tzinfo=UTC)

    written = vault.set_secret("account", VALUE, content_type="password", tags={"state": "pending"}, expires_on=expires)
    read = vault.get_secret("account")

    assert read.value == VALUE
    assert read.properties.version == written.properties.version
    assert read.properties.tags == {"state": "pending"}
    assert read.properties.content_type == "password"
    assert read.properties.expires_on == expires
    assert read.properties.enabled is True


def test_old_version_stays_readable_by_its_id(vault: SecretClient) -> None:
    old = vault.set_secret("account", VALUE)
    vault.set_secret("account", f"{VALUE}-2")

    assert vault.get_secret("account").value == f"{VALUE}-2"
    assert vault.get_secret("account", old.properties.version).value == VALUE
    versions = [each.version for each in vault.list_properties_of_secret_versions("account")]
    assert len(versions) == 2
    assert old.properties.version in versions


def test_names_do_not_depend_on_case(vault: SecretClient) -> None:
    vault.set_secret("Account", VALUE)

    assert vault.get_secret("account").value == VALUE


def test_unknown_secret_is_404(vault: SecretClient) -> None:
    with pytest.raises(ResourceNotFoundError) as missing:
        vault.get_secret("nothing")

    assert missing.value.error is not None
    assert missing.value.error.code == "SecretNotFound"


def test_disabled_secret_is_403_until_enabled(vault: SecretClient) -> None:
    written = vault.set_secret("account", VALUE, enabled=False)

    with pytest.raises(HttpResponseError) as refused:
        vault.get_secret("account")
    vault.update_secret_properties("account", written.properties.version, enabled=True)

    assert refused.value.status_code == 403
    assert inner_code(refused.value) == "SecretDisabled"
    assert vault.get_secret("account").value == VALUE


def test_updating_replaces_tags_and_keeps_the_value(vault: SecretClient) -> None:
    vault.set_secret("account", VALUE, tags={"state": "pending", "kind": "password"})

    vault.update_secret_properties("account", tags={"state": "current"})

    read = vault.get_secret("account")
    assert read.value == VALUE
    assert read.properties.tags == {"state": "current"}


def test_expired_secret_is_still_readable(vault: SecretClient) -> None:
    vault.set_secret("account", VALUE, expires_on=datetime.now(UTC) - timedelta(days=1))

    assert vault.get_secret("account").value == VALUE


def test_value_may_have_25_kib_and_not_one_byte_more(vault: SecretClient) -> None:
    vault.set_secret("account", "x" * 25 * 1024)

    with pytest.raises(HttpResponseError) as refused:
        vault.set_secret("account", "x" * (25 * 1024 + 1))

    assert refused.value.status_code == 400


def test_deleted_secret_is_gone_but_recoverable(vault: SecretClient) -> None:
    vault.set_secret("account", VALUE)

    delete(vault, "account")

    with pytest.raises(ResourceNotFoundError):
        vault.get_secret("account")
    deleted = vault.get_deleted_secret("account")
    assert deleted.recovery_id is not None
    assert deleted.deleted_date is not None
    assert deleted.scheduled_purge_date == deleted.deleted_date + timedelta(seconds=RETENTION)
    assert [each.name for each in vault.list_deleted_secrets()] == ["account"]


def test_name_of_a_deleted_secret_cannot_be_reused(vault: SecretClient) -> None:
    vault.set_secret("account", VALUE)
    delete(vault, "account")

    with pytest.raises(ResourceExistsError) as refused:
        vault.set_secret("account", VALUE)

    assert refused.value.status_code == 409
    assert inner_code(refused.value) == "ObjectIsDeletedButRecoverable"


def test_recovered_secret_has_all_its_versions(vault: SecretClient) -> None:
    vault.set_secret("account", f"{VALUE}-1")
    vault.set_secret("account", VALUE)
    delete(vault, "account")

    vault.begin_recover_deleted_secret("account", _polling_interval=0.01).wait()

    assert vault.get_secret("account").value == VALUE
    assert len(list(vault.list_properties_of_secret_versions("account"))) == 2


def test_secret_cannot_be_set_while_it_is_being_recovered(vault: SecretClient, microsoft: Microsoft) -> None:
    microsoft.control("PATCH", "world", {"secretRecoverySeconds": 30})
    vault.set_secret("account", VALUE)
    delete(vault, "account")
    vault.begin_recover_deleted_secret("account")

    with pytest.raises(ResourceExistsError) as refused:
        vault.set_secret("account", VALUE)
    with pytest.raises(ResourceNotFoundError):
        vault.get_secret("account")
    microsoft.control("POST", "clock", {"advance": 31})

    assert inner_code(refused.value) == "ObjectIsBeingRecovered"
    assert vault.get_secret("account").value == VALUE


def test_deletion_can_take_its_time(vault: SecretClient, microsoft: Microsoft) -> None:
    microsoft.control("PATCH", "world", {"secretDeletionSeconds": 30})
    vault.set_secret("account", VALUE)
    vault.begin_delete_secret("account")

    with pytest.raises(ResourceNotFoundError):
        vault.get_deleted_secret("account")
    with pytest.raises(ResourceExistsError) as refused:
        vault.set_secret("account", VALUE)
    microsoft.control("POST", "clock", {"advance": 31})

    assert inner_code(refused.value) == "ObjectIsBeingDeleted"
    assert vault.get_deleted_secret("account").name == "account"


def test_purge_is_403_under_purge_protection(vault: SecretClient) -> None:
    vault.set_secret("account", VALUE)
    delete(vault, "account")

    with pytest.raises(HttpResponseError) as refused:
        vault.purge_deleted_secret("account")

    assert refused.value.status_code == 403


def test_purge_without_protection_frees_the_name(vault: SecretClient, microsoft: Microsoft) -> None:
    microsoft.control("PATCH", "world", {"purgeProtection": False})
    vault.set_secret("account", VALUE)
    delete(vault, "account")

    vault.purge_deleted_secret("account")

    with pytest.raises(ResourceNotFoundError):
        vault.get_deleted_secret("account")
    assert vault.set_secret("account", VALUE).properties.recovery_level == "Recoverable+Purgeable"


def test_vault_purges_deleted_secrets_itself_after_ninety_days(vault: SecretClient, microsoft: Microsoft) -> None:
    vault.set_secret("account", VALUE)
    delete(vault, "account")

    microsoft.control("POST", "clock", {"advance": RETENTION})

    assert vault.set_secret("account", VALUE).value == VALUE


def test_lists_come_in_pages_and_never_show_a_value(vault: SecretClient) -> None:
    for number in range(7):
        vault.set_secret(f"account-{number}", VALUE, enabled=number != 3)

    pages = [list(page) for page in vault.list_properties_of_secrets(max_page_size=3).by_page()]

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [each.name for page in pages for each in page] == [f"account-{number}" for number in range(7)]
    assert pages[1][0].enabled is False


def test_managed_identitys_token_survives_a_jump_of_the_simulated_clock(
    vault: SecretClient, microsoft: Microsoft
) -> None:
    vault.set_secret("account", VALUE)

    microsoft.control("POST", "clock", {"advance": 30 * 24 * 3600})

    assert vault.get_secret("account").value == VALUE


def test_sdk_verifies_the_challenge_and_leaves_when_the_resource_is_not_the_vaults(microsoft: Microsoft) -> None:
    by_name = microsoft.simulator.key_vault_url.replace("127.0.0.1", "localhost")
    with (
        SecretClient(
            by_name, CredentialThatMustNotBeAsked(), connection_verify=str(microsoft.simulator.ca_bundle)
        ) as vault,
        pytest.raises(ValueError, match="does not match the requested domain"),
    ):
        vault.get_secret("account")


def test_stranger_is_challenged_and_told_where_to_sign_in(microsoft: Microsoft) -> None:
    world = microsoft.simulator.world

    response = microsoft.session.get(f"{microsoft.simulator.key_vault_url}/secrets/account?api-version=7.4")

    port = microsoft.simulator.key_vault_url.rpartition(":")[2]
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "Unauthorized"
    assert response.headers["WWW-Authenticate"] == (
        f'Bearer authorization="{world.origin}/{world.home_tenant_id}", resource="https://0.0.1:{port}"'
    )


def test_token_for_another_resource_is_401_and_another_principal_403(microsoft: Microsoft) -> None:
    world = microsoft.simulator.world
    port = microsoft.simulator.key_vault_url.rpartition(":")[2]
    strange = world.signing_key.sign({"aud": f"https://0.0.1:{port}", "oid": "somebody", "exp": 2**33})
    url = f"{microsoft.simulator.key_vault_url}/secrets/account?api-version=7.4"

    graph_token = microsoft.app_token()["access_token"]
    wrong_audience = microsoft.session.get(url, headers={"Authorization": f"Bearer {graph_token}"})
    wrong_principal = microsoft.session.get(url, headers={"Authorization": f"Bearer {strange}"})

    assert wrong_audience.status_code == 401
    assert wrong_principal.status_code == 403
    assert wrong_principal.json()["error"]["innererror"]["code"] == "ForbiddenByRbac"


def test_keys_certificates_and_backups_are_refused(vault: SecretClient) -> None:
    vault.set_secret("account", VALUE)

    with pytest.raises(HttpResponseError) as backup:
        vault.backup_secret("account")
    keys = vault.send_request(HttpRequest("GET", "/keys?api-version=7.4"))

    assert (backup.value.status_code, keys.status_code) == (405, 404)
