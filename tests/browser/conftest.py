"""A stack of its own, the console built from this tree, and Debian's Chromium without a window."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from local import console_build
from local.client import Client
from local.stack import Stack
from local.tokens import bearer
from tests.browser.driver import Console, Customer
from tests.browser.elsewhere import Elsewhere, another_origin

_NUMBERS = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    """A page of another origin, which the API lets in."""
    with another_origin() as served:
        yield served


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, elsewhere: Elsewhere) -> Iterator[Stack]:
    console_build.build()
    with Stack(directory=tmp_path_factory.mktemp("stack"), origins=[elsewhere.origin]) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    program = shutil.which("chromium")
    assert program, "Debian's package chromium is needed: make browser installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    # The simulator's certificate is of a throw-away authority; a person accepts it once, on the sign-in page.
    opened = chromium.new_context(
        ignore_https_errors=True,
        viewport={"width": 1280, "height": 860},
        locale="en-GB",
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


@pytest.fixture
def console(context: BrowserContext, stack: Stack, tmp_path: Path) -> Iterator[Console]:
    opened = Console(context.new_page(), stack)
    yield opened
    opened.page.screenshot(path=tmp_path / "last-seen.png")  # pytest keeps it for whoever looks into a failure
    assert opened.complaints == [], "the browser's own console must stay clean"


@pytest.fixture
def customer(stack: Stack) -> Customer:
    """A tenant that nobody else uses: consented, onboarded, without an account."""
    client = Client(stack.addresses)
    number = next(_NUMBERS)
    tenant_id = f"e0000000-0000-4000-8000-{number:012}"
    name = f"Customer {number}"
    domain = f"customer{number}.onmicrosoft.com"
    described = {"tenantId": tenant_id, "displayName": name, "initialDomain": domain, "consented": True}
    assert client.control("POST", "/seed", {"tenants": [described]}).status < 300
    made = Customer(client, tenant_id, name, domain, bearer(client, "administrator"), bearer(client, "operator"))
    made.api("PUT", "", made.administrator, {"displayName": name})
    return made
