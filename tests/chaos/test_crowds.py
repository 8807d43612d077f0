"""Many at once on the real stack: everybody is answered, everything is done once, and nothing comes apart."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from uuid import uuid4

import pytest

from local.client import COMES_WITHIN, Client, Reply
from local.stack import Stack
from local.tokens import claims_of
from shared.domain.operation import OperationKind, Status
from tests.chaos.callers import Json
from tests.chaos.customers import consented
from tests.chaos.evidence import Evidence
from tests.chaos.mailbox import KINDS, Mailbox
from tests.chaos.promises import broken_promises
from tests.chaos.story import People, Story
from tests.chaos.tally import Tally

T = TypeVar("T")

REQUESTS: Final = 200
TOGGLES: Final = 50
SETTINGS: Final = {"UPKEEP_SCHEDULE": "0 0 0 1 1 *", "STUCK_AFTER_SECONDS": "5"}
"""The timer goes off on New Year's Day: upkeep comes when a test sends for it."""


@dataclass(frozen=True, slots=True)
class Place:
    """A running stack with customers, one of whom is the test's own and has a service account.

    Attributes:
        tenants: every customer that was onboarded so far.
    """

    client: Client
    evidence: Evidence
    mailbox: Mailbox
    tenants: list[str]
    story: Story

    def session(self) -> Json:
        return self.story.people.operator.read(f"/v1/tenants/{self.story.tenant_id}/session")

    def operations(self, kind: OperationKind) -> Counter[Status]:
        """How many operations of the kind there are in which status."""
        found = self.evidence.operations(self.story.tenant_id)
        return Counter(operation.status for operation in found if operation.kind is kind)

    def has_been_checked(self) -> bool:
        return self.operations(OperationKind.CHECK_POLICIES)[Status.SUCCEEDED] > 0

    def with_another_customer(self) -> Place:
        """This place, with a new tenant."""
        (tenant_id,) = consented(self.client, 1)
        story = Story(tenant_id, self.story.people, self.mailbox, threading.Event())
        story.onboard()
        story.create()
        self.tenants.append(tenant_id)
        return replace(self, story=story)

    def upkeep(self) -> Reply:
        """Run the timer's function now, as an operator of the platform may."""
        url = f"{self.client.addresses.host}/admin/functions/upkeep"
        return self.client.send("POST", url, {"input": ""}, {"x-functions-key": self.client.addresses.master_key})

    def expect_promises_kept(self) -> None:
        assert broken_promises(self.evidence, self.tenants, self.mailbox, within=COMES_WITHIN) == []


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Stack(directory=tmp_path_factory.mktemp("crowds"), settings=SETTINGS) as stack:
        client = Client(stack.addresses)
        people = People.of(client)
        executor = str(claims_of(people.executor.token)["azp"])
        with (
            closing(Evidence(client)) as evidence,
            Mailbox(stack.addresses.storage_connection_string, executor=executor) as mailbox,
        ):
            yield Place(client, evidence, mailbox, [], Story("", people, mailbox, threading.Event()))


@pytest.fixture
def place(town: Place) -> Place:
    return town.with_another_customer()


@pytest.mark.timeout(300)
def test_two_hundred_requests_at_once_are_let_into_a_session_that_is_on(place: Place, tally: Tally) -> None:
    place.story.turn_on()

    asked = at_once(REQUESTS, lambda number: place.mailbox.ask(place.story.tenant_id, KINDS[number % 4]))
    decisions = place.mailbox.await_decisions(asked, within=COMES_WITHIN)
    tally.crowd += REQUESTS

    assert Counter(decision["decision"] for decision in decisions) == {"ready": REQUESTS}
    assert len({decision["leaseId"] for decision in decisions}) == REQUESTS
    assert place.session()["leases"] == REQUESTS
    at_once(REQUESTS, lambda number: place.mailbox.complete(place.story.tenant_id, asked[number]))
    wait_until(lambda: place.session()["leases"] == 0)
    place.expect_promises_kept()


@pytest.mark.timeout(300)
def test_two_hundred_requests_at_once_turn_a_session_on_by_one_sign_in(place: Place, tally: Tally) -> None:
    place.story.allow_auto_enable()
    before = place.evidence.sign_ins(place.story.tenant_id)

    asked = at_once(REQUESTS, lambda number: place.mailbox.ask(place.story.tenant_id, KINDS[number % 4]))
    decisions = place.mailbox.await_decisions(asked, within=COMES_WITHIN)
    tally.crowd += REQUESTS

    assert Counter(decision["decision"] for decision in decisions) == {"ready": REQUESTS}
    assert place.operations(OperationKind.TURN_ON) == {Status.SUCCEEDED: 1}
    assert place.evidence.sign_ins(place.story.tenant_id) == before + 1
    place.expect_promises_kept()


@pytest.mark.timeout(300)
def test_fifty_toggles_at_once_leave_one_state_behind(place: Place, tally: Tally) -> None:
    def toggle(number: int) -> int:
        body = {"state": "on", "method": "serviceAccount"} if number % 2 else {"state": "off"}
        headers = {"Idempotency-Key": str(uuid4())}
        path = f"/v1/tenants/{place.story.tenant_id}/session"
        token = place.story.people.operator.token
        return place.client.api("PUT", path, token=token, content=body, headers=headers).status

    statuses = Counter(at_once(TOGGLES, toggle))
    tally.crowd += TOGGLES

    assert statuses.keys() <= {200, 202, 409, 503}
    assert statuses[202] > 0
    place.expect_promises_kept()
    for kind in (OperationKind.TURN_ON, OperationKind.TURN_OFF):
        assert place.operations(kind).keys() <= {Status.SUCCEEDED, Status.CANCELED}
    place.story.turn_off()
    place.story.turn_on()
    place.expect_promises_kept()


@pytest.mark.timeout(300)
def test_two_upkeeps_at_once_do_what_is_due_once(place: Place, tally: Tally) -> None:
    customers = [place, *(place.with_another_customer() for _ in range(4))]
    time.sleep(float(SETTINGS["STUCK_AFTER_SECONDS"]))  # now every tenant is due to be looked at, and to be checked

    assert at_once(2, lambda number: place.upkeep().status) == [202, 202]
    tally.crowd += 2

    for each in customers:
        wait_until(each.has_been_checked)
        assert each.operations(OperationKind.CHECK_POLICIES).total() == 1
    place.expect_promises_kept()


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + COMES_WITHIN
    while not holds():
        assert time.monotonic() < until, f"it did not come to that in {COMES_WITHIN:g} seconds"
        time.sleep(0.1)


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """What `act` returns for 0 to `count` - 1, called by as many threads that start together."""
    ready = threading.Barrier(count)

    def start(number: int) -> T:
        ready.wait()
        return act(number)

    with ThreadPoolExecutor(count) as crowd:
        return list(crowd.map(start, range(count)))
