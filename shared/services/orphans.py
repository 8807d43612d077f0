"""Compare the record with the tenant: what the record names and is gone, what bears our mark and no record names.

An orphan is removed only when it is ours beyond doubt and of use to nobody; what is not is told, and left to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared.domain import record_findings
from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME
from shared.domain.errors import Code, Problem, Refused, Transient
from shared.domain.policies import NamedLocation, Policy
from shared.domain.policy_check import Finding, Orphan, OrphanKind
from shared.domain.ports import DirectoryUser
from shared.domain.tenant import Tenant
from shared.services.create_account import is_ours, marker_of, names_of, owner_of
from shared.services.world import World


def look_at_account(world: World, tenant: Tenant, *, is_patient: bool) -> Finding:
    """The recorded account as it is in the tenant.

    Raises:
        Transient: `accountLost`: it is neither there nor in the recycle bin, and somebody patient looks again.
    """
    account, application_id = tenant.account, world.application_id
    name = str(account.user_principal_name)
    found = world.directory.user(tenant.tenant_id, str(account.require_object_id()))
    if found is not None:
        mark, ours = marker_of(tenant, application_id), is_ours(found, tenant, application_id)
        return record_findings.account(name, found, mark, is_ours=ours)
    deleted = world.directory.deleted_user(tenant.tenant_id, name)
    is_in_bin = deleted is not None and deleted.object_id == account.object_id
    if is_patient and not is_in_bin:
        raise Transient(Problem(Code.ACCOUNT_LOST, f"The service account {name} is not to be seen in the tenant."))
    return record_findings.account_gone(name, is_in_bin=is_in_bin)


def unrecorded_accounts(world: World, tenant: Tenant, *, has_account: bool) -> tuple[Orphan, ...]:
    """The users that carry our mark, but for the recorded one; `has_account` says that this one is as it should be."""
    marked = world.directory.marked_users(tenant.tenant_id, owner_of(tenant, world.application_id))
    others = [
        user
        for user in marked
        if user.object_id != tenant.account.object_id and is_ours(user, tenant, world.application_id)
    ]
    return tuple(
        Orphan(
            OrphanKind.USER,
            str(user.object_id),
            user.user_principal_name,
            may_go=has_account and _is_dead_attempts(world, tenant, user),
        )
        for user in others
    )


def unrecorded_policies(
    tenant: Tenant, policies: Sequence[Policy], locations: Sequence[NamedLocation]
) -> tuple[Orphan, ...]:
    """What is called like what we make for allowed IPs, but for the recorded ones."""
    ips = tenant.allowed_ips
    return (
        *(
            Orphan(OrphanKind.POLICY, policy.policy_id, policy.display_name, may_go=_is_about_us(tenant, policy))
            for policy in policies
            if policy.display_name == POLICY_NAME and policy.policy_id != ips.policy_id
        ),
        *(
            Orphan(OrphanKind.LOCATION, place.location_id, place.display_name, may_go=not place.is_trusted)
            for place in locations
            if place.display_name == LOCATION_NAME and place.location_id != ips.location_id
        ),
    )


def remove(world: World, tenant: Tenant, orphan: Orphan) -> bool:
    """Remove what may go, if it still may; whether it is gone. What is refused, or in use, stays.

    Raises:
        Transient: Graph is away.
    """
    acting = world.as_onboarding()
    try:
        match orphan.kind:
            case OrphanKind.USER:
                return _remove_user(acting, tenant, orphan.orphan_id)
            case OrphanKind.POLICY:
                return _remove_policy(acting, tenant, orphan.orphan_id)
            case OrphanKind.LOCATION:
                return _remove_location(acting, tenant, orphan.orphan_id)
    except Refused:
        return False


def _remove_user(world: World, tenant: Tenant, object_id: str) -> bool:
    found = world.directory.user(tenant.tenant_id, object_id)
    if found is not None:
        if not _is_dead_attempts(world, tenant, found):
            return False
        world.directory.delete_user(tenant.tenant_id, UUID(object_id))
    return True


def _remove_policy(world: World, tenant: Tenant, policy_id: str) -> bool:
    found = world.policies.policy(tenant.tenant_id, policy_id)
    if found is not None:
        if found.display_name != POLICY_NAME or not _is_about_us(tenant, found):
            return False
        world.policies.delete_policy(tenant.tenant_id, policy_id)
    return True


def _remove_location(world: World, tenant: Tenant, location_id: str) -> bool:
    """Graph itself keeps a location that a policy refers to, so it is nobody's if it goes."""
    known = world.policies.named_locations(tenant.tenant_id)
    found = next((place for place in known if place.location_id == location_id), None)
    if found is not None:
        if found.display_name != LOCATION_NAME or found.is_trusted:
            return False
        try:
            world.policies.delete_location(tenant.tenant_id, location_id)
        except Transient as error:
            if error.problem.code is not Code.CLEANUP_INCOMPLETE:
                raise
            return False
    return True


def _is_dead_attempts(world: World, tenant: Tenant, user: DirectoryUser) -> bool:
    """Whether an attempt at the recorded account made it and died: it has its whole mark, a name of ours, and no role.

    Roles are given only to the user on record. So nothing can be done with this one, and nobody but us can sign in as
    it; deleted, it stays in the recycle bin for thirty days.
    """
    names = {name.lower() for name in names_of(tenant)}
    return (
        user.object_id != tenant.account.object_id
        and user.marker == marker_of(tenant, world.application_id)
        and user.user_principal_name.lower() in names
        and not world.directory.role_assignments(tenant.tenant_id, user.object_id)
    )


def _is_about_us(tenant: Tenant, policy: Policy) -> bool:
    """Whether the policy concerns the recorded account and nobody else, so that nobody else misses it."""
    return tenant.account.object_id is not None and policy.only_user == str(tenant.account.object_id)
