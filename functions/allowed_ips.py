"""HTTP: from where the service account may sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.frame import Answer, Call, bodies, door, policy_views, reading, wire

if TYPE_CHECKING:
    from shared.domain.store import Stored
    from shared.domain.tenant import Tenant
    from shared.services.accept import Accepted

bp = func.Blueprint()

_ROUTE = "v1/tenants/{tenantId}/allowed-ips"


@bp.function_name("setAllowedIps")
@bp.route(route=_ROUTE, methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def set_allowed_ips(call: Call) -> Answer:
    """Set the restriction; it replaces what was set before."""
    asking, tenant_id = call.asking("setAllowedIps"), call.tenant_id
    body = call.body(bodies.AllowedIpsBody)
    accepted = call.services.policies.set_allowed_ips(
        tenant_id,
        asking,
        ranges=reading.ip_ranges(body.ranges),
        outside=body.outside,
        wanted=body.wanted,
        apply_exclusions=body.apply_exclusions,
    )
    return _answer(call, accepted)


@bp.function_name("getAllowedIps")
@bp.route(route=_ROUTE, methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_allowed_ips(call: Call) -> Answer:
    """The restriction, and the exclusions proposed or made."""
    return _shown(call.services.look.tenant(call.caller, call.tenant_id).tenant)


@bp.function_name("removeAllowedIps")
@bp.route(route=_ROUTE, methods=["DELETE"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def remove_allowed_ips(call: Call) -> Answer:
    """Remove the restriction, and undo the exclusions made for it."""
    asking, tenant_id = call.asking("removeAllowedIps"), call.tenant_id
    return _answer(call, call.services.policies.remove_allowed_ips(tenant_id, asking))


def _answer(call: Call, accepted: Accepted) -> Answer:
    if accepted.operation is not None:
        return call.accepted(accepted.operation)
    return _shown(accepted.tenant)


def _shown(tenant: Stored[Tenant]) -> Answer:
    return Answer(200, policy_views.allowed_ips(tenant.row.allowed_ips), wire.etag(tenant))
