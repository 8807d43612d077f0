"""Every action request gets one decision, in time; and what an executor is lent stays in its tenant."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from local.client import Client
from local.executor import KINDS, Executor
from local.tokens import bearer, claims_of
from tests.e2e.customer import Customer


@pytest.fixture(scope="module")
def on(client: Client) -> Customer:
    """A customer whose session is on and stays so."""
    return Customer.turned_on(client)


def test_a_token_is_of_the_tenant_the_account_and_the_resource(on: Customer) -> None:
    lease_id = on.lease()

    tokens = {resource: on.expect(on.redeem(lease_id, resource), 200) for resource in ("graph", "exchange", "teams")}

    claims = {resource: claims_of(token["accessToken"]) for resource, token in tokens.items()}
    account = on.shown()["serviceAccount"]["objectId"]
    assert {(claim["tid"], claim["oid"]) for claim in claims.values()} == {(on.tenant_id, account)}
    assert len({claim["aud"] for claim in claims.values()}) == 3


def test_a_lease_of_one_tenant_gives_nothing_in_another(client: Client, on: Customer) -> None:
    other = Customer.turned_on(client)
    here, there = on.lease(), other.lease()

    crossed = [other.redeem(here), on.redeem(there)]
    renewed = client.api(
        "POST", f"/v1/tenants/{other.tenant_id}/leases/{here}/renew", token=other.executor.token, content={}
    )

    assert [(reply.status, reply.headers["x-ms-error-code"]) for reply in (*crossed, renewed)] == [
        (404, "leaseNotFound")
    ] * 3
    assert (on.redeem(here).status, other.redeem(there).status) == (200, 200)


def test_another_executor_gets_nothing_from_a_lease(client: Client, on: Customer) -> None:
    token = client.control("POST", "/token", {"caller": "second-executor"}).json
    assert isinstance(token, dict)
    other = Executor(client, token["accessToken"])

    reply = other.redeem(on.tenant_id, on.lease(), "graph")

    assert (reply.status, reply.headers["x-ms-error-code"]) == (404, "leaseNotFound")


def test_twenty_threads_that_want_a_token_at_once_get_the_same_one(on: Customer) -> None:
    lease_id = on.lease()

    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: on.redeem(lease_id, "compliance"), range(20)))

    assert {reply.status for reply in replies} == {200}
    assert len({on.expect(reply, 200)["accessToken"] for reply in replies}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_request_again_gets_the_same_decision(on: Customer, kind: str) -> None:
    action_id = on.ask(kind)
    first = on.decision(action_id)

    on.executor.ask(on.tenant_id, kind, actionId=action_id)
    on.wait(lambda: bool(on.executor.collect()) and len(on.executor.decisions[action_id]) == 2)

    assert on.executor.decisions[action_id] == [first, first]


def test_off_and_off_is_denied_with_what_to_do_and_the_reason_is_shown(client: Client) -> None:
    customer = Customer.with_account(client)

    decision = customer.decision(customer.ask())

    assert (decision["decision"], decision["error"]["code"]) == ("denied", "managementOff")
    assert "auto-enable" in decision["error"]["nextStep"]["text"]
    last = customer.session()["lastAutoEnable"]
    assert (last["outcome"], last["actionId"]) == ("notEnabled", decision["actionId"])


def test_many_that_wait_turn_the_session_on_once_and_are_all_answered(client: Client) -> None:
    customer = Customer.with_account(client)
    customer.auto_enable()
    before = customer.sign_ins()

    actions = [customer.ask(KINDS[number % 4]) for number in range(12)]
    decisions = customer.executor.await_decisions(actions)

    assert {decision["decision"] for decision in decisions} == {"ready"}
    assert customer.sign_ins() == before + 1
    session = customer.session()
    assert session["lastAutoEnable"]["outcome"] == "enabled"
    assert session["leases"] == len(actions)
    shown = customer.expect(customer.call("GET", f"/actions/{actions[0]}", "reader"), 200)
    assert (shown["state"], shown["leaseId"]) == ("decided", decisions[0]["leaseId"])


def test_a_request_that_cannot_be_served_in_time_is_denied_before_its_deadline(client: Client) -> None:
    customer = Customer.with_account(client)
    customer.auto_enable()
    away = {"kind": "5xx", "service": "entra", "path": customer.tenant_id, "times": 100}
    client.control("POST", "/faults", {"faults": [away]})
    deadline = datetime.now(UTC) + timedelta(seconds=8)

    decision = customer.decision(customer.ask(deadline=f"{deadline:%Y-%m-%dT%H:%M:%SZ}"))

    assert datetime.now(UTC) < deadline
    assert (decision["decision"], decision["error"]["code"]) == ("denied", "deadlinePassed")


def test_what_never_can_be_decided_is_refused_and_shown(client: Client, on: Customer) -> None:
    executor = Executor(client, bearer(client, "executor"))
    action_id = executor.ask(on.tenant_id, "somethingElse")

    on.wait(lambda: any(entry["kind"] == "messageRefused" for entry in on.activity()))

    (entry,) = [entry for entry in on.activity() if entry["kind"] == "messageRefused"]
    assert entry["facts"] == {"queue": "action-requests", "code": "invalidValue", "target": "kind"}
    time.sleep(0.5)
    assert action_id not in executor.decisions


def test_a_completed_action_gives_its_lease_back(on: Customer) -> None:
    action_id = on.ask()
    lease_id = on.decision(action_id)["leaseId"]

    on.executor.complete(on.tenant_id, action_id)
    on.wait(lambda: on.redeem(lease_id).status == 404)

    action = on.expect(on.call("GET", f"/actions/{action_id}", "reader"), 200)
    assert (action["state"], action["outcome"]) == ("completed", "succeeded")
