"""The journal: every call the simulated services received, with every secret in it replaced by "****"."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from local.simulator.state import JsonObject
from local.simulator.wire import Request, Response

CAPACITY = 10_000  # calls; the oldest are forgotten first
REDACTED = "****"

# Fields that hold a secret wherever they occur: OAuth forms and answers, Graph's password bodies.
_SECRET_FIELDS = frozenset(
    {
        "access_token",
        "assertion",
        "client_assertion",
        "client_secret",
        "currentpassword",
        "id_token",
        "newpassword",
        "password",
        "refresh_token",
        "secrettext",
    }
)


@dataclass(slots=True)
class Journal:
    """The last `CAPACITY` calls, oldest first."""

    _calls: deque[JsonObject] = field(default_factory=lambda: deque(maxlen=CAPACITY))
    _lock: Lock = field(default_factory=Lock)

    def record(self, request: Request, response: Response, *, fault: str | None = None) -> None:
        """Keeps a call and its answer, without secrets. `fault` is the kind of the scripted fault it met."""
        call: JsonObject = {
            "service": request.service,
            "method": request.method,
            "path": request.path,
            "query": _without_secrets(dict(request.query), request.service),
            "request_body": _without_secrets(_document(request), request.service),
            "status": response.status,
            "response_body": _without_secrets(response.document, request.service),
        }
        if fault:
            call["fault"] = fault
        with self._lock:
            self._calls.append(call)

    def calls(self, *, service: str | None = None) -> list[JsonObject]:
        """The calls, oldest first; those of one service when it is named."""
        with self._lock:
            return [call for call in self._calls if service in (None, call["service"])]

    def lines(self, *, service: str | None = None) -> str:
        """The calls as JSON lines."""
        return "".join(f"{json.dumps(call)}\n" for call in self.calls(service=service))

    def clear(self) -> None:
        """Forgets all calls."""
        with self._lock:
            self._calls.clear()


def _document(request: Request) -> object:
    """The body as JSON or form; a body that is neither is not kept, because nobody can tell what is in it."""
    if not request.body:
        return None
    try:
        return request.form() if request.service == "entra" else request.json()
    except (ValueError, RecursionError):
        return None


def _without_secrets(document: object, service: str) -> Any:
    if isinstance(document, Mapping):
        return {
            name: REDACTED if _is_secret(str(name), content, service) else _without_secrets(content, service)
            for name, content in document.items()
        }
    if isinstance(document, list | tuple):
        return [_without_secrets(each, service) for each in document]
    return document


def _is_secret(name: str, content: object, service: str) -> bool:
    if name.lower() == "value":  # a secret in Key Vault; its lists and everybody else's answers have rows there
        return service == "keyVault" and isinstance(content, str)
    return content is not None and name.lower() in _SECRET_FIELDS
