"""Where requests are counted: the app in this process, over Azurite and a simulated Microsoft 365."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from azure.storage.queue import QueueClient

from bench.customers import Customers
from bench.place import QUIET
from bench.traffic import Service, Traffic
from local.addresses import PROJECT, Addresses
from local.client import Client
from local.host import FunctionHost
from local.simulator.server import Simulator
from local.stack import QUEUES, TABLES, app_settings
from local.storage import Azurite
from shared import wiring
from shared.adapters.clock import SystemClock

OPERATIONS: Final = "operations"


class MovedClock(SystemClock):
    """The system's clock, ahead of time (TickingClock port)."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self._ahead

    def advance(self, span: timedelta) -> None:
        """Let `span` have passed."""
        self._ahead += span


@dataclass(frozen=True, slots=True)
class CountedPlace:
    """The app, its traffic, and what is around it.

    Attributes:
        host: in this process, with its queues not polled: `poll` it, or let `couriers` bring it its own messages.
        clock: the service's; the simulator has its own.
    """

    host: FunctionHost
    traffic: Traffic
    simulator: Simulator
    client: Client
    connection_string: str
    clock: MovedClock

    @classmethod
    @contextmanager
    def opened(cls, directory: Path) -> Iterator[Self]:
        """The place, while the block lasts.

        Raises:
            ChildFailed, InstallFailed: Azurite cannot be started.
        """
        with ExitStack() as stack:
            azurite = stack.enter_context(Azurite(log=directory / "azurite.log"))
            azurite.create(tables=TABLES, queues=QUEUES)
            simulator = stack.enter_context(Simulator())
            connection = azurite.connection_string
            settings = app_settings(simulator.url, simulator.key_vault_url, connection, str(simulator.ca_bundle))
            traffic = Traffic(
                {
                    azurite.ports.table: Service.TABLES,
                    azurite.ports.queue: Service.QUEUES,
                    urlsplit(simulator.key_vault_url).port or 0: Service.VAULT,
                    urlsplit(simulator.url).port or 0: Service.ENTRA,
                }
            )
            stack.enter_context(traffic.watched())
            clock = stack.enter_context(_new_process())
            host = stack.enter_context(FunctionHost(PROJECT, settings | QUIET))
            api = f"http://127.0.0.1:{host.listen()}/api"
            addresses = Addresses(
                api=api,
                simulator=simulator.url,
                key_vault=simulator.key_vault_url,
                ca_bundle=simulator.ca_bundle,
                storage_connection_string=connection,
                settings=settings,
                master_key=host.master_key,
                pids={"stack": os.getpid()},
            )
            yield cls(host, traffic, simulator, Client(addresses), connection, clock)

    @property
    def customers(self) -> Customers:
        """What administrators and operators do here."""
        return Customers(self.client)

    @contextmanager
    def couriers(self) -> Iterator[Couriers]:
        """Bring the app each message of `operations` as soon as it is sent, while the block lasts."""
        with (
            QueueClient.from_connection_string(self.connection_string, OPERATIONS) as queue,
            Couriers(self.host, queue) as couriers,
            self.traffic.told(couriers.sent),
        ):
            yield couriers


@contextmanager
def _new_process() -> Iterator[MovedClock]:
    """Let the app begin as in a process of its own, on a clock that can be moved, and forget it afterwards."""
    clock, name = MovedClock(), "SystemClock"
    production = getattr(wiring, name)
    wiring.services.cache_clear()
    setattr(wiring, name, lambda: clock)
    try:
        yield clock
    finally:
        setattr(wiring, name, production)
        wiring.services.cache_clear()


class Couriers:
    """They stand in for the platform, which takes messages after a pause of its own that says nothing about the app."""

    def __init__(self, host: FunctionHost, queue: QueueClient) -> None:
        self._host = host
        self._queue = queue
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="courier")
        self._under_way: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def sent(self, queue: str) -> None:
        """The service has sent a message: if it is one for itself, bring it."""
        if queue == OPERATIONS:
            self._under_way.append(self._pool.submit(self._bring))

    def wait(self) -> None:
        """Return when everything that was brought is done, and what came of it too.

        Raises:
            RuntimeError: the function has failed.
        """
        while self._under_way:
            self._under_way.pop(0).result()

    def _bring(self) -> None:
        while (message := self._queue.receive_message()) is None:
            time.sleep(0.02)  # it was sent to be seen later, as work is that was put off
        self._queue.delete_message(message)
        if not self._host.deliver(OPERATIONS, message.content).succeeded:
            raise RuntimeError("an operation could not be carried out")
