"""The host's HTTP listener: HTTP/1.1 with keep-alive on 127.0.0.1, one thread a connection."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from local.host.http import Request, Response, fold_headers

Answer = Callable[[Request], Response]


class HttpListener:
    """Listens from construction on; `stop` lets the requests under way finish and closes every connection."""

    def __init__(self, answer: Answer, *, port: int, body_limit: int) -> None:
        """Opens the port; 0 takes a free one. A body above `body_limit` bytes is answered 413.

        Raises:
            OSError: the port is taken.
        """
        self._server = _Server(("127.0.0.1", port), answer, body_limit)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="http-listener", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    def stop(self) -> None:
        """Closes the port and every connection; returns when the last request has its answer."""
        self._server.shutdown()
        self._thread.join()
        self._server.hang_up()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() then waits for the requests under way
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], answer: Answer, body_limit: int) -> None:
        self.answer = answer
        self.body_limit = body_limit
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        self._connections.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.discard(request)

    def hang_up(self) -> None:
        """Ends every connection's reading side: an idle one closes, a busy one still gets its answer out."""
        for connection in self._connections.copy():
            try:
                connection.shutdown(socket.SHUT_RD)
            except OSError:
                continue  # The client was faster.

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no event; everything a function raises was answered before it could come here."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body leave in one packet
    timeout = 130  # Kestrel's keep-alive time-out in seconds

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks up do_GET, do_PUT, …: here every method comes to one place, which decides by route.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except ValueError:
            self.close_connection = True
            self._send(Response(HTTPStatus.BAD_REQUEST))
            return
        if body is None:
            self.close_connection = True
            self._send(Response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        self._send(self.server.answer(Request(self.command, self.path, fold_headers(self.headers.items()), body)))

    def _read_body(self) -> bytes | None:
        """The body, or None when it is above the limit. Raises ValueError when its framing makes no sense."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        length = lengths.pop()
        if lengths or not (length.isascii() and length.isdigit()):
            raise ValueError("Content-Length is no single number.")
        return self._read_exactly(int(length)) if int(length) <= self.server.body_limit else None

    def _read_exactly(self, length: int) -> bytes:
        body = self.rfile.read(length)
        if len(body) < length:
            # Half a body must not reach a function: Kestrel drops such a request too.
            raise ConnectionAbortedError("The client went away in the middle of its request.")
        return body

    def _read_chunks(self) -> bytes | None:
        """Reads a chunked body to its end (RFC 9112, 7.1), so that the next request of the connection is found."""
        body = bytearray()
        while size := int(self.rfile.readline(256).split(b";")[0], 16):
            if size < 0 or len(body) + size > self.server.body_limit:
                return None
            body += self._read_exactly(size)
            self.rfile.readline(3)
        while self.rfile.readline(65537).strip():
            continue  # trailers
        return bytes(body)

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            if name != "content-length":
                self.send_header(name, value)
        has_body = response.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if has_body:
            self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if has_body and self.command != "HEAD":
            self.wfile.write(response.body)

    def version_string(self) -> str:
        """The `Server` header."""
        return "local-functions-host"

    def log_message(self, format: str, *arguments: object) -> None:
        """The host logs functions, not connections; a target may hold what no log should."""
