"""What the DueList port promises, kept by the fake and by Azure's tables alike."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from shared.adapters.storage.due_table import DueTable
from shared.domain.store import Due, DueList
from tests.contract.ports.storage.conftest import NewTable
from tests.fakes import CallLog, FakeDueList
from tests.fakes.sample_rows import NOW, new_tenant_id

MICROSECOND = timedelta(microseconds=1)


class DueListPromises:
    """Every implementation passes these."""

    def test_what_is_due_comes_oldest_first_and_the_rest_stays(self, due_list: DueList) -> None:
        spans = [timedelta(0), timedelta(days=-400), -MICROSECOND, MICROSECOND, timedelta(days=1)]
        entered = [Due(new_tenant_id(), NOW + span) for span in spans]
        for due in entered:
            due_list.add(due)

        assert due_list.until(NOW, limit=10) == (entered[1], entered[2], entered[0])
        assert due_list.until(NOW + timedelta(days=2), limit=10)[-1] == entered[4]

    def test_no_more_than_the_limit_comes(self, due_list: DueList) -> None:
        entered = [Due(new_tenant_id(), NOW - timedelta(hours=n)) for n in range(5)]
        for due in entered:
            due_list.add(due)

        assert due_list.until(NOW, limit=2) == (entered[4], entered[3])

    def test_entered_twice_is_entered_once(self, due_list: DueList) -> None:
        due = Due(new_tenant_id(), NOW)

        due_list.add(due)
        due_list.add(due)

        assert due_list.until(NOW, limit=10) == (due,)

    def test_a_tenant_can_be_due_more_than_once_and_tenants_at_one_time(self, due_list: DueList) -> None:
        first, second = Due(new_tenant_id(), NOW), Due(new_tenant_id(), NOW)
        later = Due(first.tenant_id, NOW + MICROSECOND)
        for due in (first, second, later):
            due_list.add(due)

        found = due_list.until(NOW + MICROSECOND, limit=10)

        assert set(found) == {first, second, later}
        assert found[-1] == later

    def test_what_was_removed_does_not_come_again(self, due_list: DueList) -> None:
        done, open_ = Due(new_tenant_id(), NOW), Due(new_tenant_id(), NOW)
        due_list.add(done)
        due_list.add(open_)

        due_list.remove(done)
        due_list.remove(done)

        assert due_list.until(NOW, limit=10) == (open_,)

    def test_a_time_is_the_same_in_every_zone(self, due_list: DueList) -> None:
        tenant_id = new_tenant_id()
        elsewhere = NOW.astimezone(timezone(timedelta(hours=14)))

        due_list.add(Due(tenant_id, elsewhere))
        due_list.add(Due(tenant_id, NOW))

        assert due_list.until(elsewhere, limit=10) == (Due(tenant_id, NOW),)


class TestFakeDueList(DueListPromises):
    """The fake."""

    @pytest.fixture
    def due_list(self) -> DueList:
        return FakeDueList(CallLog())


class TestDueTable(DueListPromises):
    """Azure's tables."""

    @pytest.fixture
    def due_list(self, new_table: NewTable) -> DueList:
        return DueTable(new_table())
