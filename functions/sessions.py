"""HTTP: read the management session, turn it on and off."""

import azure.functions as func

from functions import bodies, views, wire
from functions.wire import Answer, Call, door

bp = func.Blueprint()


@bp.function_name("setSession")
@bp.route(route="v1/tenants/{tenantId}/session", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def set_session(call: Call) -> Answer:
    """Turn the session on or off."""
    asking, tenant_id = call.asking("setSession"), call.tenant_id
    body: bodies.TurnOnBody | bodies.TurnOffBody = call.body(bodies.TurnOnBody | bodies.TurnOffBody)
    sessions, reason = call.services.sessions, body.reason or None
    if isinstance(body, bodies.TurnOnBody):
        lifetime = bodies.duration(body.duration) if body.duration else None
        accepted = sessions.turn_on(tenant_id, asking, lifetime=lifetime, reason=reason)
    else:
        accepted = sessions.turn_off(tenant_id, asking, drain=body.drain, reason=reason)
    return call.accepted(accepted.operation) if accepted.operation else _shown(call)


@bp.function_name("getSession")
@bp.route(route="v1/tenants/{tenantId}/session", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_session(call: Call) -> Answer:
    """The session, as it is now."""
    return _shown(call)


def _shown(call: Call) -> Answer:
    """Anybody who may turn a session on may also read it."""
    overview = call.services.look.tenant(call.caller, call.tenant_id)
    return Answer(200, views.session(overview, call.services.world.clock.now()), wire.etag(overview.tenant))
