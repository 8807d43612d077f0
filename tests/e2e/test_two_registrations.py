"""One application onboards, another runs sessions: a tenant's whole life, the powerful one off in between."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from local.client import Client
from local.simulator.seed import ONBOARDING_CLIENT_ID, ONBOARDING_ROLES, RUNTIME_CLIENT_ID, RUNTIME_ROLES
from local.stack import TWO_REGISTRATIONS, Stack
from shared.domain.directory_roles import ONBOARDING, RUNTIME
from tests.e2e.customer import WITHOUT_PREMIUM, Customer, Json

POWERFUL = "Privileged Authentication Administrator"


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """HTTP to a stack of its own, with both applications and no secret of either."""
    with Stack(directory=tmp_path_factory.mktemp("apart"), settings=TWO_REGISTRATIONS) as stack:
        yield Client(stack.addresses)


@pytest.fixture
def customer(apart: Client) -> Customer:
    """A tenant that has consented to nothing and was onboarded."""
    tenant_id = str(uuid4())
    seeded = {"tenantId": tenant_id, "skus": [WITHOUT_PREMIUM], "directoryRoles": []}
    assert apart.control("POST", "/seed", {"tenants": [seeded]}).status == 200
    return Customer(apart, tenant_id)


def onboard(customer: Customer, status: int = 200) -> Json:
    return customer.expect(customer.call("PUT", "", "administrator", {}), status)


def consent(customer: Customer, url: str) -> None:
    """A Global Administrator opens the address and accepts."""
    assert customer.client.send("POST", url, None, {}).status == 200


def switch(customer: Customer, *, on: bool) -> None:
    """The tenant's administrator disables the enterprise application of the powerful one, or enables it again."""
    customer.change(servicePrincipals={ONBOARDING_CLIENT_ID: {"enabled": on}})


def speakers(customer: Customer) -> list[str]:
    """Who asked for app-only tokens in the tenant, in order."""
    forms = [call["request_body"] or {} for call in customer.calls("entra")]
    return [form["client_id"] for form in forms if form.get("grant_type") == "client_credentials"]


def test_the_simulated_registrations_ask_for_what_the_code_asks_for() -> None:
    assert set(RUNTIME.permissions) == RUNTIME_ROLES
    assert set(ONBOARDING.permissions) == ONBOARDING_ROLES


def test_each_application_has_its_own_consent_and_its_own_link(customer: Customer) -> None:
    asked = onboard(customer, 201)["consent"]
    consent(customer, asked["adminConsentUrl"])
    half = onboard(customer)
    consent(customer, asked["onboarding"]["adminConsentUrl"])
    whole = onboard(customer)

    assert f"client_id={RUNTIME_CLIENT_ID}&" in asked["adminConsentUrl"]
    assert f"client_id={ONBOARDING_CLIENT_ID}&" in asked["onboarding"]["adminConsentUrl"]
    assert (asked["state"], asked["onboarding"]["state"]) == ("missing", "missing")
    assert (half["consent"]["state"], half["consent"]["onboarding"]["state"]) == ("granted", "missing")
    assert half["nextStep"]["link"] == asked["onboarding"]["adminConsentUrl"]
    assert ONBOARDING.name in half["nextStep"]["text"]
    assert (whole["consent"]["state"], whole["consent"]["onboarding"]["state"]) == ("granted", "granted")


def test_the_powerful_application_is_on_for_onboarding_and_off_between(customer: Customer) -> None:
    asked = onboard(customer, 201)["consent"]
    for url in (asked["adminConsentUrl"], asked["onboarding"]["adminConsentUrl"]):
        consent(customer, url)
    onboard(customer)
    customer.change(servicePrincipals={ONBOARDING_CLIENT_ID: {"directoryRoles": [POWERFUL]}})

    customer.create_account()
    customer.turn_on()
    lease_id = customer.lease()
    assert customer.redeem(lease_id).status == 200

    switch(customer, on=False)
    so_far = len(speakers(customer))
    customer.turn_off()
    customer.turn_on()
    assert customer.redeem(customer.lease()).status == 200
    checked = customer.finish(customer.call("POST", "/policy-checks", content={}))
    rows = customer.expect(customer.call("GET", "/policy-checks/latest", "reader"), 200)["rows"]
    rotated = customer.finish(customer.call("POST", "/service-account/rotate", "administrator"))
    refused = customer.call("DELETE", "/service-account", "administrator")
    shown = customer.shown()

    assert (checked["status"], rotated["status"]) == ("succeeded", "succeeded")
    assert {row["name"]: row["verdict"] for row in rows if row["name"] in ("consent", "signIn")} == {
        "consent": "pass",
        "signIn": "pass",
    }
    assert ONBOARDING.name in next(row["cause"] for row in rows if row["name"] == "consent")
    error = customer.expect(refused, 409)["error"]
    assert error["code"] == "onboardingOff"
    assert ONBOARDING.name in error["nextStep"]["text"]
    assert (shown["serviceAccount"]["state"], shown["session"]["state"]) == ("created", "on")
    assert len(customer.users()) == 1
    # Only the check and the removal have asked for it, in vain; nothing else needs it.
    assert speakers(customer)[so_far:].count(ONBOARDING_CLIENT_ID) == 2

    switch(customer, on=True)
    removed = customer.finish(customer.call("DELETE", "/service-account", "administrator"))

    assert removed["status"] == "succeeded", removed
    assert (customer.users(), len(customer.users(deleted=True))) == ([], 1)
    assert customer.shown()["serviceAccount"]["state"] == "none"


def test_an_account_is_not_made_before_the_powerful_application_is_let_in(customer: Customer) -> None:
    asked = onboard(customer, 201)["consent"]
    consent(customer, asked["adminConsentUrl"])

    refused = customer.call("PUT", "/service-account", "administrator", {})

    assert customer.expect(refused, 409)["error"]["code"] == "onboardingOff"
    assert customer.shown()["serviceAccount"]["state"] == "none"
    assert customer.users() == []
