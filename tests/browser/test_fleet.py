"""A fleet of more tenants than fit on a page: problems first, searched and filtered by the API, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, expect

from local.client import Client
from local.stack import Stack
from local.tokens import bearer
from tests.browser.driver import Console

SHOPS: Final = 70
ON_A_PAGE: Final = 50  # console/src/fleet/useFleet.ts
UNWELL: Final = (7, 33, 69)  # those who have not consented, wherever their ids put them


def tenant_id(number: int) -> str:
    return f"{number % 16:x}{number:07x}-0000-4000-8000-00000000f1ee"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, stack: Stack) -> Iterator[Stack]:
    """A stack of its own, so that the other tests' lists stay short; `stack` has built the console."""
    with Stack(directory=tmp_path_factory.mktemp("fleet")) as running:
        client = Client(running.addresses)
        token = bearer(client, "administrator")
        described = [
            {
                "tenantId": tenant_id(number),
                "displayName": f"Shop {number}",
                "initialDomain": f"shop{number}.onmicrosoft.com",
                "consented": number not in UNWELL,
            }
            for number in range(1, SHOPS + 1)
        ]
        assert client.control("POST", "/seed", {"tenants": described}).status < 300

        def onboard(number: int) -> int:
            content = {"displayName": f"Shop {number}"}
            return client.api("PUT", f"/v1/tenants/{tenant_id(number)}", token=token, content=content).status

        with ThreadPoolExecutor(4) as crew:
            assert set(crew.map(onboard, range(1, SHOPS + 1))) == {201}
        yield running


@pytest.fixture
def console(context: BrowserContext, fleet: Stack) -> Iterator[Console]:
    opened = Console(context.new_page(), fleet)
    opened.sign_in("Rita Reader")
    yield opened
    assert opened.complaints == []


def names(console: Console) -> list[str]:
    """The tenants of the page, from the top."""
    return console.page.locator(".tenant-name > b").all_inner_texts()


def test_problems_come_first_and_every_tenant_is_on_one_page_only(console: Console) -> None:
    rows = console.page.get_by_role("list", name="Tenants").get_by_role("listitem")
    expect(rows.first).to_contain_text(re.compile(r"Shop (7|33|69)(?!\d)"))
    first = names(console)
    expect(console.button("Previous")).to_have_attribute("aria-disabled", "true")
    console.picture("34-many-tenants")

    console.button("Next").click()
    console.see("Page 2")
    expect(console.button("Next")).to_have_attribute("aria-disabled", "true")
    expect(rows).to_have_count(SHOPS - len(first))
    second = names(console)
    console.button("Previous").click()
    console.see("Page 1")

    assert set(first[:3]) == {f"Shop {number}" for number in UNWELL}
    assert len(first) >= ON_A_PAGE
    assert sorted(first + second) == sorted(f"Shop {number}" for number in range(1, SHOPS + 1))
    expect(rows).to_have_count(len(first))


def test_whoever_is_searched_is_found_on_whatever_page_he_would_be(console: Console) -> None:
    search, rows = console.page.get_by_label("Search by name or id"), console.page.locator(".fleet li")
    asked: list[str] = []
    console.page.on("request", lambda request: asked.append(request.url) if "/tenants?" in request.url else None)

    search.press_sequentially("shop 70", delay=20)
    expect(rows).to_have_count(1)
    search.fill(tenant_id(33)[:8])
    expect(rows).to_contain_text(["Shop 33"])
    search.fill("nobody")
    console.see("There is no such tenant.")

    letters = [url for url in asked if "search=" in url and "shop+70" not in url and "shop%2070" not in url]
    assert not [url for url in letters if "search=s&" in url], "a key is no question yet"


def test_filter_leaves_those_with_a_problem_or_of_a_state(console: Console) -> None:
    rows = console.page.locator(".fleet li")

    console.page.get_by_label("Filter").select_option("With a problem")
    expect(rows).to_have_count(len(UNWELL))
    console.page.get_by_label("Filter").select_option("Management ON")
    console.see("There is no such tenant.")
    console.page.get_by_label("Filter").select_option("Management OFF")

    expect(rows.nth(ON_A_PAGE - 1)).to_be_visible()
