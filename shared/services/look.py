"""Look, without changing anything: tenants, operations, actions and the activity trail."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.action import Action
from shared.domain.activity import Activity
from shared.domain.actors import Caller, Right
from shared.domain.errors import Code, not_found, refused, tenant_not_found
from shared.domain.ids import ActionId, OperationId, TenantId
from shared.domain.operation import Operation
from shared.domain.session import SessionState
from shared.domain.store import Overview, Page, TenantSummary
from shared.services.world import World, authorise


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
        self, caller: Caller, *, state: SessionState | None, limit: int, continuation: str | None
    ) -> Page[TenantSummary]:
        """A page of the fleet, for those who may see all of it.

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
        return self._world.index.list(state=state, limit=limit, continuation=continuation)

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

    def recent_operations(
        self, caller: Caller, tenant_id: TenantId, entries: Sequence[Activity]
    ) -> tuple[Operation, ...]:
        """The last operations, newest first, as the newest entries of the trail name them; at most twenty.

        Raises:
            NotFound, Refused: as `operation`.
        """
        self._may_read(caller, tenant_id)
        known = dict.fromkeys(entry.operation_id for entry in entries if entry.operation_id is not None)
        return tuple(self._world.store.operation(tenant_id, operation_id).row for operation_id in list(known)[:20])

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

    def _may_read(self, caller: Caller, tenant_id: TenantId) -> None:
        authorise(caller, self._world.store.tenant(tenant_id).row, Right.READER)
