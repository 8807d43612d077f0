"""What the Vault port promises, kept by the fake and by Key Vault's adapter alike."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from local.simulator.seed import MANAGED_IDENTITY
from local.simulator.server import Simulator
from shared.adapters.key_vault import KeyVaultSecrets
from shared.adapters.managed_identity import ManagedIdentity
from shared.domain.errors import Code, Refused, ReplyLost, Transient
from shared.domain.ports import Vault
from shared.domain.secret import Secret
from tests.fakes.vault import FakeVault

FIRST, SECOND = Secret("only-for-tests-first"), Secret("only-for-tests-second")
PURPOSE = "service account password"
EARLIER, LATER = datetime(2001, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)


@pytest.fixture
def name() -> str:
    return f"account-{uuid4()}-password"


def _unreadable(vault: Vault, name: str, version: str | None = None) -> Code:
    with pytest.raises(Refused) as refusal:
        vault.get(name, version)
    return refusal.value.problem.code


class VaultPromises:
    """Every implementation passes these."""

    @pytest.fixture
    def vault(self) -> Vault:
        raise NotImplementedError

    def test_secret_that_was_put_is_read_by_its_version_and_as_the_newest(self, vault: Vault, name: str) -> None:
        first = vault.put(name, FIRST, purpose=PURPOSE)
        second = vault.put(name, SECOND, purpose=PURPOSE)

        assert vault.get(name, first) == FIRST
        assert vault.get(name, second) == vault.get(name) == SECOND

    def test_newest_version_is_named_while_it_can_be_read(self, vault: Vault, name: str) -> None:
        before = vault.newest(name)
        first = vault.put(name, FIRST, purpose=PURPOSE)
        second = vault.put(name, SECOND, purpose=PURPOSE)

        assert before is None
        assert vault.newest(name) == second
        vault.retire(name, first)
        assert vault.newest(name) == second
        vault.retire(name, second)
        assert vault.newest(name) is None

    def test_deleted_secret_has_no_newest_version(self, vault: Vault, name: str) -> None:
        vault.put(name, FIRST, purpose=PURPOSE)

        vault.delete(name)

        assert vault.newest(name) is None

    def test_every_version_that_can_be_read_is_found_however_many_there_are(self, vault: Vault, name: str) -> None:
        before = vault.readable(name, before=LATER)
        first, second, *others = (vault.put(name, FIRST, purpose=PURPOSE) for _ in range(30))
        vault.retire(name, second)

        assert before == ()
        assert set(vault.readable(name, before=LATER)) == {first, *others}
        assert vault.readable(name, before=EARLIER) == ()
        vault.delete(name)
        assert vault.readable(name, before=LATER) == ()

    def test_secret_that_was_never_put_is_missing(self, vault: Vault, name: str) -> None:
        assert not vault.exists(name)
        assert _unreadable(vault, name) is Code.SECRET_MISSING

    def test_version_that_was_never_made_is_missing(self, vault: Vault, name: str) -> None:
        vault.put(name, FIRST, purpose=PURPOSE)

        assert _unreadable(vault, name, uuid4().hex) is Code.SECRET_MISSING

    def test_retired_version_cannot_be_read_and_others_can(self, vault: Vault, name: str) -> None:
        first = vault.put(name, FIRST, purpose=PURPOSE)
        second = vault.put(name, SECOND, purpose=PURPOSE)

        vault.retire(name, first)

        assert _unreadable(vault, name, first) is Code.SECRET_MISSING
        assert vault.get(name, second) == SECOND

    def test_name_exists_though_its_newest_version_is_retired(self, vault: Vault, name: str) -> None:
        vault.retire(name, vault.put(name, FIRST, purpose=PURPOSE))

        assert vault.exists(name)
        assert _unreadable(vault, name) is Code.SECRET_MISSING

    def test_retiring_what_is_gone_is_fine(self, vault: Vault, name: str) -> None:
        vault.retire(name, uuid4().hex)
        version = vault.put(name, FIRST, purpose=PURPOSE)
        vault.delete(name)

        vault.retire(name, version)

        assert not vault.exists(name)

    def test_deleted_name_cannot_be_read_and_deleting_it_again_is_fine(self, vault: Vault, name: str) -> None:
        version = vault.put(name, FIRST, purpose=PURPOSE)

        vault.delete(name)
        vault.delete(name)

        assert not vault.exists(name)
        assert _unreadable(vault, name) is Code.SECRET_MISSING
        assert _unreadable(vault, name, version) is Code.SECRET_MISSING

    def test_name_that_was_deleted_can_be_used_again(self, vault: Vault, name: str) -> None:
        vault.put(name, FIRST, purpose=PURPOSE)
        vault.delete(name)

        version = vault.put(name, SECOND, purpose=PURPOSE)

        assert vault.get(name) == vault.get(name, version) == SECOND


class TestFakeVault(VaultPromises):
    """The fake that services are tested with."""

    @pytest.fixture
    def vault(self) -> Vault:
        return FakeVault()


class TestKeyVault(VaultPromises):
    """Key Vault's adapter, with the client library's own challenge verification, on the simulated vault."""

    @pytest.fixture
    def vault(self, key_vault: KeyVaultSecrets) -> Vault:
        return key_vault

    def test_every_version_says_what_it_is_for_and_whose_it_is(
        self, key_vault: KeyVaultSecrets, cloud: Simulator, name: str
    ) -> None:
        key_vault.put(name, FIRST, purpose=PURPOSE)

        _, version = cloud.world.vault.get(name, "", now=cloud.clock.now())
        assert version.tags == {"purpose": PURPOSE, "managed-by": "management-sessions"}
        assert version.content_type == "text/plain"

    @pytest.mark.parametrize("state", ["deletion_seconds", "recovery_seconds"])
    def test_name_between_two_states_is_left_to_the_queue(
        self, key_vault: KeyVaultSecrets, cloud: Simulator, name: str, state: str
    ) -> None:
        setattr(cloud.world.vault, state, 60.0)
        key_vault.put(name, FIRST, purpose=PURPOSE)
        key_vault.delete(name)

        with pytest.raises(Transient) as unsettled:
            key_vault.put(name, SECOND, purpose=PURPOSE)

        assert not isinstance(unsettled.value, ReplyLost)
        assert unsettled.value.retry_after
        cloud.clock.advance(61)
        key_vault.put(name, SECOND, purpose=PURPOSE)
        cloud.clock.advance(61)
        assert key_vault.put(name, SECOND, purpose=PURPOSE)

    def test_vault_that_lets_us_no_longer_in_is_our_trouble_and_not_the_tenant_s(
        self, cloud: Simulator, key_vault: KeyVaultSecrets, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        version = key_vault.put(name, FIRST, purpose=PURPOSE)
        stranger = ManagedIdentity(MANAGED_IDENTITY.client_id)
        monkeypatch.setenv("IDENTITY_HEADER", "only-for-tests-wrong-header")
        locked_out = KeyVaultSecrets(cloud.key_vault_url, lambda: stranger.credential, pause=lambda _: None)

        with pytest.raises(Transient) as refusal:
            locked_out.get(name, version)

        assert refusal.value.problem.code is Code.SERVICE_UNAVAILABLE
