"""An adapter waits a little by itself, and only when another try can do no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from shared.adapters.patience import LONGEST_PAUSE, asked_to_wait, patiently
from shared.domain.errors import Code, Problem, ReplyLost, Transient, refused, unavailable

REPLY_LOST = ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, "no answer"))


def failing_with(*errors: Exception) -> Callable[[], str]:
    """Something that fails so, one error after the other, and then succeeds."""
    left: Iterator[Exception] = iter(errors)

    def ask() -> str:
        for error in left:
            raise error
        return "done"

    return ask


def never(span: timedelta) -> None:
    """A pause that must not be made."""
    pytest.fail(f"slept for {span}")


def span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@pytest.mark.parametrize("is_read", [True, False])
def test_short_wait_that_was_asked_for_is_waited_for_twice_at_most(is_read: bool) -> None:
    pauses: list[timedelta] = []
    busy = unavailable("Graph", span(3))

    assert patiently(failing_with(busy, busy), is_read=is_read, pause=pauses.append) == "done"
    with pytest.raises(Transient):
        patiently(failing_with(busy, busy, busy), is_read=is_read, pause=pauses.append)

    assert pauses == [span(3)] * 4


@pytest.mark.parametrize("is_read", [True, False])
def test_longer_wait_is_the_queue_s(is_read: bool) -> None:
    with pytest.raises(Transient):
        patiently(failing_with(unavailable("Graph", LONGEST_PAUSE + span(1))), is_read=is_read, pause=never)


@pytest.mark.parametrize("error", [REPLY_LOST, unavailable("Graph")], ids=["reply lost", "unavailable"])
def test_only_a_read_is_tried_again_unasked(error: Transient) -> None:
    pauses: list[timedelta] = []

    assert patiently(failing_with(error, error), is_read=True, pause=pauses.append) == "done"
    with pytest.raises(Transient):
        patiently(failing_with(error), is_read=False, pause=never)

    assert sum(pauses, timedelta()) < LONGEST_PAUSE


def test_refusal_is_not_argued_with() -> None:
    refusal = refused(Code.PERMISSION_MISSING, "no")

    with pytest.raises(type(refusal)):
        patiently(failing_with(refusal), is_read=True, pause=never)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "17"}, span(17)),
        ({"Retry-After": " 0 "}, span(0)),
        (
            {"Retry-After": "Mon, 23 Nov 2026 09:00:30 GMT", "Date": "Mon, 23 Nov 2026 09:00:00 GMT"},
            span(30),
        ),
        (
            {"Retry-After": "Mon, 23 Nov 2026 08:00:00 GMT", "Date": "Mon, 23 Nov 2026 09:00:00 GMT"},
            span(0),
        ),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:30 GMT"}, None),
        ({"Retry-After": "Mon, 23 Nov 2026 09:00:30 -0000", "Date": "Mon, 23 Nov 2026 09:00:00 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 40}, None),
        ({"Retry-After": "٣"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_or_a_date_against_the_answer_s_own(
    headers: dict[str, str], expected: timedelta | None
) -> None:
    assert asked_to_wait(headers) == expected
