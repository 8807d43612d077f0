"""A storage account that answers as a test says: for the failures that Azurite cannot be asked for."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

from azure.core.credentials import AccessToken

from local.simulator.certificates import server_context
from shared.adapters.storage.account import ByIdentity, StorageAccount

TOKEN: Final = "only-for-tests-storage-token"


class TestIdentity:
    """A credential whose token is always good (azure.core.credentials.TokenCredential)."""

    __test__ = False

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken(TOKEN, 2**31)


@dataclass(slots=True)
class StubStorage:
    """What the account answers to everything.

    Attributes:
        status: None hangs up without an answer.
        code: storage's error code.
        received: method and Authorization header of every request.
    """

    url: str
    status: int | None = None
    code: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    received: list[tuple[str, str]] = field(default_factory=list)

    def account(self) -> StorageAccount:
        """The account, opened by an identity."""
        return StorageAccount(ByIdentity(self.url, self.url, TestIdentity))


@contextmanager
def stub_storage(ca_bundle: Path) -> Iterator[StubStorage]:
    """A stub on a free port; whoever trusts the authorities in `ca_bundle`, which is written here, trusts it."""

    class Handler(BaseHTTPRequestHandler):
        """Answers every request alike."""

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stub.received.append((self.command, self.headers.get("Authorization", "")))
            if stub.status is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = json.dumps({"odata.error": {"code": stub.code, "message": {"value": "Only for tests."}}}).encode()
            self.send_response(stub.status)
            for name, value in (
                stub.headers | {"Content-Type": "application/json", "x-ms-error-code": stub.code}
            ).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass  # the test looks at `received`

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = server_context(ca_bundle).wrap_socket(server.socket, server_side=True)
    stub = StubStorage(f"https://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
