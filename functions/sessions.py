"""HTTP: read the management session, turn it on and off."""

import azure.functions as func

from functions import bodies, reading, views, wire
from functions.wire import Answer, Call, door
from shared.domain.ids import TenantId
from shared.domain.secret import Secret
from shared.services.accept import Accepted, Asking
from shared.services.turn_on_as_admin import Credentials
from shared.wiring import Services

bp = func.Blueprint()


@bp.function_name("setSession")
@bp.route(route="v1/tenants/{tenantId}/session", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def set_session(call: Call) -> Answer:
    """Turn the session on or off."""
    asking, tenant_id = call.asking("setSession"), call.tenant_id
    body = reading.read_session(call.raw_body())
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
    overview = call.services.look.tenant(call.caller, call.tenant_id)
    return Answer(200, views.session(overview, call.services.world.clock.now()), wire.etag(overview.tenant))


def _asked(services: Services, tenant_id: TenantId, asking: Asking, body: bodies.SessionBody) -> Accepted:
    reason = body.reason or None
    if isinstance(body, bodies.TurnOffBody):
        return services.sessions.turn_off(tenant_id, asking, drain=body.drain, reason=reason)
    if isinstance(body, bodies.TurnOnBody):
        lifetime = reading.duration(body.duration) if body.duration else None
        return services.sessions.turn_on(tenant_id, asking, lifetime=lifetime, reason=reason)
    credentials = Credentials(body.username, Secret(body.password))
    lifetime = reading.duration(body.duration)
    return services.admin_sessions(tenant_id, asking, credentials, lifetime=lifetime, reason=reason)
