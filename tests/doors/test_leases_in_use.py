"""Whoever reads the session sees which actions use it now, for whom, since when and until when."""

from __future__ import annotations

from datetime import timedelta

from tests.doors.people import EXECUTOR, LIMITED_EXECUTOR, OPERATOR, Place
from tests.doors.service import Json, Service

OWN = f"/v1/tenants/{Place.OWN.value}"
SESSION = f"{OWN}/session"
GRANTED = {EXECUTOR, LIMITED_EXECUTOR}
"""Who holds a lease from the beginning."""


def in_use(service: Service) -> list[Json]:
    found: list[Json] = service.read(SESSION)["leasesInUse"]
    return found


def test_an_action_that_holds_a_lease_is_shown_with_all_that_tells_whose_it_is(open_service: Service) -> None:
    open_service.clock.advance(timedelta(minutes=1))
    action_id = open_service.ask(Place.OWN, EXECUTOR, kind="customAction", duration="PT30M")
    action = open_service.read(f"{OWN}/actions/{action_id}")

    newest, *others = in_use(open_service)

    assert newest == {
        "leaseId": action["leaseId"],
        "actionId": action_id,
        "kind": "customAction",
        "executor": EXECUTOR.application_id,
        "operator": {"objectId": OPERATOR.object_id, "name": "Olga Operator"},
        "since": action["decidedAt"],
        "until": action["expiresAt"],
    }
    assert {each["executor"] for each in others} == {by.application_id for by in GRANTED}


def test_what_was_given_back_or_has_ended_is_not_in_use(open_service: Service) -> None:
    path = f"{OWN}/leases/{open_service.lease(Place.OWN)}"
    assert open_service.call("DELETE", path, EXECUTOR).status == 204
    (left,) = in_use(open_service)

    open_service.clock.advance(timedelta(hours=1))

    assert left["executor"] == LIMITED_EXECUTOR.application_id
    assert (in_use(open_service), open_service.read(SESSION)["leases"]) == ([], 0)


def test_of_many_the_newest_twenty_are_shown_and_all_are_counted(open_service: Service) -> None:
    asked = []
    for _ in range(25):
        open_service.clock.advance(timedelta(seconds=1))
        asked.append(open_service.ask(Place.OWN, EXECUTOR))

    shown = [each["actionId"] for each in in_use(open_service)]

    assert shown == asked[:-21:-1]
    assert open_service.read(SESSION)["leases"] == 25 + len(GRANTED)


def test_the_tenant_tells_their_number_and_takes_one_request_to_the_tables(open_service: Service) -> None:
    before = len(open_service.log)

    session = open_service.read(OWN)["session"]

    assert (session["leases"], "leasesInUse" in session) == (len(GRANTED), False)
    assert len(open_service.log) == before + 1
