"""How fast and how still the page is: clicks answered at once, nothing that jumps, and no question asked too soon."""

from __future__ import annotations

import time
from collections import Counter
from itertools import pairwise
from typing import Final

import pytest
from playwright.sync_api import Request, Route, expect

from tests.browser.driver import Console, Customer

SLOW_ANSWER: Final = 0.7  # seconds: longer than the half second in which a shift counts as the click's own
STILL: Final = 0.005  # of the Cumulative Layout Shift, of which 0.1 is called good (https://web.dev/articles/cls)
WAIT: Final = 60  # seconds that the API asks for, far beyond every pace of the page's own

# Every shift that no input explains, and every interaction, as the browser itself reports them.
_WATCH: Final = """
    window.shifts = [];
    window.interactions = [];
    const describe = ({node, previousRect, currentRect}) =>
        `${node?.outerHTML?.slice(0, 120)} from ${previousRect.y} to ${currentRect.y}`;
    new PerformanceObserver(list => {
        for (const {value, hadRecentInput, sources} of list.getEntries())
            if (!hadRecentInput) window.shifts.push([value, ...sources.map(describe)]);
    }).observe({type: "layout-shift", buffered: true});
    new PerformanceObserver(list => {
        for (const {name, interactionId, startTime, processingEnd} of list.getEntries())
            if (interactionId) window.interactions.push([name, processingEnd - startTime]);
    }).observe({type: "event", durationThreshold: 16, buffered: true});
"""


def slowly(route: Route) -> None:
    time.sleep(SLOW_ANSWER)
    route.continue_()


@pytest.mark.parametrize(("name", "width"), [("wide", 1280), ("narrow", 390)])
def test_nothing_jumps_while_things_load(console: Console, customer: Customer, name: str, width: int) -> None:
    page = console.page
    page.set_viewport_size({"width": width, "height": 860})
    customer.has_account()
    customer.turn("on")
    page.add_init_script(_WATCH)
    console.sign_in("Ada Administrator")
    page.route(f"{console.api}/**", slowly)

    console.arrive(f"#/tenants/{customer.tenant_id}")
    console.see("Session turned on")
    console.open_panel()
    console.see("A real sign-in", within=console.panel)
    console.panel.get_by_role("button", name="Close").click()
    shifts = page.evaluate("window.shifts")
    console.arrive(f"#/tenants/{customer.tenant_id}/operators")
    console.see("Nobody was granted a right")
    shifts += page.evaluate("window.shifts")
    console.arrive("#/")
    console.see(customer.name)
    shifts += page.evaluate("window.shifts")

    assert sum(value for value, *_ in shifts) < STILL, shifts


def test_click_shows_in_the_next_frame_whenever_the_api_answers(console: Console, customer: Customer) -> None:
    held: list[Route] = []
    console.sign_in("Ada Administrator")
    console.open_tenant(customer.tenant_id)
    console.open_panel()
    console.page.route("**/service-account", lambda route: held.append(route))

    is_busy = console.button("Create service account").evaluate(
        """button => new Promise(answer => {
            button.click();
            requestAnimationFrame(() => answer(button.disabled && button.querySelector(".fui-Spinner") !== null));
        })"""
    )

    assert is_busy, "the frame after the click still showed the button as it was"
    while not held:  # the frame may come before the request has left
        console.page.wait_for_timeout(10)
    held[0].continue_()
    console.see("Global Reader", within=console.panel)


def test_no_interaction_takes_a_tenth_of_a_second(console: Console, customer: Customer) -> None:
    customer.has_account()
    page = console.page
    page.add_init_script(_WATCH)
    console.sign_in("Ada Administrator")
    console.arrive(f"#/tenants/{customer.tenant_id}")

    console.open_panel()
    console.panel.get_by_role("radio", name="Use Global Admin credentials").click()
    console.panel.get_by_role("radio", name="Use management service account").click()
    console.panel.get_by_role("switch").click()
    console.button("Disable advanced management").click()
    console.button("Cancel").click()
    console.panel.get_by_role("button", name="Close").click()
    page.get_by_label("Show").select_option("Session")

    interactions = page.evaluate("window.interactions")
    assert {name for name, _ in interactions} >= {"click"}
    assert max(took for _, took in interactions) < 100, interactions


@pytest.mark.parametrize("status", [200, 429, 503])
def test_page_asks_again_no_sooner_than_the_api_allows(console: Console, customer: Customer, status: int) -> None:
    asked: Counter[str] = Counter()
    page, origin = console.page, console.address

    def ask_to_wait(route: Route) -> None:
        answer = route.fetch()
        headers = {
            **answer.headers,
            "retry-after": str(WAIT),
            "access-control-allow-origin": origin,
            "access-control-expose-headers": "Retry-After, x-correlation-id",
        }
        body = answer.body() if status == 200 else b'{"error": {"code": "tooManyRequests", "message": "Not so fast."}}'
        route.fulfill(status=status, headers=headers, body=body)

    console.sign_in("Rita Reader")
    console.take_over_the_clock()
    page.route(f"{console.api}/**", ask_to_wait)
    page.on("request", lambda request: asked.update(_read(console, request)))
    console.arrive(f"#/tenants/{customer.tenant_id}")
    console.see("Not so fast." if status != 200 else "Tenant onboarded")
    console.stand_still()
    first = Counter(asked)

    page.clock.run_for((WAIT - 10) * 1000)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # somebody looks again, and wants to know
    page.clock.run_for(1000)
    page.wait_for_timeout(200)
    meanwhile = asked - first
    page.clock.run_for(15_000)
    page.wait_for_timeout(200)

    assert set(first.values()) == {1}
    assert not +meanwhile
    assert (asked - first)[f"/tenants/{customer.tenant_id}"] == 1


def _read(console: Console, request: Request) -> list[str]:
    """What of the API a request reads; nothing for any other request."""
    is_read = request.method == "GET" and request.url.startswith(console.api)
    return [request.url.removeprefix(f"{console.api}/v1").partition("?")[0]] if is_read else []


def test_operation_is_first_looked_at_when_its_acceptance_said(console: Console, customer: Customer) -> None:
    moments: list[tuple[str, float]] = []
    slow = {"kind": "latency", "service": "graph", "seconds": 0.7, "times": 12}
    assert customer.client.control("POST", "/faults", {"faults": [slow]}).status < 300
    console.sign_in("Ada Administrator")
    console.open_tenant(customer.tenant_id)
    console.open_panel()
    page = console.page
    page.on("response", lambda answer: moments.append(("", time.monotonic())) if answer.status == 202 else None)
    page.on(
        "request",
        lambda request: moments.append((request.url, time.monotonic())) if "/operations/" in request.url else None,
    )

    console.button("Create service account").click()
    expect(console.panel.get_by_role("progressbar").first).to_be_visible()
    console.see("Global Reader", within=console.panel)

    assert len(moments) >= 3
    assert len({url for url, _ in moments}) == 2
    gaps = [later - earlier for (_, earlier), (_, later) in pairwise(moments)]
    assert min(gaps) > 1.9, f"the API says Retry-After: 2, the page waited {gaps} s"
