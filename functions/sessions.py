"""HTTP: read the management session, turn it on and off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.frame import Answer, Call, bodies, door, reading, views, wire
from shared.domain.ids import TenantId

if TYPE_CHECKING:
    from shared.services.accept import Accepted, Asking
    from shared.wiring import Services

bp = func.Blueprint()


@bp.function_name("setSession")
@bp.route(route="v1/tenants/{tenantId}/session", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def set_session(call: Call) -> Answer:
    """Turn the session on or off."""
    asking, tenant_id = call.asking("setSession", counts=False), call.tenant_id
    body = reading.read_session(call.raw_body())
    if not isinstance(body, bodies.TurnOffBody):  # nothing may hold up turning it off
        call.count(f"tenant/{tenant_id}")
    accepted = _asked(call.services, tenant_id, asking, body)
    return call.accepted(accepted.operation) if accepted.operation else _shown(call)


@bp.function_name("getSession")
@bp.route(route="v1/tenants/{tenantId}/session", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_session(call: Call) -> Answer:
    """The session, as it is now."""
    return _shown(call)


def _shown(call: Call) -> Answer:
    """Anybody who may turn a session on may also read it."""
    look, now = call.services.look, call.services.world.clock.now()
    overview = look.tenant(call.caller, call.tenant_id)
    return Answer(200, views.session(overview, now, look.leases_in_use(overview, now)), wire.etag(overview.tenant))


def _asked(services: Services, tenant_id: TenantId, asking: Asking, body: bodies.SessionBody) -> Accepted:
    reason = body.reason or None
    if isinstance(body, bodies.TurnOffBody):
        return services.sessions.turn_off(tenant_id, asking, drain=body.drain, reason=reason)
    if isinstance(body, bodies.TurnOnBody):
        lifetime = reading.duration(body.duration) if body.duration else None
        return services.sessions.turn_on(tenant_id, asking, lifetime=lifetime, reason=reason)
    credentials = reading.credentials(body)
    lifetime = reading.duration(body.duration)
    return services.admin_sessions(tenant_id, asking, credentials, lifetime=lifetime, reason=reason)
