"""The tenant's directory over Microsoft Graph, as our application, with the least asked for and the least said."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final
from urllib.parse import quote
from uuid import UUID

from shared.adapters.graph_calls import NAME, GraphCalls, Reply, Request
from shared.adapters.graph_refusals import Need, not_there_yet, refusal
from shared.adapters.graph_requests import GraphRequests, TokenFor, entries_of, objects
from shared.adapters.graph_roles import ASSIGNMENTS, TENANT_WIDE, role_assignments
from shared.domain.directory_roles import ROLE_NAMES, SINGLE, Registration
from shared.domain.errors import Code, Problem, Refused, Transient, refused, unavailable
from shared.domain.ids import TenantId
from shared.domain.ports import DirectoryUser, NewUser, Organization, RoleAssignment
from shared.domain.secret import Secret

_ORGANIZATION: Final = Need("Organization.Read.All")
_READ_USERS: Final = Need("User.ReadWrite.All", purpose="look the service account up", or_lesser="User.Read.All")
_CREATE: Final = Need("User.ReadWrite.All")
_ADOPT: Final = Need("User.ReadWrite.All", on_role_holder=True)
_PASSWORD: Final = Need("User-PasswordProfile.ReadWrite.All", on_role_holder=True)
_BIN: Final = Need("User.DeleteRestore.All", on_role_holder=True)
_REVOKE: Final = Need("User.RevokeSessions.All")
_READ_ROLES: Final = Need(
    "RoleManagement.ReadWrite.Directory",
    purpose="see the service account's roles",
    or_lesser="RoleManagement.Read.Directory",
)
_ROLES: Final = Need("RoleManagement.ReadWrite.Directory")

_USER_PROPERTIES: Final = "id,userPrincipalName,employeeId,accountEnabled"
_NEVER_EXPIRES: Final = "DisablePasswordExpiration"


class GraphDirectory:
    """A tenant's users and role assignments (Directory port).

    https://learn.microsoft.com/graph/api/overview

    Args:
        asked: what the application asks tenants for that the tokens are of.
    """

    def __init__(self, calls: GraphCalls, token_for: TokenFor, asked: Registration = SINGLE) -> None:
        self._graph = GraphRequests(calls, token_for, asked)
        self._asked = asked

    def organization(self, tenant_id: TenantId) -> Organization:
        """GET /organization (https://learn.microsoft.com/graph/api/organization-list)."""
        query = {"$select": "id,displayName,verifiedDomains"}
        reply = self._send(tenant_id, _ORGANIZATION, "GET", "/v1.0/organization", query=query)
        for found in entries_of(reply):
            domains = {str(domain["name"]): domain for domain in objects(found.get("verifiedDomains"))}
            managed = frozenset(name.lower() for name, domain in domains.items() if domain.get("type") == "Managed")
            for name, domain in domains.items():
                if domain.get("isInitial") is True:
                    return Organization(str(found.get("displayName") or name), name, name.lower() in managed, managed)
        raise unavailable(NAME)  # every tenant has an initial domain

    def user(self, tenant_id: TenantId, key: str) -> DirectoryUser | None:
        """GET /users/{id or name} (https://learn.microsoft.com/graph/api/user-get)."""
        query = {"$select": _USER_PROPERTIES}
        path = f"/v1.0/users/{quote(key, safe='@')}"
        reply = self._send(tenant_id, _READ_USERS, "GET", path, query=query, also={404})
        return _user(reply.body) if reply.is_success else None

    def marked_users(self, tenant_id: TenantId, beginning: str) -> tuple[DirectoryUser, ...]:
        """GET /users, by the beginning of employeeId (https://learn.microsoft.com/graph/api/user-list)."""
        literal = beginning.replace("'", "''")
        query = {"$filter": f"startsWith(employeeId,'{literal}')", "$select": _USER_PROPERTIES}
        found = self._graph.pages(tenant_id, _READ_USERS, Request("GET", "/v1.0/users", query))
        return tuple(user for user in map(_user, found) if (user.marker or "").startswith(beginning))

    def deleted_user(self, tenant_id: TenantId, user_principal_name: str) -> DirectoryUser | None:
        """GET /directory/deletedItems (https://learn.microsoft.com/graph/api/directory-deleteditems-list).

        A deleted user is called by its object id, without dashes, followed by its former name. Of several the one
        deleted last is meant.
        """
        literal = user_principal_name.replace("'", "''")
        query = {
            "$filter": f"endsWith(userPrincipalName,'{literal}')",
            "$select": f"{_USER_PROPERTIES},deletedDateTime",
            "$count": "true",
        }
        path = "/v1.0/directory/deletedItems/microsoft.graph.user"
        found: list[tuple[str, DirectoryUser]] = []
        request = Request("GET", path, query, headers={"ConsistencyLevel": "eventual"})
        for entry in self._graph.pages(tenant_id, _READ_USERS, request):
            user = _user(entry)
            if user.user_principal_name.lower() == (user.object_id.hex + user_principal_name).lower():
                found.append((str(entry.get("deletedDateTime")), user))
        if not found:
            return None
        _, last = max(found, key=lambda pair: pair[0])
        return DirectoryUser(last.object_id, user_principal_name, last.marker, last.is_enabled)

    def create_user(self, tenant_id: TenantId, user: NewUser) -> DirectoryUser:
        """POST /users (https://learn.microsoft.com/graph/api/user-post-users)."""
        body = {
            "accountEnabled": True,
            "displayName": user.display_name,
            "mailNickname": user.user_principal_name.partition("@")[0],
            "userPrincipalName": user.user_principal_name,
            "userType": "Member",
            "passwordPolicies": _NEVER_EXPIRES,
            "employeeId": user.marker,
            "passwordProfile": _password_profile(user.password),
        }
        reply = self._send(tenant_id, _CREATE, "POST", "/v1.0/users", body=body, also={400, 409})
        if not reply.is_success:
            raise self._conflict_or(reply, _CREATE, user.user_principal_name)
        # The answer leaves employeeId out, and a POST takes no $select; what was accepted is what there is.
        return DirectoryUser(UUID(str(reply.body["id"])), user.user_principal_name, user.marker, is_enabled=True)

    def restore_user(self, tenant_id: TenantId, object_id: UUID, user_principal_name: str) -> None:
        """POST …/restore (https://learn.microsoft.com/graph/api/directory-deleteditems-restore)."""
        path = f"/v1.0/directory/deletedItems/{object_id}/restore"
        body = {"newUserPrincipalName": user_principal_name}
        reply = self._send(tenant_id, _BIN, "POST", path, body=body, also={400, 404, 409})
        if reply.status == 404:
            raise refused(
                Code.ACCOUNT_LOST,
                f"The deleted account {user_principal_name} is no longer in the recycle bin.",
                step="Retry the service account creation: a new account is made.",
            )
        if not reply.is_success:
            raise self._conflict_or(reply, _BIN, user_principal_name)

    def adopt_user(self, tenant_id: TenantId, object_id: UUID, marker: str) -> None:
        """PATCH /users/{id} (https://learn.microsoft.com/graph/api/user-update)."""
        body = {"accountEnabled": True, "passwordPolicies": _NEVER_EXPIRES, "employeeId": marker}
        self._update(tenant_id, _ADOPT, object_id, body)

    def set_password(self, tenant_id: TenantId, object_id: UUID, password: Secret) -> None:
        """PATCH /users/{id}, with nothing else in it: one property refused refuses them all."""
        self._update(tenant_id, _PASSWORD, object_id, {"passwordProfile": _password_profile(password)})

    def delete_user(self, tenant_id: TenantId, object_id: UUID) -> None:
        """DELETE /users/{id} (https://learn.microsoft.com/graph/api/user-delete)."""
        self._send(tenant_id, _BIN, "DELETE", f"/v1.0/users/{object_id}", also={404})

    def revoke_sign_ins(self, tenant_id: TenantId, object_id: UUID) -> None:
        """POST …/revokeSignInSessions (https://learn.microsoft.com/graph/api/user-revokesigninsessions)."""
        self._send(tenant_id, _REVOKE, "POST", f"/v1.0/users/{object_id}/revokeSignInSessions", also={404})

    def role_assignments(self, tenant_id: TenantId, object_id: UUID) -> tuple[RoleAssignment, ...]:
        """GET …/roleAssignments (https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments)."""
        return role_assignments(self._graph, tenant_id, object_id, _READ_ROLES)

    def assign_role(self, tenant_id: TenantId, object_id: UUID, role_template_id: UUID) -> None:
        """POST …/roleAssignments (https://learn.microsoft.com/graph/api/rbacapplication-post-roleassignments).

        A built-in role's template id is its definition's id. Graph refuses a role that is held already and one for a
        user that is not replicated with the same code, so the assignments decide which it was.
        """
        body = {
            "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
            "principalId": str(object_id),
            "roleDefinitionId": str(role_template_id),
            "directoryScopeId": TENANT_WIDE,
        }
        reply = self._send(tenant_id, _ROLES, "POST", ASSIGNMENTS, body=body, also={400, 404, 409})
        if reply.status == 404:
            raise not_there_yet()
        if not reply.is_success and role_template_id not in self._held(tenant_id, object_id):
            name = ROLE_NAMES.get(role_template_id, str(role_template_id))
            raise Transient(Problem(Code.ROLE_MISSING, f"The role {name} could not be assigned to the account yet."))

    def remove_role(self, tenant_id: TenantId, assignment_id: str) -> None:
        """DELETE …/roleAssignments/{id} (https://learn.microsoft.com/graph/api/unifiedroleassignment-delete)."""
        self._send(tenant_id, _ROLES, "DELETE", f"{ASSIGNMENTS}/{quote(assignment_id, safe='')}", also={404})

    def _conflict_or(self, reply: Reply, need: Need, user_principal_name: str) -> Refused:
        if reply.status != 409 and "ObjectConflict" not in reply.detail_codes:
            return refusal(reply, need, {}, self._asked)
        return refused(
            Code.ACCOUNT_CONFLICT,
            f"Another object of the tenant has the name {user_principal_name} already.",
            step="Rename or remove it, then retry the service account creation.",
            link="https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade",
        )

    def _held(self, tenant_id: TenantId, object_id: UUID) -> set[UUID]:
        return {held.role_template_id for held in self.role_assignments(tenant_id, object_id)}

    def _update(self, tenant_id: TenantId, need: Need, object_id: UUID, body: Mapping[str, object]) -> None:
        reply = self._send(tenant_id, need, "PATCH", f"/v1.0/users/{object_id}", body=body, also={404})
        if reply.status == 404:
            raise not_there_yet()

    def _send(
        self,
        tenant_id: TenantId,
        need: Need,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        also: AbstractSet[int] = frozenset(),
    ) -> Reply:
        return self._graph.send(tenant_id, need, Request(method, path, query or {}, body), also=also)


def _password_profile(password: Secret) -> Mapping[str, object]:
    # Left out, forceChangePasswordNextSignIn means true, and then the password grant fails with AADSTS50055.
    return {"password": password.reveal(), "forceChangePasswordNextSignIn": False}


def _user(entry: Mapping[str, object]) -> DirectoryUser:
    marker = entry.get("employeeId")
    return DirectoryUser(
        UUID(str(entry["id"])),
        str(entry["userPrincipalName"]),
        str(marker) if marker else None,
        entry.get("accountEnabled") is True,
    )
