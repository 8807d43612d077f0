"""One customer's tenant on a running stack, managed as consoles and executors do it: over HTTP and queues alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4, uuid5

from local.client import COMES_WITHIN, Client, Reply
from local.executor import Executor
from local.tokens import bearer
from tests.contract import answers

Json = dict[str, Any]

FINAL: Final = ("succeeded", "failed", "canceled")
WITHOUT_PREMIUM: Final = "STANDARDPACK"
"""A subscription without conditional access: its policies are checked in no time."""


class Customer:
    """A tenant and the people who manage it. Every answer of the API is held against the contract."""

    def __init__(self, client: Client, tenant_id: str) -> None:
        self.client = client
        self.tenant_id = tenant_id
        self.executor = Executor(client, bearer(client, "executor"))
        self._tokens = {role: bearer(client, role) for role in ("reader", "operator", "administrator")}

    @classmethod
    def onboarded(cls, client: Client, **seed: object) -> Customer:
        """A new tenant that has consented to everything and was onboarded; `seed` is told to the simulator."""
        tenant_id = str(uuid4())
        described = {"tenantId": tenant_id, "consented": True, "skus": [WITHOUT_PREMIUM], **seed}
        seeded = client.control("POST", "/seed", {"tenants": [described]})
        assert seeded.status == 200, seeded.body
        customer = cls(client, tenant_id)
        customer.expect(customer.call("PUT", "", "administrator", {"displayName": tenant_id[:8]}), 201)
        return customer

    @classmethod
    def with_account(cls, client: Client, **seed: object) -> Customer:
        """The same, with the service account created."""
        customer = cls.onboarded(client, **seed)
        customer.create_account()
        return customer

    @classmethod
    def turned_on(cls, client: Client, **seed: object) -> Customer:
        """The same, with the session on."""
        customer = cls.with_account(client, **seed)
        customer.turn_on()
        return customer

    @property
    def initial_domain(self) -> str:
        return f"t{self.tenant_id.replace('-', '')}.onmicrosoft.com"

    @property
    def mark(self) -> str:
        """What the `employeeId` of every account begins with that this service has made in this tenant."""
        return uuid5(UUID(self.client.addresses.settings["APP_CLIENT_ID"]), self.tenant_id).hex[:8]

    @property
    def account_name(self) -> str:
        """The first name that the service account is given."""
        return f"management-{self.tenant_id[:8]}@{self.initial_domain}"

    def call(self, method: str, path: str, role: str = "operator", content: object = None, **headers: str) -> Reply:
        """Call the API about the tenant as somebody with that role; `path` begins after the tenant's id."""
        url = f"{self.client.addresses.api}/v1/tenants/{self.tenant_id}{path}"
        authorization = {"Authorization": f"Bearer {self._tokens[role]}"}
        reply = self.client.send(method, url, content, authorization | headers)
        answers.check(method, urlsplit(url).path, reply.status, reply.headers, reply.body)
        return reply

    def expect(self, reply: Reply, status: int) -> Json:
        """The reply's object; its status must be that."""
        assert reply.status == status, f"{reply.status} instead of {status}: {reply.body.decode()[:500]}"
        found = reply.json
        assert isinstance(found, dict)
        return found

    def finish(self, accepted: Reply, *, within: float = COMES_WITHIN) -> Json:
        """The operation that was accepted, at its end."""
        operation_id = self.expect(accepted, 202)["id"]
        return self.await_operation(operation_id, within=within)

    def operation(self, operation_id: str) -> Json:
        return self.expect(self.call("GET", f"/operations/{operation_id}", "reader"), 200)

    def await_operation(self, operation_id: str, *, within: float = COMES_WITHIN) -> Json:
        """The operation at its end."""
        self.wait(lambda: self.operation(operation_id)["status"] in FINAL, within=within)
        return self.operation(operation_id)

    def wait(self, done: Callable[[], bool], *, within: float = COMES_WITHIN) -> None:
        """Wait for what comes by itself."""
        until = time.monotonic() + within
        while not done():
            assert time.monotonic() < until, f"it did not come within {within:g} s: {self.shown()}"
            time.sleep(0.1)

    def shown(self) -> Json:
        """The tenant as a console shows it."""
        return self.expect(self.call("GET", "", "reader"), 200)

    def session(self) -> Json:
        return self.expect(self.call("GET", "/session", "reader"), 200)

    def activity(self) -> list[Json]:
        """The trail, newest first."""
        entries: list[Json] = self.expect(self.call("GET", "/activity?top=200", "reader"), 200)["value"]
        return entries

    def create_account(self) -> Json:
        """The operation that created the account."""
        operation = self.finish(self.call("PUT", "/service-account", "administrator", {}))
        assert operation["status"] == "succeeded", operation
        return operation

    def turn_on(self) -> None:
        operation = self.finish(self.call("PUT", "/session", content={"state": "on", "method": "serviceAccount"}))
        assert operation["status"] == "succeeded", operation

    def turn_off(self) -> Json:
        """The operation that turned the session off."""
        operation = self.finish(self.call("PUT", "/session", content={"state": "off"}))
        assert operation["status"] == "succeeded", operation
        return operation

    def auto_enable(self) -> None:
        self.expect(self.call("PUT", "/auto-enable", "administrator", {"enabled": True}), 200)

    def ask(self, kind: str = "workflow", **more: object) -> str:
        """Send an action request; its action id."""
        return self.executor.ask(self.tenant_id, kind, **more)

    def decision(self, action_id: str, *, within: float = COMES_WITHIN) -> Json:
        """The decision on an action, as it came over its queue."""
        return self.executor.await_decisions([action_id], within=within)[0]

    def lease(self) -> str:
        """The id of a new lease."""
        decision = self.decision(self.ask())
        assert decision["decision"] == "ready", decision
        return str(decision["leaseId"])

    def redeem(self, lease_id: str, resource: str = "graph") -> Reply:
        """Ask for a token."""
        reply = self.executor.redeem(self.tenant_id, lease_id, resource)
        path = f"{answers.PREFIX}/v1/tenants/{self.tenant_id}/leases/{lease_id}/token"
        answers.check("POST", path, reply.status, reply.headers, reply.body)
        return reply

    def directory(self) -> Json:
        """The tenant's own side, as its administrators would see it."""
        return self.expect(self.client.control("GET", f"/tenants/{self.tenant_id}"), 200)

    def users(self, *, deleted: bool = False) -> list[Json]:
        """The users of ours that are there, or in the recycle bin."""
        return [
            user
            for user in self.directory()["users"]
            if str(user.get("employeeId")).startswith(self.mark) and bool(user["deletedAt"]) is deleted
        ]

    def change(self, **change: object) -> None:
        """What an administrator of the customer does in the Entra portal."""
        self.expect(self.client.control("PATCH", f"/tenants/{self.tenant_id}", change), 200)

    def calls(self, service: str) -> list[Json]:
        """What a simulated service was asked about this tenant, where its path tells."""
        lines = self.client.control("GET", f"/journal?service={service}").body.decode().splitlines()
        return [call for call in map(json.loads, lines) if self.tenant_id in call["path"]]

    def sign_ins(self) -> int:
        """How many password sign-ins Entra has seen in this tenant."""
        forms = [call["request_body"] or {} for call in self.calls("entra")]
        return sum(form.get("grant_type") == "password" for form in forms)
