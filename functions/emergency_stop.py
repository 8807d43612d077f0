"""HTTP: turn every session off."""

from __future__ import annotations

import azure.functions as func

from functions.frame import Answer, Call, bodies, door

bp = func.Blueprint()


@bp.function_name("stopAllSessions")
@bp.route(route="v1/emergency-stop", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def stop_all_sessions(call: Call) -> Answer:
    """At once, without draining; to be called again until it says that it is complete."""
    asking = call.asking("stopAllSessions")
    body = call.body(bodies.EmergencyStopBody)
    done = call.services.emergency_stop(asking.caller, reason=body.reason or None)
    failed = [str(tenant_id) for tenant_id in done.failed]
    return Answer(200, {"stopped": done.stopped, "failed": failed, "complete": done.is_complete})
