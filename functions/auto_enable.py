"""HTTP: whether the session turns itself on when an action needs it."""

from __future__ import annotations

import azure.functions as func

from functions.frame import Answer, Call, bodies, door, reading, views, wire

bp = func.Blueprint()


@bp.function_name("setAutoEnable")
@bp.route(route="v1/tenants/{tenantId}/auto-enable", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def set_auto_enable(call: Call) -> Answer:
    """Set the toggle."""
    asking, tenant_id = call.asking("setAutoEnable"), call.tenant_id
    body: bodies.AutoEnableBody = call.body(bodies.AutoEnableBody)
    tenant = call.services.onboard.set_auto_enable(
        tenant_id,
        asking,
        enabled=body.enabled,
        kinds=tuple(body.kinds) if body.kinds else None,
        idle_timeout=reading.duration(body.idle_timeout) if body.idle_timeout else None,
    )
    return Answer(200, views.auto_enable(tenant.row.auto_enable), wire.etag(tenant))


@bp.function_name("getAutoEnable")
@bp.route(route="v1/tenants/{tenantId}/auto-enable", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_auto_enable(call: Call) -> Answer:
    """Read the toggle."""
    tenant = call.services.look.tenant(call.caller, call.tenant_id).tenant
    return Answer(200, views.auto_enable(tenant.row.auto_enable), wire.etag(tenant))
