"""The system's clock tells an aware time, and its pauses let time pass; things are done beside others."""

from __future__ import annotations

from datetime import timedelta
from threading import Event

import pytest

from shared import telemetry
from shared.adapters.clock import SystemClock


def test_time_is_aware_and_goes_on_during_a_pause() -> None:
    clock = SystemClock()
    before = clock.now()

    clock.pause(timedelta(milliseconds=5))

    assert before.utcoffset() == timedelta()
    assert clock.now() > before


def test_something_is_done_again_and_again_beside_a_block_and_no_more_after_it() -> None:
    done, twice = [0], Event()

    def count() -> None:
        done[0] += 1
        if done[0] == 2:
            twice.set()

    with SystemClock().every(timedelta(milliseconds=2), count):
        assert twice.wait(timeout=5)
    counted = done[0]
    SystemClock().pause(timedelta(milliseconds=10))

    assert done[0] == counted


def test_something_is_done_while_a_block_is_done_and_with_its_correlation_id() -> None:
    begun, ended = Event(), Event()
    told: list[str] = []

    def act() -> None:
        begun.set()
        assert ended.wait(timeout=5)
        told.append(telemetry.correlation_id())

    with telemetry.correlated("both"), SystemClock().beside(act):
        assert begun.wait(timeout=5)
        ended.set()

    assert told == ["both"]


def test_what_failed_beside_a_block_fails_the_block() -> None:
    def fail() -> None:
        raise LookupError("beside")

    with pytest.raises(LookupError, match="beside"), SystemClock().beside(fail):
        pass


def test_what_the_block_raises_comes_first() -> None:
    def fail() -> None:
        raise LookupError("beside")

    with pytest.raises(ValueError, match="inside"), SystemClock().beside(fail):
        raise ValueError("inside")
