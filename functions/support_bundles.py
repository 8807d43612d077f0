"""HTTP: everything support needs to know of a tenant, and no secret."""

from __future__ import annotations

import azure.functions as func

from functions.frame import Answer, Call, door, errors, policy_views, telemetry, views, words

bp = func.Blueprint()

_VERSION = "1.0.0"
_ENTRIES = 200


@bp.function_name("getSupportBundle")
@bp.route(route="v1/tenants/{tenantId}/support-bundle", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_support_bundle(call: Call) -> Answer:
    """One document to send along with a question."""
    services, caller, tenant_id = call.services, call.caller, call.tenant_id
    overview = services.look.tenant(caller, tenant_id)
    activity = services.look.activity(caller, tenant_id, limit=_ENTRIES, continuation=None)
    operations = services.look.recent_operations(caller, tenant_id, activity.items)
    try:
        check = policy_views.policy_check(services.policies.latest_check(caller, tenant_id))
    except errors.NotFound:
        check = None
    now = services.world.clock.now()
    bundle = words.present(
        generatedAt=words.time(now),
        correlationId=telemetry.correlation_id(),
        serviceVersion=_VERSION,
        tenant=views.tenant(overview, now, services.consent_urls(tenant_id)),
        policyCheck=check,
        operations=[views.operation(operation) for operation in operations],
        activity=[views.activity(entry) for entry in activity.items],
    )
    return Answer(200, bundle)
