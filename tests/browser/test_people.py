"""Keyboard, colours, widths, speed, and the frame the page runs in."""

from __future__ import annotations

import gzip
import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
from playwright.sync_api import BrowserContext, expect

from local.simulator.seed import APP_CLIENT_ID
from local.stack import Stack
from tests.browser.driver import ROOT, Console, Customer
from tests.browser.elsewhere import Elsewhere

BUILT = ROOT / "console" / "dist"
BUDGET = 300_000  # bytes, compressed

# What console/README.md tells the embedding page to write, under the policy that it tells it to allow.
_EMBEDDING = """<!doctype html>
<html lang="en">
  <head>
    <title>Another console</title>
    <style>h1 { color: rgb(1, 2, 3); margin: 40px; }</style>
    <link rel="stylesheet" href="CONSOLE/management-session.css">
    <script type="module" src="CONSOLE/management-session.js"></script>
  </head>
  <body><header><h1>Another console</h1></header><main><p>Everything else.</p></main></body>
</html>"""
_POLICY = (
    "default-src 'none'; script-src CONSOLE; connect-src API; img-src data:; "
    "style-src CONSOLE 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-OWN'"
)
_ELEMENT = """([api, tenantId, token]) => {
    const element = document.createElement("management-session");
    element.setAttribute("api", api);
    element.setAttribute("tenant-id", tenantId);
    element.getToken = async () => token;
    document.querySelector("header").append(element);
}"""


def test_whole_panel_is_within_reach_of_the_keyboard(console: Console, customer: Customer) -> None:
    customer.has_account()
    console.sign_in("Olga Operator")
    console.open_tenant(customer.tenant_id)

    console.tab.focus()
    console.page.keyboard.press("Enter")
    expect(console.panel).to_be_visible()
    reached = set()
    for _ in range(16):
        reached.add(console.page.evaluate("document.activeElement.innerText || document.activeElement.type"))
        console.page.keyboard.press("Tab")
    console.page.keyboard.press("Escape")

    assert {"radio", "Check policies", "Turn on management session"} <= reached
    expect(console.panel).to_be_hidden()
    expect(console.tab).to_be_focused()


@pytest.mark.parametrize(("name", "width"), [("wide", 1280), ("narrow", 390)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fleet_and_panel_are_accessible_in_each_colour_and_width(
    console: Console, customer: Customer, name: str, width: int, scheme: str
) -> None:
    console.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    console.page.set_viewport_size({"width": width, "height": 860})
    customer.has_account()
    customer.turn("on")

    console.sign_in("Olga Operator")
    console.see(customer.name)
    console.picture(f"31-fleet-{name}-{scheme}")
    console.open_tenant(customer.tenant_id)
    console.tab_says("Management ON")
    console.picture(f"32-tenant-{name}-{scheme}")
    console.open_panel()
    console.picture(f"33-panel-{name}-{scheme}")

    overflow = console.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


def test_fleet_shows_problems_first_and_finds_by_name(console: Console, customer: Customer) -> None:
    customer.change(policies={})
    customer.client.control(
        "POST", "/consent", {"tenantId": customer.tenant_id, "clientId": APP_CLIENT_ID, "grant": False}
    )
    customer.api("PUT", "", customer.administrator, {})

    console.sign_in("Rita Reader")

    console.see(customer.name)
    rows = console.page.get_by_role("list", name="Tenants").get_by_role("link")
    problems = [row.get_attribute("data-problem") is not None for row in rows.all()]
    assert problems == sorted(problems, reverse=True)
    assert problems[0]
    console.page.get_by_label("Search by name or id").fill(customer.name)
    expect(rows).to_have_count(1)


def test_times_are_local_with_the_exact_utc_on_hover(console: Console, customer: Customer) -> None:
    console.sign_in("Rita Reader")
    console.open_tenant(customer.tenant_id)
    shown = console.page.locator("time").first

    expect(shown).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \(UTC\)$"))


def test_nothing_is_loaded_from_foreign_hosts_and_the_policy_says_so(console: Console, stack: Stack) -> None:
    hosts: set[str] = set()
    console.page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    console.sign_in("Rita Reader")
    console.see("Tenants")

    own = {stack.addresses.host, stack.addresses.simulator, console.address}
    assert hosts <= own
    with urlopen(console.address) as page:
        policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_first_download_is_within_its_budget(context: BrowserContext, stack: Stack) -> None:
    page = context.new_page()
    fetched: set[str] = set()
    page.on("request", lambda request: fetched.add(request.url.rpartition("/")[2] or "index.html"))
    page.goto(stack.addresses.console or "")
    page.get_by_role("button", name="Sign in").wait_for()

    files = [path for path in BUILT.rglob("*") if path.name in fetched]
    size = sum(len(gzip.compress(path.read_bytes())) for path in files)
    assert 100_000 < size < BUDGET, f"{size} bytes in {sorted(fetched)}"


def test_page_of_another_origin_embeds_the_panel_and_keeps_its_own_looks(
    console: Console, customer: Customer, stack: Stack, elsewhere: Elsewhere
) -> None:
    page, api = console.page, f"http://{urlsplit(stack.addresses.api).netloc}"
    own = re.search("<style>(.*)</style>", _EMBEDDING)
    assert own
    digest = b64encode(sha256(own[1].encode()).digest()).decode()
    policy = _POLICY.replace("CONSOLE", console.address).replace("API", api).replace("OWN", digest)
    elsewhere.page = _EMBEDDING.replace("CONSOLE", console.address)
    elsewhere.headers = {"Content-Security-Policy": policy}
    page.goto(elsewhere.origin)

    page.evaluate(_ELEMENT, [stack.addresses.api, customer.tenant_id, customer.operator])

    console.tab_says("Management OFF")
    console.picture("35-embedded")
    console.open_panel()
    console.is_accessible("embedded")
    looks = page.locator("h1").evaluate("each => [getComputedStyle(each).color, getComputedStyle(each).margin]")
    assert looks == ["rgb(1, 2, 3)", "40px"]


def test_embedded_panel_follows_the_tenant_that_the_page_chooses(
    console: Console, customer: Customer, stack: Stack, elsewhere: Elsewhere
) -> None:
    customer.has_account()
    customer.turn("on")
    page = console.page
    elsewhere.page = _EMBEDDING.replace("CONSOLE", console.address)
    page.goto(elsewhere.origin)
    page.evaluate(_ELEMENT, [stack.addresses.api, "e0000000-0000-4000-8000-00000000dead", customer.operator])
    console.tab_says("not reachable")

    page.locator("management-session").evaluate("(each, id) => each.setAttribute('tenant-id', id)", customer.tenant_id)

    console.tab_says("Management ON")
