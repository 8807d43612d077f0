"""The SDKs pointed at the simulator, which every test finds at its beginning."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from azure.keyvault.secrets import SecretClient
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from local.simulator.seed import MANAGED_IDENTITY
from local.simulator.server import Simulator
from local.simulator.signing import SigningKey
from tests.simulator.clients import Microsoft, session_for


@pytest.fixture
def microsoft(simulator: Simulator) -> Iterator[Microsoft]:
    """The SDKs, pointed at the simulator."""
    with session_for(simulator) as session:
        yield Microsoft(simulator, session)


@pytest.fixture
def vault(microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretClient]:
    """azure-keyvault-secrets with a managed identity, exactly as the app has them in the cloud."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{microsoft.simulator.url}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", MANAGED_IDENTITY.header)
    with microsoft.vault() as client:
        yield client


@pytest.fixture(scope="session")
def strange_key() -> SigningKey:
    """A key that the simulator never published, under any id."""
    return SigningKey("strange", generate_private_key(public_exponent=65537, key_size=2048))
