"""The whole story of `make demo`, by clicking."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from local.client import Client
from local.executor import KINDS, Executor
from local.simulator import seed
from local.stack import Stack
from local.story_of_policies import POLICY
from local.tokens import bearer
from tests.browser.driver import SCREENSHOTS, SLOW, Console

TENANT = seed.CONTOSO


@pytest.mark.timeout(300)
def test_tenants_whole_life_by_clicking(console: Console, stack: Stack) -> None:
    client = Client(stack.addresses)
    executor = Executor(client, bearer(client, "executor"))
    onboard_and_fail(console)
    consent_and_create(console, client)
    administrator_may_not_turn_on(console)
    policy_blocks(console, client)
    propose_and_enforce(console)
    actions = check_and_turn_on(console, executor)
    drain(console, executor, actions)
    look_back(console)
    disable(console)


def onboard_and_fail(console: Console) -> None:
    """Onboarding, and an account that cannot be created yet."""
    page = console.page
    page.goto(console.address)
    console.picture("01-welcome")

    console.button("Sign in").click()
    page.get_by_role("heading", name="Pick an account").wait_for()
    page.screenshot(path=SCREENSHOTS / "02-account-picker.png")
    page.get_by_role("button", name="Ada Administrator").click()
    console.button("Onboard a tenant").click()
    page.get_by_role("textbox", name="Tenant id").fill(TENANT)
    page.get_by_role("textbox", name="Name", exact=True).fill("Contoso")
    console.picture("03-onboard")
    console.button("Onboard").last.click()
    page.get_by_role("link", name=re.compile("Contoso")).click()
    console.tab_says("Management OFF")
    console.open_panel()
    console.see("Admin consent", within=console.panel)
    console.button("Create service account").click()
    console.see("doesn't have permission to create a service account")
    expect(console.button("Retry service account creation")).to_be_enabled(timeout=SLOW)
    console.picture("04-no-permission", console.panel.get_by_role("alert"))


def consent_and_create(console: Console, client: Client) -> None:
    """Consent, then the same button again."""
    client.control("POST", "/consent", {"tenantId": TENANT, "clientId": seed.APP_CLIENT_ID, "grant": True})
    console.button("Look again").click()
    expect(console.panel.get_by_text("Grant consent as an administrator")).to_be_hidden(timeout=SLOW)
    slow = {"kind": "latency", "service": "graph", "seconds": 0.7, "times": 12}
    assert client.control("POST", "/faults", {"faults": [slow]}).status < 300
    console.button("Retry service account creation").click()
    expect(console.panel.get_by_role("progressbar").first).to_be_visible(timeout=SLOW)
    console.picture("05-creating", console.panel.get_by_role("progressbar").first)
    console.see("Global Reader", within=console.panel)
    console.picture("06-account-created")


def administrator_may_not_turn_on(console: Console) -> None:
    """An administrator may not turn the session on."""
    expect(console.button("Turn on management session")).to_be_disabled()
    console.see("Takes an operator.", within=console.panel)
    console.panel.get_by_role("button", name="Close").click()
    console.button("Sign out").click()


def policy_blocks(console: Console, client: Client) -> None:
    """A policy blocks; the check names it."""
    page = console.page
    client.control("PATCH", f"/tenants/{TENANT}", {"policies": {POLICY["id"]: POLICY}})
    console.sign_in("Olga Operator")
    page.get_by_role("link", name=re.compile("Contoso")).click()
    console.open_panel()
    console.button("Check policies").click()
    console.see("Require MFA for administrators", within=console.panel)
    console.picture("07-policy-blocks", console.button("Propose, and show what would change"))
    console.button("Turn on management session").click()
    console.tab_says("Turn-on failed")
    console.picture("08-turn-on-failed", console.panel.get_by_role("alert").last)
    console.panel.get_by_role("button", name="Close").click()
    console.button("Sign out").click()


def propose_and_enforce(console: Console) -> None:
    """The administrator reads the diff, then applies it."""
    page = console.page
    console.sign_in("Ada Administrator")
    page.get_by_role("link", name=re.compile("Contoso")).click()
    console.open_panel()
    page.get_by_label("Your own ranges").fill("203.0.113.128/28")
    console.button("Propose, and show what would change").click()
    console.see("Proposed in", within=console.panel)
    expect(console.button("Enforce, and make these exclusions")).to_be_enabled(timeout=SLOW)
    console.picture("09-exclusion-diff", console.button("Enforce, and make these exclusions"))
    console.button("Enforce, and make these exclusions").click()
    console.see("Made in", within=console.panel)
    page.get_by_role("switch", name="Auto-enable management session").click()
    console.see("Turns on for", within=console.panel)
    expect(page.get_by_role("switch", name="Auto-enable management session")).to_be_checked()
    console.panel.get_by_role("button", name="Close").click()
    console.button("Sign out").click()


def check_and_turn_on(console: Console, executor: Executor) -> list[str]:
    """The check passes, the session is on, four actions use it."""
    page = console.page
    console.sign_in("Olga Operator")
    console.open_tenant(TENANT)
    console.open_panel()
    console.button("Check again").click()
    checks = console.panel.get_by_role("list", name="Checks")
    expect(checks.locator("[data-verdict=fail]")).to_have_count(0, timeout=SLOW)
    expect(checks.locator("[data-verdict=pass]").first).to_be_visible(timeout=SLOW)
    console.picture("10-policies-pass", checks)
    page.get_by_label("Reason, for the activity trail").fill("Mailbox migration")
    console.button("Turn on management session").click()
    console.tab_says("Management ON")
    console.see("Mailbox migration", within=console.panel)
    console.picture("11-management-on", console.button(re.compile("^Turn off")))
    console.panel.get_by_role("button", name="Close").click()
    actions = [executor.ask(TENANT, kind) for kind in KINDS]
    executor.await_decisions(actions)
    expect(page.get_by_role("region", name="Leases in use").get_by_role("row")).to_have_count(5, timeout=SLOW)
    console.picture("12-in-use-and-activity")
    return actions


def drain(console: Console, executor: Executor, actions: list[str]) -> None:
    """Drain: what runs may finish."""
    console.open_panel()
    console.button(re.compile("^Drain")).click()
    console.tab_says("Draining")
    console.picture("13-draining", console.button(re.compile("^Turn off")))
    for action in actions:
        executor.complete(TENANT, action)
    console.tab_says("Management OFF")
    console.panel.get_by_role("button", name="Close").click()


def look_back(console: Console) -> None:
    """What happened: filters, steps, the support bundle."""
    page = console.page
    page.get_by_label("Show").select_option("Refusals and failures")
    console.see("Service account failed")
    page.get_by_label("Show").select_option("Session")
    console.button("Steps of Session turned on").first.click()
    console.see("Prove roles")
    console.picture("14-operation-steps")
    console.button("Close").click()
    with page.expect_download() as download:
        console.button("Support bundle").click()
    assert "displayName" in download.value.path().read_text()
    console.button("Sign out").click()


def disable(console: Console) -> None:
    """The end: asked twice, reported thing by thing."""
    console.sign_in("Ada Administrator")
    console.open_tenant(TENANT)
    console.open_panel()
    console.button("Rotate password").click()
    expect(console.button("Rotate password")).to_be_enabled(timeout=SLOW)
    console.button("Disable advanced management").click()
    console.see("This will be deleted from the tenant")
    console.picture("15-confirm-disable")
    console.button("Disable and delete").click()
    console.see("Removal report")
    console.picture("16-removal-report", console.panel.get_by_text("Removal report"))
    console.see("Advanced management is disabled.")
