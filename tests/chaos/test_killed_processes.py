"""kill -9 of the app at any moment loses nothing: what was asked for comes, once, and nothing is left lying about."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from local.client import Client
from local.stack import Stack
from local.tokens import claims_of
from tests.chaos.callers import PATIENCE
from tests.chaos.customers import consented
from tests.chaos.evidence import Evidence
from tests.chaos.mailbox import Mailbox
from tests.chaos.promises import broken_promises, nothing_is_left
from tests.chaos.story import People, Story
from tests.chaos.tally import Tally

SETTINGS: Final = {
    "UPKEEP_SCHEDULE": "* * * * * *",
    "STUCK_AFTER_SECONDS": "3",
    "AzureFunctionsJobHost__extensions__queues__maxDequeueCount": "100",
}
"""In Azure the five kills that make a message poison take most of an hour; here, a quarter of a minute. So none becomes
poison by kills alone, and one that does all the same is a promise broken."""

MESSAGE_LEASE: Final = 3.0
"""Seconds: what a killed app had in its hands comes back, and upkeep looks for what does not, within a few of them."""

KILLS: Final = 60
KILLS_IN_SHORT: Final = 8


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(directory=tmp_path, settings=SETTINGS, message_lease=MESSAGE_LEASE) as running:
        yield running


@pytest.mark.timeout(900)
def test_nothing_is_lost_when_the_app_is_killed_at_any_moment(
    stack: Stack, tmp_path: Path, tally: Tally, seed: int, is_quick: bool
) -> None:
    client, chance = Client(stack.addresses), random.Random(seed)  # noqa: S311 - moments, not secrets
    tenants = consented(client, 4 if is_quick else 6)
    people, over = People.of(client), threading.Event()
    executor = str(claims_of(people.executor.token)["azp"])

    with (
        closing(Evidence(client)) as evidence,
        Mailbox(stack.addresses.storage_connection_string, executor=executor) as mailbox,
    ):
        stories = [Story(tenant_id, people, mailbox, over) for tenant_id in tenants]
        stories[0].restricts = not is_quick
        with ThreadPoolExecutor(len(stories)) as players:
            played = [players.submit(story.play) for story in stories]
            try:
                for _ in range(KILLS_IN_SHORT if is_quick else KILLS):
                    live_and_be_killed(stack, chance, played, is_patient=not is_quick)
                    tally.kills += 1
            finally:
                over.set()

        tally.played, tally.decided = sum(story.steps for story in stories), len(mailbox.decisions)
        tally.cut_off = cut_off(tmp_path / "logs" / "app.log")

        lost = [str(each.exception()) for each in played if each.exception()]
        lost += broken_promises(evidence, tenants, mailbox, within=PATIENCE)
        tally.lost = len(lost)
        assert lost == []

        for story in stories:
            story.disable()
        lost = [sentence for tenant_id in tenants for sentence in nothing_is_left(evidence, tenant_id)]
        lost += broken_promises(evidence, tenants, mailbox, within=PATIENCE)
        tally.lost = len(lost)
        assert lost == []


def cut_off(log: Path) -> int:
    """How many runs of functions have begun and did not end."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return sum("Executing 'Functions." in line for line in lines) - sum(
        "Executed 'Functions." in line for line in lines
    )


def live_and_be_killed(stack: Stack, chance: random.Random, played: list[Future[None]], *, is_patient: bool) -> None:
    """One life of the app: a short one; or at times, with patience, one in which the longest step comes to its end.

    When a story has come to its end there is nothing more to see: then this raises what ended it.
    """
    is_long = is_patient and chance.random() < 0.2
    time.sleep(chance.uniform(9, 12) if is_long else chance.uniform(0.1, 5))
    for each in played:
        if each.done():
            each.result()
    stack.kill_app()
    time.sleep(chance.uniform(0, 0.5))
    stack.start_app()
