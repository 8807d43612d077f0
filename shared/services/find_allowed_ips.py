"""What we made in a tenant for its allowed IPs: found by its id and, since a reply may have been lost, by its name."""

from __future__ import annotations

from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME
from shared.domain.policies import Policy
from shared.domain.tenant import Tenant
from shared.services.world import World


def own_locations(world: World, tenant: Tenant) -> list[str]:
    """The ids of our named locations, the recorded one first; more than one only after a crash."""
    recorded = tenant.allowed_ips.location_id
    known = world.policies.named_locations(tenant.tenant_id)
    ours = [
        place.location_id for place in known if place.display_name == LOCATION_NAME or place.location_id == recorded
    ]
    return sorted(ours, key=lambda location_id: location_id != recorded)


def own_policies(world: World, tenant: Tenant) -> list[Policy]:
    """Our policies, the recorded one first; more than one only after a crash."""
    recorded = tenant.allowed_ips.policy_id
    known = world.policies.policies(tenant.tenant_id)
    ours = [policy for policy in known if policy.display_name == POLICY_NAME or policy.policy_id == recorded]
    return sorted(ours, key=lambda policy: policy.policy_id != recorded)
