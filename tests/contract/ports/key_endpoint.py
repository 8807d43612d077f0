"""An https server that publishes a tenant's signing keys, well or badly, and counts who asks."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import trustme
from jwt.algorithms import RSAAlgorithm

from tests.doors.tokens import KEY_ID, TENANT, private_key


def jwk(kid: object, *, key: str = "entra", bits: int = 2048, **changes: object) -> dict[str, object]:
    """A public key as Entra publishes it; a change to None takes the field away."""
    numbers = RSAAlgorithm.to_jwk(private_key(key, bits).public_key(), as_dict=True)
    entry = {"kty": "RSA", "use": "sig", "kid": kid, "n": numbers["n"], "e": numbers["e"], "x5t": kid} | changes
    return {name: value for name, value in entry.items() if value is not None}


def key_set(*entries: object) -> bytes:
    return json.dumps({"keys": entries}).encode()


@dataclass
class KeyEndpoint:
    """What the endpoint answers, what it does before that, and which paths it was asked for."""

    port: int
    body: bytes = field(default_factory=lambda: key_set(jwk(KEY_ID)))
    status: int = 200
    before: Callable[[], object] = lambda: None
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"https://127.0.0.1:{self.port}/{TENANT}/v2.0"


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def serving(ca_file: Path) -> Iterator[KeyEndpoint]:
    """The endpoint on a free port; the certificate of the authority that vouches for it is written to `ca_file`."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            endpoint.asked.append(self.path)
            endpoint.before()
            self.send_response(endpoint.status)
            self.send_header("Location", f"/{TENANT}/elsewhere")
            self.end_headers()
            self.wfile.write(endpoint.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: what was asked is in `asked`."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Nothing: clients that hang up are part of the tests."""

    _authority().cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert("127.0.0.1").configure_cert(context)
    with Server(("127.0.0.1", 0), Answering) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        endpoint = KeyEndpoint(server.server_port)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield endpoint
        finally:
            server.shutdown()
            thread.join()
