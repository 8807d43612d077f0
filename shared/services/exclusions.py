"""Exclude our account in a policy of the customer's, or take it back: read, modify, write, and look again.

A policy has no etag, so only looking again tells that nobody got in between; then all is done again on what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.allowed_ips import Exclusion
from shared.domain.errors import Code, NotFound, Problem, Transient
from shared.domain.ids import TenantId
from shared.domain.tenant import Tenant
from shared.services.world import World


def make(world: World, tenant: Tenant, exclusion: Exclusion) -> Exclusion | None:
    """The exclusion, made and read back; None when the customer has deleted the policy.

    Raises:
        Transient: `policyChanged`: somebody else changed the policy at the same time.
    """
    policy = world.policies.policy(tenant.tenant_id, exclusion.policy_id)
    if policy is None:
        return None
    user_id = str(tenant.account.require_object_id())
    others = tuple(user for user in policy.excluded_users if user != user_id)
    wanted = policy.excluded_users if user_id in policy.excluded_users else (*others, user_id)
    if wanted != policy.excluded_users:
        try:
            world.policies.exclude_users(tenant.tenant_id, exclusion.policy_id, wanted)
        except NotFound:
            return None
        if not look_again(world, tenant.tenant_id, exclusion, wanted):
            return None
    return replace(exclusion, before=others, after=wanted, is_applied=True)


def stands(world: World, tenant: Tenant, exclusion: Exclusion) -> bool:
    """True while our account is among the policy's exclusions."""
    policy = world.policies.policy(tenant.tenant_id, exclusion.policy_id)
    return policy is not None and str(tenant.account.object_id) in policy.excluded_users


def undo(world: World, tenant: Tenant, exclusion: Exclusion) -> None:
    """Take our account out of the policy's exclusions, leave everybody else there, and look again.

    Raises:
        Transient: `policyChanged`: somebody else changed the policy at the same time.
    """
    kept = take_back(world, tenant, exclusion)
    if kept is not None:
        look_again(world, tenant.tenant_id, exclusion, kept)


def take_back(world: World, tenant: Tenant, exclusion: Exclusion) -> tuple[str, ...] | None:
    """Take our account out of the policy's exclusions: whom it excludes now; None when we were not among them."""
    policy = world.policies.policy(tenant.tenant_id, exclusion.policy_id)
    user_id = str(tenant.account.object_id)
    if policy is None or user_id not in policy.excluded_users:
        return None
    kept = tuple(user for user in policy.excluded_users if user != user_id)
    try:
        world.policies.exclude_users(tenant.tenant_id, exclusion.policy_id, kept)
    except NotFound:
        return None
    return kept


def look_again(world: World, tenant_id: TenantId, exclusion: Exclusion, wanted: Sequence[str]) -> bool:
    """True when the policy shows exactly these excluded users; False when it is gone.

    Raises:
        Transient: `policyChanged`: somebody else changed the policy at the same time.
    """
    written = world.policies.policy(tenant_id, exclusion.policy_id)
    if written is None:
        return False
    if set(written.excluded_users) != set(wanted):
        text = f"The policy “{exclusion.display_name}” was changed by somebody else at the same time."
        raise Transient(Problem(Code.POLICY_CHANGED, text))
    return True
