"""How tests use the console, in the words of somebody who sits before it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from local.client import Client, Reply
from local.stack import Stack

ROOT: Final = Path(__file__).parents[2]
SCREENSHOTS: Final = ROOT / "docs" / "screenshots"
AXE: Final = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"

SLOW: Final = 40_000  # milliseconds: for what takes the service several steps

_AHEAD: Final = timedelta(seconds=5)

# WCAG 2.2 AA and everything below it, by axe's names, and its best practices.
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Customer:
    """A tenant, and what is done to it behind the console's back."""

    client: Client
    tenant_id: str
    name: str
    domain: str
    administrator: str = field(repr=False)
    operator: str = field(repr=False)

    def api(self, method: str, path: str, token: str, content: object = None) -> Reply:
        """Calls the API; the answer must be a success."""
        reply = self.client.api(method, f"/v1/tenants/{self.tenant_id}{path}", token=token, content=content)
        assert reply.status < 300, reply.body
        return reply

    def change(self, **changes: object) -> None:
        """Changes the customer's tenant, as its administrators would."""
        assert self.client.control("PATCH", f"/tenants/{self.tenant_id}", changes).status == 200

    def tenant(self) -> dict[str, Any]:
        """What the API says of it."""
        body = self.api("GET", "", self.operator).json
        assert isinstance(body, dict)
        return body

    def has_account(self) -> None:
        """Creates the service account and waits for it."""
        self.api("PUT", "/service-account", self.administrator, {})
        self.wait_for("serviceAccount", "created")

    def turn(self, state: str) -> None:
        """Turns the session on or off and waits for it."""
        wanted = {"state": state, "method": "serviceAccount"} if state == "on" else {"state": state}
        self.api("PUT", "/session", self.operator, wanted)
        self.wait_for("session", state)

    def wait_for(self, part: str, state: object, field: str = "state") -> None:
        """Waits until a part of the tenant is in a state."""
        until = time.monotonic() + 40
        while self.tenant()[part][field] != state:
            assert time.monotonic() < until, f"{part} did not become {state}"
            time.sleep(0.1)


class Console:
    """One window with the console."""

    def __init__(self, page: Page, stack: Stack) -> None:
        assert stack.addresses.console, "the console was not built"
        self.page = page
        self.address = stack.addresses.console
        self.api = stack.addresses.api
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def sign_in(self, person: str) -> None:
        """Through the simulated Entra, by picking an account."""
        self.page.goto(self.address)
        self.button("Sign in").click()
        self.page.get_by_role("button", name=person).click()
        expect(self.button("Sign out")).to_be_visible()

    def arrive(self, place: str) -> None:
        """Loads everything anew, at a place in the console; whoever signed in stays signed in."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/{place}")

    def take_over_the_clock(self) -> None:
        """The page's time goes on as before, until `stand_still`: ahead, lest tokens be of its future."""
        self.page.goto("about:blank")  # for a moment it is 1970, and a page at work would renew its token in that year
        self.page.clock.install(time=datetime.now(UTC) + _AHEAD)

    def stand_still(self) -> None:
        """No time passes for the page any more, so it does nothing by itself."""
        self.page.clock.pause_at(datetime.now(UTC) + 2 * _AHEAD)

    def open_tenant(self, tenant_id: str) -> None:
        """By its address."""
        self.page.goto(f"{self.address}/#/tenants/{tenant_id}")
        expect(self.tab).to_be_visible()

    def open_panel(self) -> None:
        """By the header's tab."""
        self.tab.click()
        expect(self.panel.get_by_role("heading", name="Disable advanced management")).to_be_visible()

    @property
    def tab(self) -> Locator:
        """The header's tab."""
        return self.page.locator("button.tab")

    @property
    def panel(self) -> Locator:
        """The panel behind the tab."""
        return self.page.get_by_role("dialog").filter(has=self.page.get_by_role("heading", name="Management session"))

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by its words."""
        return self.page.get_by_role("button", name=name)

    def see(self, words: str | re.Pattern[str], *, within: Locator | None = None, timeout: int = SLOW) -> None:
        """Waits until the words can be read."""
        expect((within or self.page).get_by_text(words).first).to_be_visible(timeout=timeout)

    def tab_says(self, words: str) -> None:
        """Waits until the header's tab says so."""
        expect(self.tab).to_contain_text(words, timeout=SLOW)

    def picture(self, name: str, of: Locator | None = None) -> None:
        """A screenshot for docs/, and the proof that this state is accessible.

        Of an element that may be scrolled away, what surrounds it is shown too.
        """
        if of is not None:
            of.scroll_into_view_if_needed()
        self.is_accessible(name)
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled", caret="hide")

    def is_accessible(self, where: str) -> None:
        """Axe finds nothing."""
        # A script element would be refused by the page's Content-Security-Policy; the debugger's evaluate is not.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        # Style sheets are not fetched again: the page's policy lets nothing but the API be fetched.
        options = {"runOnly": {"type": "tag", "values": _RULES}, "preload": False}
        # Fluent UI's focus traps have hidden elements that only pass the focus on; axe cannot know.
        target = {"exclude": [["[data-tabster-dummy]"]]}
        found = self.page.evaluate("([target, options]) => axe.run(target, options)", [target, options])
        violations = [
            f"{where}: {each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
            for each in found["violations"]
        ]
        assert not violations, "\n".join(violations)

    def _hear(self, message: ConsoleMessage) -> None:
        # A refused or failed request is written there by the browser itself; tests look at what the page makes of it.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)
