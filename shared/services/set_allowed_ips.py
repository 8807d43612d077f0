"""Set allowed IPs: a named location, a policy for our account alone, and the exclusions that were asked for.

The policy is made in report-only and enforced last, when a what-if has shown that it spares our own addresses. What
we make carries a fixed name and is found again by it, so that a lost reply makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.allowed_ips import (
    LOCATION_NAME,
    POLICY_NAME,
    AllowedIps,
    AllowedIpsState,
    Exclusion,
    Outside,
)
from shared.domain.errors import Code, NotFound, Problem, Transient, refused
from shared.domain.operation import Operation, OperationKind
from shared.domain.policies import SignInConditions
from shared.domain.resources import APPLICATION_IDS, Resource
from shared.domain.tenant import Tenant
from shared.services.carry_out import Change, Done, Ending, entry_of
from shared.services.check_policies import CheckPolicies
from shared.services.world import World

_ChangeIps = Callable[[AllowedIps], AllowedIps]

_CONTROL = {Outside.BLOCK: "block", Outside.REQUIRE_MFA: "mfa"}
_STATE = {AllowedIpsState.ENABLED: "enabled", AllowedIpsState.REPORT_ONLY: "enabledForReportingButNotEnforced"}


class SetAllowedIps:
    """The flow behind `PUT …/allowed-ips`."""

    kind = OperationKind.SET_ALLOWED_IPS
    steps = ("namedLocation", "policy", "proposeExclusions", "applyExclusions", "enforce", "verify")

    def __init__(self, world: World, checks: CheckPolicies) -> None:
        self._world = world
        self._checks = checks

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; each looks first whether it was done before."""
        match step:
            case "namedLocation":
                return self._location(tenant)
            case "policy":
                return self._policy(tenant)
            case "proposeExclusions":
                return self._propose(tenant, operation)
            case "applyExclusions":
                return self._apply(tenant)
            case "enforce":
                return self._enforce(tenant)
            case _:
                return self._verify(tenant)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """The restriction is as asked for."""
        now, ips = self._world.clock.now(), tenant.allowed_ips
        made = replace(ips, state=ips.wanted, updated_at=now, problem=None)
        text = f"Allowed IPs are {ips.wanted.value} for {len(made.all_ranges)} ranges."
        entry = entry_of(operation, Event.ALLOWED_IPS_SET, text, now, outside=ips.outside)
        return Ending(lambda tenant: replace(tenant, allowed_ips=made), (), entry)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """What was made stays recorded, so that setting or removing it again finds it."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ALLOWED_IPS_FAILED, problem.message, now, code=problem.code)
        return Ending(_changed(lambda ips: replace(ips, state=AllowedIpsState.FAILED, problem=problem)), (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: what was made is recorded, or found by its name."""

    def _location(self, tenant: Tenant) -> Done:
        policies, ips, egress = self._world.policies, tenant.allowed_ips, self._world.egress_ips
        ranges = tuple(dict.fromkeys((*ips.ranges, *egress)))
        location_id = ips.location_id
        if location_id is None:
            known = (
                place for place in policies.named_locations(tenant.tenant_id) if place.display_name == LOCATION_NAME
            )
            location_id = next((place.location_id for place in known), None)
        try:
            if location_id is not None:
                policies.set_location(tenant.tenant_id, location_id, LOCATION_NAME, ranges)
        except NotFound:
            location_id = None
        made = location_id or policies.create_location(tenant.tenant_id, LOCATION_NAME, ranges)
        return Done(_changed(lambda ips: replace(ips, location_id=made, egress=egress)))

    def _policy(self, tenant: Tenant) -> Done:
        policies, ips = self._world.policies, tenant.allowed_ips
        user_id = tenant.account.require_object_id()
        policy_id = ips.policy_id
        if policy_id is None:
            known = (policy for policy in policies.policies(tenant.tenant_id) if policy.display_name == POLICY_NAME)
            policy_id = next((policy.policy_id for policy in known), None)
        if policy_id is not None and policies.policy(tenant.tenant_id, policy_id) is None:
            policy_id = None
        made = policy_id or policies.create_policy(
            tenant.tenant_id,
            POLICY_NAME,
            user_id=user_id,
            location_id=str(ips.location_id),
            control=_CONTROL[ips.outside],
        )
        return Done(_changed(lambda ips: replace(ips, policy_id=made)))

    def _propose(self, tenant: Tenant, operation: Operation) -> Done:
        """An exclusion of our account from every policy of the customer's that blocks it, now or when it is enabled."""
        check = self._checks.run(tenant, operation, with_sign_in=False)
        user_id = str(tenant.account.require_object_id())
        done = {exclusion.policy_id: exclusion for exclusion in tenant.allowed_ips.exclusions if exclusion.is_applied}
        for hit in (hit for finding in check.findings for hit in finding.policies):
            if hit.policy_id in done or hit.policy_id == tenant.allowed_ips.policy_id:
                continue
            policy = self._world.policies.policy(tenant.tenant_id, hit.policy_id)
            if policy is not None:
                after = tuple(dict.fromkeys((*policy.excluded_users, user_id)))
                done[hit.policy_id] = Exclusion(policy.policy_id, policy.display_name, policy.excluded_users, after)
        exclusions = tuple(done.values())
        return Done(_changed(lambda ips: replace(ips, exclusions=exclusions)))

    def _apply(self, tenant: Tenant) -> Done:
        """Read, modify, write, read back: a policy has no etag, so only looking again tells that nobody got between."""
        if not tenant.allowed_ips.apply_exclusions:
            return Done()
        policies, tenant_id = self._world.policies, tenant.tenant_id
        user_id = str(tenant.account.require_object_id())
        applied = []
        for exclusion in tenant.allowed_ips.exclusions:
            policy = policies.policy(tenant_id, exclusion.policy_id)
            if policy is None:
                continue
            wanted = tuple(dict.fromkeys((*policy.excluded_users, user_id)))
            if wanted != policy.excluded_users:
                policies.exclude_users(tenant_id, exclusion.policy_id, wanted)
                self._read_back(tenant, exclusion, wanted)
            before = tuple(user for user in policy.excluded_users if user != user_id)
            applied.append(replace(exclusion, before=before, after=wanted, is_applied=True))
        return Done(_changed(lambda ips: replace(ips, exclusions=tuple(applied))))

    def _read_back(self, tenant: Tenant, exclusion: Exclusion, wanted: tuple[str, ...]) -> None:
        written = self._world.policies.policy(tenant.tenant_id, exclusion.policy_id)
        if written is None or set(written.excluded_users) != set(wanted):
            text = f"The policy “{exclusion.display_name}” was changed by somebody else at the same time."
            raise Transient(Problem(Code.POLICY_CHANGED, text))

    def _enforce(self, tenant: Tenant) -> Done:
        ips = tenant.allowed_ips
        if ips.wanted is AllowedIpsState.ENABLED:
            self._require_spared(tenant)
        self._world.policies.set_policy(
            tenant.tenant_id, str(ips.policy_id), state=_STATE[ips.wanted], control=_CONTROL[ips.outside]
        )
        return Done()

    def _require_spared(self, tenant: Tenant) -> None:
        """Our own policy must not hit our own addresses: else enforcing it would lock us out.

        Raises:
            Refused: `policyChanged`: it would.
        """
        for cidr in self._world.egress_ips:
            asked = SignInConditions(
                tenant.account.require_object_id(),
                APPLICATION_IDS[Resource.GRAPH],
                cidr.partition("/")[0],
                self._world.egress_country,
            )
            found = self._world.policies.what_if(tenant.tenant_id, asked)
            if any(policy.policy_id == tenant.allowed_ips.policy_id for policy in found):
                raise refused(
                    Code.POLICY_CHANGED,
                    "The allowed IPs policy would hit our own addresses, so it was left in report-only.",
                    step="Look whether somebody changed the policy or its location in the tenant, then set it again.",
                )

    def _verify(self, tenant: Tenant) -> Done:
        ips = tenant.allowed_ips
        policy = self._world.policies.policy(tenant.tenant_id, str(ips.policy_id))
        if policy is None or policy.state != _STATE[ips.wanted]:
            raise Transient(Problem(Code.POLICY_CHANGED, "The allowed IPs policy does not show its new state yet."))
        return Done()


def _changed(change: _ChangeIps) -> Change:
    return lambda tenant: replace(tenant, allowed_ips=change(tenant.allowed_ips))
