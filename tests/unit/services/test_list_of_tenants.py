"""A line of the list of tenants that comes late does not take the place of a newer one."""

from __future__ import annotations

from datetime import timedelta

from shared.adapters.storage import rows
from shared.domain.session import SessionState
from shared.domain.store import summary_of
from tests.fakes.later_release import rewrite
from tests.stage import Stage


def test_line_that_comes_late_gives_way_to_the_tenant_as_it_is(on: Stage) -> None:
    before = summary_of(on.tenant)
    on.clock.advance(timedelta(seconds=10))
    on.turn_off()

    on.world.enter(before, was=None)

    assert [line.state for line in on.listed] == [SessionState.TURNING_OFF]


def test_change_stands_though_a_later_release_changes_the_tenant_before_its_line_is_entered(on: Stage) -> None:
    def come_late() -> None:
        on.clock.advance(timedelta(seconds=10))
        rewrite(on.store.table, str(on.tenant_id), rows.TENANT)

    on.log.at_next("TenantIndex.put", come_late)

    on.auto_enable()

    (line,) = on.listed
    assert line.auto_enabled


def test_line_that_comes_at_once_costs_no_look_at_the_tenant(on: Stage) -> None:
    on.auto_enable()
    line = summary_of(on.tenant)

    assert on.calls(lambda: on.world.enter(line, was=line.state)) == ["TenantIndex.put"]
