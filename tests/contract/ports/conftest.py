"""The adapters as production builds them, pointed at the simulated Microsoft 365."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.simulator.seed import MANAGED_IDENTITY
from local.simulator.server import Simulator
from shared.adapters.key_vault import KeyVaultSecrets
from shared.adapters.managed_identity import ManagedIdentity
from tests.contract.ports.stages import SimulatedStage


@pytest.fixture
def cloud(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The simulator, and around us the environment that an app has beside it."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(simulator.ca_bundle))
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{simulator.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", MANAGED_IDENTITY.header)
    return simulator


@pytest.fixture
def simulated(cloud: Simulator) -> SimulatedStage:
    """The adapters on a healthy tenant, with the client secret a developer's machine uses."""
    return SimulatedStage(cloud)


@pytest.fixture
def identity() -> ManagedIdentity:
    """The app's identity."""
    return ManagedIdentity(MANAGED_IDENTITY.client_id)


@pytest.fixture
def key_vault(cloud: Simulator, identity: ManagedIdentity) -> KeyVaultSecrets:
    """The app's vault, which nobody waits for."""

    def pause(span: timedelta) -> None:
        assert span <= timedelta(seconds=10)

    return KeyVaultSecrets(cloud.key_vault_url, lambda: identity.credential, pause=pause)
