"""Turns at conditional access: a second apart in each tenant, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event
from uuid import uuid4

import pytest

from shared.adapters.graph_pace import Pace
from shared.domain.ids import TenantId
from tests.fakes.clock import FakeClock

TENANT, OTHER = TenantId(uuid4()), TenantId(uuid4())


def span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class Asker:
    """Somebody who notes when their turns begin.

    Attributes:
        turns: the moments.
        pauses: how long they were made to wait.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.pauses: list[timedelta] = []
        self.pace = Pace(self.clock, self._pause)
        self.turns: list[datetime] = []

    def _pause(self, wait: timedelta) -> None:
        self.pauses.append(wait)
        self.clock.pause(wait)

    def ask(self, tenant_id: TenantId = TENANT, *, within: Callable[[], object] = lambda: None) -> None:
        with self.pace.turn(tenant_id):
            self.turns.append(self.clock.now())
            within()


@pytest.fixture
def asker() -> Asker:
    return Asker()


def test_first_turn_comes_at_once_and_the_next_a_second_after_the_answer(asker: Asker) -> None:
    asker.ask(within=lambda: asker.clock.advance(span(3)))
    asker.ask()
    asker.clock.advance(span(0.75))
    asker.ask()

    assert asker.pauses == [span(1), span(0.25)]
    assert asker.turns[1] - asker.turns[0] == span(4)


def test_nobody_waits_once_the_second_is_over(asker: Asker) -> None:
    asker.ask()
    asker.clock.advance(span(1))
    asker.ask()

    assert asker.pauses == []


def test_tenants_do_not_wait_for_each_other(asker: Asker) -> None:
    asker.ask(TENANT)
    asker.ask(OTHER)

    assert asker.pauses == []


def test_request_that_failed_counts_too(asker: Asker) -> None:
    def fail() -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asker.ask(within=fail)
    asker.ask()

    assert asker.pauses == [span(1)]


def test_clock_that_was_set_back_makes_nobody_wait_for_long(asker: Asker) -> None:
    asker.ask()
    asker.clock.advance(span(-3600))
    asker.ask()

    assert asker.pauses == []


def test_two_at_once_take_turns(asker: Asker) -> None:
    is_in, may_leave = Event(), Event()
    order: list[str] = []

    def first() -> None:
        is_in.set()
        assert may_leave.wait(10)
        order.append("first")

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(asker.ask, within=first)
        assert is_in.wait(10)
        two = threads.submit(asker.ask, within=lambda: order.append("second"))
        may_leave.set()
        one.result(10)
        two.result(10)

    assert order == ["first", "second"]
    assert asker.pauses == [span(1)]


def test_tenant_is_forgotten_when_its_second_is_over(asker: Asker) -> None:
    for _ in range(50):
        asker.ask(TenantId(uuid4()))
    asker.clock.advance(span(1))

    asker.ask()

    assert list(asker.pace._lines) == [TENANT]
