"""Security defaults: the switch that makes MFA compulsory for administrators and shuts out enabled policies."""

from __future__ import annotations

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import OVER_POLICIES
from local.simulator.graph.odata import EntityType, entity, no_content, words
from local.simulator.graph.operation import body_of, operation
from local.simulator.graph.refusals import bad_request
from local.simulator.graph.schema import flag, record
from local.simulator.wire import Response

POLICY = EntityType(
    name="identitySecurityDefaultsEnforcementPolicy",
    context="policies/identitySecurityDefaultsEnforcementPolicy",
    properties=words("id deletedDateTime description displayName isEnabled"),
)
_BODY = record("isEnabled", isEnabled=flag)


def get_policy(call: GraphCall) -> Response:
    """GET /policies/identitySecurityDefaultsEnforcementPolicy."""
    document = {
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "description": "Basic identity security for every user of the tenant.",
        "isEnabled": call.tenant.security_defaults,
    }
    return entity(call, POLICY, document)


def update_policy(call: GraphCall) -> Response:
    """PATCH /policies/identitySecurityDefaultsEnforcementPolicy: 204; on and enabled policies exclude each other."""
    body = body_of(call)
    if not _BODY(body):
        raise bad_request("The request must carry isEnabled.")
    if body["isEnabled"] and any(policy.get("state") == "enabled" for policy in call.tenant.policies.values()):
        raise bad_request("Security defaults cannot be enabled while a Conditional Access policy is enabled.")
    call.tenant.security_defaults = body["isEnabled"]
    return no_content()


_PATH = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"

ROUTES = (
    operation("GET", _PATH, get_policy, permissions=("Policy.Read.All",)),
    operation(
        "PATCH",
        _PATH,
        update_policy,
        permissions=("Policy.ReadWrite.SecurityDefaults",),
        also=("Policy.Read.All",),
        roles=OVER_POLICIES,
    ),
)
