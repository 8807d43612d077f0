"""Look, without changing anything: tenants, operations, actions and the activity trail."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from shared.domain.action import Action
from shared.domain.activity import Activity
from shared.domain.actors import Caller, Right
from shared.domain.errors import Code, NotFound, WrittenLater, not_found, refused, tenant_not_found
from shared.domain.ids import ActionId, OperationId, TenantId
from shared.domain.lease import Lease
from shared.domain.operation import Operation
from shared.domain.session import SessionState
from shared.domain.store import Overview, Page, TenantSummary
from shared.services.record_refusal import NOBODY
from shared.services.world import World, authorise, authorise_everywhere

_LEASES_SHOWN = 20


class Look:
    """The services behind the GETs of tenants, operations, actions and the trail."""

    def __init__(self, world: World) -> None:
        self._world = world

    def tenant(self, caller: Caller, tenant_id: TenantId, *, right: Right = Right.READER) -> Overview:
        """Everything about a tenant, in one table request.

        Raises:
            NotFound, Refused: as `authorise`.
        """
        overview = self._world.store.overview(tenant_id)
        authorise(caller, overview.tenant.row, right)
        return overview

    def tenants(
        self,
        caller: Caller,
        *,
        state: SessionState | None,
        has_problem: bool | None = None,
        search: str | None = None,
        limit: int,
        continuation: str | None,
    ) -> Page[TenantSummary]:
        """A page of the fleet, for those who may see all of it.

        `has_problem` leaves those that somebody must look at, or the others; `search` is part of a name or an id, in
        capitals or not. Either may leave a page short that still goes on.

        Raises:
            Refused: `callerNotAllowed`.
            Invalid: `invalidValue`: a continuation that is not ours.
        """
        if Right.READER not in caller.rights({}):
            raise refused(
                Code.CALLER_NOT_ALLOWED,
                "Listing tenants takes a right that holds in every tenant.",
                step="Ask for the app role Tenants.Read.All, or read the tenants you know by their id.",
            )

        def fits(line: TenantSummary) -> bool:
            return has_problem in (None, line.has_problem) and _is_meant(line, search)

        wanted = None if has_problem is None and search is None else fits
        return self._world.index.list(state=state, limit=limit, continuation=continuation, fits=wanted)

    def operation(self, caller: Caller, tenant_id: TenantId, operation_id: OperationId) -> Operation:
        """One operation.

        Raises:
            NotFound: `tenantNotFound`, `operationNotFound`.
            Refused: `callerNotAllowed`.
        """
        self._may_read(caller, tenant_id)
        return self._world.store.operation(tenant_id, operation_id).row

    def activity(self, caller: Caller, tenant_id: TenantId, *, limit: int, continuation: str | None) -> Page[Activity]:
        """The trail, newest first.

        Raises:
            NotFound, Refused: as `operation`.
            Invalid: `invalidValue`: a continuation that is not ours.
        """
        self._may_read(caller, tenant_id)
        return self._world.store.activity(tenant_id, limit=limit, continuation=continuation)

    def activity_of_nobody(self, caller: Caller, *, limit: int, continuation: str | None) -> Page[Activity]:
        """The trail of messages that are about no tenant we know, newest first.

        Raises:
            Refused: as `authorise_everywhere`.
            Invalid: `invalidValue`: a continuation that is not ours.
        """
        authorise_everywhere(caller, Right.READER)
        return self._world.store.activity(NOBODY, limit=limit, continuation=continuation)

    def recent_operations(
        self, caller: Caller, tenant_id: TenantId, entries: Sequence[Activity]
    ) -> tuple[Operation, ...]:
        """The last operations, newest first, as the newest entries of the trail name them; at most twenty.

        Raises:
            NotFound, Refused: as `operation`.
        """
        self._may_read(caller, tenant_id)
        known = dict.fromkeys(entry.operation_id for entry in entries if entry.operation_id is not None)
        found: list[Operation] = []
        for operation_id in list(known)[:20]:
            # What is old is forgotten up to a day before the last entry that names it.
            with suppress(NotFound, WrittenLater):
                found.append(self._world.store.operation(tenant_id, operation_id).row)
        return tuple(found)

    def action(self, caller: Caller, tenant_id: TenantId, action_id: ActionId) -> Action:
        """One action: for readers, and for the executor that asked.

        Raises:
            NotFound: `tenantNotFound`, `actionNotFound`.
            Refused: `callerNotAllowed`.
        """
        tenant = self._world.store.tenant(tenant_id).row
        rights = caller.rights(tenant.grants)
        if not rights & {Right.READER, Right.EXECUTOR}:
            raise tenant_not_found()
        action = self._world.store.action(tenant_id, action_id).row
        if Right.READER not in rights and action.request.executor not in (caller.application_id, caller.object_id):
            raise not_found(Code.ACTION_NOT_FOUND, "There is no such action.")
        return action

    def leases_in_use(self, overview: Overview, now: datetime) -> tuple[tuple[Lease, Action | None], ...]:
        """The newest leases that are held, at most twenty, each with the action it is for: one table request each."""
        held = [lease for gate in overview.gates for lease in gate.row.live(now)]
        newest = sorted(held, key=lambda lease: lease.granted_at, reverse=True)[:_LEASES_SHOWN]
        return tuple((lease, self._action_of(overview.tenant.row.tenant_id, lease)) for lease in newest)

    def _action_of(self, tenant_id: TenantId, lease: Lease) -> Action | None:
        try:
            return self._world.store.action(tenant_id, lease.action_id).row
        except (NotFound, WrittenLater):  # an old one, taken away while its lease was renewed and renewed; or a new one
            return None

    def _may_read(self, caller: Caller, tenant_id: TenantId) -> None:
        authorise(caller, self._world.store.tenant(tenant_id).row, Right.READER)


def _is_meant(line: TenantSummary, search: str | None) -> bool:
    return search is None or search.casefold() in f"{line.display_name}\n{line.tenant_id}".casefold()
