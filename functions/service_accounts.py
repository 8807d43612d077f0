"""HTTP: create or retry, rotate and remove the management service account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.frame import Answer, Call, bodies, door, views, wire

if TYPE_CHECKING:
    from shared.services.accept import Accepted

bp = func.Blueprint()


@bp.function_name("createServiceAccount")
@bp.route(route="v1/tenants/{tenantId}/service-account", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def create_service_account(call: Call) -> Answer:
    """Create the account, or retry."""
    asking, tenant_id = call.asking("createServiceAccount"), call.tenant_id
    body: bodies.ServiceAccountBody = call.body(bodies.ServiceAccountBody)
    return _answer(call, call.services.accounts.create(tenant_id, asking, profile=body.role_profile or None))


@bp.function_name("rotatePassword")
@bp.route(route="v1/tenants/{tenantId}/service-account/rotate", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def rotate_password(call: Call) -> Answer:
    """Rotate the password now."""
    asking, tenant_id = call.asking("rotatePassword"), call.tenant_id
    call.body(bodies.EmptyBody)
    return _answer(call, call.services.accounts.rotate(tenant_id, asking))


@bp.function_name("deleteServiceAccount")
@bp.route(route="v1/tenants/{tenantId}/service-account", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def delete_service_account(call: Call) -> Answer:
    """Disable advanced management."""
    asking, tenant_id = call.asking("deleteServiceAccount", counts=False), call.tenant_id  # nothing may hold it up
    return _answer(call, call.services.accounts.remove(tenant_id, asking))


def _answer(call: Call, accepted: Accepted) -> Answer:
    """202 with the operation, or 200 with the account when there is nothing left to do."""
    if accepted.operation is not None:
        return call.accepted(accepted.operation)
    return Answer(200, views.account(accepted.tenant.row), wire.etag(accepted.tenant))
