"""The limits that belong together keep their order, whatever is turned."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.limits import Limits
from shared.domain.session import MAX_TOKEN_LIFE

LIMITS = Limits()


def test_whoever_waits_for_a_turn_on_learns_how_it_ended() -> None:
    assert LIMITS.answer_within > LIMITS.turn_on_within + LIMITS.answer_margin


def test_what_callers_may_ask_for_is_no_less_than_what_they_get_unasked() -> None:
    assert LIMITS.session_lifetime <= LIMITS.session_longest
    assert LIMITS.lease_longest <= LIMITS.session_longest


def test_a_worker_that_died_is_noticed_before_anybody_gives_up() -> None:
    within = {name: value for name in LIMITS.__slots__ if name.endswith("_within") for value in [getattr(LIMITS, name)]}

    assert len(within) >= 6
    assert {name: value for name, value in within.items() if value <= 2 * LIMITS.stuck_after} == {}


def test_a_token_handed_out_lasts_for_a_while_at_least() -> None:
    assert timedelta() < LIMITS.token_margin < timedelta(minutes=60) <= MAX_TOKEN_LIFE


def test_no_limit_is_zero() -> None:
    assert [name for name in LIMITS.__slots__ if not getattr(LIMITS, name) > timedelta()] == []
