"""Tenants by state: table `TenantIndex`, PartitionKey the session's state, RowKey the tenant id (TenantIndex port)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from uuid import UUID

from shared.adapters.storage.continuation import continuation_of, key_of
from shared.adapters.storage.rows import document_entity, readable_row
from shared.adapters.storage.table import Found, Table
from shared.domain.ids import TenantId
from shared.domain.session import SessionState
from shared.domain.store import Page, TenantSummary

NAME: Final = "TenantIndex"

_STATES: Final = tuple(sorted(SessionState))
_END: Final = "g"
"""Above every tenant's id: they are lower-case hexadecimal."""
_GUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_LOOKED_THROUGH: Final = 999
"""Rows read for one page of those that fit; with the next one's key it is as many as a table gives at once."""


class TenantIndexTable:
    """The list of all tenants. A reader sees a tenant twice for a moment while it moves, never not at all."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, summary: TenantSummary, *, was: SessionState | None) -> None:
        """Two requests; one when the state is what it was; six when nobody knows what it was (`was` is None)."""
        self._table.put(document_entity(summary.state.value, summary))
        for former in _STATES if was is None else (was,):
            if former is not summary.state:
                self._table.delete(former, str(summary.tenant_id))

    def list(
        self,
        *,
        state: SessionState | None,
        limit: int,
        continuation: str | None,
        fits: Callable[[TenantSummary], bool] | None = None,
    ) -> Page[TenantSummary]:
        """One request a state, until the page is full or enough was looked through."""
        most = max(limit, _LOOKED_THROUGH) if fits else limit
        states = _STATES if state is None else (state,)
        start = key_of(continuation, re.compile(f"({'|'.join(states)})/{_GUID}"))
        first, _, low = (start or f"{states[0]}/").partition("/")
        found: tuple[Found, ...] = ()
        for each in states[states.index(SessionState(first)) :]:
            if len(found) <= most:
                found += self._table.between(each, low if each == first else "", _END, limit=most + 1 - len(found))
        shown: tuple[TenantSummary, ...] = ()
        for number, one in enumerate(found):
            if number == most or len(shown) == limit:
                return Page(shown, continuation_of(_key(one)))
            line = readable_row(one, TenantSummary)
            shown += (line,) if line is not None and (fits is None or fits(line)) else ()
        return Page(shown)

    def listed(self, state: SessionState, *, limit: int) -> tuple[TenantId, ...]:
        """One request; the ids are the rows' keys."""
        found = self._table.between(state.value, "", _END, limit=limit)
        return tuple(TenantId(UUID(str(one.entity["RowKey"]))) for one in found)


def _key(found: Found) -> str:
    return f"{found.entity['PartitionKey']}/{found.entity['RowKey']}"
