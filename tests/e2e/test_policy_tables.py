"""A table of tenants and the rows of their policy checks, each seen through the HTTP API of the running stack."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.client import Client
from tests.e2e.customer import Customer
from tests.e2e.policy_cases import CASES, ROWS, Case
from tests.e2e.policy_changes import Json

SPOILT = [case.name for case in CASES if case.rows.get("namedLocation") == "fail"]


def checked(client: Client, case: Case) -> tuple[Customer, Json]:
    """The case's tenant and its check, ended."""
    seed = {"skus": ["SPE_E3"], **case.seed}
    customer = Customer.with_account(client, **seed) if case.has_account else Customer.onboarded(client, **seed)
    case.given(customer)
    operation = customer.finish(customer.call("POST", "/policy-checks", content={}), within=90)
    assert operation["status"] == "succeeded", operation
    return customer, customer.expect(customer.call("GET", "/policy-checks/latest", "reader"), 200)


@pytest.fixture(scope="module")
def tenants(client: Client) -> Mapping[str, tuple[Customer, Json]]:
    """All cases at once: Microsoft allows one conditional access request a second in each tenant, and they add up."""
    with ThreadPoolExecutor(max_workers=len(CASES)) as together:
        results = together.map(lambda case: checked(client, case), CASES)
        found = {case.name: result for case, result in zip(CASES, results, strict=True)}
    client.control("DELETE", "/faults")
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_row_has_its_verdict_in_the_order_of_the_contract(
    tenants: Mapping[str, tuple[Customer, Json]], case: Case
) -> None:
    _, check = tenants[case.name]

    assert [(row["name"], row["verdict"]) for row in check["rows"]] == case.verdicts


@pytest.mark.parametrize("case", [case for case in CASES if case.says], ids=lambda case: case.name)
def test_row_says_what_was_found(tenants: Mapping[str, tuple[Customer, Json]], case: Case) -> None:
    _, check = tenants[case.name]
    rows = {row["name"]: str(row) for row in check["rows"]}

    missing = [(name, words) for name, said in case.says.items() for words in said if words not in rows[name]]

    assert missing == [], rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_fails_or_is_not_known_says_why_and_what_to_do_and_where(
    tenants: Mapping[str, tuple[Customer, Json]], case: Case
) -> None:
    _, check = tenants[case.name]

    for row in check["rows"]:
        if row["verdict"] in ("fail", "unknown"):
            assert row["cause"], row
            assert row["fix"], row
            assert row["link"].startswith("https://"), row
        else:
            assert row["verdict"] in ("pass", "skipped")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_check_as_a_whole_is_the_worst_of_its_rows(tenants: Mapping[str, tuple[Customer, Json]], case: Case) -> None:
    customer, check = tenants[case.name]
    verdicts = [row["verdict"] for row in check["rows"]]
    summary = customer.shown()["policyCheck"]

    worst = next(verdict for verdict in ("fail", "unknown", "pass") if verdict in verdicts)

    assert check["state"] == summary["state"] == worst
    assert summary["counts"] == {word: verdicts.count(word) for word in ("pass", "fail", "unknown", "skipped")}


def test_no_sign_in_is_tried_where_a_row_says_that_it_would_fail(tenants: Mapping[str, tuple[Customer, Json]]) -> None:
    tried = {name: customer.sign_ins() for name, (customer, check) in tenants.items()}
    skipped = {case.name for case in CASES if dict(case.verdicts)["signIn"] == "skipped"}
    too_new = "password changed a moment after it was made"

    assert {name for name, count in tried.items() if count == 0} == skipped
    assert {name for name, count in tried.items() if count > 1} == {too_new}, "the new password may not be known yet"
    assert tried[too_new] == 4, "the same password, which counts once towards a lock-out"


def test_lost_role_is_shown_on_the_account_and_given_back_by_a_retry(
    tenants: Mapping[str, tuple[Customer, Json]],
) -> None:
    customer, _ = tenants["missing role"]
    shown = {role["name"]: role["state"] for role in customer.shown()["serviceAccount"]["roles"]}
    assert shown["Exchange Administrator"] == "missing"

    customer.create_account()

    customer.finish(customer.call("POST", "/policy-checks", content={}))
    rows = customer.expect(customer.call("GET", "/policy-checks/latest", "reader"), 200)["rows"]
    assert rows[ROWS.index("roles")]["verdict"] == rows[ROWS.index("signIn")]["verdict"] == "pass"


@pytest.fixture(scope="module")
def set_again(tenants: Mapping[str, tuple[Customer, Json]]) -> Mapping[str, Json]:
    """The row of the allowed IPs, after they were set again where something was wrong with them."""

    def mended(name: str) -> Json:
        customer, _ = tenants[name]
        body = {"ranges": ["203.0.113.128/28"], "outside": "block", "state": "enabled"}
        operation = customer.finish(customer.call("PUT", "/allowed-ips", "administrator", body))
        assert operation["status"] == "succeeded", operation
        customer.finish(customer.call("POST", "/policy-checks", content={}))
        check = customer.expect(customer.call("GET", "/policy-checks/latest", "reader"), 200)
        row: Json = check["rows"][ROWS.index("namedLocation")]
        return row

    with ThreadPoolExecutor(max_workers=len(SPOILT)) as together:
        return dict(zip(SPOILT, together.map(mended, SPOILT), strict=True))


@pytest.mark.parametrize("name", SPOILT)
def test_setting_the_allowed_ips_again_puts_right_what_the_row_complains_of(
    set_again: Mapping[str, Json], name: str
) -> None:
    assert set_again[name] == {"name": "namedLocation", "verdict": "pass"}
