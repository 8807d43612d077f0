"""The built console as static files on 127.0.0.1, under the Content-Security-Policy it is made for.

`python -m local.console --port N --api URL --authority URL …` serves until it is stopped. The same files with the same
headers work on any static host; only `config.json`, which says where API and Entra are, differs from place to place.
"""

from __future__ import annotations

import argparse
import json
import mimetypes
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from local.addresses import PROJECT

BUILT = PROJECT / "console" / "dist"

# Fluent UI makes empty <style> elements and fills them through the CSSOM. The hash is that of the empty text: it lets
# those elements be, and no style that came as markup.
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """What the console is told of its surroundings."""

    api: str  # where /v1/… is
    authority: str  # Entra's, with the vendor's tenant
    client_id: str
    scope: str

    def document(self) -> Mapping[str, object]:
        """`config.json`.

        Entra's addresses are spelt out, so that the first thing a browser opens there is the sign-in page: that is
        where a person can accept the simulator's certificate.
        """
        authority = self.authority
        return {
            "api": self.api,
            "authority": authority,
            "clientId": self.client_id,
            "scope": self.scope,
            "authorityMetadata": {
                "issuer": f"{authority}/v2.0",
                "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
                "token_endpoint": f"{authority}/oauth2/v2.0/token",
                "end_session_endpoint": f"{authority}/oauth2/v2.0/logout",
                "jwks_uri": f"{authority}/discovery/v2.0/keys",
            },
        }

    def headers(self) -> Mapping[str, str]:
        """What every file is sent with."""
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": f"'self' {_EMPTY_STYLE}",
            "img-src": "'self' data:",
            "connect-src": f"'self' {_origin(self.api)} {_origin(self.authority)}",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        return {
            "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }


def server(port: int, settings: ConsoleSettings, files: Path = BUILT) -> ThreadingHTTPServer:
    """A server of the files below `files`, listening on 127.0.0.1 at once.

    Raises:
        OSError: the port is taken.
    """
    config = json.dumps(settings.document()).encode()

    class Handler(_Handler):
        pages: ClassVar[Mapping[str, Path]] = {
            f"/{path.relative_to(files).as_posix()}": path for path in files.rglob("*") if path.is_file()
        }
        configuration: ClassVar[bytes] = config
        extra: ClassVar[Mapping[str, str]] = settings.headers()

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[Mapping[str, Path]]
    configuration: ClassVar[bytes]
    extra: ClassVar[Mapping[str, str]]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/config.json":
            self._send("application/json", self.configuration)
            return
        file = self.pages.get("/index.html" if path == "/" else path)
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._send(mimetypes.guess_type(file.name)[0] or "application/octet-stream", file.read_bytes())

    def _send(self, kind: str, body: bytes) -> None:
        # Only files whose name carries their content's hash may be kept.
        caching = "max-age=31536000, immutable" if self.path.startswith("/assets/") else "no-cache"
        headers = {**self.extra, "Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": caching}
        self.send_response(HTTPStatus.OK)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Files being fetched are no news."""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


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
