"""Where times are taken: a running stack whose app has bare functions beside its doors, and customers on it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from bench.bare import functions as bare
from bench.customers import Customers
from bench.executions import Executions
from bench.mailbox import Mailbox
from local.addresses import PROJECT
from local.client import COMES_WITHIN, Client
from local.stack import Stack
from local.tokens import bearer, claims_of

QUIET: Final = {"UPKEEP_SCHEDULE": "0 0 0 1 1 *"}
"""The timer goes off on New Year's Day: upkeep must not come into a measurement."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running stack, and customers whose sessions are on.

    Attributes:
        tenants: the customers' ids.
    """

    stack: Stack
    client: Client
    tenants: Sequence[str]
    _logs: Path

    @classmethod
    @contextmanager
    def opened(cls, directory: Path, *, customers: int) -> Iterator[Self]:
        """The place, while the block lasts; its logs are in `directory`.

        Raises:
            ChildFailed, InstallFailed: the stack cannot be started.
            NotReady: a customer's session cannot be turned on.
        """
        app = directory / "app"
        app.mkdir(parents=True, exist_ok=True)
        for source in (PROJECT / "host.json", PROJECT / "bench" / "bare" / "function_app.py"):
            shutil.copy(source, app)
        with Stack(directory=directory, app_directory=app, settings=QUIET) as stack:
            connection_string = stack.addresses.storage_connection_string
            with TableServiceClient.from_connection_string(connection_string) as tables:
                tables.create_table(bare.TABLE)
            with QueueServiceClient.from_connection_string(connection_string) as queues:
                for name in (bare.REQUESTS, bare.RESULTS):
                    queues.create_queue(name).close()
            client = Client(stack.addresses)
            people = Customers(client)
            tenants = people.with_accounts(customers)
            people.turn_on(tenants)
            yield cls(stack, client, tenants, directory / "logs")

    def mailbox(self) -> Mailbox:
        """The queues of the executors' application; to be entered."""
        executor = str(claims_of(bearer(self.client, "executor"))["azp"])
        return Mailbox(self.stack.addresses.storage_connection_string, executor=executor)

    def lease(self) -> tuple[str, str, str]:
        """The ids of a tenant, of a new lease there, and of the action it is for."""
        tenant_id = self.tenants[0]
        with self.mailbox() as mailbox:
            (decision,) = mailbox.await_decisions([mailbox.ask(tenant_id)], within=COMES_WITHIN)
        return tenant_id, str(decision["leaseId"]), str(decision["actionId"])

    def line(self) -> Line:
        """A connection of one caller, to be closed."""
        return Line(self.stack.addresses.api)

    def executions(self) -> Executions:
        """What the host will log of its functions from now on."""
        return Executions(self._logs / "app.log")


class Line:
    """One caller's connection to the API, kept open as executors keep theirs."""

    def __init__(self, api: str) -> None:
        parts = urlsplit(api)
        self._prefix = parts.path
        self._connection = HTTPConnection(str(parts.hostname), parts.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
        """The body of the answer, which must be 200; `path` begins after /api.

        Raises:
            RuntimeError: it is something else.
        """
        self._connection.request(method, f"{self._prefix}{path}", body, dict(headers))
        response = self._connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{method} {path}: {response.status} {content.decode()[:200]}")
        return content

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
