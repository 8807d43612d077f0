"""The service account comes to be exactly once, whatever the tenant, its history and Microsoft make of it."""

from __future__ import annotations

import re

import pytest

from local.client import Client
from local.simulator.seed import APP_CLIENT_ID, FABRIKAM, MISSING_AT_FABRIKAM, TAILSPIN
from local.stack import Stack
from shared.domain.directory_roles import CREATE_PERMISSIONS
from tests.e2e.customer import WITHOUT_PREMIUM, Customer

LEAST_PRIVILEGE = {
    "Global Reader",
    "Exchange Administrator",
    "Teams Administrator",
    "User Administrator",
    "Authentication Administrator",
    "SharePoint Administrator",
}


def test_a_missing_permission_is_told_in_the_references_words_and_the_same_call_succeeds_once_it_is_granted(
    client: Client,
) -> None:
    fabrikam = Customer(client, FABRIKAM)
    fabrikam.change(skus=[WITHOUT_PREMIUM])
    onboarded = fabrikam.expect(fabrikam.call("PUT", "", "administrator", {"displayName": "Fabrikam"}), 201)

    refused = fabrikam.finish(fabrikam.call("PUT", "/service-account", "administrator", {}))
    shown = fabrikam.shown()
    client.control("POST", "/consent", {"tenantId": FABRIKAM, "clientId": APP_CLIENT_ID, "grant": True})
    created = fabrikam.create_account()

    missing = {each["name"] for each in onboarded["consent"]["permissions"] if each["state"] == "missing"}
    assert onboarded["consent"]["state"] == "partial"
    assert missing == MISSING_AT_FABRIKAM & {each["name"] for each in onboarded["consent"]["permissions"]}
    assert refused["status"] == "failed"
    assert refused["error"]["code"] == "permissionMissing"
    assert "doesn't have permission to create a service account on your tenant" in refused["error"]["message"]
    for name in MISSING_AT_FABRIKAM & set(CREATE_PERMISSIONS):
        assert name in refused["error"]["nextStep"]["text"]
    assert (shown["serviceAccount"]["state"], shown["serviceAccount"]["error"]["code"]) == (
        "failed",
        "permissionMissing",
    )
    assert created["result"]["origin"] == "created"
    assert len(fabrikam.users()) == 1


def test_a_tenant_that_consented_long_ago_needs_one_call(client: Client) -> None:
    tailspin = Customer(client, TAILSPIN)
    tailspin.change(skus=[WITHOUT_PREMIUM])
    assert tailspin.expect(tailspin.call("PUT", "", "administrator", {}), 201)["consent"]["state"] == "granted"

    operation = tailspin.create_account()

    (user,) = tailspin.users()
    shown = tailspin.shown()["serviceAccount"]
    assert operation["percentComplete"] == 100
    assert [step["status"] for step in operation["steps"]] == ["succeeded"] * len(operation["steps"])
    assert {role["name"] for role in shown["roles"]} == LEAST_PRIVILEGE
    assert {role["state"] for role in shown["roles"]} == {"held"}
    assert (user["id"], user["userPrincipalName"]) == (shown["objectId"], shown["userPrincipalName"])
    assert set(shown["credential"]) == {"rotatedAt", "nextRotationAt"}


def test_replication_lag_is_waited_for_in_the_queue_and_not_in_the_function(client: Client, stack: Stack) -> None:
    customer = Customer.onboarded(client)
    client.control("PATCH", "/world", {"replicationSeconds": 3})

    customer.create_account()

    log = (stack.addresses.ca_bundle.parents[1] / "logs" / "app.log").read_text("utf-8")
    taken = [int(found) for found in re.findall(r"'Functions.carryOutOperation' \(Succeeded,.*Duration=(\d+)ms", log)]
    assert len(customer.users()) == 1
    assert '"event": "operationPutOff"' in log
    assert max(taken) < 3_000


def test_double_clicks_make_one_account(client: Client) -> None:
    customer = Customer.onboarded(client)

    replies = [customer.call("PUT", "/service-account", "administrator", {}) for _ in range(5)]
    ids = {customer.expect(reply, 202)["id"] for reply in replies}
    customer.await_operation(ids.pop())
    again = customer.call("PUT", "/service-account", "administrator", {})

    assert ids == set()
    assert customer.expect(again, 200)["state"] == "created"
    assert len(customer.users()) == 1


def test_an_account_of_ours_that_the_record_does_not_know_is_adopted(client: Client) -> None:
    customer = Customer.onboarded(client)
    former = f"{customer.mark}00000000"
    before = {"password": "only-for-tests-Former-Passw0rd", "properties": {"employeeId": former}}
    customer.change(users={customer.account_name: before})

    operation = customer.create_account()
    customer.turn_on()

    (user,) = customer.users()
    assert (operation["result"]["origin"], user["userPrincipalName"]) == ("adopted", customer.account_name)
    assert user["employeeId"] != former


def test_an_account_that_was_removed_is_restored(client: Client) -> None:
    customer = Customer.with_account(client)
    (first,) = customer.users()
    removed = customer.finish(customer.call("DELETE", "/service-account", "administrator"))
    assert (customer.users(), len(customer.users(deleted=True))) == ([], 1)

    operation = customer.create_account()
    customer.turn_on()

    (user,) = customer.users()
    assert removed["status"] == "succeeded"
    assert (operation["result"]["origin"], user["id"]) == ("restored", first["id"])


def test_somebody_elses_account_of_our_name_is_left_alone(client: Client) -> None:
    customer = Customer.onboarded(client)
    customer.change(users={customer.account_name: {"displayName": "Somebody else"}})

    operation = customer.create_account()

    (ours,) = customer.users()
    (theirs,) = [u for u in customer.directory()["users"] if u["userPrincipalName"] == customer.account_name]
    assert operation["result"]["origin"] == "created"
    assert ours["userPrincipalName"] == customer.account_name.replace("@", "-2@")
    assert (theirs["displayName"], theirs["employeeId"]) == ("Somebody else", None)


def test_what_was_removed_is_gone_and_reported(client: Client) -> None:
    customer = Customer.turned_on(client)
    lease_id = customer.lease()

    accepted = customer.call("DELETE", "/service-account", "administrator")
    refused = customer.redeem(lease_id)
    operation = customer.finish(accepted)

    kinds = {(row["kind"], row["state"]) for row in operation["result"]["removal"]}
    assert operation["status"] == "succeeded"
    assert {("session", "removed"), ("user", "removed"), ("roleAssignment", "removed"), ("secret", "removed")} <= kinds
    assert not {kind for kind, state in kinds if state == "left"}
    assert "verifiedAt" in operation["result"]
    assert refused.status == 409
    assert customer.users() == []
    assert customer.users(deleted=True)[0]["roles"] == []
    shown = customer.shown()
    assert (shown["serviceAccount"]["state"], shown["session"]["state"]) == ("none", "off")


@pytest.mark.parametrize("fault", [{"kind": "replyLost", "method": "POST", "path": "/users$"}, {"kind": "429"}])
def test_a_lost_reply_or_a_throttled_one_makes_no_second_account(client: Client, fault: dict[str, object]) -> None:
    customer = Customer.onboarded(client)
    client.control("POST", "/faults", {"faults": [{"service": "graph", "times": 1, **fault}]})

    operation = customer.create_account()

    assert operation["status"] == "succeeded"
    assert len(customer.users()) == 1
