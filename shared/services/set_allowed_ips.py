"""Set allowed IPs: a named location, a policy for our account alone, and the exclusions that were asked for.

The policy is made in report-only and enforced last, when a what-if has shown that it spares our own addresses. What
we make carries a fixed name and is found again by it, so that a lost reply makes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.allowed_ips import (
    CONTROLS,
    LOCATION_NAME,
    POLICY_NAME,
    POLICY_STATES,
    AllowedIps,
    AllowedIpsState,
    Exclusion,
)
from shared.domain.errors import Code, NotFound, Problem, Transient, refused
from shared.domain.operation import Operation, OperationKind
from shared.domain.policies import SignInConditions
from shared.domain.resources import APPLICATION_IDS, Resource
from shared.domain.tenant import AccountState, Tenant
from shared.services import exclusions
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.check_policies import CheckPolicies
from shared.services.create_account import require_ours
from shared.services.find_allowed_ips import own_locations, own_policies
from shared.services.remove_allowed_ips import RemoveAllowedIps
from shared.services.work import Change
from shared.services.world import World

_ChangeIps = Callable[[AllowedIps], AllowedIps]


class SetAllowedIps:
    """The flow behind `PUT …/allowed-ips`."""

    kind = OperationKind.SET_ALLOWED_IPS
    steps = ("namedLocation", "policy", "proposeExclusions", "applyExclusions", "enforce", "verify")

    def __init__(self, world: World, checks: CheckPolicies) -> None:
        self._world = world
        self._checks = checks
        self._removal = RemoveAllowedIps(world)

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
        """The restriction is as asked for; what the last check found is out of date by it."""
        now, ips = self._world.clock.now(), tenant.allowed_ips
        made = replace(ips, state=ips.wanted, updated_at=now, problem=None)
        text = f"Allowed IPs are {ips.wanted.value} for {len(made.all_ranges)} ranges."
        entry = entry_of(operation, Event.ALLOWED_IPS_SET, text, now, outside=ips.outside)

        def done(tenant: Tenant) -> Tenant:
            return replace(tenant, allowed_ips=made, policy_check=tenant.policy_check.outdated())

        return Ending(done, (), entry)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """What was made stays recorded, so that setting or removing it again finds it."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ALLOWED_IPS_FAILED, problem.message, now, code=problem.code)

        def failed(tenant: Tenant) -> Tenant:
            ips = replace(tenant.allowed_ips, state=AllowedIpsState.FAILED, problem=problem)
            return replace(tenant, allowed_ips=ips, policy_check=tenant.policy_check.outdated())

        return Ending(failed, (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """What others have not recorded goes: they made the same, or removed everything behind our back."""
        now, policies, notes = self._world.store.tenant(tenant.tenant_id).row, self._world.policies, operation.notes
        is_removed = now.account.state is AccountState.DELETING or not now.allowed_ips.leaves_traces
        if is_removed:
            self._removal.undo_exclusions(tenant)
        if "policyId" in notes and (is_removed or notes["policyId"] != now.allowed_ips.policy_id):
            policies.delete_policy(tenant.tenant_id, notes["policyId"])
        if "locationId" in notes and (is_removed or notes["locationId"] != now.allowed_ips.location_id):
            policies.delete_location(tenant.tenant_id, notes["locationId"])

    def _location(self, tenant: Tenant) -> Done:
        policies, tenant_id, egress = self._world.policies, tenant.tenant_id, self._world.egress_ips
        ranges = tuple(dict.fromkeys((*tenant.allowed_ips.ranges, *egress)))
        require_ours(self._world, tenant)  # before anybody is restricted or spared
        stale = own_policies(self._world, tenant)  # read first: what was made since belongs to a location there is
        found = own_locations(self._world, tenant)
        if found:
            made = found[0]
            try:
                policies.set_location(tenant_id, made, LOCATION_NAME, ranges)
            except NotFound as error:  # deleted this moment: look again
                raise Transient(error.problem) from error
        else:
            for policy in stale:  # it spares a place that is gone, so nobody
                policies.delete_policy(tenant_id, policy.policy_id)
            made = policies.create_location(tenant_id, LOCATION_NAME, ranges)
        return Done(_changed(lambda ips: replace(ips, location_id=made, egress=egress)), {"locationId": made})

    def _policy(self, tenant: Tenant) -> Done:
        ips, user_id = tenant.allowed_ips, tenant.account.require_object_id()
        ours = own_policies(self._world, tenant)
        found = [policy for policy in ours if policy.only_user in (None, str(user_id))]
        for policy in ours:
            if policy not in found:  # it is about an account that was lost and made anew since
                self._world.policies.delete_policy(tenant.tenant_id, policy.policy_id)
        made = (
            found[0].policy_id
            if found
            else self._world.policies.create_policy(
                tenant.tenant_id,
                POLICY_NAME,
                user_id=user_id,
                location_id=str(ips.location_id),
                control=CONTROLS[ips.outside],
            )
        )
        return Done(_changed(lambda ips: replace(ips, policy_id=made)), {"policyId": made})

    def _propose(self, tenant: Tenant, operation: Operation) -> Done:
        """An exclusion of our account from every policy of the customer's that blocks it, now or when it is enabled."""
        check = self._checks.run(tenant, operation, with_sign_in=False)
        user_id, ips = str(tenant.account.require_object_id()), tenant.allowed_ips
        proposed = {exclusion.policy_id: exclusion for exclusion in ips.exclusions if exclusion.may_be_there}
        for hit in (hit for finding in check.findings for hit in finding.policies):
            if hit.policy_id in proposed or hit.policy_id == ips.policy_id:
                continue
            policy = self._world.policies.policy(tenant.tenant_id, hit.policy_id)
            if policy is not None:
                before = policy.excluded_users
                after = tuple(dict.fromkeys((*before, user_id)))
                proposed[hit.policy_id] = Exclusion(hit.policy_id, policy.display_name, before, after)
        asked = tuple(replace(each, is_asked=each.is_asked or ips.apply_exclusions) for each in proposed.values())
        return Done(_changed(lambda ips: replace(ips, exclusions=asked)))

    def _apply(self, tenant: Tenant) -> Done:
        """What was asked for is recorded before this: whatever comes in between, it is found when all is undone."""
        if not tenant.allowed_ips.apply_exclusions:
            return Done()
        made = [exclusions.make(self._world, tenant, each) for each in tenant.allowed_ips.exclusions]
        applied = tuple(each for each in made if each is not None)
        return Done(_changed(lambda ips: replace(ips, exclusions=applied)))

    def _enforce(self, tenant: Tenant) -> Done:
        ips = tenant.allowed_ips
        if ips.wanted is AllowedIpsState.ENABLED:
            self._require_spared(tenant)
        self._world.policies.set_policy(
            tenant.tenant_id, str(ips.policy_id), state=POLICY_STATES[ips.wanted], control=CONTROLS[ips.outside]
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
                    "The allowed IPs policy would hit our own addresses, so it was not enforced.",
                    step="Look whether somebody changed the policy or its location in the tenant, then set it again.",
                )

    def _verify(self, tenant: Tenant) -> Done:
        ips = tenant.allowed_ips
        policy = self._world.policies.policy(tenant.tenant_id, str(ips.policy_id))
        if policy is None or policy.state != POLICY_STATES[ips.wanted]:
            raise Transient(Problem(Code.POLICY_CHANGED, "The allowed IPs policy does not show its new state yet."))
        return Done()


def _changed(change: _ChangeIps) -> Change:
    return lambda tenant: replace(tenant, allowed_ips=change(tenant.allowed_ips))
