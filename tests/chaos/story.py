"""The end-to-end story, played in one tenant over and over by an administrator, an operator and an executor."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from local.client import Client
from local.tokens import bearer
from tests.chaos.callers import PATIENCE, Caller, Json, Lost
from tests.chaos.mailbox import KINDS, Decision, Mailbox

_ALLOWED_IPS = {"ranges": ["203.0.113.128/28"], "outside": "block", "state": "enabled"}
_RESOURCES = ("graph", "exchange", "sharePoint", "teams", "compliance")


@dataclass(frozen=True, slots=True)
class People:
    """Who plays: one caller of each role, with rights in every tenant."""

    administrator: Caller
    operator: Caller
    executor: Caller

    @classmethod
    def of(cls, client: Client) -> People:
        """The seeded callers."""
        return cls(*(Caller(client, bearer(client, role)) for role in ("administrator", "operator", "executor")))


@dataclass(slots=True)
class Story:
    """One tenant's life.

    Attributes:
        over: when it is set, the story ends with the step that is under way.
        restricts: also set allowed IPs, which takes long, for conditional access is asked once a second.
        steps: how many steps were played to their end.
        leases: action id and lease id of what the executor holds.
    """

    tenant_id: str
    people: People
    mailbox: Mailbox
    over: threading.Event
    restricts: bool = False
    steps: int = 0
    leases: list[tuple[str, str]] = field(default_factory=list)
    _kinds: Iterator[str] = field(default_factory=lambda: itertools.cycle(KINDS))

    def play(self) -> None:
        """Play until it is over.

        Raises:
            Lost: a step did not come out as promised.
        """
        for step in itertools.cycle(self._plot()):
            if self.over.is_set():
                return
            step()
            self.steps += 1

    def disable(self) -> Json:
        """Disable advanced management; the tenant as it is afterwards."""
        self.people.administrator.finish("DELETE", self._path("/service-account"))
        return self.people.administrator.read(self._path())

    def _plot(self) -> tuple[Callable[[], None], ...]:
        restricted = (self.restrict,) if self.restricts else ()
        return (
            self.onboard,
            self.create,
            *restricted,
            self.rotate,
            self.turn_on,
            self.act,
            self.drain,
            self.allow_auto_enable,
            self.act_while_off,
            self.rotate,
            self.act,
            self.turn_off,
            self.turn_on,
            self.leave,
        )

    def _path(self, rest: str = "") -> str:
        return f"/v1/tenants/{self.tenant_id}{rest}"

    def onboard(self) -> None:
        self.people.administrator.ask("PUT", self._path(), {}, statuses=(200, 201))

    def create(self) -> None:
        self.people.administrator.finish("PUT", self._path("/service-account"), {})
        account = self.people.operator.read(self._path())["serviceAccount"]
        self._require(account["state"] == "created", account)

    def restrict(self) -> None:
        self.people.administrator.finish("PUT", self._path("/allowed-ips"), _ALLOWED_IPS)

    def turn_on(self) -> None:
        body = {"state": "on", "method": "serviceAccount", "reason": "the story"}
        self.people.operator.finish("PUT", self._path("/session"), body)
        self._expect_session("on")

    def act(self) -> None:
        self.ask_for(4)
        for action_id, lease_id in self.leases[::2]:
            self.mailbox.complete(self.tenant_id, action_id)
            self.leases.remove((action_id, lease_id))
        while self.leases:
            _, lease_id = self.leases.pop()
            self.people.executor.ask("DELETE", self._path(f"/leases/{lease_id}"), statuses=(204,))
        self._await_idle()

    def drain(self) -> None:
        self.turn_off(drain=True)

    def turn_off(self, *, drain: bool = False) -> None:
        self.people.operator.finish("PUT", self._path("/session"), {"state": "off", "drain": drain})
        self._expect_session("off")

    def allow_auto_enable(self) -> None:
        self.people.administrator.ask("PUT", self._path("/auto-enable"), {"enabled": True})

    def act_while_off(self) -> None:
        """Whoever asks first turns the session on; all are answered."""
        self.ask_for(6)
        self._expect_session("on")

    def rotate(self) -> None:
        """Leases that are held go on being good."""
        self.people.administrator.finish("POST", self._path("/service-account/rotate"), {})
        for resource, (_, lease_id) in zip(_RESOURCES, self.leases, strict=False):
            self._redeem(lease_id, resource)

    def leave(self) -> None:
        tenant = self.disable()
        self._require(tenant["serviceAccount"]["state"] == "none", tenant["serviceAccount"])
        self._require(tenant["session"]["state"] == "off", tenant["session"])
        self.leases.clear()

    def ask_for(self, count: int) -> None:
        """So many leases, and a token by the last."""
        asked = [self.mailbox.ask(self.tenant_id, next(self._kinds)) for _ in range(count)]
        for action_id, decision in zip(asked, self.mailbox.await_decisions(asked), strict=True):
            self._require(decision["decision"] == "ready", decision)
            self.leases.append((action_id, decision["leaseId"]))
        self._redeem(self.leases[-1][1], "graph")

    def _redeem(self, lease_id: str, resource: str) -> None:
        path = self._path(f"/leases/{lease_id}/token")
        self.people.executor.ask("POST", path, {"resource": resource})

    def _await_idle(self) -> None:
        until = time.monotonic() + PATIENCE
        while held := self.people.operator.read(self._path("/session"))["leases"]:
            self._require(time.monotonic() < until, {"leases": held})
            time.sleep(0.1)

    def _expect_session(self, state: str) -> None:
        session = self.people.operator.read(self._path("/session"))
        self._require(session["state"] == state, session)

    def _require(self, holds: bool, found: Json | Decision) -> None:
        if not holds:
            raise Lost(f"tenant {self.tenant_id}: {found}")
