"""The whole app in one process: Microsoft's runtime and our doors and services, over a world of fakes."""

from __future__ import annotations

import json as json_format
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from local.host import FunctionHost
from local.host.http import Response
from local.host.runtime import Outcome
from shared import wiring
from shared.domain.activity import Event
from shared.domain.ids import TenantId, lease_id_for
from shared.services.world import World
from tests.contract import answers
from tests.doors import tokens
from tests.doors.people import ADMINISTRATOR, EXECUTOR, GRANTS, LIMITED_EXECUTOR, OPERATOR, Person, Place
from tests.fakes import CallLog, FakeClock, FakeDueList, FakeMessages, FakeTenantIndex, FakeTenantStore, MemoryTable
from tests.fakes.microsoft365 import FakeDirectory, FakeSignIn, FakeTenants
from tests.fakes.policies import FakeTenantPolicies
from tests.fakes.vault import FakeVault

APPLICATION_ID: Final = "dddddddd-0000-4000-8000-000000000001"
AUTHORITY: Final = "https://login.example"
_PAUSE: Final = timedelta(seconds=0.5)
REFUSED: Final = f'"{Event.REQUEST_REFUSED}"'

Json = dict[str, Any]


@dataclass
class Service:
    """The doors, and what lies behind them, to be looked at and to be broken.

    Attributes:
        log: every call of a port; `log.fail` breaks the next one.
        actions, operations, messages_kept: ids of what `open_sessions` has made: actions by executor, the turn-on, a
            message that failed every time, also one about a tenant that nobody knows.
    """

    host: FunctionHost
    monkeypatch: pytest.MonkeyPatch
    log: CallLog = field(default_factory=CallLog)
    clock: FakeClock = field(default_factory=FakeClock)
    tenants: FakeTenants = field(default_factory=FakeTenants)
    actions: dict[tuple[Place, Person], str] = field(default_factory=dict)
    operations: dict[Place, str] = field(default_factory=dict)
    messages_kept: dict[Place, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.messages = FakeMessages(self.log, self.clock)
        self.vault = FakeVault(self.log, self.clock)
        self.store, self.index, self.due = (
            FakeTenantStore(self.log),
            FakeTenantIndex(self.log),
            FakeDueList(self.log),
        )
        self.world = World(
            clock=self.clock,
            store=self.store,
            index=self.index,
            due=self.due,
            messages=self.messages,
            vault=self.vault,
            directory=FakeDirectory(self.tenants, self.log),
            sign_in=FakeSignIn(self.tenants, self.clock, self.log),
            policies=FakeTenantPolicies(self.tenants, self.log),
            application_id=UUID(APPLICATION_ID),
            egress_ips=("203.0.113.10/32",),
        )
        rules = wiring.CallerRules(tokens.ISSUER, tokens.AUDIENCE, tokens.FakeSigningKeys(), tokens.StoppedClock())
        assembled = wiring.assemble(self.world, rules, AUTHORITY, None)
        self.monkeypatch.setattr(wiring, "services", lambda: assembled)

    def call(
        self,
        method: str,
        path: str,
        by: Person,
        content: object = None,
        *,
        body: bytes | str = b"",
        headers: Mapping[str, str] | None = None,
        in_haste: bool = False,
    ) -> Response:
        """An answer that the contract allows; `path` begins after /api. In no haste is who keeps to the rate limits."""
        self.clock.advance(timedelta() if in_haste else _PAUSE)
        target = f"{answers.PREFIX}{path}"
        given = by.headers | dict(headers or {})
        answer = self.host.call(method, target, headers=given, body=body, json=content)
        answers.check(method, target, answer.status, answer.headers, answer.body)
        return answer

    def read(self, path: str, by: Person = OPERATOR) -> Json:
        """What a GET answers, which must be 200."""
        answer = self.call("GET", path, by)
        assert answer.status == 200, answer.text
        return content_of(answer)

    def done(self, method: str, path: str, by: Person, content: object = None) -> Json:
        """A write that must be accepted, carried out to its end; the operation, or the body of a 200 or 201."""
        answer = self.call(method, path, by, content)
        assert answer.status in (200, 201, 202), answer.text
        self.work()
        found = content_of(answer)
        if answer.status != 202:
            return found
        return self.read(answer.headers["operation-location"].partition(answers.PREFIX)[2])

    def deliver(self, queue: str, message: object) -> Outcome:
        """Runs the queue's door on a message: JSON text, or what is to become it, in Base64 as it lies in the queue."""
        text = message if isinstance(message, str) else json_format.dumps(message)
        return self.host.deliver(queue, b64encode(text.encode()).decode())

    def work(self) -> None:
        """Deliver what was sent to workers, letting time pass as far as needed, until nothing is left."""
        for _ in range(100):
            if not self.messages.operations:
                return
            for sent in self.messages.take_due():
                assert self.deliver("operations", sent.text).succeeded
            wait = min((sent.deliver_at - self.clock.now() for sent in self.messages.operations), default=timedelta())
            self.clock.advance(max(wait, timedelta()))
        raise AssertionError("the work does not come to an end")

    def ask(self, place: Place, by: Person, **more: object) -> str:
        """An action request, delivered; its action id."""
        action_id = str(uuid4())
        assert self.deliver("action-requests", action_request(place, by, action_id) | more).succeeded
        return action_id

    def open_sessions(self) -> None:
        """Both tenants with account, session and leases; in the own one everybody limited has been granted rights."""
        for place in (Place.OWN, Place.OTHER):
            path = f"/v1/tenants/{place.value}"
            self.done("PUT", path, ADMINISTRATOR, {"displayName": place.name.title()})
            self.done("PUT", f"{path}/service-account", ADMINISTRATOR, {})
            self.done("POST", f"{path}/policy-checks", OPERATOR, {})
            turned_on = self.done("PUT", f"{path}/session", OPERATOR, {"state": "on", "method": "serviceAccount"})
            assert turned_on["status"] == "succeeded", turned_on
            self.operations[place] = turned_on["id"]
            self.actions[place, EXECUTOR] = self.ask(place, EXECUTOR)
            self.messages_kept[place] = self.give_up(place, f"{path}/poison-messages")
        self.messages_kept[Place.UNKNOWN] = self.give_up(Place.UNKNOWN, "/v1/poison-messages")
        self.actions[Place.OWN, LIMITED_EXECUTOR] = self.ask(Place.OWN, LIMITED_EXECUTOR)
        for person, rights in GRANTS.items():
            path = f"/v1/tenants/{Place.OWN.value}/operators/{person.object_id}"
            self.done("PUT", path, ADMINISTRATOR, {"roles": rights})

    def give_up(self, place: Place, path: str) -> str:
        """Give up on a completion in that tenant; the id of the only message kept at that path."""
        completion = {"schemaVersion": 1, "actionId": str(uuid4()), "tenantId": place.value, "outcome": "failed"}
        assert self.deliver("action-completions-poison", completion).succeeded
        (kept,) = self.read(path, ADMINISTRATOR)["value"]
        return str(kept["messageId"])

    def lease(self, place: Place, executor: Person = EXECUTOR) -> str:
        """The id of the lease that `open_sessions` has got for an executor."""
        action_id = UUID(self.actions[place, executor])
        return str(lease_id_for(TenantId(UUID(place.value)), action_id))  # type: ignore[arg-type]

    def kept(self) -> frozenset[str]:
        """Whatever is said in the tables, but for the trail's entries of requests that were refused."""
        said = "\n".join(table.text() for table in self.tables()).splitlines()
        return frozenset(line for line in said if not line.startswith("activity-") and REFUSED not in line)

    def forget_refusals(self) -> None:
        """Take the trail's entries of refused requests away, so that thousands of them do not slow a suite down."""
        for place in Place:
            for found in self.store.table.between(place.value, "activity-", "activity."):
                if REFUSED in str(found.entity["Document"]):
                    self.store.table.delete(place.value, str(found.entity["RowKey"]))

    def tables(self) -> tuple[MemoryTable, ...]:
        """Every table."""
        return self.store.table, self.index.table, self.due.table


def content_of(answer: Response) -> Json:
    """An answer's body, a JSON object."""
    found = answer.json()
    assert isinstance(found, dict)
    return found


def refusal_of(answer: Response) -> tuple[int, str, str | None]:
    """What an answer says no with: status, code and target."""
    error = content_of(answer)["error"]
    return answer.status, error["code"], error.get("target")


def action_request(place: Place, executor: Person, action_id: str) -> Json:
    """contracts/schemas/actionRequestV1.json, the shortest."""
    return {
        "schemaVersion": 1,
        "actionId": action_id,
        "tenantId": place.value,
        "kind": "workflow",
        "executor": executor.application_id,
        "operator": {"objectId": OPERATOR.object_id, "name": "Olga Operator"},
    }
