"""The port to a tenant's policies: what blocks a sign-in, and the few things we may change about it.

Microsoft allows one conditional access request a second in a tenant, for all applications together, and answers faster
ones with 429 and no Retry-After (https://learn.microsoft.com/graph/throttling-limits). The adapter spaces its requests;
a 429 all the same is Transient, and the queue waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.ids import TenantId


@dataclass(frozen=True, slots=True)
class Policy:
    """A conditional access policy (https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy).

    Attributes:
        state: Graph's words: enabled, disabled, enabledForReportingButNotEnforced.
        controls: grant controls by Graph's names; `authenticationStrength`, `termsOfUse` and
            `customAuthenticationFactors` stand for those that are no built-in control.
        excluded_users: object ids.
        is_microsoft_managed: Microsoft made it: only state and exclusions can be changed.
        created_at: when it came to be; a Microsoft-managed one is enabled 45 days later at the earliest.
        only_user: the object id of the one user it is about, when it is about nobody else.
    """

    policy_id: str
    display_name: str
    state: str
    controls: tuple[str, ...]
    excluded_users: tuple[str, ...]
    is_microsoft_managed: bool
    created_at: datetime | None
    only_user: str | None = None


@dataclass(frozen=True, slots=True)
class NamedLocation:
    """An IP named location; `ranges` in CIDR form."""

    location_id: str
    display_name: str
    ranges: tuple[str, ...]
    is_trusted: bool


@dataclass(frozen=True, slots=True)
class SignInConditions:
    """A sign-in to ask about: every condition a policy can look at is supplied, for what is missing never matches."""

    user_id: UUID
    resource_app_id: str
    ip: str
    country: str | None


@dataclass(frozen=True, slots=True)
class Applied:
    """A policy that would apply, or may: Graph says `notEnoughInformation` when a condition is not ours to know."""

    policy_id: str
    is_certain: bool = True


class TenantPolicies(Protocol):
    """Microsoft Graph, as our application, for what governs sign-ins in one tenant.

    Every method raises Refused `consentMissing` or `permissionMissing`; the conditional access ones also
    `licenceMissing` where the tenant has no Entra ID P1. `per_user_mfa` and `other_methods` raise Transient
    `accountLost` while the user is not there.
    """

    def has_premium(self, tenant_id: TenantId) -> bool:
        """Whether the tenant has Entra ID P1 or P2 (GET /subscribedSkus)."""

    def security_defaults(self, tenant_id: TenantId) -> bool:
        """Whether security defaults are on."""

    def per_user_mfa(self, tenant_id: TenantId, user_id: UUID) -> str:
        """`disabled`, `enabled` or `enforced` (beta: /users/{id}/authentication/requirements)."""

    def other_methods(self, tenant_id: TenantId, user_id: UUID) -> tuple[str, ...]:
        """The user's authentication methods besides the password, by Graph type name."""

    def application_roles(self, tenant_id: TenantId, application_id: UUID) -> frozenset[UUID]:
        """The directory roles (template ids) our own service principal holds tenant-wide."""

    def policies(self, tenant_id: TenantId) -> tuple[Policy, ...]:
        """Every conditional access policy; one request for up to a page of them."""

    def policy(self, tenant_id: TenantId, policy_id: str) -> Policy | None:
        """One policy, or None when it is gone."""

    def what_if(self, tenant_id: TenantId, conditions: SignInConditions) -> tuple[Applied, ...]:
        """The enabled and report-only policies that would apply, or may (POST …/conditionalAccess/evaluate)."""

    def named_locations(self, tenant_id: TenantId) -> tuple[NamedLocation, ...]:
        """Every IP named location."""

    def create_location(self, tenant_id: TenantId, display_name: str, ranges: tuple[str, ...]) -> str:
        """Make an IP location, never trusted; its id."""

    def set_location(self, tenant_id: TenantId, location_id: str, display_name: str, ranges: tuple[str, ...]) -> None:
        """Replace its ranges. Raises NotFound `notFound` when it is gone."""

    def delete_location(self, tenant_id: TenantId, location_id: str) -> None:
        """Gone already is fine. Raises Transient `cleanupIncomplete` while a policy refers to it."""

    def create_policy(
        self, tenant_id: TenantId, display_name: str, *, user_id: UUID, location_id: str, control: str
    ) -> str:
        """Make a report-only policy that demands `control` (block, mfa) of this user outside the location; its id.

        Raises:
            Transient: the location is not known everywhere yet (Graph's error 1040).
        """

    def set_policy(self, tenant_id: TenantId, policy_id: str, *, state: str, control: str) -> None:
        """Set the state and the control of a policy of ours.

        Raises:
            NotFound: `notFound`: it is gone.
            Refused: `signInBlocked`: no policy can be enabled while security defaults are on.
        """

    def delete_policy(self, tenant_id: TenantId, policy_id: str) -> None:
        """Gone already is fine."""

    def exclude_users(self, tenant_id: TenantId, policy_id: str, user_ids: tuple[str, ...]) -> None:
        """Replace the excluded users of a policy, nothing else. Raises NotFound `notFound` when it is gone."""
