"""Several act on one tenant: no change is overwritten unseen, no work is in the way, and rights hold where granted."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from local.executor import KINDS, Executor
from local.simulator import seed
from local.tokens import bearer
from tests.browser.driver import SLOW, Console, Customer


def slow_graph(customer: Customer) -> None:
    """Microsoft Graph takes its time."""
    slow = {"kind": "latency", "service": "graph", "seconds": 0.9, "times": 40}
    assert customer.client.control("POST", "/faults", {"faults": [slow]}).status < 300


def test_click_that_comes_too_late_says_what_changed_and_may_be_repeated(console: Console, customer: Customer) -> None:
    console.sign_in("Ada Administrator")
    console.take_over_the_clock()
    console.arrive(f"#/tenants/{customer.tenant_id}")
    console.open_panel()
    console.stand_still()
    customer.api("PUT", "", customer.administrator, {"roleProfile": "readOnly"})
    switch = console.panel.get_by_role("switch", name="Auto-enable management session")

    switch.click()

    refusal = console.panel.get_by_role("alert")
    expect(refusal).to_contain_text("since you looked, this has changed: its name or role profile.")
    expect(refusal).to_contain_text("press again if you still want it")
    expect(refusal).to_contain_text("correlation id")
    assert customer.tenant()["autoEnable"]["enabled"] is False

    console.page.clock.resume()
    console.picture("25-somebody-was-faster", refusal)
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    expect(refusal).to_have_count(0)
    customer.wait_for("autoEnable", True, "enabled")


def test_what_changes_all_the_time_stands_in_nobody_s_way(console: Console, customer: Customer) -> None:
    executor = Executor(customer.client, bearer(customer.client, "executor"))
    console.sign_in("Ada Administrator")
    console.take_over_the_clock()
    console.arrive(f"#/tenants/{customer.tenant_id}")
    console.open_panel()
    console.stand_still()
    executor.await_decisions([executor.ask(customer.tenant_id, KINDS[0])])  # refused, which the tenant notes

    console.panel.get_by_role("switch", name="Auto-enable management session").click()

    customer.wait_for("autoEnable", True, "enabled")
    expect(console.panel.get_by_role("alert")).to_have_count(0)


@pytest.mark.timeout(200)
def test_turning_on_can_be_stopped(console: Console, customer: Customer) -> None:
    customer.has_account()
    console.sign_in("Olga Operator")
    console.open_tenant(customer.tenant_id)
    console.open_panel()
    slow_graph(customer)

    console.button("Turn on management session").click()
    console.tab_says("Turning on")
    console.see("“Stop turning on” takes its place at once.", within=console.panel)
    console.picture("26-turning-on", console.button("Stop turning on"))
    console.button("Stop turning on").click()

    console.tab_says("Management OFF")
    expect(console.button("Turn on management session")).to_be_enabled(timeout=SLOW)


@pytest.mark.timeout(200)
def test_policy_check_gives_way_to_turning_on(console: Console, customer: Customer) -> None:
    customer.has_account()
    console.sign_in("Olga Operator")
    console.open_tenant(customer.tenant_id)
    console.open_panel()
    slow_graph(customer)

    console.button("Check policies").click()
    console.see("gives way to whatever else you begin", within=console.panel)
    console.button("Turn on management session").click()

    console.tab_says("Management ON")


@pytest.mark.timeout(200)
def test_administrator_lets_somebody_in_who_then_may_operate_this_tenant_alone(
    console: Console, customer: Customer
) -> None:
    lena = seed.CALLERS["limited-operator"]
    customer.has_account()
    console.sign_in("Ada Administrator")
    console.open_tenant(customer.tenant_id)
    console.page.get_by_role("link", name="Who may do what").click()
    console.see("Nobody was granted a right in this tenant alone.")

    console.button("Let somebody in").click()
    expect(console.button("Grant")).to_be_disabled()
    console.page.get_by_role("textbox", name="Object id").fill(lena.object_id)
    console.page.get_by_role("textbox", name="Name to show").fill(lena.name)
    console.page.get_by_role("checkbox", name="Operator").check()
    console.picture("17-let-somebody-in")
    console.button("Grant").click()
    rights = console.page.get_by_role("list", name="Rights granted here")
    expect(rights).to_contain_text("Operator")
    console.picture("18-who-may-do-what")
    console.button("Sign out").click()

    console.sign_in(lena.name)
    console.see("Your rights hold in some tenants only")
    console.page.get_by_role("textbox", name="Tenant id").fill(customer.tenant_id)
    console.page.get_by_role("link", name="Open tenant").click()
    expect(console.page.get_by_role("link", name="Who may do what")).to_have_count(0)
    console.open_panel()
    expect(console.button("Turn on management session")).to_be_enabled()


def test_right_that_was_taken_away_is_gone_at_once(console: Console, customer: Customer) -> None:
    lars = seed.CALLERS["limited-reader"]
    customer.api("PUT", f"/operators/{lars.object_id}", customer.administrator, {"roles": ["reader"]})
    console.sign_in("Ada Administrator")
    console.arrive(f"#/tenants/{customer.tenant_id}/operators")

    console.button(f"Change what {lars.object_id} may do").click()
    console.page.get_by_role("checkbox", name="Executor").check()
    console.button("Grant").click()
    expect(console.page.get_by_role("list", name="Rights granted here")).to_contain_text("Reader, Executor")
    console.button(f"Remove {lars.object_id}").click()
    console.see("It holds from the next request on.")
    console.page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()

    console.see("Nobody was granted a right in this tenant alone.")
    reply = customer.client.api(
        "GET", f"/v1/tenants/{customer.tenant_id}", token=bearer(customer.client, "limited-reader")
    )
    assert reply.status == 404
