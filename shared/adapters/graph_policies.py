"""What governs sign-ins in a tenant, read over Microsoft Graph, and the little of it that is ours to change."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Final
from urllib.parse import quote
from uuid import UUID

from shared.adapters.graph_calls import NAME, GraphCalls, Reply, Request
from shared.adapters.graph_pace import Pace, PacedRequests
from shared.adapters.graph_policy_documents import (
    IP_LOCATION,
    applied_in,
    conditions_excluding,
    demand_of,
    location_in,
    location_of,
    policy_in,
    what_if_of,
)
from shared.adapters.graph_refusals import Need, no_consent, not_there_yet, refusal
from shared.adapters.graph_requests import GraphRequests, TokenFor, entries_of, objects
from shared.adapters.graph_roles import role_assignments
from shared.domain.directory_roles import SINGLE, Registration
from shared.domain.errors import Code, NextStep, NotFound, Problem, Refused, Transient, not_found, refused, unavailable
from shared.domain.ids import TenantId
from shared.domain.policies import Applied, NamedLocation, Policy, SignInConditions

_READ: Final = Need("Policy.Read.All")
_READ_PREMIUM: Final = Need("Policy.Read.All", takes_premium=True)
_WRITE_LOCATIONS: Final = Need("Policy.ReadWrite.ConditionalAccess", also=("Policy.Read.All",), takes_premium=True)
_WRITE_POLICIES: Final = Need(
    "Policy.ReadWrite.ConditionalAccess", also=("Policy.Read.All", "Application.Read.All"), takes_premium=True
)
_LICENCES: Final = Need("Organization.Read.All")
_METHODS: Final = Need("UserAuthenticationMethod.Read.All")
_OWN_ROLES: Final = Need(
    "RoleManagement.ReadWrite.Directory",
    also=("Application.Read.All",),
    purpose="see this service's own directory roles",
    or_lesser="RoleManagement.Read.Directory",
)

_CONDITIONAL_ACCESS: Final = "/v1.0/identity/conditionalAccess"
_POLICIES: Final = f"{_CONDITIONAL_ACCESS}/policies"
_LOCATIONS: Final = f"{_CONDITIONAL_ACCESS}/namedLocations"

# Newer members of an enumeration are told as unknownFutureValue otherwise, which can be neither judged nor written back
# (https://learn.microsoft.com/graph/best-practices-concept#handling-future-members-in-evolvable-enumerations).
_EVERY_MEMBER: Final = {"Prefer": "include-unknown-enum-members"}

_PREMIUM_PLANS: Final = frozenset({"41781fb2-bc02-4b7c-bd55-b576c07bb09d", "eec0eb4f-6444-4f95-aba0-50c24d67f998"})
"""Entra ID P1 and P2 (https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference)."""

_MFA_STATES: Final = frozenset({"disabled", "enabled", "enforced"})
_PASSWORD_METHOD: Final = "passwordAuthenticationMethod"  # noqa: S105 - a type's name
_UNKNOWN_LOCATION: Final = "1040"
_LOCATION_SETTLES_IN: Final = timedelta(seconds=5)


class GraphPolicies:
    """A tenant's policies (TenantPolicies port).

    Args:
        pace: conditional access is asked no faster than once a second in a tenant, by all applications together.
        asked: what the application asks tenants for that the tokens are of.
    """

    def __init__(self, calls: GraphCalls, token_for: TokenFor, pace: Pace, asked: Registration = SINGLE) -> None:
        self._graph = GraphRequests(calls, token_for, asked)
        self._conditional_access = PacedRequests(calls, token_for, asked, pace)
        self._asked = asked

    def has_premium(self, tenant_id: TenantId) -> bool:
        """GET /subscribedSkus (https://learn.microsoft.com/graph/api/subscribedsku-list)."""
        request = Request("GET", "/v1.0/subscribedSkus", {"$select": "capabilityStatus,servicePlans"})
        return any(_holds_premium(sku) for sku in self._graph.pages(tenant_id, _LICENCES, request))

    def security_defaults(self, tenant_id: TenantId) -> bool:
        """GET …/identitySecurityDefaultsEnforcementPolicy.

        https://learn.microsoft.com/graph/api/identitysecuritydefaultsenforcementpolicy-get
        """
        request = Request("GET", "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", {"$select": "isEnabled"})
        is_enabled = self._graph.send(tenant_id, _READ, request).body.get("isEnabled")
        if not isinstance(is_enabled, bool):
            raise unavailable(NAME)
        return is_enabled

    def per_user_mfa(self, tenant_id: TenantId, user_id: UUID) -> str:
        """GET …/authentication/requirements, in beta only (https://learn.microsoft.com/graph/api/authentication-get)."""
        request = Request("GET", f"/beta/users/{user_id}/authentication/requirements")
        reply = self._graph.send(tenant_id, _READ, request, also={404})
        if reply.status == 404:
            raise not_there_yet()
        state = str(reply.body.get("perUserMfaState"))
        if state not in _MFA_STATES:
            raise unavailable(NAME)
        return state

    def other_methods(self, tenant_id: TenantId, user_id: UUID) -> tuple[str, ...]:
        """GET …/authentication/methods (https://learn.microsoft.com/graph/api/authentication-list-methods)."""
        request = Request("GET", f"/v1.0/users/{user_id}/authentication/methods")
        reply = self._graph.send(tenant_id, _METHODS, request, also={404})
        if reply.status == 404:
            raise not_there_yet()
        types = (str(method.get("@odata.type")) for method in entries_of(reply))
        names = (name.removeprefix("#microsoft.graph.") for name in types)
        return tuple(name for name in names if name != _PASSWORD_METHOD)

    def application_roles(self, tenant_id: TenantId, application_id: UUID) -> frozenset[UUID]:
        """GET /servicePrincipals(appId='…') and its role assignments.

        https://learn.microsoft.com/graph/api/serviceprincipal-get
        """
        request = Request("GET", f"/v1.0/servicePrincipals(appId='{application_id}')", {"$select": "id"})
        reply = self._graph.send(tenant_id, _OWN_ROLES, request, also={404})
        if reply.status == 404:
            raise no_consent(self._asked)
        principal_id = UUID(str(reply.body["id"]))
        held = role_assignments(self._graph, tenant_id, principal_id, _OWN_ROLES)
        return frozenset(role.role_template_id for role in held)

    def policies(self, tenant_id: TenantId) -> tuple[Policy, ...]:
        """GET …/policies (https://learn.microsoft.com/graph/api/conditionalaccessroot-list-policies)."""
        request = Request("GET", _POLICIES, headers=_EVERY_MEMBER)
        return tuple(map(policy_in, self._conditional_access.pages(tenant_id, _READ_PREMIUM, request)))

    def policy(self, tenant_id: TenantId, policy_id: str) -> Policy | None:
        """GET …/policies/{id} (https://learn.microsoft.com/graph/api/conditionalaccesspolicy-get)."""
        document = self._policy(tenant_id, policy_id, _READ_PREMIUM)
        return None if document is None else policy_in(document)

    def what_if(self, tenant_id: TenantId, conditions: SignInConditions) -> tuple[Applied, ...]:
        """POST …/evaluate (https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate)."""
        path = f"{_CONDITIONAL_ACCESS}/evaluate"
        request = Request("POST", path, {}, what_if_of(conditions), _EVERY_MEMBER, changes_nothing=True)
        return applied_in(self._conditional_access.pages(tenant_id, _READ_PREMIUM, request))

    def named_locations(self, tenant_id: TenantId) -> tuple[NamedLocation, ...]:
        """GET …/namedLocations (https://learn.microsoft.com/graph/api/conditionalaccessroot-list-namedlocations)."""
        found = self._conditional_access.pages(tenant_id, _READ_PREMIUM, Request("GET", _LOCATIONS))
        return tuple(location_in(document) for document in found if document.get("@odata.type") == IP_LOCATION)

    def create_location(self, tenant_id: TenantId, display_name: str, ranges: tuple[str, ...]) -> str:
        """POST …/namedLocations (https://learn.microsoft.com/graph/api/conditionalaccessroot-post-namedlocations)."""
        request = Request("POST", _LOCATIONS, body=location_of(display_name, ranges))
        return str(self._conditional_access.send(tenant_id, _WRITE_LOCATIONS, request).body["id"])

    def set_location(self, tenant_id: TenantId, location_id: str, display_name: str, ranges: tuple[str, ...]) -> None:
        """PATCH …/namedLocations/{id} (https://learn.microsoft.com/graph/api/ipnamedlocation-update)."""
        reply = self._on_location(tenant_id, "PATCH", location_id, location_of(display_name, ranges), also={404})
        if reply.status == 404:
            raise _gone("named location")

    def delete_location(self, tenant_id: TenantId, location_id: str) -> None:
        """DELETE …/namedLocations/{id} (https://learn.microsoft.com/graph/api/ipnamedlocation-delete).

        Graph keeps a location that is trusted or that a policy refers to. Trust is not ours, so it is taken back; of a
        policy it may be a while until Graph has forgotten it.
        """
        reply = self._on_location(tenant_id, "DELETE", location_id, also={400, 404})
        if reply.status == 400:
            untrusted = {"@odata.type": IP_LOCATION, "isTrusted": False}
            self._on_location(tenant_id, "PATCH", location_id, untrusted, also={404})
            reply = self._on_location(tenant_id, "DELETE", location_id, also={400, 404})
        if reply.status == 400:
            raise _still_in_use()

    def create_policy(
        self, tenant_id: TenantId, display_name: str, *, user_id: UUID, location_id: str, control: str
    ) -> str:
        """POST …/policies (https://learn.microsoft.com/graph/api/conditionalaccessroot-post-policies)."""
        body = {
            "displayName": display_name,
            "state": "enabledForReportingButNotEnforced",
            "conditions": {
                "clientAppTypes": ["all"],
                "applications": {"includeApplications": ["All"]},
                "users": {"includeUsers": [str(user_id)]},
                "locations": {"includeLocations": ["All"], "excludeLocations": [location_id]},
            },
            "grantControls": demand_of(control),
        }
        request = Request("POST", _POLICIES, body=body)
        reply = self._conditional_access.send(tenant_id, _WRITE_POLICIES, request, also={400})
        if reply.number == _UNKNOWN_LOCATION:
            problem = Problem(Code.UPSTREAM_UNAVAILABLE, "Conditional access does not know the new location yet.")
            raise Transient(problem, _LOCATION_SETTLES_IN)
        if not reply.is_success:
            raise refusal(reply, _WRITE_POLICIES, {}, self._asked)
        return str(reply.body["id"])

    def set_policy(self, tenant_id: TenantId, policy_id: str, *, state: str, control: str) -> None:
        """PATCH …/policies/{id} (https://learn.microsoft.com/graph/api/conditionalaccesspolicy-update)."""
        body = {"state": state, "grantControls": demand_of(control)}
        reply = self._on_policy(tenant_id, "PATCH", policy_id, body, also={400, 404})
        if reply.status == 404:
            raise _gone("policy")
        if not reply.is_success:
            raise self._why_not_enabled(tenant_id) or refusal(reply, _WRITE_POLICIES, {}, self._asked)

    def delete_policy(self, tenant_id: TenantId, policy_id: str) -> None:
        """DELETE …/policies/{id} (https://learn.microsoft.com/graph/api/conditionalaccesspolicy-delete)."""
        self._on_policy(tenant_id, "DELETE", policy_id, also={404})

    def exclude_users(self, tenant_id: TenantId, policy_id: str, user_ids: tuple[str, ...]) -> None:
        """GET and PATCH …/policies/{id}: Graph changes conditions only as a whole, and has no etag for them."""
        document = self._policy(tenant_id, policy_id, _WRITE_POLICIES)
        if document is None:
            raise _gone("policy")
        if policy_in(document).excluded_users == user_ids:
            return
        body = {"conditions": conditions_excluding(document, user_ids)}
        if self._on_policy(tenant_id, "PATCH", policy_id, body, also={404}).status == 404:
            raise _gone("policy")

    def _policy(self, tenant_id: TenantId, policy_id: str, need: Need) -> Mapping[str, object] | None:
        request = Request("GET", f"{_POLICIES}/{quote(policy_id, safe='')}", headers=_EVERY_MEMBER)
        reply = self._conditional_access.send(tenant_id, need, request, also={404})
        return reply.body if reply.is_success else None

    def _on_policy(
        self,
        tenant_id: TenantId,
        method: str,
        policy_id: str,
        body: Mapping[str, object] | None = None,
        *,
        also: AbstractSet[int],
    ) -> Reply:
        request = Request(method, f"{_POLICIES}/{quote(policy_id, safe='')}", body=body)
        return self._conditional_access.send(tenant_id, _WRITE_POLICIES, request, also=also)

    def _on_location(
        self,
        tenant_id: TenantId,
        method: str,
        location_id: str,
        body: Mapping[str, object] | None = None,
        *,
        also: AbstractSet[int],
    ) -> Reply:
        request = Request(method, f"{_LOCATIONS}/{quote(location_id, safe='')}", body=body)
        return self._conditional_access.send(tenant_id, _WRITE_LOCATIONS, request, also=also)

    def _why_not_enabled(self, tenant_id: TenantId) -> Refused | None:
        """Graph gives no code of its own to the refusal of an enabled policy beside security defaults."""
        if not self.security_defaults(tenant_id):
            return None
        return refused(
            Code.SIGN_IN_BLOCKED,
            "No conditional access policy can be enabled while security defaults are on.",
            step="Replace security defaults by conditional access policies, then try again.",
            link="https://learn.microsoft.com/entra/fundamentals/security-defaults",
        )


def _holds_premium(sku: Mapping[str, object]) -> bool:
    return sku.get("capabilityStatus") in ("Enabled", "Warning") and any(
        plan.get("provisioningStatus") == "Success" and str(plan.get("servicePlanId")).lower() in _PREMIUM_PLANS
        for plan in objects(sku.get("servicePlans"))
    )


def _gone(what: str) -> NotFound:
    return not_found(Code.NOT_FOUND, f"The {what} is no longer in the tenant.")


def _still_in_use() -> Transient:
    step = NextStep(
        "Take the named location out of the policies that refer to it.",
        "https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies",
    )
    problem = Problem(
        Code.CLEANUP_INCOMPLETE, "A policy of the tenant still refers to the named location.", next_step=step
    )
    return Transient(problem, _LOCATION_SETTLES_IN)
