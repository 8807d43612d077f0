"""Directory role assignments: who holds which built-in role in the whole tenant."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from uuid import UUID, uuid5

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import BUILT_IN_ROLES, OVER_ROLES
from local.simulator.graph.directory import users
from local.simulator.graph.odata import EntityType, collection, entity, no_content, words
from local.simulator.graph.operation import body_of, operation
from local.simulator.graph.refusals import conflicting, invalid, missing, not_found
from local.simulator.graph.schema import nullable, record, text
from local.simulator.state import JsonObject
from local.simulator.wire import Response

_READ = ("RoleManagement.Read.Directory", "RoleManagement.Read.All", "RoleManagement.ReadWrite.Directory")
_WRITE = ("RoleManagement.ReadWrite.Directory",)

ROLE_ASSIGNMENT = EntityType(
    name="unifiedRoleAssignment",
    context="roleManagement/directory/roleAssignments",
    properties=words("id appScopeId condition directoryScopeId principalId principalOrganizationId roleDefinitionId"),
    default=("id", "principalId", "directoryScopeId", "roleDefinitionId"),
)

_BODY = record(principalId=text, roleDefinitionId=text, directoryScopeId=nullable(text), appScopeId=nullable(text))


def assignment(principal_id: str, role_id: str) -> JsonObject:
    """A tenant-wide assignment; like Entra's, its id follows from who holds what, and is no GUID."""
    packed = base64.urlsafe_b64encode(uuid5(UUID(role_id), principal_id).bytes).decode().rstrip("=")
    return {
        "id": f"{packed}-1",
        "principalId": principal_id,
        "roleDefinitionId": role_id,
        "directoryScopeId": "/",
    }


def _assignments(call: GraphCall) -> Iterator[JsonObject]:
    """Those of present users, groups and service principals, and what an administrator gave service principals."""
    deleted = {user.id for user in call.tenant.users.values() if user.deleted_at is not None}
    given = {
        document["id"]: document
        for consent in call.tenant.consents.values()
        for document in (assignment(consent.service_principal_id, role) for role in sorted(consent.directory_roles))
    }
    for document in (given | call.tenant.role_assignments).values():
        if document["principalId"] not in deleted:
            yield document


def list_assignments(call: GraphCall) -> Response:
    """GET /roleManagement/directory/roleAssignments, mostly with `$filter=principalId eq '…'`."""
    return collection(call, ROLE_ASSIGNMENT, _assignments(call))


def get_assignment(call: GraphCall) -> Response:
    """GET /roleManagement/directory/roleAssignments/{id}."""
    return entity(call, ROLE_ASSIGNMENT, _find(call))


def create_assignment(call: GraphCall) -> Response:
    """POST /roleManagement/directory/roleAssignments: 201; 400 when the principal holds the role already.

    A principal that has not been replicated is a 404, and so are a role and a scope that do not exist.
    """
    body = body_of(call)
    if not _BODY(body):
        raise invalid("One or more properties contains invalid values.")
    for name in ("principalId", "roleDefinitionId"):
        if not body.get(name):
            raise missing(name)
    if not body.get("directoryScopeId"):
        raise missing("directoryScopeId")
    for key, exists in (
        (body["roleDefinitionId"], body["roleDefinitionId"].lower() in BUILT_IN_ROLES),
        (body["principalId"], body["principalId"].lower() in _principals(call)),
        (body["directoryScopeId"], body["directoryScopeId"] == "/"),
    ):
        if not exists:
            raise not_found(key)
    created = assignment(body["principalId"].lower(), body["roleDefinitionId"].lower())
    if any(_says_the_same(created, document) for document in _assignments(call)):
        raise conflicting()
    call.tenant.role_assignments[created["id"]] = created
    return entity(call, ROLE_ASSIGNMENT, created, status=201)


def delete_assignment(call: GraphCall) -> Response:
    """DELETE /roleManagement/directory/roleAssignments/{id}: 204; 404 when it is gone already."""
    found = _find(call)
    call.tenant.role_assignments.pop(found["id"], None)
    for consent in call.tenant.consents.values():
        if consent.service_principal_id == found["principalId"]:
            consent.directory_roles.discard(found["roleDefinitionId"])
    return no_content()


def _says_the_same(one: JsonObject, other: JsonObject) -> bool:
    return all(one[name] == other[name] for name in ("principalId", "roleDefinitionId", "directoryScopeId"))


def _find(call: GraphCall) -> JsonObject:
    wanted = call.parameters["id"]
    for document in _assignments(call):
        if document["id"] == wanted:
            return document
    raise not_found(wanted)


def _principals(call: GraphCall) -> set[str]:
    service_principals = {consent.service_principal_id for consent in call.tenant.consents.values()}
    return {user.id for user in users(call)} | service_principals | call.tenant.groups.keys()


_ASSIGNMENTS = "/v1.0/roleManagement/directory/roleAssignments"

ROUTES = (
    operation("GET", _ASSIGNMENTS, list_assignments, permissions=_READ),
    operation("POST", _ASSIGNMENTS, create_assignment, permissions=_WRITE, roles=OVER_ROLES),
    operation("GET", f"{_ASSIGNMENTS}/{{id}}", get_assignment, permissions=_READ),
    operation("DELETE", f"{_ASSIGNMENTS}/{{id}}", delete_assignment, permissions=_WRITE, roles=OVER_ROLES),
)
