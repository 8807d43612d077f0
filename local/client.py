"""HTTP to the local stack: the API as a caller reaches it, and the simulator's control interface."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from local.addresses import Addresses, StackNotUp

COMES_WITHIN: Final = 60.0
"""Seconds to wait for what comes by itself: a message whose work loses a reply of storage's comes again after the
visibilityTimeout of host.json, 30."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. Header names are lower case; `json` is the parsed body, None when there is none or it is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> object:
        """The body as JSON, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Client:
    """Sends requests to one stack. Any number of threads may share it."""

    addresses: Addresses

    def api(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        content: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Calls the API: `path` begins after /api, `content` is sent as JSON, `token` as the caller's bearer token.

        Raises:
            StackNotUp: nobody listens there any more.
        """
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return self.send(method, f"{self.addresses.api}{path}", content, authorization | dict(headers or {}))

    def control(self, method: str, path: str, content: object = None) -> Reply:
        """Calls the simulator's control interface; `path` begins after /_simulator. Raises as `api` does."""
        return self.send(method, f"{self.addresses.simulator}/_simulator{path}", content, {})

    def send(self, method: str, url: str, content: object, headers: Mapping[str, str]) -> Reply:
        """One request to any address of the stack; whatever the status, it is a reply. Raises as `api` does."""
        body = None if content is None else json.dumps(content).encode()
        typed = {} if body is None else {"Content-Type": "application/json"}
        # S310: the addresses come from the stack itself, and only http and https are opened.
        request = Request(url, body, typed | dict(headers), method=method)  # noqa: S310
        try:
            with self._opener.open(request, timeout=60) as response:
                return Reply(response.status, _lower(response.headers), response.read())
        except HTTPError as refusal:
            with refusal:
                return Reply(refusal.code, _lower(refusal.headers), refusal.read())
        except URLError as error:
            raise StackNotUp from error

    @cached_property
    def _opener(self) -> OpenerDirector:
        # No proxy: whatever the machine is set to, the stack is on this machine.
        tls = ssl.create_default_context(cafile=self.addresses.ca_bundle)
        return build_opener(ProxyHandler({}), HTTPSHandler(context=tls))


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
