"""One HTTPS port: HTTP/1.1 with keep-alive on the standard library, a thread a connection."""

from __future__ import annotations

import json
import logging
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote, urlsplit

from local.simulator.wire import Request, Response

_log = logging.getLogger(__name__)

LARGEST_BODY = 4 * 1024 * 1024  # bytes
IDLE = 120  # seconds until a silent connection is closed; longer than clients keep theirs

Answer = Callable[[Request], Response | None]
Classify = Callable[[str], str]


class BodyRefused(Exception):
    """The request's body cannot be read, so the connection cannot go on."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Listener(ThreadingHTTPServer):
    """Accepts connections and passes each request to `answer`; no answer (None) closes the connection without one."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, context: ssl.SSLContext, *, answer: Answer, classify: Classify) -> None:
        super().__init__(("127.0.0.1", port), _Connection)
        # The handshake is left to the connection's thread: one slow client must not hold up the others.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.answer = answer
        self.classify = classify
        self._connections: set[socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def origin(self) -> str:
        """The address clients use, without a path."""
        return f"https://127.0.0.1:{self.server_port}"

    def start(self) -> None:
        """Serves, in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stops serving and ends every connection; the port itself is closed by `server_close`."""
        self.shutdown()
        self._thread.join()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            _hang_up(connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remembers the connection, so that `stop` can close it."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forgets the connection."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away or fails its handshake is no news."""
        _log.debug("connection ended", exc_info=True)


class _Connection(BaseHTTPRequestHandler):
    """Requests of one connection, one after the other."""

    server: Listener
    protocol_version = "HTTP/1.1"
    server_version = "simulated-microsoft-365"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered: headers and body leave in one packet
    timeout: ClassVar[int] = IDLE
    error_content_type = "application/json"
    error_message_format = '{"error": {"code": "BadRequest", "message": "the request is not HTTP"}}'

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method has the same door: the dispatcher says 405 to those it does not know."""
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """The journal is the log."""

    def _serve(self) -> None:
        try:
            request = self._request()
        except BodyRefused as refused:
            self.close_connection = True
            self._send(Response(refused.status, {"error": {"code": "BadRequest", "message": str(refused)}}))
            return
        response = self.server.answer(request)
        if response is None:
            self.close_connection = True
            _hang_up(self.connection)
        else:
            self._send(response)

    def _request(self) -> Request:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        return Request(
            service=self.server.classify(path),
            method=self.command,
            path=path,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): content for name, content in self.headers.items()},
            body=self._body(),
        )

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError as error:
            raise BodyRefused(400, "Content-Length is no number") from error
        return self._exactly(length)

    def _chunks(self) -> bytes:
        """A chunked body (RFC 9112 §7.1); extensions and trailers are read and dropped."""
        body = b""
        while True:
            try:
                length = int(self.rfile.readline(1024).partition(b";")[0], 16)
            except ValueError as error:
                raise BodyRefused(400, "a chunk has no length") from error
            if length == 0:
                break
            body += self._exactly(length, already=len(body))
            self.rfile.readline(3)
        while self.rfile.readline(65537) not in (b"\r\n", b"\n", b""):
            pass
        return body

    def _exactly(self, length: int, *, already: int = 0) -> bytes:
        if length < 0:
            raise BodyRefused(400, "a length is negative")
        if already + length > LARGEST_BODY:
            raise BodyRefused(413, "the body is too large")
        body = self.rfile.read(length)
        if len(body) < length:
            raise BodyRefused(400, "the body ends too early")
        return body

    def _send(self, response: Response) -> None:
        headers = dict(response.headers)
        if response.text is not None:
            body = response.text.encode()
            headers.setdefault("Content-Type", "text/plain; charset=utf-8")
        elif response.document is not None:
            body = json.dumps(response.document).encode()
            headers.setdefault("Content-Type", "application/json; charset=utf-8")
        else:
            body = b""
        self.send_response(response.status)
        for name, content in headers.items():
            self.send_header(name, content)
        if response.status != 204:  # RFC 9110 §8.6: a 204 has no length
            self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and response.status != 204:
            self.wfile.write(body)
        self.wfile.flush()


def _hang_up(connection: socket) -> None:
    try:
        connection.shutdown(SHUT_RDWR)
    except OSError:
        _log.debug("the connection was closed already")
