"""How the TenantStore port finds what is old, by the fake and by Azure's tables alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.ids import TenantId
from shared.domain.store import Insert, Remove, Replay, Stored, TenantStore
from tests.fakes import CallLog, FakeClock, FakeTenantStore
from tests.fakes.sample_rows import NOW, activity_row, new_tenant_id, onboarding, operation_row, tenant_row

MOMENT = timedelta(microseconds=1)
SOON = timedelta(hours=1)


class TenantStoreAgePromises:
    """Every implementation passes these."""

    @pytest.fixture
    def now(self) -> datetime:
        """The time by the store's own clock, about."""
        raise NotImplementedError

    @pytest.fixture
    def tenant_id(self, store: TenantStore) -> TenantId:
        """A tenant, onboarded."""
        tenant_id = new_tenant_id()
        store.commit(tenant_id, onboarding(tenant_row(tenant_id)))
        return tenant_id

    def test_entries_from_before_a_moment_are_found_newest_first(self, store: TenantStore, tenant_id: TenantId) -> None:
        entries = [activity_row(tenant_id, NOW + n * MOMENT) for n in range(5)]
        store.commit(tenant_id, [Insert(entry) for entry in entries])

        found = store.old_activity(tenant_id, before=NOW + 3 * MOMENT, limit=10)

        assert [stored.row for stored in found] == [entries[2], entries[1], entries[0]]

    def test_no_more_entries_are_found_than_asked_for(self, store: TenantStore, tenant_id: TenantId) -> None:
        store.commit(tenant_id, [Insert(activity_row(tenant_id, NOW + n * MOMENT)) for n in range(5)])

        assert len(store.old_activity(tenant_id, before=NOW + SOON, limit=2)) == 2

    def test_what_is_found_can_be_removed_with_what_it_names(self, store: TenantStore, tenant_id: TenantId) -> None:
        operation = operation_row(tenant_id)
        store.commit(tenant_id, [Insert(activity_row(tenant_id)), Insert(operation)])
        (entry,) = store.old_activity(tenant_id, before=NOW + SOON, limit=10)
        named = store.operation(tenant_id, operation.operation_id)

        store.commit(tenant_id, [Remove(named.row, named.etag), Remove(entry.row, entry.etag)])

        assert store.old_activity(tenant_id, before=NOW + SOON, limit=10) == ()

    def test_one_tenants_trail_is_not_anothers(self, store: TenantStore, tenant_id: TenantId) -> None:
        store.commit(tenant_id, [Insert(activity_row(tenant_id))])

        assert store.old_activity(new_tenant_id(), before=NOW + SOON, limit=10) == ()

    @pytest.mark.parametrize("part", range(16))
    def test_keys_that_were_kept_before_a_moment_are_found_part_by_part(
        self, store: TenantStore, tenant_id: TenantId, now: datetime, part: int
    ) -> None:
        kept = [Replay(f"{digit:x}{'0' * 63}", "fingerprint", None) for digit in range(16)]
        store.commit(tenant_id, [Insert(replay) for replay in kept])

        found = store.old_replays(tenant_id, part=part, before=now + SOON, limit=50)

        assert [stored.row for stored in found] == [kept[part]]
        assert store.old_replays(tenant_id, part=part, before=now - SOON, limit=50) == ()

    def test_no_more_keys_are_found_than_asked_for_and_each_can_be_removed(
        self, store: TenantStore, tenant_id: TenantId, now: datetime
    ) -> None:
        store.commit(tenant_id, [Insert(Replay(f"a{n:063x}", "fingerprint", None)) for n in range(5)])

        def found() -> tuple[Stored[Replay], ...]:
            return store.old_replays(tenant_id, part=0xA, before=now + SOON, limit=3)

        first = found()
        store.commit(tenant_id, [Remove(replay.row, replay.etag) for replay in first])

        assert (len(first), len(found())) == (3, 2)


class TestAgesInFakeTenantStore(TenantStoreAgePromises):
    """The fake."""

    @pytest.fixture
    def now(self) -> datetime:
        return FakeClock().now()

    @pytest.fixture
    def store(self) -> TenantStore:
        return FakeTenantStore(CallLog(), FakeClock())

    def test_age_is_counted_from_when_it_was_written(self) -> None:
        clock, tenant_id = FakeClock(), new_tenant_id()
        store, kept = FakeTenantStore(CallLog(), clock), Replay("0" * 64, "fingerprint", None)
        store.commit(tenant_id, [Insert(kept)])
        clock.advance(timedelta(days=3))

        def older_than(age: timedelta) -> list[Replay]:
            found = store.old_replays(tenant_id, part=0, before=clock.now() - age, limit=50)
            return [stored.row for stored in found]

        assert (older_than(timedelta(days=2)), older_than(timedelta(days=4))) == ([kept], [])


class TestAgesInTenantTable(TenantStoreAgePromises):
    """Azure's tables."""

    @pytest.fixture
    def now(self) -> datetime:
        return datetime.now(UTC)

    @pytest.fixture
    def store(self, tenants: AzureTable) -> TenantStore:
        return TenantTable(tenants)

    def test_each_look_for_what_is_old_is_one_request(
        self, store: TenantStore, tenant_id: TenantId, now: datetime, requests_sent: list[str]
    ) -> None:
        requests_sent.clear()

        store.old_activity(tenant_id, before=NOW, limit=200)
        store.old_replays(tenant_id, part=7, before=now, limit=50)

        assert requests_sent == ["GET"] * 2
