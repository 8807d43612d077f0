"""Remove allowed IPs: our policy, our location, and our account from the exclusions that were made for it."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME, AllowedIps, AllowedIpsState
from shared.domain.errors import Problem
from shared.domain.operation import Operation, OperationKind
from shared.domain.tenant import Tenant
from shared.services import exclusions
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.find_allowed_ips import own_locations, own_policies
from shared.services.world import World


class RemoveAllowedIps:
    """The flow behind `DELETE …/allowed-ips`; disabling advanced management does the same on its way."""

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
                self.remove_policy(tenant)
            case _:
                self.remove_location(tenant)
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

    def undo_exclusions(self, tenant: Tenant) -> list[str]:
        """Take our account out of the exclusions we made, or may have made; the names of the policies it was in."""
        made = [exclusion for exclusion in tenant.allowed_ips.exclusions if exclusion.may_be_there]
        return [exclusion.display_name for exclusion in made if exclusions.undo(self._world, tenant, exclusion)]

    def remove_policy(self, tenant: Tenant) -> list[str]:
        """Delete our policy, also one whose id was never recorded; its name, if there was one."""
        ours = own_policies(self._world, tenant)
        for policy in ours:
            self._world.policies.delete_policy(tenant.tenant_id, policy.policy_id)
        return [POLICY_NAME] if ours else []

    def find_exclusions(self, tenant: Tenant) -> list[str]:
        """The names of the policies that `undo_exclusions` would change."""
        made = [exclusion for exclusion in tenant.allowed_ips.exclusions if exclusion.may_be_there]
        return [exclusion.display_name for exclusion in made if exclusions.stands(self._world, tenant, exclusion)]

    def find_policy(self, tenant: Tenant) -> list[str]:
        """What `remove_policy` would remove."""
        return [POLICY_NAME] if own_policies(self._world, tenant) else []

    def find_location(self, tenant: Tenant) -> list[str]:
        """What `remove_location` would remove."""
        return [LOCATION_NAME] if own_locations(self._world, tenant) else []

    def leftovers(self, tenant: Tenant) -> list[str]:
        """What of ours can still be seen in the tenant's policies, looked for by its recorded ids."""
        policies, ips, seen = self._world.policies, tenant.allowed_ips, []
        if ips.policy_id and policies.policy(tenant.tenant_id, ips.policy_id) is not None:
            seen.append(POLICY_NAME)
        if ips.location_id:
            known = policies.named_locations(tenant.tenant_id)
            seen += [LOCATION_NAME for place in known if place.location_id == ips.location_id]
        return seen

    def remove_location(self, tenant: Tenant) -> list[str]:
        """Delete our named location, after the policy that refers to it; its name, if there was one."""
        ours = own_locations(self._world, tenant)
        for location_id in ours:
            self._world.policies.delete_location(tenant.tenant_id, location_id)
        return [LOCATION_NAME] if ours else []
