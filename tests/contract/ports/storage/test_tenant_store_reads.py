"""What the TenantStore port promises to readers, kept by the fake and by Azure's tables alike."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.errors import Code, Invalid, NotFound
from shared.domain.ids import GATES, ActionId, OperationId, TenantId
from shared.domain.lease import MAX_LEASES_A_GATE, Gate
from shared.domain.store import Insert, Put, Replace, Stored, TenantStore
from tests.fakes import CallLog, FakeTenantStore
from tests.fakes.sample_rows import (
    NOW,
    action_row,
    activity_row,
    full_tenant_row,
    new_tenant_id,
    onboarding,
    open_gate,
    operation_row,
    parked_row,
    poison_row,
    policy_check_row,
    replay_row,
    tenant_row,
)


class TenantStoreReadPromises:
    """Every implementation passes these."""

    @pytest.fixture
    def tenant_id(self, store: TenantStore) -> TenantId:
        """A tenant, onboarded."""
        tenant_id = new_tenant_id()
        store.commit(tenant_id, onboarding(tenant_row(tenant_id)))
        return tenant_id

    # ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_a_tenant_is_read_as_it_was_written(self, store: TenantStore) -> None:
        tenant = full_tenant_row(new_tenant_id())

        store.commit(tenant.tenant_id, [Insert(tenant)])

        assert store.tenant(tenant.tenant_id).row == tenant

    def test_an_operation_is_read_as_it_was_written(self, store: TenantStore, tenant_id: TenantId) -> None:
        operation = operation_row(tenant_id)

        store.commit(tenant_id, [Insert(operation)])

        assert store.operation(tenant_id, operation.operation_id).row == operation

    def test_an_action_is_read_as_it_was_written(self, store: TenantStore, tenant_id: TenantId) -> None:
        action = action_row(tenant_id)

        store.commit(tenant_id, [Insert(action)])

        assert store.action(tenant_id, action.request.action_id).row == action

    def test_what_a_key_stood_for_is_read_as_it_was_written(self, store: TenantStore, tenant_id: TenantId) -> None:
        replay = replay_row()

        store.commit(tenant_id, [Insert(replay)])

        assert store.replay(tenant_id, replay.key) == replay

    def test_the_latest_policy_check_is_read_as_it_was_written(self, store: TenantStore, tenant_id: TenantId) -> None:
        assert store.policy_check(tenant_id) is None
        earlier, latest = policy_check_row(), policy_check_row()

        store.commit(tenant_id, [Insert(earlier)])
        (etag,) = store.commit(tenant_id, [Put(latest)])

        assert store.policy_check(tenant_id) == Stored(latest, etag)

    def test_a_kept_message_is_read_as_it_was_written_alone_and_among_others(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        message, other = poison_row(), poison_row()

        etag, _ = store.commit(tenant_id, [Insert(message), Put(other)])

        assert store.poison_message(tenant_id, message.message_id) == Stored(message, etag)
        assert {each.row.message_id for each in store.poison_messages(tenant_id)} == {
            message.message_id,
            other.message_id,
        }

    def test_everything_that_waits_is_found_and_nothing_else(self, store: TenantStore, tenant_id: TenantId) -> None:
        waiting = [parked_row(tenant_id) for _ in range(3)]

        store.commit(
            tenant_id, [*map(Insert, waiting), Insert(action_row(tenant_id)), Insert(operation_row(tenant_id))]
        )

        found = store.parked(tenant_id)
        assert {each.row.request.action_id for each in found} == {each.request.action_id for each in waiting}
        assert all(each.row in waiting for each in found)

    def test_a_full_gate_is_read_as_it_was_written(self, store: TenantStore, tenant_id: TenantId) -> None:
        gate = open_gate(0xF, leases=MAX_LEASES_A_GATE)

        store.commit(tenant_id, [Replace(gate, store.gate(tenant_id, 0xF).etag)])

        assert store.gate(tenant_id, 0xF).row == gate

    def test_the_overview_has_the_tenant_and_its_sixteen_gates_in_order(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        store.commit(tenant_id, [Insert(operation_row(tenant_id)), Insert(activity_row(tenant_id))])

        overview = store.overview(tenant_id)

        assert overview.tenant == store.tenant(tenant_id)
        assert overview.gates == tuple(store.gate(tenant_id, number) for number in range(GATES))
        assert [gate.row for gate in overview.gates] == [Gate(number) for number in range(GATES)]

    def test_what_is_not_there_is_not_found(self, store: TenantStore) -> None:
        nobody = new_tenant_id()

        with pytest.raises(NotFound) as tenant:
            store.tenant(nobody)
        with pytest.raises(NotFound) as overview:
            store.overview(nobody)
        with pytest.raises(NotFound) as gate:
            store.gate(nobody, 0)
        with pytest.raises(NotFound) as operation:
            store.operation(nobody, OperationId(uuid4()))
        with pytest.raises(NotFound) as action:
            store.action(nobody, ActionId(uuid4()))
        with pytest.raises(NotFound) as message:
            store.poison_message(nobody, uuid4())

        assert {each.value.problem.code for each in (tenant, overview, gate)} == {Code.TENANT_NOT_FOUND}
        assert operation.value.problem.code is Code.OPERATION_NOT_FOUND
        assert action.value.problem.code is Code.ACTION_NOT_FOUND
        assert message.value.problem.code is Code.NOT_FOUND
        assert store.poison_messages(nobody) == ()
        assert store.replay(nobody, "0" * 64) is None
        assert store.parked(nobody) == ()
        assert store.activity(nobody, limit=5, continuation=None).items == ()

    def test_one_tenants_rows_are_not_anothers(self, store: TenantStore, tenant_id: TenantId) -> None:
        operation = operation_row(tenant_id)
        store.commit(tenant_id, [Insert(operation)])
        other = new_tenant_id()
        store.commit(other, onboarding(tenant_row(other)))

        with pytest.raises(NotFound):
            store.operation(other, operation.operation_id)

    # ── the trail ────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_the_trail_is_read_newest_first_page_by_page(self, store: TenantStore, tenant_id: TenantId) -> None:
        entries = [activity_row(tenant_id, NOW + timedelta(microseconds=n)) for n in range(7)]
        store.commit(tenant_id, [Insert(entry) for entry in entries])

        first = store.activity(tenant_id, limit=3, continuation=None)
        second = store.activity(tenant_id, limit=3, continuation=first.continuation)
        third = store.activity(tenant_id, limit=3, continuation=second.continuation)

        assert [*first.items, *second.items, *third.items] == entries[::-1]
        assert [len(page.items) for page in (first, second, third)] == [3, 3, 1]
        assert third.continuation is None

    def test_a_page_that_ends_with_the_trail_has_no_continuation(self, store: TenantStore, tenant_id: TenantId) -> None:
        store.commit(tenant_id, [Insert(activity_row(tenant_id)) for _ in range(3)])

        assert store.activity(tenant_id, limit=3, continuation=None).continuation is None

    def test_entries_written_between_two_pages_do_not_repeat_others(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        entries = [activity_row(tenant_id, NOW + timedelta(seconds=n)) for n in range(4)]
        store.commit(tenant_id, [Insert(entry) for entry in entries])
        first = store.activity(tenant_id, limit=2, continuation=None)

        store.commit(tenant_id, [Insert(activity_row(tenant_id, NOW + timedelta(hours=1)))])

        second = store.activity(tenant_id, limit=2, continuation=first.continuation)
        assert [*first.items, *second.items] == entries[::-1]

    @pytest.mark.parametrize(
        "continuation", ["", "A", "====", "!", "żółw", "MC10ZW5hbnQ", "YWN0aXZpdHktMQ", "a" * 5000]
    )
    def test_a_continuation_that_is_not_ours_is_refused(
        self, store: TenantStore, tenant_id: TenantId, continuation: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            store.activity(tenant_id, limit=3, continuation=continuation)

        assert caught.value.problem.code is Code.INVALID_VALUE
        assert caught.value.problem.target == "continuation"

    @pytest.mark.parametrize("addition", ["=", "!", "\n"])
    def test_a_continuation_that_somebody_added_to_is_refused(
        self, store: TenantStore, tenant_id: TenantId, addition: str
    ) -> None:
        store.commit(tenant_id, [Insert(activity_row(tenant_id)) for _ in range(2)])
        page = store.activity(tenant_id, limit=1, continuation=None)

        with pytest.raises(Invalid):
            store.activity(tenant_id, limit=1, continuation=f"{page.continuation}{addition}")


class TestReadingFakeTenantStore(TenantStoreReadPromises):
    """The fake."""

    @pytest.fixture
    def store(self) -> TenantStore:
        return FakeTenantStore(CallLog())


class TestReadingTenantTable(TenantStoreReadPromises):
    """Azure's tables."""

    @pytest.fixture
    def store(self, tenants: AzureTable) -> TenantStore:
        return TenantTable(tenants)
