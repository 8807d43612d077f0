"""Every door, for every caller, in every tenant: let in are those whom the contract's `x-rights` name, nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.host import FunctionHost
from tests.doors.doors import DOORS, Door, knock
from tests.doors.people import EXECUTOR, LIMITED_EXECUTOR, PEOPLE, ROLES, Person, Place
from tests.doors.service import Service, refusal_of

LEASE_DOORS = ("redeemLease", "renewLease", "releaseLease")
HOLDERS = (EXECUTOR, LIMITED_EXECUTOR)
"""Who has an action with a lease wherever it may act; the other executors have none."""

UNAUTHENTICATED = (401, "unauthenticated", None)
NOT_ALLOWED = (403, "callerNotAllowed", None)
NO_TENANT = (404, "tenantNotFound", None)
NO_LEASE = (404, "leaseNotFound", None)
NO_ACTION = (404, "actionNotFound", None)
Refusal = tuple[int, str, str | None]


def refusal(door: Door, by: Person, place: Place) -> Refusal | None:
    """What the contract says to this caller at this door; None: come in."""
    if not door.rights:
        return None
    if not by.is_caller:
        return UNAUTHENTICATED
    if not door.of_tenant:  # of all tenants at once
        return None if door.rights & by.rights(Place.OTHER) else NOT_ALLOWED
    if door.name in LEASE_DOORS:
        return _at_leases(door, by, place)
    if door.name == "onboardTenant":
        return _at_onboarding(by, place)
    if place is Place.UNKNOWN or not by.rights(place):
        return NO_TENANT
    if door.name == "getAction" and by.rights(place) == {"executor"}:  # which reads its own actions only
        return None if by in HOLDERS else NO_ACTION
    return None if door.rights & by.rights(place) else NOT_ALLOWED


def _at_leases(door: Door, by: Person, place: Place) -> Refusal | None:
    """A lease is the right: who is no executor anywhere learns nothing, and an executor finds only its own.

    Giving back what one does not hold is no mistake, where one may be at all.
    """
    if "executor" not in by.everywhere | by.in_own:
        return NOT_ALLOWED
    if place is Place.UNKNOWN or "executor" not in by.rights(place):
        return NO_LEASE
    return None if by in HOLDERS or door.name == "releaseLease" else NO_LEASE


def _at_onboarding(by: Person, place: Place) -> Refusal | None:
    """Who is an administrator everywhere may bring a tenant in; who is one somewhere may change that tenant."""
    if "administrator" not in by.everywhere | by.in_own:
        return NOT_ALLOWED
    return None if "administrator" in by.rights(place) else NO_TENANT


TABLE: dict[tuple[str, str], dict[Place, Refusal | None]] = {
    (door.name, by.name): {place: refusal(door, by, place) for place in (Place if door.of_tenant else [Place.OWN])}
    for door in DOORS.values()
    for by in PEOPLE.values()
}
"""Every door and every caller: what is said in which tenant."""


def rows(places: Callable[[Door, Person], list[Place]]) -> list[object]:
    """Every door and caller for whom there are such places, as parameters of a test."""
    return [
        pytest.param(DOORS[door], PEOPLE[by], found, id=f"{door}, {by}")
        for door, by in TABLE
        if (found := places(DOORS[door], PEOPLE[by]))
    ]


def refused(door: Door, by: Person) -> list[Place]:
    return [place for place, told in TABLE[door.name, by.name].items() if told]


def let_in(door: Door, by: Person) -> list[Place]:
    return [place for place, told in TABLE[door.name, by.name].items() if not told]


def hidden(door: Door, by: Person) -> list[Place]:
    """The tenants in which the caller has no right at all, if a missing one may not be brought in through this door."""
    may_bring_in = not (door.of_tenant and by.is_caller and refusal(door, by, Place.UNKNOWN))
    return [] if may_bring_in else [place for place in (Place.OWN, Place.OTHER) if not by.rights(place)]


def test_every_door_of_the_app_is_in_the_table(host: FunctionHost) -> None:
    doors = {function.name: function.trigger("httpTrigger") for function in host.functions}
    found = {
        name: (str(trigger["route"]), trigger["methods"], str(trigger["authLevel"]).upper())
        for name, trigger in doors.items()
        if trigger is not None
    }

    assert found == {door.name: (door.path.strip("/"), [door.method], "ANONYMOUS") for door in DOORS.values()}


def test_the_table_has_every_right_and_every_outcome() -> None:
    outcomes = {told for row in TABLE.values() for told in row.values()}

    assert outcomes == {None, UNAUTHENTICATED, NOT_ALLOWED, NO_TENANT, NO_LEASE, NO_ACTION}
    assert {right for door in DOORS.values() for right in door.rights} == set(ROLES)


@pytest.mark.parametrize(("door", "by", "places"), rows(refused))
def test_who_has_no_right_is_refused_and_changes_nothing(
    unchanged: Service, door: Door, by: Person, places: list[Place]
) -> None:
    told = {place: refusal_of(knock(unchanged, door, by, place)) for place in places}

    assert told == {place: refusal(door, by, place) for place in places}


@pytest.mark.parametrize(("door", "by", "places"), rows(lambda door, by: [] if door.is_write else let_in(door, by)))
def test_who_may_read_is_answered_and_changes_nothing(
    unchanged: Service, door: Door, by: Person, places: list[Place]
) -> None:
    told = {place: knock(unchanged, door, by, place).status for place in places}

    assert told == dict.fromkeys(places, 200)


@pytest.mark.parametrize(("door", "by", "places"), rows(lambda door, by: let_in(door, by) if door.is_write else []))
def test_who_may_write_is_let_in(open_service: Service, door: Door, by: Person, places: list[Place]) -> None:
    told = {place: knock(open_service, door, by, place) for place in places}

    assert {place: answer.text for place, answer in told.items() if answer.status >= 300} == {}


@pytest.mark.parametrize(("door", "by", "places"), rows(hidden))
def test_who_has_no_right_in_a_tenant_cannot_tell_it_from_one_that_is_not_there(
    unchanged: Service, door: Door, by: Person, places: list[Place]
) -> None:
    nowhere = knock(unchanged, door, by, Place.UNKNOWN)

    for place in places:
        there = knock(unchanged, door, by, place)
        assert (there.status, there.json()) == (nowhere.status, nowhere.json())
        assert there.headers.keys() == nowhere.headers.keys()
