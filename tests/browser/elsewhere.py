"""Another origin on this machine: one page, as somebody else's console would serve it.

It is really served. Chromium takes a page that Playwright makes up for one of the internet, and lets none of those call
this machine (https://wicg.github.io/local-network-access/).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType


class Elsewhere(ThreadingHTTPServer):
    """Serves `page` at every path, with `headers`; both may be set at any time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.page = ""
        self.headers: Mapping[str, str] = MappingProxyType({})

    @property
    def origin(self) -> str:
        """Not the console's, even if it were for the host's name alone."""
        return f"http://localhost:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Elsewhere)
        body = self.server.page.encode()
        self.send_response(200)
        for name, value in {"Content-Type": "text/html", "Content-Length": len(body), **self.server.headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """A page being fetched is no news."""


@contextmanager
def another_origin() -> Iterator[Elsewhere]:
    """One, while the block lasts."""
    with Elsewhere() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
