"""An HTTP request as a function sees it and the response it gives, by the platform's rules and not by HTTP's alone.

The rules: header names arrive in lower case and repeated values joined by a comma; a query parameter without a value is
dropped; a body without Content-Length (chunked) arrives empty (azure-functions-host issue 4926).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from local.host.protocol import Message, RpcHttp, TypedData

_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")


class ResponseRefused(Exception):
    """A function returned what the platform would not, or this stand-in cannot, send; the message says what."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came in. `target` is path and query as sent; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return urlsplit(self.target).path

    def query(self) -> dict[str, str]:
        """The query parameters: the empty ones dropped, the values of repeated ones joined by a comma."""
        return _join(parse_qsl(urlsplit(self.target).query, errors="replace"))

    def to_rpc(self, route_values: Mapping[str, str]) -> TypedData:
        """The request as the runtime takes it."""
        content = {} if "chunked" in self.headers.get("transfer-encoding", "").lower() else {"bytes": self.body}
        return TypedData(
            http=RpcHttp(
                method=self.method,
                url=f"http://{self.headers.get('host', 'localhost')}{self.target}",
                headers=dict(self.headers),
                query=self.query(),
                params=dict(route_values),
                body=TypedData(**content),
            )
        )


@dataclass(frozen=True, slots=True)
class Response:
    """A response. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as UTF-8 text."""
        return self.body.decode()

    def json(self) -> object:
        """The body as JSON; raises ValueError when it is none."""
        return json.loads(self.body)

    @classmethod
    def of_json(cls, content: object, *, status: int = 200) -> Response:
        """A response of the host's own, in JSON."""
        return cls(status, {"content-type": "application/json"}, json.dumps(content).encode())

    @classmethod
    def from_rpc(cls, returned: Message | None) -> Response:
        """The response that a function returned.

        Raises:
            ResponseRefused: it is no HttpResponse, sets a cookie, or has a header that Kestrel would not send.
        """
        if returned is None or returned.WhichOneof("data") != "http":
            raise ResponseRefused("An HTTP function must return an azure.functions.HttpResponse.")
        http = returned.http
        if http.cookies:
            raise ResponseRefused("The local host does not send cookies.")
        headers = {name.lower(): str(value) for name, value in http.headers.items()}
        for name, value in headers.items():
            if not _HEADER_VALUE.fullmatch(value):
                raise ResponseRefused(f"The response header {name!r} has a character that is not printable ASCII.")
        return cls(int(http.status_code), headers, http.body.bytes)


def fold_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers as a function sees them: names in lower case, repeated values joined by a comma."""
    return _join((name.lower(), value) for name, value in headers)


def _join(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
