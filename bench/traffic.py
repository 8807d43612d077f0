"""Every request the service makes of the outside, counted where it leaves the process, and delayed if so wished.

All its libraries send through requests' HTTPAdapter, so that one place sees them all. The host's own requests, which
take messages from queues and delete them, go the same way and are told apart by what they ask.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

_OURS: Final = ("/operations/messages", "/action-results-")
"""The queues that the service sends to; to the others executors do."""


class Service(StrEnum):
    """Whom a request asks."""

    TABLES = "tables"
    QUEUES = "queues"
    VAULT = "Key Vault"
    ENTRA = "Entra"
    GRAPH = "Graph"
    IDENTITY = "managed identity"


STORAGE: Final = frozenset({Service.TABLES, Service.QUEUES})


@dataclass(frozen=True, slots=True)
class Span:
    """One request, from when it began to when its answer was there, in seconds of the monotonic clock."""

    service: Service
    start: float
    end: float


class Traffic:
    """What the service asks of whom."""

    def __init__(self, ports: Mapping[int, Service]) -> None:
        """`ports` are those of the services on 127.0.0.1; Entra's is that of Graph and the managed identity too."""
        self._ports = dict(ports)
        self._counts: Counter[Service] = Counter()
        self._lock = Lock()
        self._delays: Mapping[Service, float] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._spans: list[Span] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See every request of this process, while the block lasts."""
        send = HTTPAdapter.send

        def seen(adapter: HTTPAdapter, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
            service = self._service_of(request)
            if service is None:
                return send(adapter, request, *args, **how)
            with self._lock:
                self._counts[service] += 1
            start = time.monotonic()
            time.sleep(self._delays.get(service, 0.0))
            response = send(adapter, request, *args, **how)
            with self._lock:
                self._spans.append(Span(service, start, time.monotonic()))
            if service is Service.QUEUES:
                for listener in tuple(self._listeners):
                    listener(urlsplit(str(request.url)).path.split("/")[2])
            return response

        HTTPAdapter.send = seen  # type: ignore[method-assign, assignment]
        try:
            yield
        finally:
            HTTPAdapter.send = send  # type: ignore[method-assign]

    @contextmanager
    def counting(self) -> Iterator[Counter[Service]]:
        """How many requests whom are asked inside the block; filled in at its end."""
        with self._lock:
            before = self._counts.copy()
        found: Counter[Service] = Counter()
        yield found
        with self._lock:
            found.update(self._counts - before)

    @contextmanager
    def recording(self) -> Iterator[list[Span]]:
        """When each request inside the block was made that has ended in it; filled in at its end."""
        with self._lock:
            first = len(self._spans)
        found: list[Span] = []
        yield found
        with self._lock:
            found += self._spans[first:]

    @contextmanager
    def delayed(self, seconds: Mapping[Service, float]) -> Iterator[None]:
        """Let each request of these services take so much longer, while the block lasts."""
        self._delays = seconds
        try:
            yield
        finally:
            self._delays = {}

    @contextmanager
    def told(self, listener: Callable[[str], None]) -> Iterator[None]:
        """Call `listener` with the queue's name whenever the service has sent a message, while the block lasts."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _service_of(self, request: requests.PreparedRequest) -> Service | None:
        """Whom the request asks; None when it is none of the service's."""
        url = urlsplit(str(request.url))
        service = self._ports.get(url.port or 0)
        if service is Service.QUEUES and not (request.method == "POST" and any(name in url.path for name in _OURS)):
            return None
        if service is Service.ENTRA:
            first = url.path.split("/")[1]
            return {"msi": Service.IDENTITY, "v1.0": Service.GRAPH, "beta": Service.GRAPH}.get(first, service)
        return service
