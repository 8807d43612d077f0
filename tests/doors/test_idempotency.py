"""Sent twice is done once, and nobody overwrites what somebody else has written meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.doors.doors import CONDITIONAL, DOORS, WRITES, Door, caller_of, named
from tests.doors.people import ADMINISTRATOR, LIMITED_ADMINISTRATOR, OPERATOR, Place
from tests.doors.service import Json, Service, content_of, refusal_of

OWN = f"/v1/tenants/{Place.OWN.value}"
KEY = {"Idempotency-Key": "only-for-tests-key-1"}
LONG_WORK = [door for door in WRITES if "202" in door.statuses]
NAMED_IN_THE_TRAIL = [
    door
    for door in WRITES
    if door.name not in ("renewLease", "releaseLease")  # may be repeated
]
ANOTHER_BODY: dict[str, Json] = {
    "onboardTenant": {"displayName": "Another"},
    "createServiceAccount": {"roleProfile": "readOnly"},
    "setSession": {"state": "off", "drain": True, "reason": "another"},
    "setAutoEnable": {"enabled": False},
    "setAllowedIps": {"ranges": ["198.51.100.0/24"], "outside": "block", "state": "reportOnly"},
    "grantOperator": {"roles": ["reader"]},
}
"""A good body that is not the contract's example, for every door that has the two."""


def trail(service: Service) -> list[str]:
    """What the tenant's trail tells, the latest first."""
    return [entry["kind"] for entry in service.read(f"{OWN}/activity?top=200")["value"]]


def first_body(door: Door) -> Json | None:
    """A good body; where a session is on already, one that turns it off, so that there is something to do."""
    if door.name == "createServiceAccount":
        return {"roleProfile": "fullManagement"}
    return {"state": "off"} if door.name == "setSession" else door.body


@pytest.mark.parametrize("door", LONG_WORK, ids=named)
def test_the_same_key_is_the_same_operation(open_service: Service, door: Door) -> None:
    if door.name == "removeAllowedIps":
        open_service.done("PUT", f"{OWN}/allowed-ips", ADMINISTRATOR, DOORS["setAllowedIps"].body)
    by = caller_of(door)
    path = door.place(open_service, Place.OWN, by)

    first = open_service.call(door.method, path, by, first_body(door), headers=KEY)
    sent, kept = len(open_service.messages.sent), open_service.kept()
    again = open_service.call(door.method, path, by, first_body(door), headers=KEY)

    assert (first.status, again.status) == (202, 202)
    assert content_of(again) == content_of(first)
    assert again.headers["operation-location"] == first.headers["operation-location"]
    assert (len(open_service.messages.sent), open_service.kept()) == (sent, kept)


@pytest.mark.parametrize("door", LONG_WORK, ids=named)
def test_the_same_key_is_the_same_operation_after_it_has_ended(open_service: Service, door: Door) -> None:
    if door.name == "removeAllowedIps":
        open_service.done("PUT", f"{OWN}/allowed-ips", ADMINISTRATOR, DOORS["setAllowedIps"].body)
    by = caller_of(door)
    path = door.place(open_service, Place.OWN, by)
    first = content_of(open_service.call(door.method, path, by, first_body(door), headers=KEY))
    open_service.work()

    again = open_service.call(door.method, path, by, first_body(door), headers=KEY)

    assert again.status == 202
    assert content_of(again)["id"] == first["id"]
    assert content_of(again)["status"] in ("succeeded", "failed")
    assert open_service.messages.operations == ()


@pytest.mark.parametrize("door", NAMED_IN_THE_TRAIL, ids=named)
def test_the_same_key_is_the_same_request_even_when_no_operation_comes_of_it(open_service: Service, door: Door) -> None:
    by = caller_of(door)
    path = door.place(open_service, Place.OWN, by)

    first = open_service.call(door.method, path, by, first_body(door), headers=KEY)
    told = trail(open_service)
    again = open_service.call(door.method, path, by, first_body(door), headers=KEY)

    assert first.status < 300
    assert again.status in (first.status, 200)
    assert trail(open_service) == told


@pytest.mark.parametrize("name", ANOTHER_BODY)
def test_the_same_key_for_another_body_is_refused(open_service: Service, name: str) -> None:
    door = DOORS[name]
    by = caller_of(door)
    path = door.place(open_service, Place.OWN, by)
    assert open_service.call(door.method, path, by, first_body(door), headers=KEY).status < 300
    open_service.work()
    kept = open_service.kept()

    refused = open_service.call(door.method, path, by, ANOTHER_BODY[name], headers=KEY)

    assert refusal_of(refused) == (409, "idempotencyKeyReused", "Idempotency-Key")
    assert open_service.kept() == kept


def test_the_same_key_at_another_door_is_refused(open_service: Service) -> None:
    open_service.done("PUT", f"{OWN}/auto-enable", ADMINISTRATOR, {"enabled": True})
    assert open_service.call("PUT", f"{OWN}/auto-enable", ADMINISTRATOR, {"enabled": True}, headers=KEY).status == 200

    refused = open_service.call("POST", f"{OWN}/service-account/rotate", ADMINISTRATOR, {}, headers=KEY)

    assert refusal_of(refused) == (409, "idempotencyKeyReused", "Idempotency-Key")


def test_a_key_is_its_callers_own_and_its_tenants_own(open_service: Service) -> None:
    path = "/service-account/rotate"
    other = f"/v1/tenants/{Place.OTHER.value}"

    first = content_of(open_service.call("POST", f"{OWN}{path}", ADMINISTRATOR, {}, headers=KEY))
    open_service.work()
    by_another = content_of(open_service.call("POST", f"{OWN}{path}", LIMITED_ADMINISTRATOR, {}, headers=KEY))
    elsewhere = content_of(open_service.call("POST", f"{other}{path}", ADMINISTRATOR, {}, headers=KEY))

    assert len({first["id"], by_another["id"], elsewhere["id"]}) == 3


def test_spelling_and_order_do_not_make_another_request(open_service: Service) -> None:
    typed = KEY | {"Content-Type": "application/json"}
    path = f"{OWN}/session"
    first = open_service.call("PUT", path, OPERATOR, body='{"state":"off","reason":"over"}', headers=typed)

    again = open_service.call("PUT", path, OPERATOR, body='{ "reason": "over", "state": "off" }', headers=typed)

    assert content_of(again)["id"] == content_of(first)["id"]


def test_without_a_key_the_same_wish_joins_the_operation_under_way(open_service: Service) -> None:
    first, again = (
        content_of(open_service.call("PUT", f"{OWN}/session", OPERATOR, {"state": "off"})) for _ in range(2)
    )

    assert again["id"] == first["id"]
    assert len(open_service.messages.operations) == 1


def test_another_wish_while_an_operation_is_under_way_is_refused_until_it_has_ended(open_service: Service) -> None:
    open_service.call("POST", f"{OWN}/service-account/rotate", ADMINISTRATOR, {})

    refused = open_service.call("PUT", f"{OWN}/service-account", ADMINISTRATOR, {"roleProfile": "fullManagement"})
    open_service.work()
    accepted = open_service.call("PUT", f"{OWN}/service-account", ADMINISTRATOR, {"roleProfile": "fullManagement"})

    assert refusal_of(refused) == (409, "operationInProgress", None)
    assert refused.headers["retry-after"] == "2"
    assert accepted.status == 202
    assert "requestRefused" in trail(open_service)


@pytest.mark.parametrize("door", CONDITIONAL, ids=named)
def test_what_was_changed_meanwhile_is_not_overwritten(open_service: Service, door: Door) -> None:
    by = caller_of(door)
    path = door.place(open_service, Place.OWN, by)
    seen = open_service.call("GET", OWN, OPERATOR).headers["etag"]
    open_service.clock.advance(timedelta(seconds=1))
    open_service.done("PUT", f"{OWN}/auto-enable", ADMINISTRATOR, {"enabled": True})
    kept = open_service.kept()

    stale = open_service.call(door.method, path, by, first_body(door), headers={"If-Match": seen})
    unchanged = open_service.kept()
    fresh = open_service.call("GET", OWN, OPERATOR).headers["etag"]
    done = open_service.call(door.method, path, by, first_body(door), headers={"If-Match": fresh})

    assert refusal_of(stale) == (412, "preconditionFailed", None)
    assert unchanged == kept
    assert done.status < 300


@pytest.mark.parametrize("door", [door for door in WRITES if door not in CONDITIONAL], ids=named)
def test_where_the_contract_knows_no_if_match_none_is_heeded(open_service: Service, door: Door) -> None:
    by = caller_of(door)
    path = door.place(open_service, Place.OWN, by)

    assert open_service.call(door.method, path, by, door.body, headers={"If-Match": '"stale"'}).status < 300


@pytest.mark.parametrize("door", CONDITIONAL, ids=named)
def test_a_star_stands_for_whatever_is_there(open_service: Service, door: Door) -> None:
    by = caller_of(door)
    path = door.place(open_service, Place.OWN, by)

    assert open_service.call(door.method, path, by, first_body(door), headers={"If-Match": "*"}).status < 300


@pytest.mark.parametrize("etag", ["*", '"1"'])
def test_if_match_does_not_bring_a_tenant_in(service: Service, etag: str) -> None:
    answer = service.call("PUT", OWN, ADMINISTRATOR, {}, headers={"If-Match": etag})

    assert refusal_of(answer) == (412, "preconditionFailed", None)
    assert Place.OWN.value not in service.kept()


def test_a_repeated_write_is_not_held_up_by_the_change_it_made_itself(open_service: Service) -> None:
    seen = open_service.call("GET", f"{OWN}/session", OPERATOR).headers["etag"]
    headers = KEY | {"If-Match": seen}

    first = open_service.call("PUT", f"{OWN}/session", OPERATOR, {"state": "off"}, headers=headers)
    again = open_service.call("PUT", f"{OWN}/session", OPERATOR, {"state": "off"}, headers=headers)

    assert (first.status, again.status) == (202, 202)
    assert content_of(again)["id"] == content_of(first)["id"]
