"""Remove allowed IPs: our policy, our location, and our account from the exclusions that were made for it."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME, AllowedIps, AllowedIpsState
from shared.domain.errors import NotFound, Problem
from shared.domain.operation import Operation, OperationKind
from shared.domain.tenant import Tenant
from shared.services.carry_out import Done, Ending, entry_of
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
        """Nothing of ours is left in the tenant's policies."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ALLOWED_IPS_REMOVED, "Allowed IPs were removed.", now)
        return Ending(lambda tenant: replace(tenant, allowed_ips=AllowedIps(updated_at=now)), (), entry)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """What is left stays recorded."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ALLOWED_IPS_FAILED, problem.message, now, code=problem.code)

        def failed(tenant: Tenant) -> Tenant:
            ips = replace(tenant.allowed_ips, state=AllowedIpsState.FAILED, problem=problem)
            return replace(tenant, allowed_ips=ips)

        return Ending(failed, (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: what is left is recorded, or found by its name."""

    def undo_exclusions(self, tenant: Tenant) -> list[str]:
        """Take our account out of the exclusions we made, and leave everybody else there; the policies' names."""
        policies, user_id = self._world.policies, str(tenant.account.object_id)
        undone = []
        for exclusion in tenant.allowed_ips.exclusions:
            policy = policies.policy(tenant.tenant_id, exclusion.policy_id) if exclusion.is_applied else None
            if policy is None or user_id not in policy.excluded_users:
                continue
            kept = tuple(user for user in policy.excluded_users if user != user_id)
            try:
                policies.exclude_users(tenant.tenant_id, exclusion.policy_id, kept)
            except NotFound:
                continue  # the customer deleted it meanwhile
            undone.append(exclusion.display_name)
        return undone

    def remove_policy(self, tenant: Tenant) -> list[str]:
        """Delete our policy, also one whose id was never recorded; its name, if there was one."""
        policies = self._world.policies
        ours = [tenant.allowed_ips.policy_id] if tenant.allowed_ips.policy_id else []
        if not ours:
            known = policies.policies(tenant.tenant_id)
            ours = [policy.policy_id for policy in known if policy.display_name == POLICY_NAME]
        for policy_id in ours:
            policies.delete_policy(tenant.tenant_id, policy_id)
        return [POLICY_NAME] if ours else []

    def remove_location(self, tenant: Tenant) -> list[str]:
        """Delete our named location, after the policy that refers to it; its name, if there was one."""
        policies = self._world.policies
        ours = [tenant.allowed_ips.location_id] if tenant.allowed_ips.location_id else []
        if not ours:
            known = policies.named_locations(tenant.tenant_id)
            ours = [place.location_id for place in known if place.display_name == LOCATION_NAME]
        for location_id in ours:
            policies.delete_location(tenant.tenant_id, location_id)
        return [LOCATION_NAME] if ours else []
