"""What a tenant's conditional access says in one pass: each list is read once, and no sign-in is evaluated twice."""

from __future__ import annotations

from shared.domain import policy_findings, record_findings
from shared.domain.policies import NamedLocation, Policy, SignInConditions
from shared.domain.policy_check import FOREIGN_IP, Finding, Orphan, WhatIf
from shared.domain.resources import APPLICATION_IDS, Resource
from shared.domain.tenant import Tenant
from shared.services.orphans import unrecorded_policies
from shared.services.world import World


class ConditionalAccess:
    """One pass over it.

    Attributes:
        what_ifs: the evaluations made so far, those of an earlier pass included.
    """

    def __init__(self, world: World, tenant: Tenant, what_ifs: tuple[WhatIf, ...]) -> None:
        self._world = world
        self._tenant = tenant
        self._policies: tuple[Policy, ...] | None = None
        self._locations: tuple[NamedLocation, ...] | None = None
        self.what_ifs = what_ifs

    def rows(self) -> tuple[Finding, Finding]:
        """What blocks now, and what will: every resource from every address of ours, and once from elsewhere.

        Raises:
            Refused, Transient: as the TenantPolicies port; what was evaluated is kept.
        """
        policies = self._all_policies()
        if policies:
            addresses = [cidr.partition("/")[0] for cidr in self._world.egress_ips]
            for resource in APPLICATION_IDS:
                for ip in addresses:
                    self._evaluate(resource, ip)
            self._evaluate(Resource.GRAPH, FOREIGN_IP)
        return policy_findings.conditional_access(self._tenant, policies, self.what_ifs)

    def named_location(self) -> Finding:
        """Whether our location and our policy are as they were asked for.

        Raises:
            Refused, Transient: as `rows`.
        """
        wanted = self._tenant.allowed_ips
        nothing = policy_findings.no_named_location(wanted)
        if nothing is not None:
            return nothing
        policy = next((policy for policy in self._all_policies() if policy.policy_id == wanted.policy_id), None)
        locations, user_id = self._all_locations(), self._tenant.account.require_object_id()
        self._evaluate(Resource.GRAPH, FOREIGN_IP)
        egress = self._world.egress_ips
        return policy_findings.named_location(wanted, egress, locations, policy, self.what_ifs, account=user_id)

    def orphans(self) -> tuple[Orphan, ...] | Finding:
        """What bears our names and no record names; or the row that says why nobody looked.

        Raises:
            Refused, Transient: as `rows`.
        """
        nothing = record_findings.no_unrecorded_policies(self._tenant.allowed_ips)
        return nothing or unrecorded_policies(self._tenant, self._all_policies(), self._all_locations())

    def _all_policies(self) -> tuple[Policy, ...]:
        if self._policies is None:
            self._policies = self._world.policies.policies(self._tenant.tenant_id)
        return self._policies

    def _all_locations(self) -> tuple[NamedLocation, ...]:
        if self._locations is None:
            self._locations = self._world.policies.named_locations(self._tenant.tenant_id)
        return self._locations

    def _evaluate(self, resource: Resource, ip: str) -> None:
        if any(done.resource is resource and done.ip == ip for done in self.what_ifs):
            return
        country = self._world.egress_country if ip != FOREIGN_IP else None
        user_id = self._tenant.account.require_object_id()
        asked = SignInConditions(user_id, APPLICATION_IDS[resource], ip, country)
        found = self._world.policies.what_if(self._tenant.tenant_id, asked)
        applied = tuple(policy.policy_id for policy in found if policy.is_certain)
        uncertain = tuple(policy.policy_id for policy in found if not policy.is_certain)
        self.what_ifs = (*self.what_ifs, WhatIf(resource, ip, applied, uncertain))
