"""The recycle bin: deleted users can be found, restored and, by a signed-in administrator only, purged."""

from __future__ import annotations

from datetime import timedelta

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import OVER_USERS
from local.simulator.graph.directory import check_name_is_free, deleted_users, find_deleted_user, require_power_over
from local.simulator.graph.odata import collection, entity, no_content
from local.simulator.graph.operation import body_of, is_application, operation
from local.simulator.graph.refusals import denied, invalid
from local.simulator.graph.schema import flag, nullable, record, text
from local.simulator.graph.user_type import USER, check_properties, show
from local.simulator.state import JsonObject, User
from local.simulator.wire import Response

_READ = (
    "User.Read.All",
    "User.ReadWrite.All",
    "User.DeleteRestore.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
_RESTORE = ("User.DeleteRestore.All", "User.ReadWrite.All", "Directory.ReadWrite.All")

_RESTORE_BODY = record(newUserPrincipalName=nullable(text), autoReconcileProxyConflict=nullable(flag))


def _show_as_directory_object(user: User) -> JsonObject:
    """The recycle bin holds directory objects of any kind, so each one tells its type."""
    return {"@odata.type": "#microsoft.graph.user", **show(user)}


def list_deleted_users(call: GraphCall) -> Response:
    """GET /directory/deletedItems/microsoft.graph.user: those deleted less than 30 days ago."""
    return collection(call, USER, map(show, deleted_users(call)))


def get_deleted_item(call: GraphCall) -> Response:
    """GET /directory/deletedItems/{id}."""
    return entity(call, USER, _show_as_directory_object(find_deleted_user(call, call.parameters["id"])))


def restore_deleted_item(call: GraphCall) -> Response:
    """POST /directory/deletedItems/{id}/restore: 200 with the user, its roles and, unless it is taken, its name."""
    user = find_deleted_user(call, call.parameters["id"])
    body = body_of(call)
    if not _RESTORE_BODY(body):
        raise invalid("One or more properties contains invalid values.", target="newUserPrincipalName")
    require_power_over(call, user)
    name = body.get("newUserPrincipalName") or user.document["userPrincipalName"].removeprefix(user.id.replace("-", ""))
    check_properties(call, {"userPrincipalName": name})
    check_name_is_free(call, name, but=user)
    user.document["userPrincipalName"] = name
    user.document["deletedDateTime"] = None
    user.deleted_at = None
    user.visible_at = call.clock.now() + timedelta(seconds=call.world.replication)
    return entity(call, USER, _show_as_directory_object(user))


def purge_deleted_item(call: GraphCall) -> Response:
    """DELETE /directory/deletedItems/{id}: for users "Application: Not supported" (directory-deleteditems-delete)."""
    user = find_deleted_user(call, call.parameters["id"])
    if is_application(call):
        raise denied()
    require_power_over(call, user)
    del call.tenant.users[user.id]
    for assignment in [found for found in call.tenant.role_assignments.values() if found["principalId"] == user.id]:
        del call.tenant.role_assignments[assignment["id"]]
    return no_content()


_BIN = "/v1.0/directory/deletedItems"

ROUTES = (
    operation("GET", f"{_BIN}/microsoft.graph.user", list_deleted_users, permissions=_READ),
    operation("GET", f"{_BIN}/{{id}}", get_deleted_item, permissions=_READ),
    operation("GET", f"{_BIN}/{{id}}/microsoft.graph.user", get_deleted_item, permissions=_READ),
    operation("POST", f"{_BIN}/{{id}}/restore", restore_deleted_item, permissions=_RESTORE, roles=OVER_USERS),
    operation("DELETE", f"{_BIN}/{{id}}", purge_deleted_item, permissions=_RESTORE, roles=OVER_USERS),
)
