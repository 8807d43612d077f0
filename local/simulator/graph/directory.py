"""Finding directory objects as the directory shows them: replicated, not deleted; and who may act on whom."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import OVER_ADMINISTRATORS, OVER_USERS
from local.simulator.graph.operation import is_application, require_role
from local.simulator.graph.refusals import not_found, taken
from local.simulator.memberships import roles_of
from local.simulator.state import User

RECYCLE_BIN = timedelta(days=30)  # learn.microsoft.com/graph/api/resources/directory: then gone for good


def users(call: GraphCall) -> Iterator[User]:
    """The tenant's users that can be read by now."""
    now = call.clock.now()
    return (user for user in call.tenant.users.values() if user.deleted_at is None and user.visible_at <= now)


def find_user(call: GraphCall, key: str) -> User:
    """The user with this object id or user principal name.

    Raises:
        GraphRefusal: 404, also for one that is deleted or too new to be seen.
    """
    wanted = key.lower()
    for user in users(call):
        if wanted in (user.id.lower(), str(user.document["userPrincipalName"]).lower()):
            return user
    raise not_found(key)


def deleted_users(call: GraphCall) -> Iterator[User]:
    """The users in the recycle bin."""
    oldest = call.clock.now() - RECYCLE_BIN
    return (user for user in call.tenant.users.values() if user.deleted_at is not None and user.deleted_at > oldest)


def find_deleted_user(call: GraphCall, object_id: str) -> User:
    """The deleted user with this object id.

    Raises:
        GraphRefusal: 404.
    """
    for user in deleted_users(call):
        if user.id.lower() == object_id.lower():
            return user
    raise not_found(object_id)


def check_name_is_free(call: GraphCall, user_principal_name: str, *, but: User | None = None) -> None:
    """No other user, replicated or not, has this user principal name. Deleted users have given theirs up.

    Raises:
        GraphRefusal: 400 ObjectConflict.
    """
    wanted = user_principal_name.lower()
    for user in call.tenant.users.values():
        is_other = user is not but and user.deleted_at is None
        if is_other and str(user.document["userPrincipalName"]).lower() == wanted:
            raise taken("userPrincipalName")


def is_administrator(call: GraphCall, user: User) -> bool:
    """Whether the user holds any directory role; deleting a user does not take its roles away."""
    return bool(roles_of(call.tenant, user.id))


def require_power_over(call: GraphCall, user: User) -> None:
    """Lets a caller disable, delete or restore this user.

    Over an administrator that takes a directory role, from applications too; over others an application's permission is
    enough (privileged-roles-permissions, "who can perform sensitive actions").

    Raises:
        GraphRefusal: 403.
    """
    if is_administrator(call, user):
        require_role(call, OVER_ADMINISTRATORS)
    elif not is_application(call):
        require_role(call, OVER_USERS)
