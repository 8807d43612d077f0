"""HTTP: check the tenant's policies, read the latest check."""

from __future__ import annotations

import azure.functions as func

from functions.frame import Answer, Call, bodies, door, policy_views

bp = func.Blueprint()


@bp.function_name("checkPolicies")
@bp.route(route="v1/tenants/{tenantId}/policy-checks", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def check_policies(call: Call) -> Answer:
    """Check now what would block the session."""
    asking, tenant_id = call.asking("checkPolicies"), call.tenant_id
    call.body(bodies.EmptyBody)
    accepted = call.services.policies.check(tenant_id, asking)
    return call.accepted(accepted.operation) if accepted.operation else _latest(call)


@bp.function_name("getLatestPolicyCheck")
@bp.route(route="v1/tenants/{tenantId}/policy-checks/latest", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_latest_policy_check(call: Call) -> Answer:
    """The latest check, one row for each thing that was checked."""
    return _latest(call)


def _latest(call: Call) -> Answer:
    return Answer(200, policy_views.policy_check(call.services.policies.latest_check(call.caller, call.tenant_id)))
