"""A line of the list of tenants that comes late does not take the place of a newer one."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.session import SessionState
from shared.domain.store import summary_of
from tests.stage import Stage


def test_line_that_comes_late_gives_way_to_the_tenant_as_it_is(on: Stage) -> None:
    before = summary_of(on.tenant)
    on.clock.advance(timedelta(seconds=10))
    on.turn_off()

    on.world.enter(before, was=None)

    assert [line.state for line in on.listed] == [SessionState.TURNING_OFF]


def test_line_that_comes_at_once_costs_no_look_at_the_tenant(on: Stage) -> None:
    on.auto_enable()
    line = summary_of(on.tenant)

    assert on.calls(lambda: on.world.enter(line, was=line.state)) == ["TenantIndex.put"]
