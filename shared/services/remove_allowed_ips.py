"""Remove allowed IPs: our policy, our location, and our account from the exclusions that were made for it."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.allowed_ips import AllowedIps, AllowedIpsState
from shared.domain.errors import Problem
from shared.domain.operation import Operation, OperationKind
from shared.domain.tenant import Tenant
from shared.services import exclusions
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.find_allowed_ips import own_locations, own_policies
from shared.services.world import World


class RemoveAllowedIps:
    """The flow behind `DELETE …/allowed-ips`; disabling advanced management has a way of its own, for it reports."""

    kind = OperationKind.REMOVE_ALLOWED_IPS
    steps = ("undoExclusions", "removePolicy", "removeLocation")

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; what is gone already counts as removed."""
        match step:
            case "undoExclusions":
                self.undo_exclusions(tenant)
            case "removePolicy":
                self._remove_policy(tenant)
            case _:
                self._remove_location(tenant)
        return Done()

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """Nothing of ours is left in the tenant's policies; what the last check found is out of date by it."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ALLOWED_IPS_REMOVED, "Allowed IPs were removed.", now)

        def done(tenant: Tenant) -> Tenant:
            return replace(tenant, allowed_ips=AllowedIps(updated_at=now), policy_check=tenant.policy_check.outdated())

        return Ending(done, (), entry)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """What is left stays recorded."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ALLOWED_IPS_FAILED, problem.message, now, code=problem.code)

        def failed(tenant: Tenant) -> Tenant:
            ips = replace(tenant.allowed_ips, state=AllowedIpsState.FAILED, problem=problem)
            return replace(tenant, allowed_ips=ips, policy_check=tenant.policy_check.outdated())

        return Ending(failed, (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: what is left is recorded, or found by its name."""

    def undo_exclusions(self, tenant: Tenant) -> None:
        """Take our account out of the exclusions we made, or may have made."""
        for exclusion in tenant.allowed_ips.exclusions:
            if exclusion.may_be_there:
                exclusions.undo(self._world, tenant, exclusion)

    def _remove_policy(self, tenant: Tenant) -> None:
        """Delete our policy, also one whose id was never recorded."""
        for policy in own_policies(self._world, tenant):
            self._world.policies.delete_policy(tenant.tenant_id, policy.policy_id)

    def _remove_location(self, tenant: Tenant) -> None:
        """Delete our named location, after the policy that refers to it."""
        for location_id in own_locations(self._world, tenant):
            self._world.policies.delete_location(tenant.tenant_id, location_id)
