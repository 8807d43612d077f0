"""Users: create, read, change, delete to the recycle bin."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import OVER_USERS
from local.simulator.graph.directory import check_name_is_free, find_user, require_power_over, users
from local.simulator.graph.odata import collection, entity, no_content
from local.simulator.graph.operation import body_of, operation, require_permission
from local.simulator.graph.passwords import check_strength, require_power_over_password, set_password
from local.simulator.graph.user_type import USER, check_properties, check_required, show
from local.simulator.state import JsonObject, User
from local.simulator.timestamps import stamp
from local.simulator.wire import Response

_READ = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
_WRITE = ("User.ReadWrite.All", "Directory.ReadWrite.All")
_PASSWORD = ("User-PasswordProfile.ReadWrite.All", *_WRITE)
_ENABLE = ("User.EnableDisableAccount.All", *_WRITE)


def list_users(call: GraphCall) -> Response:
    """GET /users: those that have been replicated."""
    return collection(call, USER, map(show, users(call)))


def get_user(call: GraphCall) -> Response:
    """GET /users/{id or user principal name}."""
    return entity(call, USER, show(find_user(call, call.parameters["id"])))


def create_user(call: GraphCall) -> Response:
    """POST /users: 201 at once; others see the user when it has been replicated."""
    body = body_of(call)
    check_properties(call, body)
    check_required(body)
    check_strength(body["passwordProfile"]["password"])
    check_name_is_free(call, body["userPrincipalName"])
    now = call.clock.now()
    user = User(
        document=_document(body, str(uuid4()), stamp(now)),
        password=None,
        visible_at=now + timedelta(seconds=call.world.replication),
    )
    set_password(call, user, body["passwordProfile"])
    call.tenant.users[user.id] = user
    return entity(call, USER, show(user), status=201)


def _document(body: JsonObject, object_id: str, created: str) -> JsonObject:
    kept = {name: value for name, value in body.items() if not name.startswith("@") and name != "passwordProfile"}
    return {
        "userType": "Member",
        **kept,
        "id": object_id,
        "createdDateTime": created,
        "lastPasswordChangeDateTime": created,
        "signInSessionsValidFromDateTime": created,
    }


def update_user(call: GraphCall) -> Response:
    """PATCH /users/{id}: 204. One property the caller may not set fails all of them, and then nothing has changed."""
    user = find_user(call, call.parameters["id"])
    body = body_of(call)
    check_properties(call, body)
    changes = {name: value for name, value in body.items() if not name.startswith("@")}
    profile = changes.pop("passwordProfile", None)
    if profile is not None:
        require_permission(call, *_PASSWORD)
        require_power_over_password(call, user)
    if "accountEnabled" in changes:
        require_permission(call, *_ENABLE)
        require_power_over(call, user)
    if changes.keys() - {"accountEnabled"}:
        require_permission(call, *_WRITE)
    if "userPrincipalName" in changes:
        check_name_is_free(call, changes["userPrincipalName"], but=user)
    if profile is not None:
        set_password(call, user, profile)
    user.document.update(changes)
    return no_content()


def delete_user(call: GraphCall) -> Response:
    """DELETE /users/{id}: 204. The user goes to the recycle bin and its name becomes free.

    There it is called by its object id, without dashes, followed by the old name.
    """
    user = find_user(call, call.parameters["id"])
    require_power_over(call, user)
    user.deleted_at = call.clock.now()
    user.document["deletedDateTime"] = stamp(user.deleted_at)
    user.document["userPrincipalName"] = user.id.replace("-", "") + user.document["userPrincipalName"]
    return no_content()


ROUTES = (
    operation("GET", "/v1.0/users", list_users, permissions=_READ),
    operation("POST", "/v1.0/users", create_user, permissions=("User.Create", *_WRITE), roles=OVER_USERS),
    operation("GET", "/v1.0/users/{id}", get_user, permissions=_READ),
    operation("PATCH", "/v1.0/users/{id}", update_user, permissions=(*_PASSWORD, *_ENABLE), roles=OVER_USERS),
    operation(
        "DELETE", "/v1.0/users/{id}", delete_user, permissions=("User.DeleteRestore.All", *_WRITE), roles=OVER_USERS
    ),
)
