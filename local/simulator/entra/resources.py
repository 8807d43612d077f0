"""Which resource a scope names, and whether the tenant has it: an unlicensed service has no principal there."""

from __future__ import annotations

from dataclasses import dataclass

from local.simulator.entra.errors import SignInRefused
from local.simulator.state import Tenant, World

OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})

_EXCHANGE_PLANS = frozenset({"EXCHANGE_S_STANDARD", "EXCHANGE_S_ENTERPRISE"})
_SHAREPOINT_PLANS = frozenset({"SHAREPOINTSTANDARD", "SHAREPOINTENTERPRISE"})


@dataclass(frozen=True, slots=True)
class Resource:
    """A Microsoft service tokens are issued for. `service_plans` bring it to a tenant; none are needed when empty."""

    key: str  # as in a consent's `delegated`: graph | exchange | sharePoint | teams | compliance
    app_id: str
    service_plans: frozenset[str] = frozenset()
    missing: int = 500011  # what Entra says where the tenant does not have it


GRAPH = Resource("graph", "00000003-0000-0000-c000-000000000000")
EXCHANGE = Resource("exchange", "00000002-0000-0ff1-ce00-000000000000", _EXCHANGE_PLANS)
SHAREPOINT = Resource("sharePoint", "00000003-0000-0ff1-ce00-000000000000", _SHAREPOINT_PLANS)
TEAMS = Resource("teams", "48ac35b8-9aa8-4d74-927d-1f4a14a0b239", frozenset({"TEAMS1"}), missing=650052)
COMPLIANCE = Resource("compliance", "80ccca67-54bd-44ab-8625-4b79c4dc7775", _EXCHANGE_PLANS)
RESOURCES = (GRAPH, EXCHANGE, SHAREPOINT, TEAMS, COMPLIANCE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A scope parameter, understood. `permissions` are empty for `/.default`: everything consented to."""

    resource: Resource
    audience: str  # the resource as the client named it; becomes `aud`
    permissions: frozenset[str]
    openid: frozenset[str]


def parse_scope(world: World, tenant: Tenant, scope: str) -> Wanted:
    """The one resource a scope parameter names; a bare permission such as `User.Read` means Graph, as at Entra.

    Raises:
        SignInRefused: 70011 nothing is named, 700022 more than one resource, 500011 or 650052 the tenant lacks it.
    """
    words = scope.split()
    openid = frozenset(words) & OPENID_SCOPES
    audiences, permissions = set(), set()
    for word in words:
        if word not in OPENID_SCOPES:
            audience, _, permission = word.rpartition("/")
            audiences.add(audience.rstrip("/") or world.origin)
            permissions.add(permission)
    if not audiences:
        raise SignInRefused(70011)
    if len(audiences) > 1:
        raise SignInRefused(700022)
    audience = audiences.pop()
    resource = _names(world, tenant).get(audience.lower())
    if resource is None:
        raise SignInRefused(500011, resource=audience, tenant=tenant.display_name)
    if resource.service_plans and not resource.service_plans & _service_plans(tenant):
        raise SignInRefused(resource.missing, resource=audience, tenant=tenant.display_name)
    return Wanted(resource, audience, frozenset(permissions - {".default"}), openid)


def graph_audiences(world: World) -> frozenset[str]:
    """The names Graph answers to: the simulator's own address, as in a national cloud, and the public one."""
    return frozenset({world.origin, "https://graph.microsoft.com", GRAPH.app_id})


def _names(world: World, tenant: Tenant) -> dict[str, Resource]:
    names = {resource.app_id: resource for resource in RESOURCES}
    names |= {name.lower(): GRAPH for name in graph_audiences(world)}
    names["https://outlook.office365.com"] = EXCHANGE
    names["https://ps.compliance.protection.outlook.com"] = COMPLIANCE
    for domain in tenant.domains:
        if domain.get("isInitial"):
            prefix = str(domain["name"]).partition(".")[0].lower()
            names[f"https://{prefix}-admin.sharepoint.com"] = SHAREPOINT
    return names


def _service_plans(tenant: Tenant) -> set[str]:
    return {
        str(plan["servicePlanName"])
        for sku in tenant.skus
        if sku.get("capabilityStatus") in ("Enabled", "Warning")
        for plan in sku.get("servicePlans", ())
        if plan.get("provisioningStatus") == "Success"
    }
