"""What is ours in a tenant, as the record has it and as it is found there: each thing with the way to take it away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from uuid import UUID

from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME, Exclusion
from shared.domain.directory_roles import PROFILES, ROLE_NAMES
from shared.domain.errors import Refused
from shared.domain.ports import DirectoryUser
from shared.domain.removal import Kind, Stock, Thing
from shared.domain.tenant import Tenant
from shared.services import exclusions
from shared.services.create_account import is_ours, marker_of, names_of, require_ours
from shared.services.find_allowed_ips import own_locations, own_policies
from shared.services.kept_secrets import secret_names
from shared.services.world import World

Found = tuple[Thing, Callable[[], None]]
"""Something that is there, and what takes it away."""


def inventory(tenant: Tenant) -> Stock:
    """All of ours that there is, may be or was: what removals have learnt, then what only the record knows of."""
    learnt = tenant.account.stock
    return (*learnt, *(thing for thing in _recorded(tenant) if not thing.is_among(learnt)))


def find(world: World, tenant: Tenant, kind: Kind) -> list[Found]:
    """Everything of that kind that is in the tenant now. Secrets are in no tenant: kept_secrets.py.

    Raises:
        Refused: nobody may look; `accountConflict`: the recorded user does not carry our mark.
    """
    match kind:
        case Kind.EXCLUSION | Kind.POLICY | Kind.LOCATION if not tenant.allowed_ips.leaves_traces:
            return []
        case Kind.EXCLUSION:
            return _exclusions(world, tenant)
        case Kind.POLICY:
            delete = partial(world.policies.delete_policy, tenant.tenant_id)
            ours = own_policies(world, tenant)
            return [(Thing(kind, each.display_name, each.policy_id), partial(delete, each.policy_id)) for each in ours]
        case Kind.LOCATION:
            delete = partial(world.policies.delete_location, tenant.tenant_id)
            return [(Thing(kind, LOCATION_NAME, each), partial(delete, each)) for each in own_locations(world, tenant)]
        case Kind.ROLE:
            return _roles(world, tenant)
        case Kind.USER:
            return _users(world, tenant)
        case Kind.SECRET:
            return []


def _recorded(tenant: Tenant) -> Iterator[Thing]:
    """What we made by the record, and what an attempt may have made that did not live to record it."""
    account, ips = tenant.account, tenant.allowed_ips
    for exclusion in ips.exclusions:
        if exclusion.may_be_there:
            yield Thing(Kind.EXCLUSION, exclusion.display_name, exclusion.policy_id)
    if ips.leaves_traces:
        yield Thing(Kind.POLICY, POLICY_NAME, ips.policy_id)
        yield Thing(Kind.LOCATION, LOCATION_NAME, ips.location_id)
    if account.object_id is not None:  # none is given to a user that is not recorded
        for role in account.roles or [role.template_id for role in PROFILES[tenant.role_profile]]:
            yield _role(role)
    if account.user_principal_name is not None:  # recorded before a user is asked for
        yield Thing(Kind.USER, account.user_principal_name, str(account.object_id) if account.object_id else None)
    for name in secret_names(tenant):
        yield Thing(Kind.SECRET, name)


def _role(template_id: UUID) -> Thing:
    return Thing(Kind.ROLE, ROLE_NAMES.get(template_id, str(template_id)), str(template_id))


def _exclusions(world: World, tenant: Tenant) -> list[Found]:
    made = [each for each in tenant.allowed_ips.exclusions if each.may_be_there]
    return [
        (Thing(Kind.EXCLUSION, each.display_name, each.policy_id), partial(_include_again, world, tenant, each))
        for each in made
        if exclusions.stands(world, tenant, each)
    ]


def _include_again(world: World, tenant: Tenant, exclusion: Exclusion) -> None:
    """What was acknowledged has happened, even when the look afterwards is refused."""
    kept = exclusions.take_back(world, tenant, exclusion)
    if kept is not None:
        with suppress(Refused):
            exclusions.look_again(world, tenant.tenant_id, exclusion, kept)


def _roles(world: World, tenant: Tenant) -> list[Found]:
    """What the recorded object id holds, also when its user is gone; of whatever else has that id nothing is taken."""
    object_id = tenant.account.object_id
    if object_id is None:
        return []
    is_user = require_ours(world, tenant) is not None
    remove = partial(world.directory.remove_role, tenant.tenant_id)
    return [
        (replace(_role(role.role_template_id), is_ours=is_user), partial(remove, role.assignment_id))
        for role in world.directory.role_assignments(tenant.tenant_id, object_id)
    ]


def _users(world: World, tenant: Tenant) -> list[Found]:
    """The account, and whatever else carries its whole mark: an attempt that died may have made one more."""
    if tenant.account.user_principal_name is None:
        return []
    recorded = require_ours(world, tenant) if tenant.account.object_id else _unrecorded(world, tenant)
    mark = marker_of(tenant, world.application_id)
    found = (*((recorded,) if recorded else ()), *world.directory.marked_users(tenant.tenant_id, mark))
    delete = partial(world.directory.delete_user, tenant.tenant_id)
    return [
        (Thing(Kind.USER, user.user_principal_name, str(object_id)), partial(delete, object_id))
        for object_id, user in {user.object_id: user for user in found}.items()
    ]


def _unrecorded(world: World, tenant: Tenant) -> DirectoryUser | None:
    """A user that a creation made and did not live to record."""
    for name in names_of(tenant):
        user = world.directory.user(tenant.tenant_id, name)
        if user is not None and is_ours(user, tenant, world.application_id):
            return user
    return None
