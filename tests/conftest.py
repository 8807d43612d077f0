"""What every suite may lean on: one Azurite and one simulated Microsoft 365 for the whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.simulator.server import Simulator
from local.storage import Azurite


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The connection string of an empty storage account; use names of your own in it, for others use it too."""
    with Azurite(log=tmp_path_factory.mktemp("azurite") / "azurite.log") as storage:
        yield storage.connection_string


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    """A simulator on free ports."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """The simulator, freshly seeded, in real time and without faults."""
    running_simulator.reset()
    return running_simulator
