"""Timers fire when their NCRONTAB expression says so, in UTC, and go on after a failure."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import ModuleType

import pytest

from local.host import FunctionHost
from local.host.schedule import Schedule, ScheduleInvalid


@pytest.mark.parametrize(
    ("expression", "occurrence"),
    [
        ("* * * * * *", "2026-11-22T10:07:31"),
        ("*/15 * * * * *", "2026-11-22T10:07:45"),
        ("0 * * * * *", "2026-11-22T10:08:00"),
        ("30 */5 * * * *", "2026-11-22T10:10:30"),
        ("0 0 * * * *", "2026-11-22T11:00:00"),
        ("0 10/20 * * * *", "2026-11-22T10:10:00"),
        ("0 1-5,50 * * * *", "2026-11-22T10:50:00"),
        ("0 0 9-17/4 * * *", "2026-11-22T13:00:00"),
        ("0 30 9 * * *", "2026-11-23T09:30:00"),
        ("0 0 0 1 * *", "2026-12-01T00:00:00"),
        ("0 0 0 1 Jan *", "2027-01-01T00:00:00"),
        ("0 0 0 * * Mon-Fri", "2026-11-23T00:00:00"),
        ("0 0 0 * * 0", "2026-11-29T00:00:00"),
        ("0 0 0 13 * FRI", "2027-08-13T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 31 * *", "2026-12-31T00:00:00"),
    ],
)
def test_the_next_occurrence_is_the_first_moment_that_every_field_admits(expression: str, occurrence: str) -> None:
    sunday = datetime(2026, 11, 22, 10, 7, 30, 999, tzinfo=UTC)

    assert Schedule.parse(expression).next_after(sunday) == datetime.fromisoformat(occurrence).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "* * * * *",
        "* * * * * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "* * * 0 * *",
        "* * * * 13 *",
        "* * * * * 7",
        "* * * * * Montag",
        "*/0 * * * * *",
        "*/ * * * * *",
        "5-1 * * * * *",
        "1, * * * * *",
        "-1 * * * * *",
        "1- * * * * *",
        "x * * * * *",
    ],
)
def test_what_is_no_expression_of_six_fields_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleInvalid):
        Schedule.parse(expression)


def test_a_day_that_never_comes_is_refused() -> None:
    with pytest.raises(ScheduleInvalid, match="never"):
        Schedule.parse("0 0 0 30 2 *").next_after(datetime(2026, 11, 22, tzinfo=UTC))


def test_a_timer_runs_by_its_schedule_also_after_a_failure(host: FunctionHost, app: ModuleType) -> None:
    host.poll()

    deadline = time.monotonic() + 10
    while len(app.ticks) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)

    first, second = app.ticks[:2]
    assert not first.past_due
    assert second.schedule_status["Last"] == first.schedule_status["Next"]


def test_a_tick_by_hand_tells_how_it_ended(host: FunctionHost) -> None:
    failed, succeeded = host.tick("Tick"), host.tick("Tick")

    assert failed.error == "RuntimeError: only-for-tests-raised"
    assert succeeded.succeeded


def test_a_timer_that_does_not_exist_cannot_tick(host: FunctionHost) -> None:
    with pytest.raises(LookupError, match="Tock"):
        host.tick("Tock")
