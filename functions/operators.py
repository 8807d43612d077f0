"""HTTP: who may do what in a tenant."""

from __future__ import annotations

import azure.functions as func

from functions.frame import Answer, Call, actors, bodies, door, views, wire

bp = func.Blueprint()


@bp.function_name("listOperators")
@bp.route(route="v1/tenants/{tenantId}/operators", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def list_operators(call: Call) -> Answer:
    """Everybody who was granted rights in this tenant."""
    tenant = call.services.look.tenant(call.caller, call.tenant_id, right=actors.Right.ADMINISTRATOR).tenant
    grants = [views.operator(object_id, grant) for object_id, grant in tenant.row.grants.items()]
    return Answer(200, {"value": grants}, wire.etag(tenant))


@bp.function_name("grantOperator")
@bp.route(route="v1/tenants/{tenantId}/operators/{objectId}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def grant_operator(call: Call) -> Answer:
    """Say what somebody may do here."""
    asking, tenant_id, object_id = call.asking("grantOperator"), call.tenant_id, call.guid("objectId")
    body: bodies.OperatorBody = call.body(bodies.OperatorBody)
    grant = actors.Grant(tuple(body.roles), body.display_name or None)
    tenant, is_new = call.services.onboard.grant(tenant_id, asking, object_id, grant)
    return Answer(201 if is_new else 200, views.operator(str(object_id), grant), wire.etag(tenant))


@bp.function_name("removeOperator")
@bp.route(route="v1/tenants/{tenantId}/operators/{objectId}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def remove_operator(call: Call) -> Answer:
    """Take somebody's rights in this tenant away."""
    asking, tenant_id, object_id = call.asking("removeOperator"), call.tenant_id, call.guid("objectId")
    call.services.onboard.remove_grant(tenant_id, asking, object_id)
    return Answer(204)
