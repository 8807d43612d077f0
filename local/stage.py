"""Where the story is played: calls as a console and an executor make them, and what is looked at afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final

from local.client import COMES_WITHIN, Client, Reply
from local.simulator import seed
from local.tokens import bearer

TENANT: Final = seed.CONTOSO

Json = dict[str, Any]


class StepFailed(Exception):
    """A step did not come out as the story says."""


class Stage:
    """One tenant of a running stack, and its people: everything raises StepFailed when it is not as expected."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.operator = bearer(client, "operator")
        self.administrator = bearer(client, "administrator")

    def api(self, method: str, path: str, token: str, content: object = None) -> Reply:
        """Call the API about the tenant; `path` begins after its id."""
        return self.client.api(method, f"/v1/tenants/{TENANT}{path}", token=token, content=content)

    def tenant(self) -> Json:
        """The tenant as its console sees it."""
        return self.expect(self.api("GET", "", self.operator), 200)

    def expect(self, reply: Reply, status: int) -> Json:
        """The reply's object, when its status is the expected one."""
        body = reply.json
        require(reply.status == status, f"{reply.status} instead of {status}: {reply.body.decode()[:300]}")
        return body if isinstance(body, dict) else {}

    def finish(self, accepted: Reply, status: str, progress: list[str] | None = None) -> Json:
        """Follow an operation to its end, as a console would."""
        self.expect(accepted, 202)
        address = accepted.headers["operation-location"]
        headers = {"Authorization": f"Bearer {self.operator}"}
        until = time.monotonic() + COMES_WITHIN
        while time.monotonic() < until:
            operation = self.expect(self.client.send("GET", address, None, headers), 200)
            percent = f"{operation['percentComplete']} %"
            if progress is not None and percent not in progress:
                progress.append(percent)
            if operation["status"] in ("succeeded", "failed", "canceled"):
                require(operation["status"] == status, f"the operation {operation['status']}: {operation.get('error')}")
                return operation
            time.sleep(0.05)  # a console waits as long as Retry-After says; a demo need not
        raise StepFailed(f"the operation did not end within {COMES_WITHIN:g} s")

    def sign_ins(self) -> list[Json]:
        """The password sign-ins that the simulated Entra has seen."""
        return [call for call in self.journal() if (call["request_body"] or {}).get("grant_type") == "password"]

    def journal(self) -> list[Json]:
        """Every call the simulated Microsoft 365 has received."""
        return [json.loads(line) for line in self.client.control("GET", "/journal").body.decode().splitlines()]

    def caller(self, name: str) -> str:
        """A token of another seeded caller."""
        reply = self.client.control("POST", "/token", {"caller": name})
        return str(self.expect(reply, 200)["accessToken"])

    def wait(self, done: Callable[[], bool], otherwise: str) -> None:
        """Wait for something that comes by itself."""
        until = time.monotonic() + COMES_WITHIN
        while not done():
            require(time.monotonic() < until, otherwise)
            time.sleep(0.05)


def require(condition: bool, otherwise: str) -> None:
    """Raise StepFailed unless the condition holds."""
    if not condition:
        raise StepFailed(otherwise)
