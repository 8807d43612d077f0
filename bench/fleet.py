"""Marks 6 and 7: what upkeep and the list of tenants ask of the tables, in fleets of many sizes.

Services, rows and keys are the service's own; the tables are counted ones in memory, and in the place of everything
else are the tests' fakes. Of a tenant that nobody looks at there are the rows that could be come across, its line in
the list and its entry in the due list: all others lie in a partition of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from bench.counted_tables import Asked, CountedTable
from bench.figures import Figure, at_most, counted, exactly
from functions import views
from shared.adapters.storage import due_table, tenant_index_table, tenant_table
from shared.adapters.storage.due_table import DueTable
from shared.adapters.storage.table import Table
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.ids import GATES, TenantId
from shared.domain.lease import Gate
from shared.domain.session import SessionState
from shared.domain.store import Due, Insert, summary_of
from shared.domain.tenant import Tenant
from shared.wiring import CallerRules, assemble
from tests.host import Host
from tests.people import READER
from tests.stage import NoKeys, Stage

_PAGE: Final = 50
"""Lines of a page when nobody asks for more or less."""
_STATES: Final = (SessionState.ON, *(9 * [SessionState.OFF]))
"""Every tenth session is on, the others are off."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page cost: table requests, and bytes as they were read and as they are answered."""

    requests: int
    bytes: int
    answered: int


class Fleet:
    """So many tenants with service accounts, of which the first `due` must be checked now and the others later.

    Args:
        table: gives the table of a name; a counted one in memory unless told otherwise.
    """

    def __init__(self, size: int, *, due: int = 0, table: Callable[[str], Table] | None = None) -> None:
        stage = Stage()
        stage.onboard()
        stage.create_account()
        Host(stage).settle()
        self._asked = Asked()
        made = table or (lambda name: CountedTable(self._asked, stage.clock))
        self._world = replace(
            stage.world,
            store=TenantTable(made(tenant_table.NAME)),
            index=TenantIndexTable(made(tenant_index_table.NAME)),
            due=DueTable(made(due_table.NAME)),
        )
        rules = CallerRules("https://login.example/v2.0", "audience", NoKeys(), stage.clock)
        self._services = assemble(self._world, rules, "https://login.example", None)
        for number, tenant in enumerate(_tenants(stage.tenant, stage.clock.now(), size)):
            self._take_in(tenant, is_due=number < due)

    def upkeep(self) -> int:
        """Run the timer's function until nothing is due; how many requests that were."""
        with self._asked.anew():
            while self._services.upkeep():
                continue
        return self._asked.requests

    def first_page(self, state: SessionState | None = None) -> Shown:
        """What `GET /v1/tenants` shows first."""
        with self._asked.anew():
            page = self._services.look.tenants(READER, state=state, limit=_PAGE, continuation=None)
        lines = json.dumps([views.summary(line) for line in page.items])
        return Shown(self._asked.requests, self._asked.bytes, len(lines.encode()))

    def _take_in(self, tenant: Tenant, *, is_due: bool) -> None:
        now = self._world.clock.now()
        self._world.index.put(summary_of(tenant), was=tenant.session.state)
        self._world.due.add(Due(tenant.tenant_id, now if is_due else now + timedelta(hours=12)))
        if is_due:
            self._world.store.commit(tenant.tenant_id, [Insert(tenant), *(Insert(Gate(n)) for n in range(GATES))])


def _tenants(template: Tenant, now: datetime, size: int) -> Iterator[Tenant]:
    """Tenants that were taken in long ago, and last checked a day ago."""
    then, random = now - timedelta(days=30), Random(6)  # noqa: S311 - not for secrets
    checked = replace(template.policy_check, checked_at=now - timedelta(days=1))
    for number in range(size):
        yield replace(
            template,
            tenant_id=TenantId(UUID(int=random.getrandbits(128), version=4)),
            created_at=then,
            updated_at=then,
            session=replace(template.session, state=_STATES[number % len(_STATES)]),
            policy_check=checked,
        )


def measure_upkeep(*, sizes: Sequence[int], due: int) -> Iterator[Figure]:
    """Mark 6. `sizes` are numbers of tenants, from small to large; where there are fewer than `due`, all are due."""
    asked = {size: Fleet(size, due=min(size, due)).upkeep() for size in sizes}
    for size, requests in asked.items():
        yield counted(6, f"upkeep of {size:,} tenants, {min(size, due):,} due", requests, "table requests")
    what = f"{sizes[-1]:,} tenants to {due:,}, with {due:,} due"
    yield counted(6, what, asked[sizes[-1]] / asked[due], "x", at_most(1.2))


def measure_list(*, sizes: Sequence[int]) -> Iterator[Figure]:
    """Mark 7. `sizes` are numbers of tenants, from small to large; the smallest fills a page too."""
    fleets = {size: Fleet(size) for size in sizes}
    for state, name in ((None, "first page of the list"), (SessionState.ON, "first page of those that are on")):
        found = {size: fleet.first_page(state) for size, fleet in fleets.items()}
        small, large = found[sizes[0]], found[sizes[-1]]
        yield counted(7, f"{name}, {sizes[-1]:,} tenants", large.requests, "table requests", exactly(small.requests))
        yield counted(7, f"{name}: read from the table", large.bytes, "bytes", exactly(small.bytes))
        yield counted(7, f"{name}: lines answered", large.answered, "bytes", exactly(small.answered))
