"""A session moves along the legal ways only, and forgets with each turn-on what the last one left."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.domain.actors import SERVICE
from shared.domain.errors import Code, Problem, Refused
from shared.domain.ids import ActionId, SessionId
from shared.domain.session import (
    TRANSITIONS,
    AutoEnableOutcome,
    LastAutoEnable,
    Method,
    Session,
    SessionState,
)
from tests.fakes.clock import START

LATER = START + timedelta(minutes=5)
PROBLEM = Problem(Code.ROLE_MISSING, "The service account does not hold Global Reader.")
LEGAL = {
    ("off", "turningOn"),
    ("failed", "turningOn"),
    ("failed", "turningOff"),
    ("turningOn", "on"),
    ("turningOn", "failed"),
    ("turningOn", "turningOff"),
    ("on", "draining"),
    ("on", "turningOff"),
    ("draining", "turningOff"),
    ("turningOff", "off"),
}


def in_state(state: SessionState) -> Session:
    return Session(state, START, session_id=SessionId(uuid4()), lifetime=timedelta(hours=8))


def turning_on(session: Session) -> Session:
    return session.turning_on(
        SessionId(UUID(int=7)), Method.SERVICE_ACCOUNT, SERVICE, reason=None, lifetime=timedelta(hours=1), now=LATER
    )


def test_every_state_has_its_ways_and_each_ends_at_a_state() -> None:
    assert set(TRANSITIONS) == set(SessionState)
    assert {(a.value, b.value) for a, ways in TRANSITIONS.items() for b in ways} == LEGAL


@pytest.mark.parametrize("to", SessionState)
@pytest.mark.parametrize("state", SessionState)
def test_only_a_legal_way_is_gone(state: SessionState, to: SessionState) -> None:
    session = in_state(state)

    if (state.value, to.value) in LEGAL:
        moved = session.to(to, LATER)

        assert (moved.state, moved.since) == (to, LATER)
    else:
        with pytest.raises(Refused) as refusal:
            session.to(to, LATER)

        assert refusal.value.problem.code is Code.TRANSITION_NOT_ALLOWED
        assert refusal.value.problem.next_step is not None


@pytest.mark.parametrize("state", SessionState)
def test_off_is_reached_from_everywhere(state: SessionState) -> None:
    reached, frontier = {state}, [state]

    while frontier:
        following = TRANSITIONS[frontier.pop()] - reached
        reached |= following
        frontier += following

    assert SessionState.OFF in reached


def test_turned_on_it_expires_when_its_lifetime_has_passed() -> None:
    session = turning_on(in_state(SessionState.OFF))

    on = session.turned_on(LATER)

    assert on.state is SessionState.ON
    assert on.expires_at == LATER + timedelta(hours=1)


def test_new_turn_on_leaves_nothing_of_the_last_but_what_auto_enable_decided() -> None:
    last = LastAutoEnable(AutoEnableOutcome.NOT_ENABLED, START, ActionId(uuid4()), "auto-enable is off")
    before = replace(
        in_state(SessionState.FAILED),
        problem=PROBLEM,
        secret_version="v1",
        expires_at=START,
        tokens_valid_until=START,
        last_auto_enable=last,
    )

    after = turning_on(before)

    assert (after.problem, after.secret_version, after.expires_at, after.tokens_valid_until) == (None,) * 4
    assert after.session_id == SessionId(UUID(int=7))
    assert after.last_auto_enable == last


def test_failed_it_says_why_and_names_no_secret() -> None:
    session = replace(in_state(SessionState.TURNING_ON), secret_version="v1")

    failed = session.failed(PROBLEM, LATER)

    assert (failed.state, failed.problem, failed.secret_version) == (SessionState.FAILED, PROBLEM, None)


def test_turned_off_it_keeps_only_what_is_still_to_be_known() -> None:
    session = replace(in_state(SessionState.TURNING_OFF), secret_version="v1", reason="maintenance")

    off = session.turned_off(LATER, tokens_valid_until=LATER + timedelta(minutes=90))

    assert off == Session(SessionState.OFF, LATER, tokens_valid_until=LATER + timedelta(minutes=90))
