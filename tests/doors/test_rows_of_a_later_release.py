"""A row that a later release wrote is told in the contract's words, tells strangers nothing, and stops no message.

The kinds of rows are the code's own list, so a new kind is tried the day it is written.
"""

from __future__ import annotations

import pytest

from shared import wiring
from shared.adapters.storage.rows import OVERVIEW, Kind
from shared.domain.action import Verdict
from shared.domain.store import Insert
from tests.doors.doors import DOORS, Door, knock, named
from tests.doors.people import ADMINISTRATOR, OPERATOR, PEOPLE, Person, Place
from tests.doors.service import Service, content_of, refusal_of
from tests.doors.test_queue_doors import OWN, SCHEMAS, message_for
from tests.doors.test_rights import LEASE_DOORS, NOT_ALLOWED
from tests.fakes.later_release import rewrite, rewrite_kind
from tests.fakes.sample_rows import parked_row

AWAY = (503, "serviceUnavailable", None)
OF_TENANT = [door for door in DOORS.values() if door.of_tenant]
STRANGERS = [by for by in PEOPLE.values() if not by.everywhere]
KNOWN_EVERYWHERE = [by for by in PEOPLE.values() if by.everywhere]


@pytest.fixture(scope="module")
def rewritten(shared: Service) -> Service:
    """The doors over two tenants that a later release has written again, with their gates."""
    for place in (Place.OWN, Place.OTHER):
        rewrite(shared.store.table, place.value, OVERVIEW[0])
    return shared


def write_later(service: Service, kind: Kind) -> None:
    """Have a later release write every row of that kind again in the own tenant, which has some of each."""
    key = {"Idempotency-Key": "only-for-tests-key"}
    path = f"/v1/tenants/{OWN}/auto-enable"
    assert service.call("PUT", path, ADMINISTRATOR, {"enabled": True}, headers=key).status == 200
    service.store.commit(OWN, [Insert(parked_row(OWN))])
    rewrite_kind(service.tables(), kind, OWN)


def is_refused_unread(door: Door, by: Person) -> bool:
    """Whether the door refuses the caller before it looks at the tenant."""
    if door.name in LEASE_DOORS:
        return "executor" not in by.everywhere
    return door.name == "onboardTenant" and "administrator" not in by.everywhere


@pytest.mark.parametrize("door", OF_TENANT, ids=named)
def test_who_has_no_right_everywhere_cannot_tell_the_tenant_from_one_that_is_not_there(
    rewritten: Service, unchanged: Service, door: Door
) -> None:
    for by in STRANGERS:
        nowhere = knock(rewritten, door, by, Place.UNKNOWN)

        for place in (Place.OWN, Place.OTHER):
            there = knock(rewritten, door, by, place)
            assert (there.status, there.json()) == (nowhere.status, nowhere.json())
            assert there.headers.keys() == nowhere.headers.keys()


@pytest.mark.parametrize("door", OF_TENANT, ids=named)
def test_who_has_a_right_everywhere_is_told_to_come_again_and_why(
    rewritten: Service, unchanged: Service, door: Door
) -> None:
    for by in KNOWN_EVERYWHERE:
        answer = knock(rewritten, door, by)

        if is_refused_unread(door, by):
            assert refusal_of(answer) == NOT_ALLOWED
            continue
        assert refusal_of(answer) == AWAY
        assert "later release" in content_of(answer)["error"]["message"]
        assert "release" in content_of(answer)["error"]["nextStep"]["text"]


@pytest.mark.parametrize("kind", Kind)
def test_every_door_answers_as_the_contract_says(open_service: Service, kind: Kind) -> None:
    write_later(open_service, kind)

    told = {door.name: knock(open_service, door).status for door in DOORS.values() if door.rights}

    assert not [name for name, status in told.items() if status == 500]
    assert told["listTenants"] == told["stopAllSessions"] == 200
    assert open_service.call("GET", f"/v1/tenants/{Place.OTHER.value}", OPERATOR).status == 200


def test_a_lease_in_use_is_shown_without_its_action(open_service: Service) -> None:
    before = open_service.read(f"/v1/tenants/{OWN}/session")["leasesInUse"]
    write_later(open_service, Kind.ACTION)

    shown = open_service.read(f"/v1/tenants/{OWN}/session")["leasesInUse"]

    assert [lease["leaseId"] for lease in shown] == [lease["leaseId"] for lease in before]
    assert not any("operator" in lease for lease in shown)


def test_a_support_bundle_holds_the_operations_that_can_be_read(open_service: Service) -> None:
    before = open_service.read(f"/v1/tenants/{OWN}/support-bundle")["operations"]
    rewrite(open_service.store.table, Place.OWN.value, f"operation-{before[0]['id']}")

    shown = open_service.read(f"/v1/tenants/{OWN}/support-bundle")["operations"]

    assert shown == before[1:]
    assert shown


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("queue", SCHEMAS)
def test_what_was_given_up_on_is_taken_however_often_it_comes(open_service: Service, queue: str, kind: Kind) -> None:
    message = message_for(open_service, queue)
    open_service.deliver(f"{queue}-poison", message)
    write_later(open_service, kind)

    outcomes = [open_service.deliver(f"{queue}-poison", message).succeeded for _ in range(2)]

    assert outcomes == [True, True]


@pytest.mark.parametrize("queue", ["operations", "action-requests"])
def test_what_a_later_release_has_kept_is_closed_all_the_same(
    open_service: Service, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_service.call("POST", f"/v1/tenants/{OWN}/service-account/rotate", ADMINISTRATOR, {})
    (sent,) = open_service.messages.take_due()
    message: object = sent.text if queue == "operations" else message_for(open_service, queue)
    with monkeypatch.context() as broken:
        broken.setattr(type(wiring.services().carry_out), "close", None)
        broken.setattr(type(wiring.services().act), "give_up", None)
        open_service.deliver(f"{queue}-poison", message)
    rewrite_kind(open_service.tables(), Kind.POISON_MESSAGE, OWN)

    assert open_service.deliver(f"{queue}-poison", message).succeeded

    ended = open_service.store.operation(OWN, sent.operation_id).row.is_terminal
    answers = [each.decision.verdict for each in open_service.messages.decisions]
    assert ended if queue == "operations" else answers[-1] is Verdict.FAILED
