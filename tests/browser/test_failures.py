"""What goes wrong, and what the person before the console sees of it."""

from __future__ import annotations

import json
import re
from typing import Final

import pytest
from playwright.sync_api import Route, expect

from local.simulator import seed
from local.simulator.seed import password_of
from local.stack import Stack
from tests.browser.driver import SLOW, Console, Customer

TOKEN_DOOR: Final = re.compile(r"/oauth2/v2\.0/token\?")


@pytest.mark.timeout(200)
def test_global_administrator_with_mfa_is_refused_and_another_one_is_let_in(
    console: Console, customer: Customer
) -> None:
    admin = f"admin@{customer.domain}"
    customer.change(users={admin: {"perUserMfa": "enforced"}})
    console.sign_in("Olga Operator")
    console.open_tenant(customer.tenant_id)
    console.open_panel()

    console.panel.get_by_role("radio", name="Use Global Admin credentials").click()
    console.see(re.compile("Microsoft enforces MFA"), within=console.panel)
    console.picture("20-global-admin-is-warned-of")
    console.page.get_by_label("Sign-in name").fill(admin)
    console.page.get_by_role("textbox", name="Password").fill(password_of(admin))
    console.button("Turn on management session").click()

    refusal = console.panel.get_by_role("alert").last
    expect(refusal).to_contain_text("What to do", timeout=SLOW)
    expect(refusal).to_contain_text("correlation id")
    console.picture("21-global-admin-with-mfa", refusal)

    customer.change(users={admin: {"perUserMfa": "disabled"}})
    console.page.get_by_role("textbox", name="Password").fill(password_of(admin))
    console.button("Turn on management session").click()

    console.tab_says("Management ON")
    console.see(re.compile("Microsoft enforces MFA"), within=console.panel)
    console.picture("22-on-as-global-admin", console.panel.get_by_text(re.compile("Microsoft enforces MFA")))


def test_session_that_is_lost_while_watching_is_seen_without_reloading(console: Console, customer: Customer) -> None:
    customer.has_account()
    customer.turn("on")
    console.sign_in("Rita Reader")
    console.open_tenant(customer.tenant_id)
    console.tab_says("Management ON")
    expect(console.tab).to_contain_text("left")

    customer.turn("off")

    console.tab_says("Management OFF")
    console.open_panel()
    console.see("may be accepted by Microsoft 365 until", within=console.panel)
    console.picture("23-off-with-residual-time", console.panel.get_by_text("may be accepted by Microsoft 365"))


def test_reader_is_offered_nothing_that_the_api_would_refuse(console: Console, customer: Customer) -> None:
    customer.has_account()
    console.sign_in("Rita Reader")
    console.open_tenant(customer.tenant_id)

    console.open_panel()

    for name in ("Rotate password", "Check policies", "Turn on management session", "Disable advanced management"):
        expect(console.panel.get_by_role("button", name=name)).to_be_disabled()
    expect(console.panel.get_by_role("switch")).to_be_disabled()


@pytest.mark.timeout(200)
def test_api_that_goes_away_is_said_to_be_away_and_comes_back_by_itself(
    console: Console, customer: Customer, stack: Stack
) -> None:
    console.sign_in("Rita Reader")
    console.open_tenant(customer.tenant_id)
    console.tab_says("Management OFF")
    stack.kill_app()
    try:
        console.see("The API does not answer.")
        console.tab_says("last known")
        console.see("The console keeps trying")
        console.picture("24-api-down")
    finally:
        stack.start_app()

    expect(console.page.get_by_text("The API does not answer.")).to_have_count(0, timeout=SLOW)
    expect(console.tab).not_to_contain_text("last known")


@pytest.mark.parametrize(
    "answer", [None, (503, '{"error": "temporarily_unavailable"}'), (502, "<html>Bad gateway</html>")]
)
def test_sign_in_that_entra_cannot_renew_just_now_is_renewed_later_on_the_same_page(
    console: Console, customer: Customer, answer: tuple[int, str] | None
) -> None:
    console.sign_in("Rita Reader")
    console.take_over_the_clock()
    console.arrive(f"#/tenants/{customer.tenant_id}")
    console.tab_says("Management OFF")
    console.page.route(TOKEN_DOOR, lambda route: _answer(route, console, *answer) if answer else route.abort())

    console.page.clock.fast_forward("02:00:00")

    console.see("Microsoft Entra does not answer")
    console.see("correlation id")
    console.tab_says("last known")
    if not answer:
        console.picture("27-entra-away")

    console.page.unroute(TOKEN_DOOR)
    console.page.clock.fast_forward("02:00")  # after a 5xx, MSAL asks no sooner
    expect(console.page.get_by_text("Microsoft Entra does not answer")).to_have_count(0, timeout=SLOW)
    expect(console.tab).not_to_contain_text("last known")


def test_sign_in_that_is_over_leads_back_to_entra(console: Console, customer: Customer) -> None:
    over = {"error": "invalid_grant", "error_codes": [700084], "error_description": "AADSTS700084: It has expired."}
    console.sign_in("Rita Reader")
    console.take_over_the_clock()
    console.arrive(f"#/tenants/{customer.tenant_id}")
    console.tab_says("Management OFF")
    console.page.route(TOKEN_DOOR, lambda route: _answer(route, console, 400, json.dumps(over)))

    console.page.clock.fast_forward("02:00:00")

    expect(console.button("Rita Reader")).to_be_visible()


def _answer(route: Route, console: Console, status: int, body: str) -> None:
    """In the place of Entra, to the console's origin."""
    route.fulfill(status=status, headers={"access-control-allow-origin": console.address}, body=body)


def test_error_that_is_kept_names_its_thread_to_whoever_looks_later(console: Console, customer: Customer) -> None:
    customer.client.control(
        "POST", "/consent", {"tenantId": customer.tenant_id, "clientId": seed.APP_CLIENT_ID, "grant": False}
    )
    customer.api("PUT", "/service-account", customer.administrator, {})
    customer.wait_for("serviceAccount", "failed")
    trail = customer.api("GET", "/activity", customer.operator).json
    assert isinstance(trail, dict)
    (thread,) = {each["correlationId"] for each in trail["value"] if each["kind"] == "serviceAccountFailed"}

    console.sign_in("Rita Reader")
    console.open_tenant(customer.tenant_id)
    console.open_panel()

    alert = console.panel.get_by_role("alert", name="The service account was not created")
    expect(alert).to_contain_text(f"correlation id {thread}")
    expect(alert).to_contain_text("What to do")


def test_tenant_that_is_not_there_is_said_so_with_its_correlation_id(console: Console) -> None:
    console.sign_in("Rita Reader")

    console.page.goto(f"{console.address}/#/tenants/e0000000-0000-4000-8000-00000000dead")

    console.see("correlation id")
    console.see("tenantNotFound")
