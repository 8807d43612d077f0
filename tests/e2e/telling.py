"""The demo's story, told in the background on a stack that logs all it can; every secret in it is written down."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueClient, QueueServiceClient

from local.addresses import PROJECT
from local.client import Client, Reply
from local.demo import Story
from local.executor import Executor
from local.stack import Stack
from local.stage import TENANT
from local.tokens import bearer

_CHATTY: Final = """
import logging

import shared.telemetry  # it quiets them when it is loaded

for _library in ("azure", "msal", "urllib3", "requests"):
    logging.getLogger(_library).setLevel(logging.DEBUG)
"""
_VAULT_API: Final = "7.4"
_WITHIN: Final = 180.0  # seconds


@dataclass(frozen=True)
class Recorder(Client):
    """A client that keeps every access token it is given."""

    tokens: set[str] = field(default_factory=set, repr=False)

    def send(self, method: str, url: str, content: object, headers: Any) -> Reply:
        reply = super().send(method, url, content, headers)
        if isinstance(reply.json, dict):
            found = (reply.json.get(name) for name in ("accessToken", "access_token"))
            self.tokens.update(token for token in found if isinstance(token, str))
        return reply


class Telling:
    """A story under way; it ends with the `with` block."""

    def __init__(self, directory: Path) -> None:
        app = debugging_app(directory / "app")
        self._stack = Stack(directory=directory / "stack", app_directory=app)
        self.logs = directory / "stack" / "logs"
        self.lines: list[tuple[str, str]] = []
        self.vault_secrets: set[str] = set()
        self.queued: set[str] = set()
        self.memory = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._tell, name="story")

    def __enter__(self) -> Self:
        self._stack.__enter__()
        self.client = Recorder(self._stack.addresses)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(_WITHIN)
        self._stack.stop()

    def result(self) -> Self:
        """The story at its end.

        Raises:
            StepFailed, TimeoutError: a step did not come out as told.
        """
        self._thread.join(_WITHIN)
        assert not self._thread.is_alive(), f"the story got no further than {self.lines[-1:]}"
        if self._failure is not None:
            raise self._failure
        return self

    def _tell(self) -> None:
        try:
            for title, step in Story(self.client).steps():
                self.lines.append((title, step()))
                self.vault_secrets |= self._in_the_vault()
                self.queued |= set(stored_messages(self._storage))
            self.memory = resident(self.client.addresses.pids["app"])
            self._leave_a_decision()
        except BaseException as failure:
            self._failure = failure

    def _leave_a_decision(self) -> None:
        """One more action is asked for, and nobody collects the answer: a message that can be looked at."""
        Executor(self.client, bearer(self.client, "executor")).ask(TENANT, "workflow")
        until = time.monotonic() + _WITHIN
        while not stored_messages(self._storage) and time.monotonic() < until:
            time.sleep(0.2)

    @property
    def _storage(self) -> str:
        return self.client.addresses.storage_connection_string

    def places(self) -> dict[str, str]:
        """Whatever was written down anywhere but in Key Vault."""
        return {
            "tables": "\n".join(stored_rows(self._storage)),
            "queues": "\n".join([*self.queued, *stored_messages(self._storage)]),
            "journal": self.client.control("GET", "/journal").body.decode(),
            **{log.name: log.read_text("utf-8") for log in self.logs.glob("*.log")},
        }

    def _in_the_vault(self) -> set[str]:
        """The values of all versions that can still be read."""
        values = set()
        for secret in self._vault(f"{self.client.addresses.key_vault}/secrets"):
            for version in self._vault(f"{secret['id']}/versions"):
                if version["attributes"]["enabled"]:
                    values.add(str(self._vault_get(f"{version['id']}?api-version={_VAULT_API}")["value"]))
        return values

    def _vault(self, url: str) -> list[dict[str, Any]]:
        """All rows of one of the vault's lists."""
        rows: list[dict[str, Any]] = []
        following: str | None = f"{url}?api-version={_VAULT_API}"
        while following:
            page = self._vault_get(following)
            rows += page["value"]
            following = page.get("nextLink")
        return rows

    def _vault_get(self, url: str) -> dict[str, Any]:
        """What the vault answers to the app's own identity."""
        addresses = self.client.addresses
        challenge = self.client.send("GET", url, None, {}).headers["www-authenticate"]
        resource = re.search(r'resource="([^"]+)"', challenge)
        assert resource
        query = urlencode({"api-version": "2019-08-01", "resource": resource[1]})
        identity = {"X-IDENTITY-HEADER": addresses.settings["IDENTITY_HEADER"]}
        token = self.client.send("GET", f"{addresses.settings['IDENTITY_ENDPOINT']}?{query}", None, identity).json
        assert isinstance(token, dict)
        found = self.client.send("GET", url, None, {"Authorization": f"Bearer {token['access_token']}"}).json
        assert isinstance(found, dict)
        return found


def queue(stack: Stack, name: str) -> QueueClient:
    """A queue of a running stack; what is sent lies there as it is."""
    return QueueClient.from_connection_string(stack.addresses.storage_connection_string, name)


def stored_messages(connection: str) -> list[str]:
    """What lies in any queue, poison queues included, as text."""
    with QueueServiceClient.from_connection_string(connection) as service:
        queues = [service.get_queue_client(queue.name) for queue in service.list_queues()]
        found = [str(message.content) for queue in queues for message in queue.peek_messages(max_messages=32)]
    return [b64decode(content).decode() for content in found]


def stored_rows(connection: str) -> list[str]:
    """Every row of every table, as JSON."""
    with TableServiceClient.from_connection_string(connection) as service:
        tables = [service.get_table_client(table.name) for table in service.list_tables()]
        return [json.dumps(dict(row), default=str) for table in tables for row in table.list_entities()]


def debugging_app(directory: Path) -> Path:
    """The app as it ships, but for its logs: every library is asked to tell all, and the host lets it all through."""
    directory.mkdir(parents=True)
    shipped = (PROJECT / "function_app.py").read_text("utf-8")
    (directory / "function_app.py").write_text(shipped + _CHATTY, "utf-8")
    host = json.loads((PROJECT / "host.json").read_text("utf-8"))
    host["logging"]["logLevel"] = {"default": "Trace"}
    (directory / "host.json").write_text(json.dumps(host), "utf-8")
    return directory


def resident(pid: int) -> int:
    """A process's memory in bytes, as `ps` tells it on Linux and macOS alike."""
    ps = shutil.which("ps")
    if ps is None:  # a bare container; Linux then
        status = Path(f"/proc/{pid}/status").read_text("ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024
    return int(subprocess.run([ps, "-o", "rss=", "-p", str(pid)], check=True, capture_output=True).stdout) * 1024
