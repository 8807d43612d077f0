"""Whoever asks to act is told before the deadline, also when one request to storage fails while a turn-on begins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.errors import Code, Problem, ReplyLost, unavailable
from tests.fakes.calls import Call
from tests.host import AGAIN, Host
from tests.stage import Stage

DEADLINES = (45, 60, 150)
"""Seconds: soon after the platform's next try, before a silent worker is noticed, after it."""


@pytest.fixture
def willing(created: Stage, host: Host) -> Stage:
    """A tenant that looks at its policies before it turns itself on; it is some seconds past the minute."""
    created.auto_enable()
    created.clock.advance(timedelta(seconds=7))
    return created


@pytest.fixture
def ready(willing: Stage, host: Host) -> Stage:
    """One that has looked at them, and turns itself on at once; nothing is due."""
    willing.check_policies()
    host.run(timedelta(hours=1))
    return willing


def no_reply() -> ReplyLost:
    return ReplyLost(Problem(Code.SERVICE_UNAVAILABLE, "No answer came."))


def is_told_in_time(stage: Stage, host: Host, seconds: int) -> bool:
    request = stage.a_request(deadline=timedelta(seconds=seconds))
    host.request(request)
    host.run(timedelta(seconds=seconds))
    return bool(stage.decisions(request))


@pytest.mark.parametrize("seconds", DEADLINES)
@pytest.mark.parametrize("call", ["DueList.add", "Messages.send_operation"])
def test_what_guards_a_turn_on_may_fail_though_the_turn_on_has_begun(
    ready: Stage, host: Host, call: str, seconds: int
) -> None:
    def fail() -> None:
        raise unavailable("Storage")

    ready.log.at_next(call, fail)

    assert is_told_in_time(ready, host, seconds)


@pytest.mark.parametrize("seconds", DEADLINES)
@pytest.mark.parametrize("tenant", ["willing", "ready"])
def test_reply_that_a_turn_on_has_begun_may_be_lost(
    request: pytest.FixtureRequest, host: Host, tenant: str, seconds: int
) -> None:
    stage: Stage = request.getfixturevalue(tenant)
    log = stage.log
    log.at_next("TenantStore.commit", lambda: log.fail(len(log), no_reply(), after_effect=True))

    assert is_told_in_time(stage, host, seconds)


def test_request_that_the_platform_gives_up_on_is_not_forgotten_though_it_waits(ready: Stage, host: Host) -> None:
    until = ready.clock.now() + 4.5 * AGAIN

    def breakdown(call: Call) -> None:
        if call == Call("DueList", "add") and ready.clock.now() < until:
            raise unavailable("The due list")

    ready.log.breakdown = breakdown

    assert is_told_in_time(ready, host, 15 * 60)
    assert ready.tenant.operation is None
