"""Service principals: which applications a tenant has let in, and what it has consented to for each."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID, uuid5

from local.simulator.calls import GraphCall
from local.simulator.graph.odata import EntityType, collection, entity, words
from local.simulator.graph.operation import operation
from local.simulator.graph.refusals import not_found
from local.simulator.state import Consent, JsonObject
from local.simulator.wire import Response

_READ = ("Application.Read.All", "Directory.Read.All", "Directory.ReadWrite.All")
GRAPH = "00000003-0000-0000-c000-000000000000"

# learn.microsoft.com/graph/permissions-reference: application permission -> app role id. Others get an id of our own.
APP_ROLE_IDS = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.Read.ConditionalAccess": "37730810-e9ba-4e46-b07e-8ca78d182097",
    "Policy.ReadWrite.ConditionalAccess": "01c0a623-fc9b-48e9-b794-0756f8e8f067",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    "User-PasswordProfile.ReadWrite.All": "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7",
    "User.Create": "4240f680-4f73-4082-a766-aa916a2dc9b3",
    "User.DeleteRestore.All": "eccc023d-eccf-4e7b-9683-8813ab36cecc",
    "User.EnableDisableAccount.All": "3011c876-62b7-4ada-afa2-506cbbecc68c",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    "User.RevokeSessions.All": "77f3a031-c388-4f99-b373-dc68676a979e",
    "UserAuthenticationMethod.Read.All": "38d9df27-64da-44fd-b7c5-a6fbac20248f",
}

SERVICE_PRINCIPAL = EntityType(
    name="servicePrincipal",
    context="servicePrincipals",
    properties=words(
        """
        id deletedDateTime accountEnabled alternativeNames appDescription appDisplayName appId applicationTemplateId
        appOwnerOrganizationId appRoleAssignmentRequired appRoles createdByAppId description
        disabledByMicrosoftStatus displayName homepage isDisabled loginUrl logoutUrl notes oauth2PermissionScopes
        preferredSingleSignOnMode replyUrls servicePrincipalNames servicePrincipalType signInAudience tags
        """
    ),
)
APP_ROLE_ASSIGNMENT = EntityType(
    name="appRoleAssignment",
    context="appRoleAssignments",
    properties=words(
        """
        id deletedDateTime appRoleId createdDateTime principalDisplayName principalId principalType
        resourceDisplayName resourceId
        """
    ),
)
PERMISSION_GRANT = EntityType(
    name="oAuth2PermissionGrant",
    context="oauth2PermissionGrants",
    properties=words("id clientId consentType principalId resourceId scope"),
)


def app_role_id(permission: str) -> str:
    """The id of a Graph application permission."""
    return APP_ROLE_IDS.get(permission) or str(uuid5(UUID(GRAPH), permission))


def list_service_principals(call: GraphCall) -> Response:
    """GET /servicePrincipals."""
    return collection(call, SERVICE_PRINCIPAL, _service_principals(call))


def get_service_principal(call: GraphCall) -> Response:
    """GET /servicePrincipals/{id} and /servicePrincipals(appId='{appId}')."""
    return entity(call, SERVICE_PRINCIPAL, _find(call))


def list_app_role_assignments(call: GraphCall) -> Response:
    """GET /servicePrincipals/{id}/appRoleAssignments: the application permissions consented to."""
    principal = _find(call)
    consent = call.tenant.consents.get(principal["appId"])
    permissions = sorted(consent.app_roles) if consent else []
    resource = _resource_id(call, "graph")
    granted = [
        {
            "id": str(uuid5(UUID(principal["id"]), permission)),
            "deletedDateTime": None,
            "appRoleId": app_role_id(permission),
            "createdDateTime": None,
            "principalDisplayName": principal["displayName"],
            "principalId": principal["id"],
            "principalType": "ServicePrincipal",
            "resourceDisplayName": "Microsoft Graph",
            "resourceId": resource,
        }
        for permission in permissions
    ]
    return collection(call, APP_ROLE_ASSIGNMENT, granted)


def list_permission_grants(call: GraphCall) -> Response:
    """GET /oauth2PermissionGrants: the delegated permissions consented to, one grant for each resource."""
    grants = [
        {
            "id": str(uuid5(UUID(consent.service_principal_id), resource)),
            "clientId": consent.service_principal_id,
            "consentType": "AllPrincipals",
            "principalId": None,
            "resourceId": _resource_id(call, resource),
            "scope": " ".join(sorted(scopes)),
        }
        for consent in call.tenant.consents.values()
        for resource, scopes in consent.delegated.items()
    ]
    return collection(call, PERMISSION_GRANT, grants)


def _service_principals(call: GraphCall) -> Iterator[JsonObject]:
    for client_id, consent in call.tenant.consents.items():
        yield _show(call, client_id, consent)
    yield _show_graph(call)


def _show(call: GraphCall, client_id: str, consent: Consent) -> JsonObject:
    application = call.world.applications.get(client_id)
    name = (application.display_name if application else "") or client_id
    return _document(consent.service_principal_id, client_id, name) | {"accountEnabled": consent.enabled}


def _show_graph(call: GraphCall) -> JsonObject:
    """Graph's own service principal: its appRoles translate app role ids into permission names."""
    app_roles = [
        {
            "id": role_id,
            "value": permission,
            "displayName": permission,
            "description": permission,
            "isEnabled": True,
            "origin": "Application",
            "allowedMemberTypes": ["Application"],
        }
        for permission, role_id in APP_ROLE_IDS.items()
    ]
    return _document(_resource_id(call, "graph"), GRAPH, "Microsoft Graph") | {"appRoles": app_roles}


def _document(object_id: str, app_id: str, name: str) -> JsonObject:
    return {
        "id": object_id,
        "deletedDateTime": None,
        "accountEnabled": True,
        "alternativeNames": [],
        "appId": app_id,
        "appDisplayName": name,
        "displayName": name,
        "appRoleAssignmentRequired": False,
        "appRoles": [],
        "oauth2PermissionScopes": [],
        "replyUrls": [],
        "servicePrincipalNames": [app_id],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMultipleOrgs",
        "tags": [],
    }


def _resource_id(call: GraphCall, resource: str) -> str:
    """The object id a resource's service principal has in this tenant."""
    return str(uuid5(UUID(call.tenant.id), resource))


def _find(call: GraphCall) -> JsonObject:
    key = call.parameters.get("appId") or call.parameters["id"]
    field = "appId" if "appId" in call.parameters else "id"
    for document in _service_principals(call):
        if document[field].lower() == key.lower():
            return document
    raise not_found(key)


_BY_APP_ID = "/v1.0/servicePrincipals(appId='{appId}')"
_BY_ID = "/v1.0/servicePrincipals/{id}"

ROUTES = (
    operation("GET", "/v1.0/servicePrincipals", list_service_principals, permissions=_READ),
    operation("GET", _BY_APP_ID, get_service_principal, permissions=_READ),
    operation("GET", _BY_ID, get_service_principal, permissions=_READ),
    operation("GET", f"{_BY_APP_ID}/appRoleAssignments", list_app_role_assignments, permissions=_READ),
    operation("GET", f"{_BY_ID}/appRoleAssignments", list_app_role_assignments, permissions=_READ),
    operation(
        "GET",
        "/v1.0/oauth2PermissionGrants",
        list_permission_grants,
        permissions=(
            "Directory.Read.All",
            "DelegatedPermissionGrant.Read.All",
            "DelegatedPermissionGrant.ReadWrite.All",
        ),
    ),
)
