"""Tenants' policies in memory: a few rules a test writes down, and what-if answers that follow from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from uuid import UUID, uuid4

from shared.domain.directory_roles import PRIVILEGED_AUTHENTICATION_ADMINISTRATOR, SINGLE, Registration
from shared.domain.errors import Code, Problem, Transient, not_found, refused
from shared.domain.ids import TenantId
from shared.domain.policies import Applied, NamedLocation, Policy, SignInConditions, TenantPolicies
from tests.fakes.calls import CallLog, logs
from tests.fakes.microsoft365 import READ_ROLES, READ_WRITE_ROLES, FakeTenant, FakeTenants, admitted

READ = "Policy.Read.All"
WRITE = "Policy.ReadWrite.ConditionalAccess"


@dataclass(slots=True)
class FakePolicy:
    """A conditional access policy: whom it concerns, at which resources and from where. None means any.

    Attributes:
        resources: application ids.
        ranges: CIDR ranges it concerns.
        spared_location: the location from where it does not.
        is_certain: whether a what-if can tell; where it cannot, the policy may or may not apply.
    """

    display_name: str
    controls: tuple[str, ...] = ("mfa",)
    state: str = "enabled"
    users: frozenset[UUID] | None = None
    resources: frozenset[str] | None = None
    ranges: tuple[str, ...] | None = None
    spared_location: str | None = None
    excluded_users: tuple[str, ...] = ()
    is_certain: bool = True
    is_microsoft_managed: bool = False
    created_at: datetime | None = None
    policy_id: str = field(default_factory=lambda: str(uuid4()))

    def shown(self) -> Policy:
        """The policy as the port tells it."""
        return Policy(
            self.policy_id,
            self.display_name,
            self.state,
            self.controls,
            self.excluded_users,
            self.is_microsoft_managed,
            self.created_at,
            str(next(iter(self.users))) if self.users is not None and len(self.users) == 1 else None,
        )

    def concerns(self, asked: SignInConditions) -> bool:
        """Whether the sign-in is one it is about, places that it spares apart."""
        return (
            self.state != "disabled"
            and str(asked.user_id) not in self.excluded_users
            and (self.users is None or asked.user_id in self.users)
            and (self.resources is None or asked.resource_app_id in self.resources)
            and (self.ranges is None or _is_in(asked.ip, self.ranges))
        )


@dataclass(slots=True)
class FakeRules:
    """What governs sign-ins in one fake tenant; a test changes it at will.

    Attributes:
        per_user_mfa, other_methods: of users who have any.
        location_lag: how many policies that name a new location are refused before it is known.
    """

    has_premium: bool = True
    security_defaults: bool = False
    per_user_mfa: dict[UUID, str] = field(default_factory=dict)
    other_methods: dict[UUID, tuple[str, ...]] = field(default_factory=dict)
    policies: dict[str, FakePolicy] = field(default_factory=dict)
    locations: dict[str, NamedLocation] = field(default_factory=dict)
    location_lag: int = 0

    def add(self, policy: FakePolicy) -> FakePolicy:
        """A policy that the tenant's administrators made."""
        self.policies[policy.policy_id] = policy
        return policy

    def apply(self, policy: FakePolicy, asked: SignInConditions) -> bool:
        """Whether the policy applies to the sign-in."""
        spared = self.locations.get(policy.spared_location) if policy.spared_location else None
        return policy.concerns(asked) and not (spared and _is_in(asked.ip, spared.ranges))


@logs(TenantPolicies)
class FakeTenantPolicies:
    """Policies of tenants (TenantPolicies port), as one of our applications knows them.

    What they have consented to is in the tenants that all fakes share.

    Attributes:
        rules: tenant by tenant, each coming into being when it is first looked at.
    """

    def __init__(
        self,
        tenants: FakeTenants,
        log: CallLog | None = None,
        asked: Registration = SINGLE,
        rules: defaultdict[TenantId, FakeRules] | None = None,
    ) -> None:
        self.log = CallLog() if log is None else log
        self.tenants = tenants
        self.rules = defaultdict(FakeRules) if rules is None else rules
        self._asked = asked

    def has_premium(self, tenant_id: TenantId) -> bool:
        self._admitted(tenant_id, "Organization.Read.All")
        return self.rules[tenant_id].has_premium

    def security_defaults(self, tenant_id: TenantId) -> bool:
        self._admitted(tenant_id, READ)
        return self.rules[tenant_id].security_defaults

    def per_user_mfa(self, tenant_id: TenantId, user_id: UUID) -> str:
        _require_user(self._admitted(tenant_id, READ), user_id)
        return self.rules[tenant_id].per_user_mfa.get(user_id, "disabled")

    def other_methods(self, tenant_id: TenantId, user_id: UUID) -> tuple[str, ...]:
        _require_user(self._admitted(tenant_id, "UserAuthenticationMethod.Read.All"), user_id)
        return self.rules[tenant_id].other_methods.get(user_id, ())

    def application_roles(self, tenant_id: TenantId, application_id: UUID) -> frozenset[UUID]:
        tenant = self._admitted(tenant_id, READ_WRITE_ROLES, or_lesser=READ_ROLES)
        return frozenset({PRIVILEGED_AUTHENTICATION_ADMINISTRATOR.template_id} if tenant.has_directory_role else ())

    def policies(self, tenant_id: TenantId) -> tuple[Policy, ...]:
        return tuple(policy.shown() for policy in self._premium(tenant_id, READ).policies.values())

    def policy(self, tenant_id: TenantId, policy_id: str) -> Policy | None:
        found = self._premium(tenant_id, READ).policies.get(policy_id)
        return found.shown() if found else None

    def what_if(self, tenant_id: TenantId, conditions: SignInConditions) -> tuple[Applied, ...]:
        rules = self._premium(tenant_id, READ)
        if self.tenants[tenant_id].find(lambda user: user.object_id == conditions.user_id) is None:
            raise refused(Code.INTERNAL_ERROR, "The user of the what-if does not exist.")
        applied = (policy for policy in rules.policies.values() if rules.apply(policy, conditions))
        return tuple(Applied(policy.policy_id, policy.is_certain) for policy in applied)

    def named_locations(self, tenant_id: TenantId) -> tuple[NamedLocation, ...]:
        return tuple(self._premium(tenant_id, READ).locations.values())

    def create_location(self, tenant_id: TenantId, display_name: str, ranges: tuple[str, ...]) -> str:
        made = NamedLocation(str(uuid4()), display_name, ranges, is_trusted=False)
        self._premium(tenant_id, WRITE).locations[made.location_id] = made
        return made.location_id

    def set_location(self, tenant_id: TenantId, location_id: str, display_name: str, ranges: tuple[str, ...]) -> None:
        locations = self._premium(tenant_id, WRITE).locations
        if location_id not in locations:
            raise not_found(Code.NOT_FOUND, "There is no such location.")
        locations[location_id] = NamedLocation(location_id, display_name, ranges, is_trusted=False)

    def delete_location(self, tenant_id: TenantId, location_id: str) -> None:
        rules = self._premium(tenant_id, WRITE)
        if any(policy.spared_location == location_id for policy in rules.policies.values()):
            problem = Problem(Code.CLEANUP_INCOMPLETE, "A policy still refers to the location.")
            raise Transient(problem, timedelta(seconds=5))
        rules.locations.pop(location_id, None)

    def create_policy(
        self, tenant_id: TenantId, display_name: str, *, user_id: UUID, location_id: str, control: str
    ) -> str:
        rules = self._premium(tenant_id, WRITE)
        if location_id not in rules.locations or rules.location_lag > 0:
            rules.location_lag -= 1
            raise Transient(Problem(Code.UPSTREAM_UNAVAILABLE, "The location is not known yet."), timedelta(seconds=5))
        made = FakePolicy(
            display_name,
            (control,),
            "enabledForReportingButNotEnforced",
            users=frozenset({user_id}),
            spared_location=location_id,
        )
        return rules.add(made).policy_id

    def set_policy(self, tenant_id: TenantId, policy_id: str, *, state: str, control: str) -> None:
        rules = self._premium(tenant_id, WRITE)
        policy = _find(rules, policy_id)
        if state == "enabled" and rules.security_defaults:
            raise refused(Code.SIGN_IN_BLOCKED, "Security defaults are on.", step="Replace them by policies.")
        policy.state, policy.controls = state, (control,)

    def delete_policy(self, tenant_id: TenantId, policy_id: str) -> None:
        self._premium(tenant_id, WRITE).policies.pop(policy_id, None)

    def exclude_users(self, tenant_id: TenantId, policy_id: str, user_ids: tuple[str, ...]) -> None:
        rules = self._premium(tenant_id, WRITE)
        rules.policies[policy_id] = replace(_find(rules, policy_id), excluded_users=user_ids)

    def _admitted(self, tenant_id: TenantId, permission: str, *, or_lesser: str = "") -> FakeTenant:
        return admitted(self.tenants[tenant_id], self._asked, permission, or_lesser=or_lesser)

    def _premium(self, tenant_id: TenantId, permission: str) -> FakeRules:
        self._admitted(tenant_id, permission)
        rules = self.rules[tenant_id]
        if not rules.has_premium:
            raise refused(Code.LICENCE_MISSING, "The tenant has no Entra ID P1.", step="Add Entra ID P1 to the tenant.")
        return rules


def _require_user(tenant: FakeTenant, user_id: UUID) -> None:
    if tenant.find(lambda user: user.object_id == user_id) is None:
        raise Transient(Problem(Code.ACCOUNT_LOST, "The account is not there yet."))


def _find(rules: FakeRules, policy_id: str) -> FakePolicy:
    policy = rules.policies.get(policy_id)
    if policy is None:
        raise not_found(Code.NOT_FOUND, "There is no such policy.")
    return policy


def _is_in(ip: str, ranges: tuple[str, ...]) -> bool:
    return any(ip_address(ip) in ip_network(cidr, strict=False) for cidr in ranges)
