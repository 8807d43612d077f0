"""Many writers at once: one wins and nothing is lost, in the fake TenantStore and in Azure's tables alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import pytest

from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.errors import AlreadyExists, Conflict
from shared.domain.ids import SessionId, TenantId
from shared.domain.lease import GateState
from shared.domain.store import Insert, Replace, SetGates, TenantStore
from tests.fakes import CallLog, FakeTenantStore
from tests.fakes.sample_rows import (
    NOW,
    activity_row,
    new_tenant_id,
    onboarding,
    open_gate,
    operation_row,
    tenant_row,
)

THREADS = 8


def at_once(count: int, work: Callable[[int], object]) -> Counter[str]:
    """What came of `work(0)` … `work(count - 1)`, by the name of the error or "done"."""

    def outcome(number: int) -> str:
        try:
            work(number)
        except Conflict as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(THREADS) as threads:
        return Counter(threads.map(outcome, range(count)))


class TenantStoreRacePromises:
    """Every implementation passes these."""

    @pytest.fixture
    def tenant_id(self, store: TenantStore) -> TenantId:
        """A tenant, onboarded."""
        tenant_id = new_tenant_id()
        store.commit(tenant_id, onboarding(tenant_row(tenant_id, "0")))
        return tenant_id

    def test_of_many_who_replace_what_they_read_one_wins(self, store: TenantStore, tenant_id: TenantId) -> None:
        stored = store.tenant(tenant_id)

        outcome = at_once(
            16, lambda n: store.commit(tenant_id, [Replace(replace(stored.row, display_name=str(n)), stored.etag)])
        )

        assert outcome == {"done": 1, "Conflict": 15}

    def test_of_many_who_insert_the_same_row_one_wins(self, store: TenantStore, tenant_id: TenantId) -> None:
        operation = operation_row(tenant_id)

        outcome = at_once(16, lambda _: store.commit(tenant_id, [Insert(operation)]))

        assert outcome == {"done": 1, "AlreadyExists": 15}

    def test_nobody_who_reads_again_after_losing_is_lost(self, store: TenantStore, tenant_id: TenantId) -> None:
        def count_up(_: int) -> None:
            while True:
                stored = store.tenant(tenant_id)
                counted = replace(stored.row, display_name=str(int(stored.row.display_name) + 1))
                try:
                    store.commit(tenant_id, [Replace(counted, stored.etag), Insert(activity_row(tenant_id))])
                    return
                except AlreadyExists:
                    raise
                except Conflict:
                    continue

        outcome = at_once(24, count_up)

        assert outcome == {"done": 24}
        assert store.tenant(tenant_id).row.display_name == "24"
        assert len(store.activity(tenant_id, limit=200, continuation=None).items) == 24

    def test_readers_never_see_half_of_a_transaction(self, store: TenantStore, tenant_id: TenantId) -> None:
        def write_or_read(number: int) -> None:
            if number % 2:
                store.commit(tenant_id, [SetGates(GateState.OPEN, SessionId(uuid4()), NOW)])
            else:
                gates = store.overview(tenant_id).gates
                assert len({gate.row.session_id for gate in gates}) == 1

        assert at_once(60, write_or_read) == {"done": 60}

    def test_no_lease_outlives_the_session_it_was_granted_in(self, store: TenantStore, tenant_id: TenantId) -> None:
        store.commit(tenant_id, [SetGates(GateState.OPEN, SessionId(uuid4()), NOW)])

        def grant_or_begin_anew(number: int) -> None:
            gate = store.gate(tenant_id, 5)
            assert gate.row.session_id
            (lease,) = open_gate(5).leases
            granted = replace(gate.row, leases=(replace(lease, executor=gate.row.session_id),))
            anew = SetGates(GateState.OPEN, SessionId(uuid4()), NOW)
            store.commit(tenant_id, [Replace(granted, gate.etag) if number % 2 else anew])

        outcome = at_once(60, grant_or_begin_anew)

        assert outcome["done"] >= 30
        gate = store.gate(tenant_id, 5).row
        assert all(lease.executor == gate.session_id for lease in gate.leases)


class TestRacesForFakeTenantStore(TenantStoreRacePromises):
    """The fake."""

    @pytest.fixture
    def store(self) -> TenantStore:
        return FakeTenantStore(CallLog())


class TestRacesForTenantTable(TenantStoreRacePromises):
    """Azure's tables."""

    @pytest.fixture
    def store(self, tenants: AzureTable) -> TenantStore:
        return TenantTable(tenants)
