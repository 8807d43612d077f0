"""HTTP: follow an operation, read the activity trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.frame import Answer, Call, door, views, wire
from shared.domain.ids import OperationId

if TYPE_CHECKING:
    from shared.domain.activity import Activity
    from shared.domain.store import Page

bp = func.Blueprint()


@bp.function_name("getOperation")
@bp.route(route="v1/tenants/{tenantId}/operations/{operationId}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_operation(call: Call) -> Answer:
    """An operation with its steps."""
    caller, tenant_id = call.caller, call.tenant_id
    operation = call.services.look.operation(caller, tenant_id, OperationId(call.guid("operationId")))
    headers = {} if operation.is_terminal else {"Retry-After": str(wire.RETRY_AFTER)}
    return Answer(200, views.operation(operation), headers)


@bp.function_name("listActivity")
@bp.route(route="v1/tenants/{tenantId}/activity", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def list_activity(call: Call) -> Answer:
    """A page of the trail, newest first."""
    caller, tenant_id = call.caller, call.tenant_id

    def read(limit: int, continuation: str | None) -> Page[Activity]:
        return call.services.look.activity(caller, tenant_id, limit=limit, continuation=continuation)

    return call.page(read, views.activity)


@bp.function_name("listActivityOfNobody")
@bp.route(route="v1/activity", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def list_activity_of_nobody(call: Call) -> Answer:
    """A page of the trail of what belongs to no tenant we know, newest first."""
    caller = call.caller

    def read(limit: int, continuation: str | None) -> Page[Activity]:
        return call.services.look.activity_of_nobody(caller, limit=limit, continuation=continuation)

    return call.page(read, views.activity)
