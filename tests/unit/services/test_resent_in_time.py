"""An answer that could not be sent is sent again by whoever comes next, and not minutes later."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.errors import unavailable
from tests.fakes.calls import Call
from tests.host import AGAIN, Host
from tests.stage import Stage


@pytest.mark.parametrize("is_checked", [False, True], ids=["from the queue", "at once"])
def test_who_waits_for_a_turn_on_is_told_though_the_queue_was_away_for_a_moment(
    created: Stage, host: Host, is_checked: bool
) -> None:
    created.auto_enable()
    created.clock.advance(timedelta(seconds=7))
    if is_checked:
        created.check_policies()
        host.run(timedelta(hours=1))
    sent: list[Call] = []

    def breakdown(call: Call) -> None:
        if call == Call("Messages", "send_decision"):
            sent.append(call)
            if len(sent) == 1 + is_checked:  # at once the first is the worker's own
                raise unavailable("The queue")

    first, second = (created.a_request(deadline=timedelta(minutes=1)) for _ in range(2))
    host.request(first)
    created.log.at_next("SignIn.with_password", lambda: created.services.act.request(second))
    created.log.breakdown = breakdown

    host.run(3 * AGAIN)

    assert created.decisions(first)
    assert created.decisions(second)
