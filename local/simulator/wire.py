"""What every simulated service speaks: a request in, a response out, routes between."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, TypeVar
from urllib.parse import parse_qs

R = TypeVar("R", bound="Routable")


@dataclass(frozen=True, slots=True)
class Request:
    """One received call. Header names are lower-case; `path` is percent-decoded and has no query."""

    service: str  # "entra" | "graph" | "keyVault" | "managedIdentity" | "control"
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> object:
        """The body as JSON, or None when there is none.

        Raises:
            ValueError: the body is not JSON.
        """
        return json.loads(self.body) if self.body else None

    def has_broken_json(self) -> bool:
        """Whether there is a body that is not JSON."""
        try:
            self.json()
        except (ValueError, RecursionError):
            return True
        return False

    def form(self) -> dict[str, str]:
        """The body as an OAuth form; a repeated field keeps its first value (RFC 6749 §3.2).

        Raises:
            ValueError: the body is not text.
        """
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: a JSON document, text, or nothing at all."""

    status: int
    document: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None


class Service(Protocol):
    """One simulated service: it answers requests, and it can refuse one in its own error shape."""

    def answer(self, request: Request) -> Response:
        """What the service says to this request, refusals included."""

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """A refusal in the service's error shape; `headers` are sent along, e.g. Retry-After."""


Handler = Callable[[Request, Mapping[str, str]], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template, `{name}` standing for one segment; case does not matter, as at Graph."""

    method: str
    template: str
    handler: Handler

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """The path's parameters, or None when this route is not meant."""
        return match_template(self.template, path) if method == self.method else None


class Routable(Protocol):
    """What can say whether a request is meant for it."""

    @property
    def method(self) -> str: ...

    def match(self, method: str, path: str) -> Mapping[str, str] | None: ...


class NoRoute(Exception):
    """Nothing answers this request. `allowed` are the methods its path does have: none means the path is unknown."""

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__("no route")
        self.allowed = allowed

    @property
    def headers(self) -> dict[str, str]:
        """The `Allow` header a 405 must carry (RFC 9110 §15.5.6)."""
        return {"Allow": ", ".join(sorted(self.allowed))} if self.allowed else {}


def find_route(routes: Iterable[R], request: Request) -> tuple[R, Mapping[str, str]]:
    """The first route that fits, with the path's parameters.

    Raises:
        NoRoute: none does.
    """
    allowed = set()
    for route in routes:
        parameters = route.match(request.method, request.path)
        if parameters is not None:
            return route, parameters
        if route.match(route.method, request.path) is not None:
            allowed.add(route.method)
    raise NoRoute(frozenset(allowed))


def match_template(template: str, path: str) -> Mapping[str, str] | None:
    """The path's parameters, or None when the path does not fit the template; case does not matter."""
    found = _pattern(template).fullmatch(path)
    return found.groupdict() if found else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\})", template)
    pattern = "".join(f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile(pattern, re.IGNORECASE)
