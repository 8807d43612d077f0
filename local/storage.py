"""Azure Storage on this machine: Azurite in memory on 127.0.0.1, with the tables and queues that the app expects."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local.addresses import LOCAL
from local.children import Child, free_ports
from local.node import find_node, installed

# 3.33.0 behaves as newer ones in all that we use, is half their size, starts faster and has no telemetry.
_VERSION = "3.33.0"
_READY_WITHIN = 30.0  # seconds; it takes two on an idle machine

# Every emulator has this account and key; Microsoft publishes them: learn.microsoft.com/azure/storage/common/
# storage-use-azurite, "Well-known storage account and key".
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True, slots=True)
class StoragePorts:
    """Where Azurite listens on 127.0.0.1; the defaults are Azurite's own."""

    blob: int = 10000
    queue: int = 10001
    table: int = 10002

    @classmethod
    def free(cls) -> StoragePorts:
        """Ports that nobody uses."""
        return cls(*free_ports(3))

    def connection_string(self) -> str:
        """What a storage client connects with."""
        return ";".join(
            [
                "DefaultEndpointsProtocol=http",
                f"AccountName={_ACCOUNT}",
                f"AccountKey={_KEY}",
                f"BlobEndpoint=http://127.0.0.1:{self.blob}/{_ACCOUNT}",
                f"QueueEndpoint=http://127.0.0.1:{self.queue}/{_ACCOUNT}",
                f"TableEndpoint=http://127.0.0.1:{self.table}/{_ACCOUNT}",
            ]
        )


class Azurite:
    """A running Azurite, from `start` (or `with`) to `stop`; what it held is gone then.

    `ports` are free ones by default.
    """

    def __init__(self, ports: StoragePorts | None = None, *, log: Path | None = None) -> None:
        self.ports = ports or StoragePorts.free()
        self.connection_string = self.ports.connection_string()
        self._log = log or LOCAL / "logs" / "azurite.log"
        self._child: Child | None = None

    def start(self) -> Child:
        """Starts Azurite, installing it the first time, without waiting until it is ready.

        Raises:
            InstallFailed: npm could not install it.
        """
        home = installed("azurite", _VERSION, directory=LOCAL / "npm")
        options = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck"]
        for service, port in (("blob", self.ports.blob), ("queue", self.ports.queue), ("table", self.ports.table)):
            options += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
        command = [find_node().node, str(home / "dist" / "src" / "azurite.js"), *options]
        self._child = Child("azurite", command, log=self._log)
        return self._child

    def wait_until_ready(self) -> None:
        """Returns when all three services accept connections.

        Raises:
            ChildFailed: Azurite ended, or is not ready in time; a taken port is the usual reason.
        """
        if self._child is None:
            raise RuntimeError("Azurite was not started.")
        # Of the three services the table service starts last. Trying to connect would not do: on a port that was taken
        # somebody else answers.
        self._child.await_line("Table service is successfully listening", within=_READY_WITHIN)

    def create(self, *, tables: Iterable[str] = (), queues: Iterable[str] = ()) -> None:
        """Creates the tables and queues of these names; one that is there already stays as it is."""
        with TableServiceClient.from_connection_string(self.connection_string) as table_service:
            for name in tables:
                table_service.create_table_if_not_exists(name)
        with QueueServiceClient.from_connection_string(self.connection_string) as queue_service:
            for name in queues:
                with suppress(ResourceExistsError):
                    queue_service.create_queue(name).close()

    def stop(self) -> None:
        """Ends Azurite. Nothing happens when it does not run."""
        if self._child:
            self._child.stop()

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
