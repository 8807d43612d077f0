"""HTTP, for executors: read a decision, redeem a lease for a token, renew and release it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.frame import Answer, Call, bodies, door, reading, views, words
from shared.domain.ids import ActionId, LeaseId

if TYPE_CHECKING:
    from shared.domain.actors import Caller

bp = func.Blueprint()


@bp.function_name("getAction")
@bp.route(route="v1/tenants/{tenantId}/actions/{actionId}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_action(call: Call) -> Answer:
    """An action with its decision."""
    return Answer(
        200, views.action(call.services.look.action(call.caller, call.tenant_id, ActionId(call.guid("actionId"))))
    )


@bp.function_name("redeemLease")
@bp.route(route="v1/tenants/{tenantId}/leases/{leaseId}/token", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def redeem_lease(call: Call) -> Answer:
    """A short-lived token for one resource: the one place where a token leaves."""
    caller, tenant_id, lease_id = call.caller, call.tenant_id, LeaseId(call.guid("leaseId"))
    body: bodies.TokenBody = call.body(bodies.TokenBody)
    token = call.services.leases.redeem(caller, tenant_id, lease_id, body.resource)
    return Answer(
        200,
        {
            "accessToken": token.value.reveal(),
            "expiresAt": words.time(token.expires_at),
            "resource": body.resource.value,
            "tokenType": "Bearer",
        },
    )


@bp.function_name("renewLease")
@bp.route(route="v1/tenants/{tenantId}/leases/{leaseId}/renew", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def renew_lease(call: Call) -> Answer:
    """The lease, ending later."""
    caller, tenant_id, lease_id = _holder(call, "renewLease"), call.tenant_id, LeaseId(call.guid("leaseId"))
    body: bodies.RenewalBody = call.body(bodies.RenewalBody)
    lease = call.services.leases.renew(caller, tenant_id, lease_id, reading.duration(body.duration))
    return Answer(200, views.lease(lease))


@bp.function_name("releaseLease")
@bp.route(route="v1/tenants/{tenantId}/leases/{leaseId}", methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def release_lease(call: Call) -> Answer:
    """Let the lease go; twice is fine."""
    caller, tenant_id, lease_id = _holder(call, "releaseLease"), call.tenant_id, LeaseId(call.guid("leaseId"))
    call.services.leases.release(caller, tenant_id, lease_id)
    return Answer(204)


def _holder(call: Call, what: str) -> Caller:
    """The caller, whose requests count by themselves: no executor may hold up operators, or another executor."""
    caller = call.asking(what, counts=False).caller
    call.count(f"leases/{call.tenant_id}/{caller.object_id}")
    return caller
