"""How an account proves itself: its methods, per-user MFA, the end of its sessions, and its own password."""

from __future__ import annotations

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import OVER_PASSWORDS, OVER_USERS
from local.simulator.graph.directory import find_user
from local.simulator.graph.odata import EntityType, collection, entity, no_content, words
from local.simulator.graph.operation import (
    body_of,
    caller_id,
    caller_roles,
    is_application,
    operation,
    require_permission,
)
from local.simulator.graph.passwords import check_strength, set_password
from local.simulator.graph.refusals import bad_request, denied, invalid
from local.simulator.graph.schema import one_of, record, text
from local.simulator.graph.user_type import USER, show
from local.simulator.state import JsonObject, User
from local.simulator.timestamps import stamp
from local.simulator.wire import Response

# Every account's password method has this id (learn.microsoft.com/graph/api/resources/passwordauthenticationmethod).
_PASSWORD_METHOD = "28c10230-6103-485e-b985-444c60001490"  # noqa: S105 - an id, not a password

METHOD = EntityType(
    name="authenticationMethod",
    context="users/authentication/methods",
    properties=words("id createdDateTime password"),
)
_REQUIREMENTS = record("perUserMfaState", perUserMfaState=one_of("disabled", "enabled", "enforced"))
_CHANGE_PASSWORD = record("currentPassword", "newPassword", currentPassword=text, newPassword=text)


def get_me(call: GraphCall) -> Response:
    """GET /me: the signed-in user."""
    user = _me(call)
    require_permission(call, "User.Read", "User.ReadWrite", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All")
    return entity(call, USER, show(user))


def change_password(call: GraphCall) -> Response:
    """POST /me/changePassword: 204. Users set their own password, needing no directory role, only the old one."""
    user = _me(call)
    require_permission(call, "User-PasswordProfile.ReadWrite.All", "Directory.AccessAsUser.All")
    body = body_of(call)
    if not _CHANGE_PASSWORD(body):
        raise bad_request("The request must carry currentPassword and newPassword.")
    if user.password != body["currentPassword"]:
        raise invalid("The specified current password is not correct.", target="currentPassword")
    check_strength(body["newPassword"])
    set_password(call, user, {"password": body["newPassword"], "forceChangePasswordNextSignIn": False})
    return no_content()


def _me(call: GraphCall) -> User:
    if is_application(call):
        raise bad_request("/me request is only valid with delegated authentication flow.")
    return find_user(call, caller_id(call))


def revoke_sign_in_sessions(call: GraphCall) -> Response:
    """POST /users/{id}/revokeSignInSessions: 200; every refresh token of the user is void from now on.

    Access tokens live on until they expire. An administrator may be revoked with the permission alone.
    """
    user = find_user(call, call.parameters["id"])
    if not is_application(call) and user.id != caller_id(call) and not caller_roles(call) & OVER_USERS:
        raise denied()
    for token in call.tenant.refresh_tokens.values():
        if token.user_id == user.id:
            token.revoked = True
    user.document["signInSessionsValidFromDateTime"] = stamp(call.clock.now())
    return Response(200, {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Edm.Boolean", "value": True})


def list_methods(call: GraphCall) -> Response:
    """GET /users/{id}/authentication/methods: the password and whatever else was registered."""
    user = find_user(call, call.parameters["id"])
    password: JsonObject = {
        "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
        "id": _PASSWORD_METHOD,
        "password": None,
        "createdDateTime": user.document.get("lastPasswordChangeDateTime"),
    }
    return collection(call, METHOD, [*([password] if user.password is not None else []), *user.methods])


def get_requirements(call: GraphCall) -> Response:
    """GET /beta/users/{id}/authentication/requirements: the per-user MFA state."""
    user = find_user(call, call.parameters["id"])
    context = f"https://graph.microsoft.com/beta/$metadata#users('{user.id}')/authentication/requirements"
    return Response(200, {"@odata.context": context, "perUserMfaState": user.per_user_mfa})


def update_requirements(call: GraphCall) -> Response:
    """PATCH /beta/users/{id}/authentication/requirements: 204."""
    user = find_user(call, call.parameters["id"])
    body = body_of(call)
    if not _REQUIREMENTS(body):
        raise bad_request("Invalid value for perUserMfaState.")
    user.per_user_mfa = body["perUserMfaState"]
    return no_content()


_REQUIREMENTS_OF = "/beta/users/{id}/authentication/requirements"

ROUTES = (
    operation("GET", "/v1.0/me", get_me),
    operation("POST", "/v1.0/me/changePassword", change_password),
    operation(
        "POST",
        "/v1.0/users/{id}/revokeSignInSessions",
        revoke_sign_in_sessions,
        permissions=("User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"),
    ),
    operation(
        "GET",
        "/v1.0/users/{id}/authentication/methods",
        list_methods,
        permissions=("UserAuthenticationMethod.Read.All", "UserAuthenticationMethod.ReadWrite.All"),
        roles=OVER_PASSWORDS,
    ),
    operation("GET", _REQUIREMENTS_OF, get_requirements, permissions=("Policy.Read.All",)),
    operation(
        "PATCH",
        _REQUIREMENTS_OF,
        update_requirements,
        permissions=("Policy.ReadWrite.AuthenticationMethod",),
        roles=OVER_PASSWORDS,
    ),
)
