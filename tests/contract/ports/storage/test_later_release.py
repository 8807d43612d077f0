"""Rows of a later release are in nobody's way, in the fakes and in Azure's tables alike.

A list leaves them out and says so in the log; asked for by its key, such a row is refused; a due entry is only its key.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.adapters.storage import rows
from shared.adapters.storage.due_table import DueTable
from shared.adapters.storage.table import Table
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.errors import WrittenLater
from shared.domain.ids import GATES, TenantId
from shared.domain.lease import Gate
from shared.domain.session import SessionState
from shared.domain.store import Due, DueList, Insert, Row, TenantIndex, TenantStore, TenantSummary, summary_of
from tests.contract.ports.storage.conftest import NewTable
from tests.fakes import CallLog, FakeDueList, FakeTenantIndex, FakeTenantStore
from tests.fakes.later_release import rewrite
from tests.fakes.sample_rows import (
    NOW,
    action_row,
    activity_row,
    new_tenant_id,
    onboarding,
    operation_row,
    parked_row,
    poison_row,
    policy_check_row,
    replay_row,
    tenant_row,
)

SOON = timedelta(hours=1)


def lines_of(index: TenantIndex, count: int) -> list[TenantSummary]:
    """As many tenants, entered in one state, in the order of the list."""
    entered = [replace(summary_of(tenant_row(new_tenant_id())), state=SessionState.ON) for _ in range(count)]
    for line in entered:
        index.put(line, was=SessionState.ON)
    return sorted(entered, key=lambda line: str(line.tenant_id))


def left_out(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The keys of the rows that the log says were left out."""
    events = [json.loads(record.getMessage()) for record in caplog.records if "rowLeftOut" in record.getMessage()]
    return [event["row"] for event in events]


class LaterReleasePromises:
    """Every implementation passes these.

    Each port comes with the table that it lies over.
    """

    @pytest.fixture
    def tenant_id(self, stored: tuple[TenantStore, Table]) -> TenantId:
        """A tenant, onboarded."""
        tenant_id = new_tenant_id()
        stored[0].commit(tenant_id, onboarding(tenant_row(tenant_id)))
        return tenant_id

    # ── the list of tenants ──────────────────────────────────────────────────────────────────────────────────────────

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 10])
    @pytest.mark.parametrize("which", [0, 2, 3])
    def test_a_line_is_left_out_and_told_once_and_the_pages_go_on(
        self, indexed: tuple[TenantIndex, Table], limit: int, which: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        index, table = indexed
        entered = lines_of(index, 4)
        rewrite(table, SessionState.ON, str(entered[which].tenant_id))

        found: list[TenantSummary] = []
        continuation = None
        for _ in range(5):
            page = index.list(state=None, limit=limit, continuation=continuation)
            found += page.items
            if (continuation := page.continuation) is None:
                break

        assert continuation is None
        assert found == [line for line in entered if line is not entered[which]]
        assert left_out(caplog) == [str(entered[which].tenant_id)]

    def test_a_line_fits_nobodys_search(self, indexed: tuple[TenantIndex, Table]) -> None:
        index, table = indexed
        first, second = lines_of(index, 2)
        rewrite(table, SessionState.ON, str(first.tenant_id))

        page = index.list(state=SessionState.ON, limit=1, continuation=None, fits=lambda _: True)

        assert (page.items, page.continuation) == ((second,), None)

    def test_the_ids_of_a_state_have_it_all_the_same(self, indexed: tuple[TenantIndex, Table]) -> None:
        index, table = indexed
        entered = lines_of(index, 3)
        rewrite(table, SessionState.ON)

        assert index.listed(SessionState.ON, limit=5) == tuple(line.tenant_id for line in entered)

    def test_a_line_gives_way_to_a_new_one(self, indexed: tuple[TenantIndex, Table]) -> None:
        index, table = indexed
        (line,) = lines_of(index, 1)
        rewrite(table, SessionState.ON)

        index.put(replace(line, state=SessionState.OFF), was=SessionState.ON)

        assert index.list(state=None, limit=5, continuation=None).items == (replace(line, state=SessionState.OFF),)

    # ── the due list ─────────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_due_entry_is_read_and_removed_as_any_other(self, entered: tuple[DueList, Table]) -> None:
        due_list, table = entered
        due = [Due(new_tenant_id(), NOW + n * SOON) for n in range(2)]
        for each in due:
            due_list.add(each)
        rewrite(table, "due")

        found = due_list.until(NOW + SOON, limit=10)
        due_list.remove(due[0])

        assert found == tuple(due)
        assert due_list.until(NOW + SOON, limit=10) == (due[1],)

    # ── a tenant's rows ──────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_row_asked_for_by_its_key_is_refused_and_tells_its_kind(
        self, stored: tuple[TenantStore, Table], tenant_id: TenantId
    ) -> None:
        store, table = stored
        operation, action, replay, message = operation_row(tenant_id), action_row(tenant_id), replay_row(), poison_row()
        written: list[Row] = [operation, action, replay, message, parked_row(tenant_id), policy_check_row()]
        store.commit(tenant_id, [Insert(row) for row in written])
        rewrite(table, str(tenant_id))
        reads: dict[str, Callable[[], object]] = {
            "tenant": lambda: store.tenant(tenant_id),
            "gate": lambda: store.gate(tenant_id, 3),
            "operation": lambda: store.operation(tenant_id, operation.operation_id),
            "action": lambda: store.action(tenant_id, action.request.action_id),
            "replay": lambda: store.replay(tenant_id, replay.key),
            "poisonMessage": lambda: store.poison_message(tenant_id, message.message_id),
            "parkedAction": lambda: store.parked(tenant_id),
            "policyCheck": lambda: store.policy_check(tenant_id),
        }

        told = {}
        for kind, read in reads.items():
            with pytest.raises(WrittenLater) as caught:
                read()
            told[kind] = caught.value.kind

        assert told == {kind: kind for kind in reads}

    @pytest.mark.parametrize("number", range(GATES))
    def test_a_gate_is_refused_with_all_of_its_tenant(
        self, stored: tuple[TenantStore, Table], tenant_id: TenantId, number: int
    ) -> None:
        store, table = stored
        rewrite(table, str(tenant_id), f"0-gate-{number:x}")

        with pytest.raises(WrittenLater) as caught:
            store.overview(tenant_id)

        assert caught.value.kind == "gate"
        assert store.tenant(tenant_id).row.tenant_id == tenant_id
        assert store.gate(tenant_id, (number + 1) % GATES).row == Gate((number + 1) % GATES)

    def test_kept_messages_are_listed_without_it(
        self, stored: tuple[TenantStore, Table], tenant_id: TenantId, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        store, table = stored
        later, other = poison_row(), poison_row()
        store.commit(tenant_id, [Insert(later), Insert(other)])
        rewrite(table, str(tenant_id), rows.poison_key(later.message_id))

        found = store.poison_messages(tenant_id)

        assert [each.row for each in found] == [other]
        assert left_out(caplog) == [rows.poison_key(later.message_id)]

    def test_the_trail_goes_on_behind_it(self, stored: tuple[TenantStore, Table], tenant_id: TenantId) -> None:
        store, table = stored
        entries = [activity_row(tenant_id, NOW - n * SOON) for n in range(4)]
        store.commit(tenant_id, [Insert(entry) for entry in entries])
        rewrite(table, str(tenant_id), rows.activity_key(entries[1]))

        first = store.activity(tenant_id, limit=2, continuation=None)
        second = store.activity(tenant_id, limit=2, continuation=first.continuation)

        assert [*first.items, *second.items] == [entries[0], entries[2], entries[3]]
        assert second.continuation is None
        old = store.old_activity(tenant_id, before=NOW + SOON, limit=10)
        assert [each.row for each in old] == [entries[0], entries[2], entries[3]]

    def test_old_keys_are_found_without_it(self, stored: tuple[TenantStore, Table], tenant_id: TenantId) -> None:
        store, table = stored
        later, other = (replace(replay_row(), key=f"a{n:063x}") for n in range(2))
        store.commit(tenant_id, [Insert(later), Insert(other)])
        rewrite(table, str(tenant_id), rows.replay_key(later.key))

        found = store.old_replays(tenant_id, part=0xA, before=NOW + timedelta(days=36_500), limit=10)

        assert [each.row for each in found] == [other]


class TestLaterReleaseInFakes(LaterReleasePromises):
    """The fakes."""

    @pytest.fixture
    def indexed(self) -> tuple[TenantIndex, Table]:
        index = FakeTenantIndex(CallLog())
        return index, index.table

    @pytest.fixture
    def entered(self) -> tuple[DueList, Table]:
        due_list = FakeDueList(CallLog())
        return due_list, due_list.table

    @pytest.fixture
    def stored(self) -> tuple[TenantStore, Table]:
        store = FakeTenantStore(CallLog())
        return store, store.table


class TestLaterReleaseInTables(LaterReleasePromises):
    """Azure's tables."""

    @pytest.fixture
    def indexed(self, new_table: NewTable) -> tuple[TenantIndex, Table]:
        table = new_table()
        return TenantIndexTable(table), table

    @pytest.fixture
    def entered(self, new_table: NewTable) -> tuple[DueList, Table]:
        table = new_table()
        return DueTable(table), table

    @pytest.fixture
    def stored(self, new_table: NewTable) -> tuple[TenantStore, Table]:
        table = new_table()
        return TenantTable(table), table
