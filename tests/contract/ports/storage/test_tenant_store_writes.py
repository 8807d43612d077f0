"""What the TenantStore port promises to writers, kept by the fake and by Azure's tables alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.action import Decision, Verdict
from shared.domain.errors import AlreadyExists, Code, Conflict, NotFound, Problem, Refused
from shared.domain.ids import GATES, SessionId, TenantId
from shared.domain.lease import Gate, GateState
from shared.domain.store import Insert, Put, Remove, Replace, SetGates, Stored, TenantStore, Write
from tests.fakes import CallLog, FakeTenantStore
from tests.fakes.sample_rows import (
    NOW,
    action_row,
    activity_row,
    new_tenant_id,
    onboarding,
    open_gate,
    operation_row,
    parked_row,
    replay_row,
    tenant_row,
)

SESSION = SessionId(uuid4())


class TenantStoreWritePromises:
    """Every implementation passes these."""

    @pytest.fixture
    def tenant_id(self, store: TenantStore) -> TenantId:
        """A tenant, onboarded."""
        tenant_id = new_tenant_id()
        store.commit(tenant_id, onboarding(tenant_row(tenant_id)))
        return tenant_id

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def test_each_write_has_the_etag_that_its_row_is_read_with(self, store: TenantStore, tenant_id: TenantId) -> None:
        operation, action, stored = operation_row(tenant_id), action_row(tenant_id), store.tenant(tenant_id)
        parked = parked_row(tenant_id)
        store.commit(tenant_id, [Insert(parked)])

        etags = store.commit(
            tenant_id,
            [
                SetGates(GateState.OPENING),
                Insert(operation),
                Remove(parked, store.parked(tenant_id)[0].etag),
                Replace(replace(stored.row, display_name="new"), stored.etag),
                Put(action),
            ],
        )

        assert etags == (
            "",
            store.operation(tenant_id, operation.operation_id).etag,
            "",
            store.tenant(tenant_id).etag,
            store.action(tenant_id, action.request.action_id).etag,
        )
        assert all(etags[n] for n in (1, 3, 4))

    def test_an_etag_that_commit_returned_is_good_for_the_next_write(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        stored = store.tenant(tenant_id)

        (etag,) = store.commit(tenant_id, [Replace(replace(stored.row, display_name="2"), stored.etag)])
        store.commit(tenant_id, [Replace(replace(stored.row, display_name="3"), etag)])

        assert store.tenant(tenant_id).row.display_name == "3"

    def test_writing_the_same_again_still_gives_a_new_etag(self, store: TenantStore, tenant_id: TenantId) -> None:
        stored = store.tenant(tenant_id)

        (etag,) = store.commit(tenant_id, [Replace(stored.row, stored.etag)])

        assert etag != stored.etag

    def test_nothing_to_write_is_written_at_once(self, store: TenantStore, tenant_id: TenantId) -> None:
        assert store.commit(tenant_id, []) == ()

    def test_a_row_that_is_there_cannot_be_inserted(self, store: TenantStore, tenant_id: TenantId) -> None:
        with pytest.raises(AlreadyExists):
            store.commit(tenant_id, [Insert(tenant_row(tenant_id))])

    def test_a_row_that_has_changed_cannot_be_replaced_or_removed(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        stored = store.tenant(tenant_id)
        store.commit(tenant_id, [Replace(replace(stored.row, display_name="faster"), stored.etag)])

        with pytest.raises(Conflict):
            store.commit(tenant_id, [Replace(stored.row, stored.etag)])
        with pytest.raises(Conflict):
            store.commit(tenant_id, [Remove(stored.row, stored.etag)])

        assert store.tenant(tenant_id).row.display_name == "faster"

    def test_a_row_that_is_gone_cannot_be_replaced_or_removed(self, store: TenantStore, tenant_id: TenantId) -> None:
        parked = parked_row(tenant_id)
        (etag,) = store.commit(tenant_id, [Insert(parked)])
        store.commit(tenant_id, [Remove(parked, etag)])

        with pytest.raises(Conflict):
            store.commit(tenant_id, [Remove(parked, etag)])
        with pytest.raises(Conflict):
            store.commit(tenant_id, [Replace(parked, etag)])

        assert store.parked(tenant_id) == ()

    def test_a_put_writes_whatever_is_there(self, store: TenantStore, tenant_id: TenantId) -> None:
        action = action_row(tenant_id)
        later = replace(action, completed_at=NOW + timedelta(hours=1))

        store.commit(tenant_id, [Put(action)])
        store.commit(tenant_id, [Put(later)])

        assert store.action(tenant_id, action.request.action_id).row == later

    @pytest.mark.parametrize("place", ["first", "last"])
    @pytest.mark.parametrize("fault", ["inserted twice", "replaced too late", "removed too late", "not there"])
    def test_one_write_that_fails_undoes_all_others(
        self, store: TenantStore, tenant_id: TenantId, place: str, fault: str
    ) -> None:
        operation, parked, stored = operation_row(tenant_id), parked_row(tenant_id), store.tenant(tenant_id)
        there = replay_row()
        parked_etag, _ = store.commit(tenant_id, [Insert(parked), Insert(there)])
        good: list[Write] = [
            Replace(replace(stored.row, display_name="new"), stored.etag),
            Insert(operation),
            Remove(parked, parked_etag),
            SetGates(GateState.OPEN),
        ]
        bad: dict[str, Write] = {
            "inserted twice": Insert(there),
            "replaced too late": Replace(there, stored.etag),
            "removed too late": Remove(there, stored.etag),
            "not there": Replace(replay_row(), stored.etag),
        }

        with pytest.raises(Conflict):
            store.commit(tenant_id, [bad[fault], *good] if place == "first" else [*good, bad[fault]])

        assert store.tenant(tenant_id) == stored
        assert store.parked(tenant_id) == (Stored(parked, parked_etag),)
        assert store.gate(tenant_id, 0).row.state is GateState.CLOSED
        with pytest.raises(NotFound):
            store.operation(tenant_id, operation.operation_id)

    def test_a_hundred_rows_are_one_transaction_and_one_more_is_refused(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        entries: list[Write] = [Insert(activity_row(tenant_id)) for _ in range(84)]

        with pytest.raises(ValueError, match="101"):
            store.commit(tenant_id, [*entries, SetGates(GateState.CLOSED), Insert(operation_row(tenant_id))])
        etags = store.commit(tenant_id, [*entries, SetGates(GateState.CLOSED)])

        assert len(etags) == 85
        assert len(store.activity(tenant_id, limit=200, continuation=None).items) == 84

    def test_a_row_cannot_be_written_twice_in_one_transaction(self, store: TenantStore, tenant_id: TenantId) -> None:
        gate = store.gate(tenant_id, 3)

        with pytest.raises(ValueError, match="once"):
            store.commit(tenant_id, [SetGates(GateState.OPEN), Replace(gate.row, gate.etag)])

    def test_a_row_that_is_too_large_is_refused_by_its_kind(self, store: TenantStore, tenant_id: TenantId) -> None:
        entry = replace(activity_row(tenant_id), summary="x" * 260_000)

        with pytest.raises(Refused) as caught:
            store.commit(tenant_id, [Insert(operation_row(tenant_id)), Insert(entry)])

        assert caught.value.problem.code is Code.BODY_TOO_LARGE
        assert "activity" in caught.value.problem.message
        assert store.activity(tenant_id, limit=5, continuation=None).items == ()

    def test_the_largest_row_is_read_as_it_was_written(self, store: TenantStore, tenant_id: TenantId) -> None:
        entry = replace(activity_row(tenant_id), summary="🦔" * 255_000)

        store.commit(tenant_id, [Insert(entry)])

        assert store.activity(tenant_id, limit=5, continuation=None).items == (entry,)

    def test_a_row_that_has_become_smaller_keeps_nothing_of_the_larger(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        action = action_row(tenant_id)
        problem = Problem(Code.INTERNAL_ERROR, "x" * 50_000)
        larger = replace(
            action, decision=Decision(action.request.action_id, tenant_id, Verdict.FAILED, problem=problem)
        )
        (etag,) = store.commit(tenant_id, [Insert(larger)])

        store.commit(tenant_id, [Replace(action, etag)])
        assert store.action(tenant_id, action.request.action_id).row == action

        store.commit(tenant_id, [Put(larger)])
        store.commit(tenant_id, [Put(action)])
        assert store.action(tenant_id, action.request.action_id).row == action

    # ── gates, all at once ───────────────────────────────────────────────────────────────────────────────────────────

    def test_all_gates_are_set_and_their_leases_ended(self, store: TenantStore, tenant_id: TenantId) -> None:
        held = open_gate(5)
        store.commit(tenant_id, [Replace(held, store.gate(tenant_id, 5).etag)])

        store.commit(tenant_id, [SetGates(GateState.OPENING, SESSION, NOW)])

        rows = [gate.row for gate in store.overview(tenant_id).gates]
        assert rows == [Gate(number, GateState.OPENING, SESSION, NOW) for number in range(GATES)]

    def test_all_gates_are_set_and_their_leases_kept(self, store: TenantStore, tenant_id: TenantId) -> None:
        held = open_gate(5)
        store.commit(tenant_id, [Replace(held, store.gate(tenant_id, 5).etag)])

        store.commit(tenant_id, [SetGates(GateState.DRAINING, SESSION, NOW, keep_leases=True)])

        assert store.gate(tenant_id, 5).row == replace(
            held, state=GateState.DRAINING, session_id=SESSION, expires_at=NOW
        )
        assert store.gate(tenant_id, 6).row == Gate(6, GateState.DRAINING, SESSION, NOW)

    def test_all_gates_are_set_with_leases_inside(self, store: TenantStore, tenant_id: TenantId) -> None:
        granted = open_gate(5).leases

        store.commit(tenant_id, [SetGates(GateState.OPEN, SESSION, NOW, leases=granted)])

        opened = [Gate(number, GateState.OPEN, SESSION, NOW) for number in range(GATES)]
        opened[5] = replace(opened[5], used=True, leases=granted)
        assert [gate.row for gate in store.overview(tenant_id).gates] == opened

    def test_closing_the_gates_forgets_session_and_end(self, store: TenantStore, tenant_id: TenantId) -> None:
        store.commit(tenant_id, [SetGates(GateState.OPEN, SESSION, NOW)])

        store.commit(tenant_id, [SetGates(GateState.CLOSED)])

        assert [gate.row for gate in store.overview(tenant_id).gates] == [Gate(number) for number in range(GATES)]

    def test_a_lease_granted_on_a_gate_read_before_all_were_set_is_refused(
        self, store: TenantStore, tenant_id: TenantId
    ) -> None:
        read = store.gate(tenant_id, 5)

        store.commit(tenant_id, [SetGates(GateState.CLOSED)])

        with pytest.raises(Conflict):
            store.commit(tenant_id, [Replace(open_gate(5), read.etag)])

    def test_the_gates_of_a_tenant_that_is_not_there_cannot_be_set(self, store: TenantStore) -> None:
        with pytest.raises(Conflict):
            store.commit(new_tenant_id(), [SetGates(GateState.OPEN)])


class TestWritingFakeTenantStore(TenantStoreWritePromises):
    """The fake."""

    @pytest.fixture
    def store(self) -> TenantStore:
        return FakeTenantStore(CallLog())


class TestWritingTenantTable(TenantStoreWritePromises):
    """Azure's tables."""

    @pytest.fixture
    def store(self, tenants: AzureTable) -> TenantStore:
        return TenantTable(tenants)
