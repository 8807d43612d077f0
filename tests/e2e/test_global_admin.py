"""Global Administrator's credentials over the wire: refused before Entra is asked, or used once and left nowhere."""

from __future__ import annotations

import json

import pytest

from tests.e2e.customer import Customer
from tests.e2e.policy_changes import Json, has_policy
from tests.e2e.telling import Telling

PASSWORD = "only-for-tests-Adm1n-0ver-the-wire!"
WRONG = "only-for-tests-wr0ng-0ver-the-wire!"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


@pytest.fixture(scope="module")
def customer(telling: Telling) -> Customer:
    """A tenant on the stack that logs all it can; its administrator has no MFA, and its policies can be looked at."""
    client = telling.result().client  # the story counts the sign-ins there, so it is told first
    customer = Customer.onboarded(client, skus=["SPE_E3"])
    customer.change(users={administrator(customer): {"password": PASSWORD}})
    return customer


def administrator(customer: Customer) -> str:
    return f"admin@{customer.initial_domain}"


def turn_on(customer: Customer, username: str, password: str = PASSWORD) -> Json:
    """What turning on with these credentials is answered with."""
    body = {"state": "on", "method": "globalAdmin", "username": username, "password": password}
    reply = customer.call("PUT", "/session", content=body)
    found = reply.json
    assert isinstance(found, dict)
    return {"status": reply.status, **found}


def test_federated_user_and_guest_are_refused_without_any_request_to_entra(customer: Customer) -> None:
    customer.change(domains=[{"name": "contoso.example", "type": "Federated"}])
    before = customer.sign_ins()

    refused = [
        turn_on(customer, name)
        for name in (
            "admin@contoso.example",
            f"bob_other.example#EXT#@{customer.initial_domain}",
            "admin@somewhere-else.example",
        )
    ]

    assert [(each["status"], each["error"]["code"]) for each in refused] == [(409, "methodNotSupported")] * 3
    assert customer.sign_ins() == before == 0


def test_wrong_password_is_refused_and_recorded(customer: Customer) -> None:
    refused = turn_on(customer, administrator(customer), WRONG)

    assert (refused["status"], refused["error"]["code"]) == (409, "credentialRejected")
    assert refused["error"]["message"].startswith("AADSTS50126")
    assert [entry["facts"]["code"] for entry in customer.activity() if entry["kind"] == "requestRefused"][:1] == [
        "credentialRejected"
    ]


def test_tenant_that_demands_mfa_is_told_which_policy_does(customer: Customer) -> None:
    has_policy("MFA for admins", where={"users": {"includeRoles": [GLOBAL_ADMINISTRATOR]}})(customer)

    refused = turn_on(customer, administrator(customer))

    customer.change(policies=dict.fromkeys(customer.directory()["policies"]))
    assert (refused["status"], refused["error"]["code"]) == (409, "signInBlocked")
    assert [detail["message"] for detail in refused["error"]["details"]] == ["The policy “MFA for admins” demands mfa."]


def test_session_is_turned_on_warned_of_and_its_sign_ins_are_revoked_in_the_end(customer: Customer) -> None:
    accepted = turn_on(customer, administrator(customer))
    customer.wait(lambda: customer.session()["state"] == "on")
    shown = customer.session()

    customer.turn_off()

    assert accepted["warning"] == shown["warning"]
    assert shown["method"] == "globalAdmin"
    users = customer.directory()["users"]
    (admin,) = (user["id"] for user in users if user["userPrincipalName"] == administrator(customer))
    paths = [json.loads(line)["path"] for line in customer.client.control("GET", "/journal").body.splitlines()]
    assert f"/v1.0/users/{admin}/revokeSignInSessions" in paths


def test_password_is_nowhere_afterwards(customer: Customer, telling: Telling) -> None:
    places = telling.places()

    assert administrator(customer) in places["journal"], "the sign-ins were seen"
    assert customer.tenant_id in places["tables"]
    assert f"/{customer.tenant_id}/oauth2/v2.0/token" in places["app.log"], "what MSAL and urllib3 tell was logged"
    for place, text in places.items():
        assert PASSWORD not in text, place
        assert WRONG not in text, place
