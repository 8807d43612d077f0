"""Customers of the simulated Microsoft 365, brought over the API to where a measurement begins."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import uuid4

from local.client import Client, Reply
from local.tokens import bearer

Json = dict[str, Any]

_WITHOUT_PREMIUM: Final = "STANDARDPACK"
"""A subscription without conditional access, whose policies are looked at without waiting for Microsoft's pace."""
_PATIENCE: Final = 60.0  # seconds for one operation
_SIDE_BY_SIDE: Final = 6


class NotReady(Exception):
    """A customer is not where a measurement should begin; the message says what the API answered."""


class Customers:
    """What administrators and operators do before executors come."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._administrator = bearer(client, "administrator")
        self._operator = bearer(client, "operator")

    def with_accounts(self, count: int) -> list[str]:
        """The ids of so many new tenants, each with its service account.

        Raises:
            NotReady: one of them has none.
        """
        tenants = [str(uuid4()) for _ in range(count)]
        seeds = [{"tenantId": each, "consented": True, "skus": [_WITHOUT_PREMIUM]} for each in tenants]
        _expect(self._client.control("POST", "/seed", {"tenants": seeds}), 200)
        self._each(tenants, self._create_account)
        return tenants

    def turn_on(self, tenants: Iterable[str]) -> None:
        """Turn the sessions of these tenants on. Raises NotReady."""
        self._each(tenants, self._turn_on)

    def turn_off(self, tenants: Iterable[str]) -> None:
        """Turn them off again. Raises NotReady."""
        self._each(tenants, self._turn_off)

    def auto_enable(self, tenants: Iterable[str]) -> None:
        """Let the sessions of these tenants turn themselves on. Raises NotReady."""
        self._each(tenants, self._auto_enable)

    def check_policies(self, tenants: Iterable[str]) -> None:
        """Look at the policies of these tenants, as upkeep does each day. Raises NotReady."""
        self._each(tenants, self._check_policies)

    def _create_account(self, tenant_id: str) -> None:
        _expect(self._call("PUT", tenant_id, "", self._administrator, {"displayName": tenant_id[:8]}), 201)
        self._finish(self._call("PUT", tenant_id, "/service-account", self._administrator, {}))

    def _turn_on(self, tenant_id: str) -> None:
        wanted = {"state": "on", "method": "serviceAccount"}
        self._finish(self._call("PUT", tenant_id, "/session", self._operator, wanted))

    def _turn_off(self, tenant_id: str) -> None:
        self._finish(self._call("PUT", tenant_id, "/session", self._operator, {"state": "off"}))

    def _check_policies(self, tenant_id: str) -> None:
        self._finish(self._call("POST", tenant_id, "/policy-checks", self._operator, {}))

    def _auto_enable(self, tenant_id: str) -> None:
        _expect(self._call("PUT", tenant_id, "/auto-enable", self._administrator, {"enabled": True}), 200)

    def _each(self, tenants: Iterable[str], act: Callable[[str], None]) -> None:
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            for _ in pool.map(act, tenants):
                continue

    def _call(self, method: str, tenant_id: str, path: str, token: str, content: object) -> Reply:
        """One request, again after `Retry-After` while there are too many."""
        while True:
            reply = self._client.api(method, f"/v1/tenants/{tenant_id}{path}", token=token, content=content)
            if reply.status != 429:
                return reply
            time.sleep(float(reply.headers["retry-after"]))

    def _finish(self, accepted: Reply) -> None:
        """Wait for the end of an operation."""
        _expect(accepted, 202)
        address, until = accepted.headers["operation-location"], time.monotonic() + _PATIENCE
        headers = {"Authorization": f"Bearer {self._operator}"}
        while (operation := _expect(self._client.send("GET", address, None, headers), 200))["status"] != "succeeded":
            if operation["status"] in ("failed", "canceled") or time.monotonic() > until:
                raise NotReady(f"{operation['kind']} is {operation['status']}: {operation.get('error')}")
            time.sleep(0.1)


def executors(client: Client, count: int) -> Sequence[str]:
    """Tokens of so many executors of one application.

    Each counts as a caller of its own, so that together they may ask more often than one is allowed to.
    """
    asked = ({"caller": "executor", "claims": {"oid": str(uuid4())}} for _ in range(count))
    return [str(_expect(client.control("POST", "/token", each), 200)["accessToken"]) for each in asked]


def _expect(reply: Reply, status: int) -> Json:
    if reply.status != status or not isinstance(reply.json, dict):
        raise NotReady(f"{reply.status} instead of {status}: {reply.body.decode()[:300]}")
    return reply.json
