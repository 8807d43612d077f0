"""The simulated Microsoft 365 as one thing that starts and stops: two HTTPS ports over one world."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from local.simulator.certificates import server_context
from local.simulator.clock import Clock
from local.simulator.control import ControlService
from local.simulator.dispatch import Dispatcher, classify
from local.simulator.entra.managed_identity import ManagedIdentityService
from local.simulator.entra.service import EntraService
from local.simulator.faults import Faults
from local.simulator.graph_service import GraphService
from local.simulator.journal import Journal
from local.simulator.key_vault.service import KeyVaultService
from local.simulator.listener import Listener
from local.simulator.seed import MANAGED_IDENTITY, restore
from local.simulator.state import World
from local.simulator.wire import Service


class Simulator:
    """A running simulator: `with Simulator() as simulator: … simulator.url …`.

    Port 0 takes a free one. Without `ca_directory` the bundle that trusts its certificate is written to a temporary
    directory and removed at the end.

    Raises:
        OSError: a port is taken.
    """

    def __init__(self, *, port: int = 0, key_vault_port: int = 0, ca_directory: Path | None = None) -> None:
        self.world = World()
        self.faults = Faults()
        self.journal = Journal()
        services: dict[str, Service] = {
            "entra": EntraService(self.world),
            "graph": GraphService(self.world),
            "keyVault": KeyVaultService(self.world, MANAGED_IDENTITY.object_id),
            "managedIdentity": ManagedIdentityService(self.world, MANAGED_IDENTITY),
            "control": ControlService(self.world, self.faults, self.journal),
        }
        answer = Dispatcher(self.world, services, self.faults, self.journal).answer
        with ExitStack() as closing:
            directory = ca_directory or Path(closing.enter_context(TemporaryDirectory(prefix="simulator-")))
            self.ca_bundle = directory / "ca-bundle.pem"
            context = server_context(self.ca_bundle)
            self._microsoft = Listener(port, context, answer=answer, classify=classify)
            closing.callback(self._microsoft.server_close)
            self._vault = Listener(key_vault_port, context, answer=answer, classify=lambda _: "keyVault")
            closing.callback(self._vault.server_close)
            self._closing = closing.pop_all()
        self.world.origin = self._microsoft.origin
        self.world.key_vault_origin = self._vault.origin
        restore(self.world)

    @property
    def url(self) -> str:
        """Where Entra, Graph, the managed identity and the control interface are."""
        return self._microsoft.origin

    @property
    def key_vault_url(self) -> str:
        """Where the vault is."""
        return self._vault.origin

    @property
    def clock(self) -> Clock:
        """The time of the simulated world."""
        return self.world.clock

    def reset(self) -> None:
        """Back to the beginning: the seeded world, the real time, no faults, an empty journal."""
        restore(self.world)
        self.faults.clear()
        self.journal.clear()

    def start(self) -> None:
        """Serves, in threads of its own."""
        for listener in (self._microsoft, self._vault):
            listener.start()
            self._closing.callback(listener.stop)

    def stop(self) -> None:
        """Closes both ports and every connection."""
        self._closing.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
