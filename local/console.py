"""The built console as static files on 127.0.0.1, with the headers that infra/console_site.py publishes it with.

`python -m local.console --port N --api URL --authority URL …` serves until it is stopped.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import signal
import sys
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from infra.console_site import BUILT, ConsoleSettings


def configuration(settings: ConsoleSettings) -> Mapping[str, object]:
    """`config.json`.

    Entra's addresses are spelt out, so that the first thing a browser opens there is the sign-in page: that is where a
    person can accept the simulator's certificate.
    """
    authority = settings.authority
    metadata = {
        "issuer": f"{authority}/v2.0",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "end_session_endpoint": f"{authority}/oauth2/v2.0/logout",
        "jwks_uri": f"{authority}/discovery/v2.0/keys",
    }
    return {**settings.document(), "authorityMetadata": metadata}


def server(port: int, settings: ConsoleSettings, files: Path = BUILT) -> ThreadingHTTPServer:
    """A server of the files below `files`, listening on 127.0.0.1 at once.

    Raises:
        OSError: the port is taken.
    """
    config = json.dumps(configuration(settings)).encode()

    class Handler(_Handler):
        below: ClassVar[Path] = files
        told: ClassVar[bytes] = config
        sent_by: ClassVar[ConsoleSettings] = settings

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


class _Handler(BaseHTTPRequestHandler):
    below: ClassVar[Path]
    told: ClassVar[bytes]
    sent_by: ClassVar[ConsoleSettings]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/config.json":
            self._send(path, "application/json", self.told)
            return
        # What is there now: a new build needs no restart. Nothing else has an address, whatever the path says.
        pages = {f"/{each.relative_to(self.below).as_posix()}": each for each in self.below.rglob("*")}
        file = pages.get("/index.html" if path == "/" else path)
        if file is None or not file.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._send(path, mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())

    def _send(self, path: str, kind: str, body: bytes) -> None:
        headers = {**self.sent_by.headers_of(path), "Content-Type": kind, "Content-Length": str(len(body))}
        self.send_response(HTTPStatus.OK)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Files being fetched are no news."""


def main() -> None:
    """Serves until SIGINT or SIGTERM; prints one line of JSON, `{"console": URL}`, when ready."""
    parser = argparse.ArgumentParser(prog="python -m local.console", description=main.__doc__)
    parser.add_argument("--port", type=int, default=7080, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--api", required=True, help="address of the API, before /v1")
    parser.add_argument("--authority", required=True, help="Entra's address with the vendor's tenant")
    parser.add_argument("--client-id", required=True, help="the console's application id")
    parser.add_argument("--scope", required=True, help="what the console asks a token for")
    given = parser.parse_args()
    stop_signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop_signals)  # before the thread exists: only sigwait takes them
    listening = server(given.port, ConsoleSettings(given.api, given.authority, given.client_id, given.scope))
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    sys.stdout.write(json.dumps({"console": f"http://127.0.0.1:{listening.server_port}"}) + "\n")
    sys.stdout.flush()
    signal.sigwait(stop_signals)


if __name__ == "__main__":
    main()
