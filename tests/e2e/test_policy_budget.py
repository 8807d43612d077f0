"""What a policy check asks of Microsoft 365, counted in its journal, while it allows one request a second or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from local.client import Client
from local.stack import Stack
from tests.e2e.customer import Customer
from tests.e2e.policy_changes import Json, has_policy

EGRESS = ("203.0.113.10", "203.0.113.77")
FOREIGN = "198.51.100.7"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
BROKERED = {
    "00000003-0000-0000-c000-000000000000",  # Graph
    "00000002-0000-0ff1-ce00-000000000000",  # Exchange Online
    "00000003-0000-0ff1-ce00-000000000000",  # SharePoint Online
    "48ac35b8-9aa8-4d74-927d-1f4a14a0b239",  # Teams
}
MATRIX = {(app, ip) for app in BROKERED for ip in EGRESS} | {("00000003-0000-0000-c000-000000000000", FOREIGN)}


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """A healthy tenant, alone on a stack where nothing happens by itself and conditional access keeps to its rate."""
    settings = {"EGRESS_IPS": ",".join(f"{ip}/32" for ip in EGRESS), "UPKEEP_SCHEDULE": "0 0 0 1 1 *"}
    with Stack(directory=tmp_path_factory.mktemp("quiet"), settings=settings) as stack:
        client = Client(stack.addresses)
        assert client.control("PATCH", "/world", {"conditionalAccessPacingSeconds": 1}).status == 204
        customer = Customer.with_account(client, skus=["SPE_E3"])
        has_policy("MFA for Global Administrators", where={"users": {"includeRoles": [GLOBAL_ADMINISTRATOR]}})(customer)
        yield customer


@pytest.fixture(scope="module")
def undisturbed(quiet: Customer) -> tuple[Json, list[Json]]:
    """A check on which nothing goes wrong, and the Graph calls it made."""
    return checked(quiet)


def checked(customer: Customer, *faults: Json) -> tuple[Json, list[Json]]:
    """The verdicts of a check with these faults on the way, and the Graph calls it made."""
    customer.client.control("DELETE", "/journal")
    assert customer.client.control("POST", "/faults", {"faults": list(faults)}).status == 200
    customer.finish(customer.call("POST", "/policy-checks", content={}), within=90)
    customer.client.control("DELETE", "/faults")
    check = customer.expect(customer.call("GET", "/policy-checks/latest", "reader"), 200)
    lines = customer.client.control("GET", "/journal?service=graph").body.decode().splitlines()
    return check, [json.loads(line) for line in lines]


def verdicts(check: Json) -> dict[str, str]:
    return {row["name"]: row["verdict"] for row in check["rows"]}


def what_ifs(calls: list[Json]) -> list[tuple[str, str]]:
    """Resource and address of every evaluation that was answered, in order."""
    bodies = [call["request_body"] for call in calls if call["path"].endswith("/evaluate") and call["status"] == 200]
    return [(body["signInContext"]["includeApplications"][0], body["signInConditions"]["ipAddress"]) for body in bodies]


def test_full_check_of_a_healthy_tenant_keeps_to_its_budget(undisturbed: tuple[Json, list[Json]]) -> None:
    check, calls = undisturbed

    assert check["state"] == "pass"
    others = [call["path"] for call in calls if not call["path"].endswith("/evaluate")]
    assert len(others) <= 12, others
    assert len(others) == len(set(others)) + 1, "role assignments are read of two principals, all else once"
    assert sorted(what_ifs(calls)) == sorted(MATRIX), "each resource from each address, once, and once from elsewhere"
    assert {call["status"] for call in calls} == {200}, "nobody had to be slowed down"
    began, ended = (datetime.fromisoformat(check[name]) for name in ("startedAt", "checkedAt"))
    assert (ended - began).total_seconds() < 20


def test_every_condition_that_can_be_known_is_supplied(undisturbed: tuple[Json, list[Json]]) -> None:
    _, calls = undisturbed

    for call in calls:
        if call["path"].endswith("/evaluate"):
            conditions = call["request_body"]["signInConditions"]
            assert conditions["clientAppType"] == "mobileAppsAndDesktopClients"
            assert conditions.keys() >= {
                "devicePlatform",
                "signInRiskLevel",
                "userRiskLevel",
                "insiderRiskLevel",
                "authenticationFlow",
                "deviceInfo",
            }
            assert conditions.get("country") == (None if conditions["ipAddress"] == FOREIGN else "NL")


def test_throttled_check_goes_on_where_it_stopped_and_evaluates_nothing_twice(quiet: Customer) -> None:
    again = {"kind": "429", "path": "/evaluate$"}
    faults = [again | {"after": 2, "times": 2}, again | {"after": 3, "times": 3}, again | {"retryAfter": 1, "after": 4}]

    check, calls = checked(quiet, *faults)

    assert check["state"] == "pass"
    assert sum(call["status"] == 429 for call in calls) == 6
    assert sorted(what_ifs(calls)) == sorted(MATRIX)
    read = [call["path"] for call in calls if "/organization" in call["path"] or "subscribedSkus" in call["path"]]
    assert len(read) == 2, "what was found before is not asked again"


def test_what_if_that_is_refused_leaves_its_rows_unknown(quiet: Customer) -> None:
    check, calls = checked(
        quiet, {"kind": "status", "status": 403, "error": "Forbidden", "path": "/evaluate$", "times": 99}
    )

    found = verdicts(check)
    assert (found["conditionalAccess"], found["comingPolicies"], found["signIn"]) == ("unknown", "unknown", "pass")
    assert check["state"] == "unknown"
    assert what_ifs(calls) == []


def test_what_if_that_stays_away_is_waited_for_a_while_and_then_unknown(quiet: Customer) -> None:
    check, calls = checked(quiet, {"kind": "5xx", "status": 500, "path": "/evaluate$", "times": 99})

    found = verdicts(check)
    assert (found["conditionalAccess"], found["comingPolicies"], found["signIn"]) == ("unknown", "unknown", "pass")
    assert check["state"] == "unknown"
    assert 4 <= sum(call["status"] == 500 for call in calls) <= 8, "put off three times, tried again at once each time"
