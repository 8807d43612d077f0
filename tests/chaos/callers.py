"""Callers as they are in life: what got no answer they ask again with the same key, and what began they follow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Final
from uuid import uuid4

from local.addresses import StackNotUp
from local.client import Client, Reply

Json = dict[str, Any]

PATIENCE: Final = 240.0
"""Seconds that a caller goes on asking, and that an operation may take: a step that is killed begins anew."""

_PAUSE: Final = 0.1  # seconds; a console waits as long as Retry-After says
_NO_ANSWER: Final = (StackNotUp, ConnectionError, HTTPException, TimeoutError)
_ENDS: Final = ("succeeded", "failed", "canceled")


class Lost(AssertionError):
    """Something that was asked for did not come, or came otherwise than promised."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token who does not give up easily."""

    client: Client
    token: str

    def ask(self, method: str, path: str, content: object = None, *, statuses: tuple[int, ...] = (200,)) -> Reply:
        """The answer to one request, however often it must be sent; `path` begins after /api.

        What is asked again: no answer at all, 429, 503, and 409 while another operation has the tenant.

        Raises:
            Lost: the answer has none of `statuses`, or none comes.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid4())}
        reply = self._persistently(method, f"{self.client.addresses.api}{path}", content, headers)
        if reply.status not in statuses:
            raise Lost(f"{method} {path}: {reply.status} {reply.body.decode()[:300]}")
        return reply

    def read(self, path: str) -> Json:
        """What is there now."""
        return _object(self.ask("GET", path))

    def finish(self, method: str, path: str, content: object = None) -> Json | None:
        """Ask for long work and follow it until it has succeeded; None when it was done already.

        Raises:
            Lost: it failed, was canceled or does not end.
        """
        accepted = self.ask(method, path, content, statuses=(200, 202))
        if accepted.status == 200:
            return None
        headers = {"Authorization": f"Bearer {self.token}"}
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            reply = self._persistently("GET", accepted.headers["operation-location"], None, headers)
            operation = _object(reply)
            if operation.get("status") in _ENDS:
                if operation["status"] != "succeeded":
                    raise Lost(f"{method} {path}: {operation['status']}, {operation.get('error')}")
                return operation
            time.sleep(_PAUSE)
        raise Lost(f"{method} {path}: not ended after {PATIENCE:g} seconds: {operation}")

    def _persistently(self, method: str, url: str, content: object, headers: Mapping[str, str]) -> Reply:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                reply = self.client.send(method, url, content, headers)
            except _NO_ANSWER as error:
                why = type(error).__name__
            else:
                if not _is_to_be_asked_again(reply):
                    return reply
                why = f"{reply.status} {reply.body.decode()[:200]}"
            if time.monotonic() > until:
                raise Lost(f"{method} {url}: no answer in {PATIENCE:g} seconds, at last {why}")
            time.sleep(_PAUSE)


def _is_to_be_asked_again(reply: Reply) -> bool:
    return reply.status in (429, 503) or reply.headers.get("x-ms-error-code") == "operationInProgress"


def _object(reply: Reply) -> Json:
    if not isinstance(reply.json, dict):
        raise Lost(f"{reply.status} and no JSON object: {reply.body.decode()[:200]}")
    return reply.json
