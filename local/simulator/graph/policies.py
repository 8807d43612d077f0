"""Conditional access policies: create, read, change, delete, each with the checks of the real service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import BUILT_IN_ROLES, OVER_POLICIES
from local.simulator.graph.directory import users
from local.simulator.graph.odata import collection, entity, no_content
from local.simulator.graph.operation import body_of
from local.simulator.graph.organization import P2_PLAN, has_plan
from local.simulator.graph.policy_type import POLICY, WRITTEN_POLICY, show, show_to
from local.simulator.graph.premium import premium_operation
from local.simulator.graph.refusals import GraphRefusal, bad_request
from local.simulator.state import JsonObject
from local.simulator.timestamps import moment_of, stamp
from local.simulator.wire import Response

_SCHEMA_ERROR = (
    "1007: Incoming ConditionalAccessPolicy object is null or does not match the schema of ConditionalAccessPolicy "
    "type. For examples, please see API documentation at "
    "https://docs.microsoft.com/en-us/graph/api/conditionalaccessroot-post-policies?view=graph-rest-1.0."
)
# What may be changed in a policy that Microsoft made (entra-docs managed-policies): its state and whom it spares.
_SPARING = ("excludeUsers", "excludeGroups", "excludeRoles", "excludeGuestsOrExternalUsers")
_NAMED_USERS = frozenset({"All", "None", "GuestsOrExternalUsers"})
_NAMED_PLACES = frozenset({"All", "AllTrusted", "00000000-0000-0000-0000-000000000000"})  # the last: MFA trusted IPs


def list_policies(call: GraphCall) -> Response:
    """GET /identity/conditionalAccess/policies."""
    return collection(call, POLICY, (show_to(call, policy) for policy in call.tenant.policies.values()))


def get_policy(call: GraphCall) -> Response:
    """GET /identity/conditionalAccess/policies/{id}."""
    return entity(call, POLICY, show_to(call, _find(call)))


def create_policy(call: GraphCall) -> Response:
    """POST /identity/conditionalAccess/policies: 201."""
    body = body_of(call)
    if not WRITTEN_POLICY(body) or not {"displayName", "state", "conditions"} <= body.keys():
        raise bad_request(_SCHEMA_ERROR)
    now = stamp(call.clock.now())
    policy = show({**body, "id": str(uuid4()), "createdDateTime": now, "modifiedDateTime": None})
    _check(call, policy, known=set())
    call.tenant.policies[policy["id"]] = policy
    return entity(call, POLICY, show_to(call, policy), status=201)


def update_policy(call: GraphCall) -> Response:
    """PATCH /identity/conditionalAccess/policies/{id}: 204.

    Each property sent replaces the stored one whole: `conditions` without its applications would lose them, and is
    refused (1007), as are nulls inside it.
    """
    old = show(_find(call))
    body = body_of(call)
    if not WRITTEN_POLICY(body):
        raise bad_request(_SCHEMA_ERROR)
    new = show({**old, **body, "modifiedDateTime": stamp(call.clock.now())})
    if old["templateId"] is not None and not _changes_only_what_may(old, new):
        raise bad_request("Only the state and the excluded identities of a Microsoft-managed policy can be changed.")
    _check(call, new, known=set(_references(old)))
    call.tenant.policies[old["id"]] = new
    return no_content()


def delete_policy(call: GraphCall) -> Response:
    """DELETE /identity/conditionalAccess/policies/{id}: 204; Microsoft-managed policies cannot be deleted."""
    policy = _find(call)
    if policy.get("templateId") is not None:
        raise bad_request("A Microsoft-managed policy cannot be deleted.")
    del call.tenant.policies[policy["id"]]
    return no_content()


def _find(call: GraphCall) -> JsonObject:
    wanted = call.parameters["id"]
    policy = call.tenant.policies.get(wanted)
    if policy is None:
        raise GraphRefusal(404, "NotFound", f"Policy with id {wanted} does not exist in the directory.")
    return policy


def _changes_only_what_may(old: JsonObject, new: JsonObject) -> bool:
    def fixed(policy: JsonObject) -> JsonObject:
        conditions = policy["conditions"]
        whom = {name: value for name, value in conditions["users"].items() if name not in _SPARING}
        rest = {name: value for name, value in policy.items() if name not in ("state", "modifiedDateTime")}
        return rest | {"conditions": conditions | {"users": whom}}

    return fixed(old) == fixed(new)


def _check(call: GraphCall, policy: JsonObject, known: set[tuple[str, str]]) -> None:
    """The policy makes sense in this tenant. References that were there before (`known`) may have died since."""
    if policy["state"] == "enabled" and call.tenant.security_defaults:
        raise bad_request(
            "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a "
            "Conditional Access policy."
        )
    if policy["grantControls"] is None and policy["sessionControls"] is None:
        raise bad_request("A policy needs grant controls or session controls.")
    controls = (policy["grantControls"] or {}).get("builtInControls", ())
    if "block" in controls and len(controls) > 1:
        raise bad_request("The block control cannot be combined with another control.")
    conditions = policy["conditions"]
    if not _names_somebody(conditions) or not _names_something(conditions):
        raise bad_request("A policy must say to whom and to what it applies.")
    risky = [*conditions["signInRiskLevels"], *conditions["userRiskLevels"]]
    if risky and not has_plan(call.tenant, P2_PLAN):
        raise bad_request(
            "1039: Cannot create or update policies with premium P2 features. Upgrade to a premium P2 license and try "
            "again."
        )
    for kind, reference in set(_references(policy)) - known:
        _check_reference(call, kind, reference)


def _names_somebody(conditions: JsonObject) -> bool:
    included = [value for name, value in conditions["users"].items() if name.startswith("include")]
    return any(included) or bool((conditions["clientApplications"] or {}).get("includeServicePrincipals"))


def _names_something(conditions: JsonObject) -> bool:
    return any(value for name, value in conditions["applications"].items() if name.startswith("include"))


def _references(policy: JsonObject) -> Iterator[tuple[str, str]]:
    """What the policy points at: ("users" | "groups" | "roles" | "locations", id)."""
    conditions = policy["conditions"]
    for part, kind in (("users", "Users"), ("users", "Groups"), ("users", "Roles"), ("locations", "Locations")):
        for side in ("include", "exclude"):
            for reference in (conditions[part] or {}).get(f"{side}{kind}", ()):
                yield kind.lower(), reference


def _check_reference(call: GraphCall, kind: str, reference: str) -> None:
    if kind == "locations":
        if reference not in _NAMED_PLACES and not _is_known_location(call, reference):
            raise bad_request(f"1040: NamedLocation with id {reference} does not exist in the directory.")
        return
    exists = {
        "users": reference in _NAMED_USERS or any(user.id == reference for user in users(call)),
        "groups": reference in call.tenant.groups,
        "roles": reference in BUILT_IN_ROLES,
    }[kind]
    if not exists:
        raise bad_request(f"The policy refers to {kind} that do not exist in the directory: {reference}.")


def _is_known_location(call: GraphCall, location_id: str) -> bool:
    location = call.tenant.named_locations.get(location_id)
    if location is None:
        return False
    created = location.get("createdDateTime")
    delay = timedelta(seconds=call.world.named_location_delay)
    return created is None or moment_of(created) + delay <= call.clock.now()


_POLICIES = "/v1.0/identity/conditionalAccess/policies"
_READ = ("Policy.Read.All",)
_WRITE = ("Policy.ReadWrite.ConditionalAccess",)
_ALSO = ("Policy.Read.All", "Application.Read.All")

ROUTES = (
    premium_operation("GET", _POLICIES, list_policies, permissions=_READ),
    premium_operation("GET", f"{_POLICIES}/{{id}}", get_policy, permissions=_READ),
    premium_operation("POST", _POLICIES, create_policy, permissions=_WRITE, also=_ALSO, roles=OVER_POLICIES),
    premium_operation(
        "PATCH", f"{_POLICIES}/{{id}}", update_policy, permissions=_WRITE, also=_ALSO, roles=OVER_POLICIES
    ),
    premium_operation(
        "DELETE", f"{_POLICIES}/{{id}}", delete_policy, permissions=_WRITE, also=_ALSO, roles=OVER_POLICIES
    ),
)
