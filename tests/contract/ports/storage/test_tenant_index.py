"""What the TenantIndex port promises, kept by the fake and by Azure's tables alike."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from shared.adapters.storage import tenant_index_table
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.domain.errors import Code, Invalid
from shared.domain.ids import TenantId
from shared.domain.session import SessionState
from shared.domain.store import TenantIndex, TenantSummary, summary_of
from tests.contract.ports.storage.conftest import NewTable
from tests.fakes import CallLog, FakeTenantIndex
from tests.fakes.sample_rows import full_tenant_row, new_tenant_id


def summary(state: SessionState, tenant_id: TenantId | None = None) -> TenantSummary:
    """A tenant in that state."""
    return replace(summary_of(full_tenant_row(tenant_id or new_tenant_id())), state=state)


def read_all(index: TenantIndex, state: SessionState | None, limit: int) -> list[TenantSummary]:
    """Every page, one after the other; none but the last may be short."""
    read: list[TenantSummary] = []
    continuation = None
    while True:
        page = index.list(state=state, limit=limit, continuation=continuation)
        read += page.items
        if page.continuation is None:
            return read
        assert len(page.items) == limit
        continuation = page.continuation


class TenantIndexPromises:
    """Every implementation passes these."""

    def test_a_tenant_is_listed_as_it_was_entered(self, index: TenantIndex) -> None:
        entered = summary(SessionState.ON)

        index.put(entered, was=None)

        assert index.list(state=SessionState.ON, limit=5, continuation=None).items == (entered,)

    def test_a_tenant_that_moves_leaves_the_state_it_was_in(self, index: TenantIndex) -> None:
        before = summary(SessionState.TURNING_ON)
        index.put(before, was=None)

        after = replace(before, state=SessionState.ON)
        index.put(after, was=SessionState.TURNING_ON)

        assert read_all(index, None, 5) == [after]

    def test_a_tenant_that_stays_is_listed_anew(self, index: TenantIndex) -> None:
        entered = summary(SessionState.ON)
        index.put(entered, was=None)

        renamed = replace(entered, display_name="new")
        index.put(renamed, was=SessionState.ON)

        assert read_all(index, None, 5) == [renamed]

    @pytest.mark.parametrize("state", SessionState)
    def test_a_tenant_left_under_a_wrong_state_is_taken_out_when_nobody_knows_where_it_was(
        self, index: TenantIndex, state: SessionState
    ) -> None:
        left = summary(state)
        index.put(left, was=None)

        mended = replace(left, state=SessionState.FAILED)
        index.put(mended, was=None)

        assert read_all(index, None, 5) == [mended]

    def test_moving_one_tenant_leaves_the_others(self, index: TenantIndex) -> None:
        other, moving = summary(SessionState.OFF), summary(SessionState.OFF)
        index.put(other, was=None)
        index.put(moving, was=None)

        index.put(replace(moving, state=SessionState.ON), was=SessionState.OFF)

        assert index.list(state=SessionState.OFF, limit=5, continuation=None).items == (other,)

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
    def test_pages_hold_every_tenant_once_in_order_of_state_and_id(self, index: TenantIndex, limit: int) -> None:
        entered = [summary(state) for state in (SessionState.ON, SessionState.OFF, SessionState.ON, *SessionState)]
        for each in entered[1:-1]:
            index.put(each, was=None)

        assert read_all(index, None, limit) == sorted(entered[1:-1], key=lambda each: (each.state, str(each.tenant_id)))

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_pages_of_one_state_hold_only_that(self, index: TenantIndex, limit: int) -> None:
        entered = [summary(SessionState.ON, TenantId(UUID(int=n << 120))) for n in (0xFF, 1, 0xA0)]
        for each in (*entered, summary(SessionState.TURNING_ON), summary(SessionState.OFF)):
            index.put(each, was=None)

        assert read_all(index, SessionState.ON, limit) == [entered[1], entered[2], entered[0]]

    @pytest.mark.parametrize("limit", [1, 2, 3])
    def test_of_those_that_fit_every_one_is_found_once_whatever_lies_between(
        self, index: TenantIndex, limit: int
    ) -> None:
        entered = [replace(summary(SessionState.OFF), display_name=f"Shop {n}") for n in range(7)]
        for each in entered:
            index.put(each, was=SessionState.OFF)
        wanted = [each for each in entered if each.display_name in ("Shop 1", "Shop 4", "Shop 6")]

        found: list[TenantSummary] = []
        continuation = None
        while True:
            page = index.list(state=None, limit=limit, continuation=continuation, fits=lambda each: each in wanted)
            found += page.items
            assert len(page.items) <= limit
            if (continuation := page.continuation) is None:
                break

        assert sorted(found, key=lambda each: each.display_name) == wanted

    def test_a_page_of_those_that_fit_ends_when_enough_was_looked_through(
        self, index: TenantIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tenant_index_table, "_LOOKED_THROUGH", 3)
        for _ in range(5):
            index.put(summary(SessionState.OFF), was=SessionState.OFF)

        first = index.list(state=SessionState.OFF, limit=2, continuation=None, fits=lambda _: False)
        second = index.list(state=SessionState.OFF, limit=2, continuation=first.continuation, fits=lambda _: True)

        assert first.items == ()
        assert (len(second.items), second.continuation) == (2, None)

    @pytest.mark.parametrize("limit", [1, 2, 3, 4])
    def test_the_ids_of_one_state_come_in_order_and_no_more_than_the_limit(
        self, index: TenantIndex, limit: int
    ) -> None:
        ids = [TenantId(UUID(int=n << 120)) for n in (0xFF, 1, 0xA0)]
        for tenant_id in ids:
            index.put(summary(SessionState.ON, tenant_id), was=None)
        index.put(summary(SessionState.TURNING_ON), was=None)

        assert index.listed(SessionState.ON, limit=limit) == tuple(sorted(ids)[:limit])

    def test_an_empty_list_is_an_empty_page(self, index: TenantIndex) -> None:
        page = index.list(state=None, limit=5, continuation=None)

        assert (page.items, page.continuation) == ((), None)

    @pytest.mark.parametrize(
        "continuation", ["", "A", "!", "b24vMQ", "b24vLi4vLi4vMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"]
    )
    def test_a_continuation_that_is_not_ours_is_refused(self, index: TenantIndex, continuation: str) -> None:
        with pytest.raises(Invalid) as caught:
            index.list(state=None, limit=5, continuation=continuation)

        assert caught.value.problem.code is Code.INVALID_VALUE
        assert caught.value.problem.target == "continuation"

    def test_a_continuation_of_another_states_list_is_refused(self, index: TenantIndex) -> None:
        for _ in range(2):
            index.put(summary(SessionState.OFF), was=None)
        page = index.list(state=SessionState.OFF, limit=1, continuation=None)

        with pytest.raises(Invalid):
            index.list(state=SessionState.ON, limit=1, continuation=page.continuation)


class TestFakeTenantIndex(TenantIndexPromises):
    """The fake."""

    @pytest.fixture
    def index(self) -> TenantIndex:
        return FakeTenantIndex(CallLog())


class TestTenantIndexTable(TenantIndexPromises):
    """Azure's tables."""

    @pytest.fixture
    def index(self, new_table: NewTable) -> TenantIndex:
        return TenantIndexTable(new_table())
