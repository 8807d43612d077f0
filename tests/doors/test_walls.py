"""Executors, tenants and callers are walled off from each other: what is lent to one is of no use to another."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.errors import Conflict
from tests.doors.doors import DOORS, knock
from tests.doors.people import (
    ADMINISTRATOR,
    EXECUTOR,
    LIMITED_ADMINISTRATOR,
    LIMITED_EXECUTOR,
    LIMITED_OPERATOR,
    OPERATOR,
    SECOND_EXECUTOR,
    STRANGER,
    Person,
    Place,
)
from tests.doors.service import Service, content_of, refusal_of
from tests.fakes.calls import Call

LEASE_DOORS = [DOORS[name] for name in ("redeemLease", "renewLease", "releaseLease")]
NO_LEASE = (404, "leaseNotFound", None)


def lease_path(place: Place, lease_id: str) -> str:
    return f"/v1/tenants/{place.value}/leases/{lease_id}"


def redeem(service: Service, place: Place, lease_id: str, by: Person = EXECUTOR, resource: str = "graph") -> object:
    """What redeeming comes to: True, or the refusal."""
    answer = service.call("POST", f"{lease_path(place, lease_id)}/token", by, {"resource": resource})
    return True if answer.status == 200 else refusal_of(answer)


@pytest.mark.parametrize("door", LEASE_DOORS[:2], ids=lambda door: door.name)
def test_a_lease_of_one_tenant_gives_nothing_in_another(open_service: Service, door: object) -> None:
    lease_id = open_service.lease(Place.OWN)

    assert redeem(open_service, Place.OTHER, lease_id) == NO_LEASE
    assert redeem(open_service, Place.UNKNOWN, lease_id) == NO_LEASE
    assert redeem(open_service, Place.OWN, lease_id) is True


def test_another_executors_lease_is_none_and_stays_untouched(open_service: Service) -> None:
    path = lease_path(Place.OWN, open_service.lease(Place.OWN))

    redeemed = open_service.call("POST", f"{path}/token", SECOND_EXECUTOR, {"resource": "graph"})
    renewed = open_service.call("POST", f"{path}/renew", SECOND_EXECUTOR, {})
    released = open_service.call("DELETE", path, SECOND_EXECUTOR)

    assert (refusal_of(redeemed), refusal_of(renewed), released.status) == (NO_LEASE, NO_LEASE, 204)
    assert redeem(open_service, Place.OWN, open_service.lease(Place.OWN)) is True


def test_a_lease_is_found_by_object_id_as_by_application_id(open_service: Service) -> None:
    action_id = open_service.ask(Place.OWN, EXECUTOR, executor=EXECUTOR.object_id)
    lease_id = open_service.read(f"/v1/tenants/{Place.OWN.value}/actions/{action_id}", EXECUTOR)["leaseId"]

    assert redeem(open_service, Place.OWN, lease_id) is True


def test_a_token_can_be_had_only_for_what_was_leased(open_service: Service) -> None:
    action_id = open_service.ask(Place.OWN, EXECUTOR, resources=["exchange"])
    lease_id = open_service.read(f"/v1/tenants/{Place.OWN.value}/actions/{action_id}", EXECUTOR)["leaseId"]

    assert redeem(open_service, Place.OWN, lease_id, resource="graph") == (409, "resourceNotLeased", "resource")
    assert redeem(open_service, Place.OWN, lease_id, resource="exchange") is True


def test_nothing_can_be_had_from_a_lease_that_was_released(open_service: Service) -> None:
    lease_id = open_service.lease(Place.OWN)
    path = lease_path(Place.OWN, lease_id)

    released = [open_service.call("DELETE", path, EXECUTOR).status for _ in range(2)]

    assert released == [204, 204]
    assert redeem(open_service, Place.OWN, lease_id) == NO_LEASE
    assert refusal_of(open_service.call("POST", f"{path}/renew", EXECUTOR, {})) == NO_LEASE


def test_nothing_can_be_had_from_a_lease_whose_time_is_up(open_service: Service) -> None:
    lease_id = open_service.lease(Place.OWN)

    open_service.clock.advance(timedelta(hours=1))

    assert redeem(open_service, Place.OWN, lease_id) == (409, "leaseEnded", None)


def test_nothing_can_be_had_from_the_moment_off_is_accepted(open_service: Service) -> None:
    lease_id = open_service.lease(Place.OWN)
    assert redeem(open_service, Place.OWN, lease_id) is True

    accepted = open_service.call("PUT", f"/v1/tenants/{Place.OWN.value}/session", OPERATOR, {"state": "off"})

    assert (accepted.status, content_of(accepted)["status"]) == (202, "notStarted")
    assert redeem(open_service, Place.OWN, lease_id) == (409, "sessionNotOn", None)


def test_a_session_whose_time_is_up_counts_as_off_for_who_asks_for_it(open_service: Service) -> None:
    path, wanted = f"/v1/tenants/{Place.OWN.value}/session", {"state": "on", "method": "serviceAccount"}
    open_service.clock.advance(timedelta(hours=8))

    refused = open_service.call("PUT", path, OPERATOR, wanted)
    open_service.work()
    accepted = open_service.call("PUT", path, OPERATOR, wanted)

    assert refusal_of(refused) == (409, "operationInProgress", None)
    assert refused.headers["retry-after"] == "2"
    assert accepted.status == 202


def test_a_lease_never_outlives_its_session(open_service: Service) -> None:
    lease_id = open_service.lease(Place.OWN)
    session = open_service.read(f"/v1/tenants/{Place.OWN.value}/session")

    for _ in range(9):
        open_service.clock.advance(timedelta(minutes=50))
        renewed = open_service.call("POST", f"{lease_path(Place.OWN, lease_id)}/renew", EXECUTOR, {"duration": "PT8H"})

    assert content_of(renewed)["expiresAt"] == session["expiresAt"]
    open_service.clock.advance(timedelta(minutes=31))
    assert redeem(open_service, Place.OWN, lease_id) == (409, "sessionNotOn", None)


def test_an_executor_that_was_not_granted_a_tenant_gets_nothing_there_whatever_it_asked_for_over_the_queue(
    open_service: Service,
) -> None:
    action_id = open_service.ask(Place.OTHER, LIMITED_EXECUTOR)
    lease_id = open_service.read(f"/v1/tenants/{Place.OTHER.value}/actions/{action_id}")["leaseId"]

    assert redeem(open_service, Place.OTHER, lease_id, LIMITED_EXECUTOR) == NO_LEASE


def test_an_executor_whose_right_was_taken_away_gets_nothing_more(open_service: Service) -> None:
    lease_id = open_service.lease(Place.OWN, LIMITED_EXECUTOR)
    assert redeem(open_service, Place.OWN, lease_id, LIMITED_EXECUTOR) is True

    path = f"/v1/tenants/{Place.OWN.value}/operators/{LIMITED_EXECUTOR.object_id}"
    assert open_service.call("DELETE", path, ADMINISTRATOR).status == 204

    assert redeem(open_service, Place.OWN, lease_id, LIMITED_EXECUTOR) == NO_LEASE


def test_an_executor_cannot_tell_a_session_that_is_off_in_a_tenant_of_others(open_service: Service) -> None:
    open_service.done("PUT", f"/v1/tenants/{Place.OTHER.value}/session", OPERATOR, {"state": "off"})
    lease_id = open_service.lease(Place.OTHER)

    there, nowhere = (redeem(open_service, place, lease_id, LIMITED_EXECUTOR) for place in (Place.OTHER, Place.UNKNOWN))

    assert there == nowhere == NO_LEASE


def test_no_answer_but_the_token_doors_holds_a_secret(open_service: Service) -> None:
    told = [
        knock(open_service, door, by)
        for door in DOORS.values()
        for by in (OPERATOR, ADMINISTRATOR, EXECUTOR, STRANGER)
        if door.name != "redeemLease"
    ]
    said = "\n".join(f"{answer.headers} {answer.text}" for answer in told)

    kept = {version.secret.reveal() for versions in open_service.vault.names.values() for version in versions.values()}
    live = {token for tenant in open_service.tenants.values() for token in tenant.refresh_tokens}
    assert len(kept) >= 4, "a password and a refresh token of each tenant"
    assert {secret for secret in kept | live if secret in said} == set()


def test_a_right_that_was_taken_away_is_gone_at_once(open_service: Service) -> None:
    session = f"/v1/tenants/{Place.OWN.value}/session"
    assert open_service.call("GET", session, LIMITED_OPERATOR).status == 200

    operators = f"/v1/tenants/{Place.OWN.value}/operators/{LIMITED_OPERATOR.object_id}"
    assert open_service.call("DELETE", operators, LIMITED_ADMINISTRATOR).status == 204

    assert refusal_of(open_service.call("GET", session, LIMITED_OPERATOR)) == (404, "tenantNotFound", None)


def test_a_token_asked_for_while_somebody_changes_the_tenant_can_be_had_a_moment_later(open_service: Service) -> None:
    for tenant in open_service.tenants.values():
        tenant.refresh_tokens.clear()  # so that the account must sign in again, and the tenant's row be written
    before = len(open_service.log)
    assert redeem(open_service, Place.OTHER, open_service.lease(Place.OTHER)) is True
    written = open_service.log.calls[before:].index(Call("TenantStore", "commit"))
    open_service.log.fail(len(open_service.log) + written + 1, Conflict("the tenant"))

    lost = redeem(open_service, Place.OWN, open_service.lease(Place.OWN))

    assert lost == (503, "serviceUnavailable", None)
    assert redeem(open_service, Place.OWN, open_service.lease(Place.OWN)) is True
