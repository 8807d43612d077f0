"""An operation's progress only grows, its delays are bounded, and its end is told by every step."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.actors import SERVICE
from shared.domain.errors import Code, Problem
from shared.domain.ids import OperationId, TenantId
from shared.domain.operation import TERMINAL, Operation, OperationKind, Status, Step
from tests.fakes.clock import START

SECOND = timedelta(seconds=1)


def an_operation(*steps: str) -> Operation:
    return Operation(
        OperationId(uuid4()),
        TenantId(uuid4()),
        OperationKind.TURN_ON,
        SERVICE,
        "correlation",
        START,
        START + timedelta(minutes=10),
        tuple(Step(name) for name in steps or ("signIn", "proveRoles")),
    )


@given(st.integers(min_value=1, max_value=9))
def test_percent_grows_with_every_step_and_is_100_only_at_the_end(count: int) -> None:
    names = [f"step{number}" for number in range(count)]
    operation, seen = an_operation(*names), [0]

    for name in names:
        operation = operation.started(name, START).done(name, START + SECOND)
        seen.append(operation.percent_complete)

    assert seen == sorted(seen)
    assert operation.current is None
    assert operation.ended(Status.SUCCEEDED, START).percent_complete == 100


def test_current_step_is_the_first_that_is_not_done() -> None:
    operation = an_operation().started("signIn", START)

    assert operation.current == Step("signIn", Status.RUNNING, START)
    assert operation.done("signIn", START + SECOND).current == Step("proveRoles")


def test_step_started_again_keeps_when_it_began() -> None:
    first = an_operation().started("signIn", START)

    again = first.started("signIn", START + timedelta(minutes=3))

    assert again.steps[0].started_at == START


def test_done_step_leaves_its_notes_to_later_ones_and_forgets_how_often_it_was_put_off() -> None:
    operation = an_operation().started("signIn", START).put_off(START).put_off(START)

    done = operation.done("signIn", START, secretVersion="v1").done("proveRoles", START, roles="6")

    assert done.notes == {"secretVersion": "v1", "roles": "6"}
    assert done.attempts == 0


def test_claim_keeps_others_away_for_a_while_and_no_longer() -> None:
    claimed = an_operation().claimed(START, 90 * SECOND)

    assert claimed.is_claimed(START + 89 * SECOND)
    assert not claimed.is_claimed(START + 90 * SECOND)
    assert not an_operation().is_claimed(START)


@given(st.integers(min_value=0, max_value=60))
def test_delay_grows_to_a_minute_and_never_beyond(attempts: int) -> None:
    operation = an_operation()
    for _ in range(attempts):
        operation = operation.put_off(START)

    assert timedelta(seconds=2) <= operation.delay() <= timedelta(minutes=1)
    assert operation.delay() <= operation.put_off(START).delay()


def test_delay_is_what_the_other_side_asked_for() -> None:
    assert an_operation().delay(timedelta(seconds=97)) == timedelta(seconds=97)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_step_under_way_shares_the_end_of_the_whole(status: Status) -> None:
    problem = Problem(Code.OPERATION_TIMED_OUT, "It did not end in time.")
    operation = an_operation().claimed(START, SECOND).started("signIn", START)

    ended = operation.ended(status, START + SECOND, problem=problem)

    assert ended.is_terminal
    assert ended.steps == (Step("signIn", status, START, START + SECOND), Step("proveRoles"))
    assert (ended.claimed_until, ended.problem) == (None, problem)


@pytest.mark.parametrize("status", [Status.NOT_STARTED, Status.RUNNING])
def test_nothing_else_is_an_end(status: Status) -> None:
    assert status not in TERMINAL
