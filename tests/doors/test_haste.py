"""Whoever is in haste waits, holds up nobody else, and can never keep a session from being turned off."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import uuid4

import pytest

from functions import bodies, reading
from shared.services import rate_limits
from tests.doors.people import (
    ADMINISTRATOR,
    EXECUTOR,
    LIMITED_ADMINISTRATOR,
    LIMITED_EXECUTOR,
    LIMITED_OPERATOR,
    OPERATOR,
    READER,
    STRANGER,
    Place,
)
from tests.doors.service import REFUSED, Service, content_of, refusal_of

OWN, OTHER = (f"/v1/tenants/{place.value}" for place in (Place.OWN, Place.OTHER))
OFF = {"state": "off"}
OFTEN = 2 * rate_limits.TENANT_WRITES.burst


def test_a_caller_in_haste_is_told_to_wait_and_others_are_not_kept_waiting(open_service: Service) -> None:
    path = f"/v1/tenants/{Place.OWN.value}"
    hasty = [open_service.call("GET", path, READER, in_haste=True) for _ in range(rate_limits.CALLER.burst + 1)]

    assert {answer.status for answer in hasty[:-1]} == {200}
    assert refusal_of(hasty[-1]) == (429, "tooManyRequests", None)
    assert hasty[-1].headers["retry-after"] == "1"
    assert open_service.call("GET", path, OPERATOR, in_haste=True).status == 200
    open_service.clock.advance(timedelta(seconds=1))
    assert open_service.call("GET", path, READER, in_haste=True).status == 200


def test_a_tenant_that_is_written_to_in_haste_waits_and_other_tenants_do_not(open_service: Service) -> None:
    own, other = (f"/v1/tenants/{place.value}/auto-enable" for place in (Place.OWN, Place.OTHER))
    open_service.clock.advance(timedelta(minutes=1))

    hasty = [
        open_service.call("PUT", own, ADMINISTRATOR, {"enabled": True}, in_haste=True)
        for _ in range(rate_limits.TENANT_WRITES.burst + 1)
    ]

    assert {answer.status for answer in hasty[:-1]} == {200}
    assert refusal_of(hasty[-1]) == (429, "tooManyRequests", None)
    assert refusal_of(open_service.call("PUT", own, LIMITED_ADMINISTRATOR, {"enabled": True}, in_haste=True))[0] == 429
    assert open_service.call("PUT", other, ADMINISTRATOR, {"enabled": True}, in_haste=True).status == 200


def test_who_has_no_right_in_a_tenant_cannot_use_up_what_its_own_people_may_write(open_service: Service) -> None:
    path = f"/v1/tenants/{Place.OWN.value}/auto-enable"

    for _ in range(2 * rate_limits.TENANT_WRITES.burst):
        open_service.call("PUT", path, STRANGER, {"enabled": True}, in_haste=True)

    assert open_service.call("PUT", path, ADMINISTRATOR, {"enabled": True}, in_haste=True).status == 200


def test_bad_requests_of_those_without_a_right_do_not_either(open_service: Service) -> None:
    for kind in ("application/json", "text/plain"):
        for _ in range(OFTEN // 2):
            open_service.call("PUT", f"{OWN}/auto-enable", STRANGER, body=b"{", headers={"Content-Type": kind})

    answer = open_service.call("PUT", f"{OWN}/auto-enable", ADMINISTRATOR, {"enabled": True}, in_haste=True)

    assert answer.status == 200


def test_nothing_holds_up_turning_off(open_service: Service) -> None:
    hasty = [
        open_service.call("PUT", f"{OWN}/auto-enable", ADMINISTRATOR, {"enabled": True}, in_haste=True).status
        for _ in range(OFTEN)
    ]

    on = {"state": "on", "method": "serviceAccount"}
    held_up = open_service.call("PUT", f"{OWN}/session", LIMITED_OPERATOR, on, in_haste=True)
    off = open_service.call("PUT", f"{OWN}/session", LIMITED_OPERATOR, OFF, in_haste=True)
    open_service.work()
    gone = open_service.call("DELETE", f"{OWN}/service-account", LIMITED_ADMINISTRATOR, in_haste=True)

    assert hasty[-1] == held_up.status == 429
    assert (off.status, gone.status) == (202, 202)


@pytest.mark.parametrize("is_there", [True, False])
def test_an_executor_that_is_in_haste_with_its_leases_holds_up_only_itself(
    open_service: Service, *, is_there: bool
) -> None:
    lease = f"{OWN}/leases/{open_service.lease(Place.OWN) if is_there else uuid4()}"
    method, path = ("POST", f"{lease}/renew") if is_there else ("DELETE", lease)
    body: dict[str, str] | None = {} if is_there else None

    hasty = [open_service.call(method, path, EXECUTOR, body, in_haste=True).status for _ in range(OFTEN)]
    another = f"{OWN}/leases/{open_service.lease(Place.OWN, LIMITED_EXECUTOR)}/renew"

    assert hasty[-1] == 429
    assert open_service.call("POST", another, LIMITED_EXECUTOR, {}, in_haste=True).status == 200
    assert open_service.call("PUT", f"{OWN}/session", LIMITED_OPERATOR, OFF, in_haste=True).status == 202


def test_refusals_in_haste_do_not_push_everything_else_out_of_the_trail(open_service: Service) -> None:
    open_service.done("PUT", f"{OWN}/session", OPERATOR, OFF)
    path = f"{OWN}/leases/{open_service.lease(Place.OWN)}/token"

    hasty = [open_service.call("POST", path, EXECUTOR, {"resource": "graph"}, in_haste=True) for _ in range(OFTEN)]

    assert {refusal_of(answer)[0] for answer in hasty} == {409}
    assert noted(open_service) == rate_limits.REFUSALS.burst


def test_somebody_without_a_right_leaves_nothing_in_a_trail(open_service: Service) -> None:
    answer = open_service.call("POST", f"{OTHER}/leases/{uuid4()}/renew", LIMITED_OPERATOR, {})

    assert answer.status == 403
    assert noted(open_service) == 0


def test_somebody_without_a_right_has_nobody_ask_entra_about_the_tenant(open_service: Service) -> None:
    before = len(open_service.log)

    answer = open_service.call("PUT", OTHER, LIMITED_ADMINISTRATOR, {})

    assert refusal_of(answer) == (404, "tenantNotFound", None)
    assert [call for call in open_service.log.calls[before:] if call.port == "SignIn"] == []


def test_no_tenant_has_the_id_under_which_nobodys_messages_lie(open_service: Service) -> None:
    answer = open_service.call("PUT", "/v1/tenants/00000000-0000-0000-0000-000000000000", ADMINISTRATOR, {})

    assert refusal_of(answer) == (400, "invalidValue", "tenantId")
    assert content_of(answer)["error"]["message"] == "No tenant has this id."


def test_a_body_that_is_too_large_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.dumps({"reason": "x" * bodies.MAX_BODY}).encode()
    monkeypatch.setattr(reading, "json", None)  # whoever parses it fails

    assert reading.without_password(body) == b""


def noted(service: Service) -> int:
    """How many refused requests the trails tell of."""
    return sum(REFUSED in line for table in service.tables() for line in table.text().splitlines())
