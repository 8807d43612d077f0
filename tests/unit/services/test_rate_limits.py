"""A rate lets its burst through, then so many a second, and one caller's haste is no other's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Code, Transient
from shared.services.rate_limits import Rate, RateLimits
from tests.fakes.clock import FakeClock

RATE = Rate(burst=5, per_second=2)


def passed(limits: RateLimits, key: str, tries: int) -> int:
    """How many of so many at once get through."""
    through = 0
    for _ in range(tries):
        try:
            limits.take(key, RATE)
            through += 1
        except Transient:
            continue
    return through


def test_burst_gets_through_and_the_next_is_told_when_to_come_again() -> None:
    clock = FakeClock()
    limits = RateLimits(clock)

    assert passed(limits, "a", 9) == RATE.burst
    with pytest.raises(Transient) as refusal:
        limits.take("a", RATE)

    assert refusal.value.problem.code is Code.TOO_MANY_REQUESTS
    assert refusal.value.retry_after == timedelta(seconds=0.5)
    clock.advance(refusal.value.retry_after)
    limits.take("a", RATE)


def test_one_caller_s_haste_is_no_other_s() -> None:
    limits = RateLimits(FakeClock())
    passed(limits, "a", 9)

    assert passed(limits, "b", 9) == RATE.burst


def test_what_is_given_back_does_not_count() -> None:
    limits = RateLimits(FakeClock())
    passed(limits, "a", 5)

    limits.give_back("a", RATE)

    assert passed(limits, "a", 2) == 1


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 20)), max_size=20))
def test_nobody_gets_more_than_burst_and_rate_allow(waves: list[tuple[float, int]]) -> None:
    clock = FakeClock()
    limits, started, through = RateLimits(clock), clock.now(), 0

    for pause, tries in waves:
        clock.advance(timedelta(seconds=pause))
        through += passed(limits, "a", tries)

    assert through <= RATE.burst + RATE.per_second * (clock.now() - started).total_seconds() + 1e-6


def test_clock_that_goes_back_gives_nothing_and_takes_nothing() -> None:
    clock = FakeClock()
    limits = RateLimits(clock)
    passed(limits, "a", 5)

    clock.advance(timedelta(seconds=-60))

    assert passed(limits, "a", 3) == 0
