"""A session goes on and off as asked, also when Entra is away, when minds change and when everybody asks at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.client import Client
from local.simulator.seed import password_of
from local.stack import Stack
from tests.e2e.customer import FINAL, Customer
from tests.e2e.telling import stored_messages, stored_rows

ON = {"state": "on", "method": "serviceAccount"}
OFF = {"state": "off"}


def entra_is_away(client: Client, customer: Customer, *, times: int) -> None:
    """The next password sign-ins in this tenant are answered 503."""
    away = {"kind": "5xx", "service": "entra", "path": customer.tenant_id, "grantType": "password", "times": times}
    client.control("POST", "/faults", {"faults": [away]})


def test_a_session_is_on_with_all_a_console_shows_and_off_with_the_residual_time(client: Client) -> None:
    customer = Customer.with_account(client)

    customer.finish(customer.call("PUT", "/session", content={**ON, "duration": "PT2H", "reason": "only for tests"}))
    on = customer.session()
    customer.lease()
    off = customer.turn_off()
    rested = customer.session()

    assert (on["state"], on["method"], on["reason"]) == ("on", "serviceAccount", "only for tests")
    assert on["turnedOnBy"]["name"] == "Olga Operator"
    assert on["expiresAt"][:13] > on["since"][:13]
    assert rested["state"] == "off"
    assert rested["tokensValidUntil"] == off["result"]["tokensValidUntil"] > on["since"]
    assert customer.directory()["refreshTokens"] >= 0


def test_a_global_administrator_without_mfa_will_do_too_and_the_password_is_kept_nowhere(
    client: Client, stack: Stack
) -> None:
    customer = Customer.onboarded(client)
    admin = f"admin@{customer.initial_domain}"
    body = {"state": "on", "method": "globalAdmin", "username": admin}

    wrong = customer.call("PUT", "/session", content={**body, "password": "only-for-tests-Wrong-Passw0rd"})
    operation = customer.finish(customer.call("PUT", "/session", content={**body, "password": password_of(admin)}))

    assert (wrong.status, wrong.headers["x-ms-error-code"]) == (409, "credentialRejected")
    assert operation["status"] == "succeeded", operation
    assert customer.session()["method"] == "globalAdmin"
    assert customer.redeem(customer.lease()).status == 200
    customer.turn_off()
    app_log = (stack.addresses.ca_bundle.parents[1] / "logs" / "app.log").read_text("utf-8")
    storage = stack.addresses.storage_connection_string
    written = [
        *stored_rows(storage),
        *stored_messages(storage),
        app_log,
        client.control("GET", "/journal").body.decode(),
    ]
    assert not [text for text in written if password_of(admin) in text or "only-for-tests-Wrong-Passw0rd" in text]


def test_entra_away_puts_the_turn_on_off_until_it_is_back(client: Client) -> None:
    customer = Customer.with_account(client)
    entra_is_away(client, customer, times=2)

    operation = customer.finish(customer.call("PUT", "/session", content=ON))

    assert operation["status"] == "succeeded"
    assert customer.session()["state"] == "on"


def test_a_blocked_sign_in_fails_with_its_reason_and_is_not_tried_again_by_itself(client: Client) -> None:
    customer = Customer.with_account(client)
    customer.auto_enable()
    blocked = {"kind": "aadsts", "code": 50076, "service": "entra", "path": customer.tenant_id, "times": 20}
    client.control("POST", "/faults", {"faults": [{**blocked, "grantType": "password"}]})

    operation = customer.finish(customer.call("PUT", "/session", content=ON))
    tried = customer.sign_ins()
    decision = customer.decision(customer.ask())

    assert (operation["status"], operation["error"]["code"]) == ("failed", "signInBlocked")
    assert "AADSTS50076" in operation["error"]["message"]
    assert customer.session()["error"]["code"] == "signInBlocked"
    assert (decision["decision"], decision["error"]["code"]) == ("denied", "signInBlocked")
    assert customer.sign_ins() == tried


def test_off_takes_the_place_of_a_turn_on_that_is_under_way(client: Client) -> None:
    customer = Customer.with_account(client)
    entra_is_away(client, customer, times=50)
    turning_on = customer.expect(customer.call("PUT", "/session", content=ON), 202)
    customer.wait(lambda: customer.operation(turning_on["id"])["status"] == "running")

    customer.turn_off()

    ended = customer.await_operation(turning_on["id"])
    assert (ended["status"], ended["error"]["code"]) == ("canceled", "operationCanceled")
    assert customer.session()["state"] == "off"


def test_draining_lets_the_running_finish_and_takes_nothing_new(client: Client) -> None:
    customer = Customer.turned_on(client)
    running = customer.ask()
    lease_id = customer.decision(running)["leaseId"]

    draining = customer.expect(customer.call("PUT", "/session", content={**OFF, "drain": True}), 202)
    new = customer.decision(customer.ask())
    held = customer.redeem(lease_id)
    state = customer.session()["state"]
    customer.executor.complete(customer.tenant_id, running)
    operation = customer.await_operation(draining["id"])

    assert (state, held.status) == ("draining", 200)
    assert (new["decision"], new["error"]["code"]) == ("denied", "managementOff")
    assert operation["status"] == "succeeded"
    assert customer.session()["state"] == "off"
    assert customer.redeem(lease_id).status in (404, 409)


@pytest.mark.timeout(60)
def test_fifty_toggles_at_once_leave_one_state_and_no_operation_open(client: Client) -> None:
    customer = Customer.with_account(client)

    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda n: customer.call("PUT", "/session", content=OFF if n % 2 else ON), range(50)))

    statuses = Counter(reply.status for reply in replies)
    operations = {customer.expect(reply, 202)["id"] for reply in replies if reply.status == 202}
    ended = [customer.await_operation(operation_id) for operation_id in operations]
    assert set(statuses) <= {200, 202, 409, 412}
    assert {operation["status"] for operation in ended} <= set(FINAL)
    assert operations
    assert "operation" not in customer.shown()
    assert customer.session()["state"] in ("on", "off")
    customer.turn_off() if customer.session()["state"] == "on" else None
    trail = [entry["kind"] for entry in customer.activity()]
    assert trail.count("sessionTurnedOn") <= trail.count("sessionTurningOn")
