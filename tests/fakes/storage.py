"""The tables' ports in memory: production's own rows and keys, over a table that a test can look into."""

from __future__ import annotations

from shared.adapters.storage.due_table import DueTable
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.ports import Clock
from shared.domain.store import DueList, TenantIndex, TenantStore
from tests.fakes.calls import CallLog, logs
from tests.fakes.tables import MemoryTable


@logs(TenantStore)
class FakeTenantStore(TenantTable):
    """TenantStore. Its rows are encoded as in Azure, so `table.text()` shows whatever is kept."""

    def __init__(self, log: CallLog, clock: Clock | None = None) -> None:
        self.log = log
        self.table = MemoryTable(clock)
        super().__init__(self.table)


@logs(TenantIndex)
class FakeTenantIndex(TenantIndexTable):
    """TenantIndex, with its `table` to look into."""

    def __init__(self, log: CallLog) -> None:
        self.log = log
        self.table = MemoryTable()
        super().__init__(self.table)


@logs(DueList)
class FakeDueList(DueTable):
    """DueList, with its `table` to look into."""

    def __init__(self, log: CallLog) -> None:
        self.log = log
        self.table = MemoryTable()
        super().__init__(self.table)
