"""Changing a tenant from outside, as its administrators would: what may be set, and how it merges."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from local.simulator.control_input import BadInput, Fields
from local.simulator.directory_roles import BUILT_IN_ROLES
from local.simulator.licences import SKUS, subscribed_sku
from local.simulator.state import JsonObject, Tenant, User
from local.simulator.timestamps import stamp

RISKS = ("none", "low", "medium", "high")
PER_USER_MFA = ("disabled", "enabled", "enforced")
DOMAIN_TYPES = ("Managed", "Federated")
_ROLE_IDS = {name: template_id for template_id, name in BUILT_IN_ROLES.items()}


def apply(tenant: Tenant, fields: Fields, *, now: datetime) -> None:
    """Merges the named fields into the tenant; what is not named stays.

    Lists replace, objects merge by key, and a null member removes it (RFC 7396).

    Raises:
        BadInput: a field has the wrong type, an unknown word, or is not known at all.
    """
    tenant.display_name = fields.text("displayName", tenant.display_name)
    tenant.country = fields.text("country", tenant.country)
    tenant.security_defaults = fields.boolean("securityDefaults", tenant.security_defaults)
    if "skus" in fields:
        tenant.skus = [_sku(tenant, fields, name) for name in fields.texts("skus")]
    for domain in fields.objects("domains"):
        _set_domain(tenant, domain)
    _merge(tenant.policies, fields, "policies", now)
    _merge(tenant.named_locations, fields, "namedLocations", now)
    for group, members in fields.mapping("groups").items():
        if members is None:
            tenant.groups.pop(group, None)
        else:
            tenant.groups[group] = set(Fields({group: members}, fields.path("groups")).texts(group))
    for name, change in fields.members("users"):
        _set_user(tenant, name, change, now)
    if "directoryRoles" in fields:
        tenant.directory_roles = roles(fields, "directoryRoles")
        for consent in tenant.consents.values():
            consent.directory_roles = set(tenant.directory_roles)
    if "servicePrincipalEnabled" in fields:
        enabled = fields.boolean("servicePrincipalEnabled")
        for consent in tenant.consents.values():
            consent.enabled = enabled
    for client_id, change in fields.members("servicePrincipals"):
        _set_service_principal(tenant, client_id, change)
    fields.end()


def _set_service_principal(tenant: Tenant, client_id: str, fields: Fields | None) -> None:
    """One application's, named by its client id, where `directoryRoles` and `servicePrincipalEnabled` mean all."""
    consent = tenant.consents.get(client_id)
    if fields is None or consent is None:
        raise BadInput(f"servicePrincipals.{client_id}", "is no service principal of this tenant that can be changed")
    consent.enabled = fields.boolean("enabled", consent.enabled)
    if "directoryRoles" in fields:
        consent.directory_roles = roles(fields, "directoryRoles")
    fields.end()


def roles(fields: Fields, name: str) -> set[str]:
    """Directory roles, each named or given by its template id.

    Raises:
        BadInput: one is neither a known name nor a GUID.
    """
    found = set()
    for written in fields.texts(name):
        template_id = _ROLE_IDS.get(written)
        if template_id is None:
            try:
                template_id = str(UUID(written))
            except ValueError as error:
                raise BadInput(fields.path(name), f"'{written}' is no directory role") from error
        found.add(template_id)
    return found


def _sku(tenant: Tenant, fields: Fields, part_number: str) -> JsonObject:
    if part_number not in SKUS:
        raise BadInput(fields.path("skus"), f"must hold only {', '.join(sorted(SKUS))}")
    return subscribed_sku(tenant.id, tenant.display_name, part_number)


def _set_domain(tenant: Tenant, fields: Fields) -> None:
    name = fields.text("name").lower()
    kind = fields.choice("type", DOMAIN_TYPES, "Managed")
    fields.end()
    for domain in tenant.domains:
        if domain["name"] == name:
            domain["type"] = kind
            return
    tenant.domains.append(verified_domain(name, kind=kind, initial=False))


def verified_domain(name: str, *, kind: str = "Managed", initial: bool) -> JsonObject:
    """A Graph `verifiedDomain`; the initial one is also the default."""
    return {
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": initial,
        "isInitial": initial,
        "name": name.lower(),
        "type": kind,
    }


def _merge(documents: dict[str, JsonObject], fields: Fields, name: str, now: datetime) -> None:
    for document_id, change in fields.members(name):
        if change is None:
            documents.pop(document_id, None)
            continue
        document = documents.setdefault(
            document_id, {"id": document_id, "createdDateTime": stamp(now), "modifiedDateTime": None}
        )
        _merge_patch(document, change.document)


def _merge_patch(document: JsonObject, change: Mapping[str, object]) -> None:
    for name, content in change.items():
        if content is None:
            document.pop(name, None)
        elif isinstance(content, Mapping):
            inner = document.get(name)
            document[name] = inner if isinstance(inner, dict) else {}
            _merge_patch(document[name], content)
        else:
            document[name] = content


def _set_user(tenant: Tenant, name: str, fields: Fields | None, now: datetime) -> None:
    user = _find_user(tenant, name)
    if fields is None:
        if user:
            del tenant.users[user.id]
        return
    if user is None:
        user = _new_user(name, fields, now)
        tenant.users[user.id] = user
    document = user.document
    document["displayName"] = fields.text("displayName", document["displayName"])
    document["accountEnabled"] = fields.boolean("accountEnabled", document["accountEnabled"])
    document["userType"] = fields.choice("userType", ("Member", "Guest"), document["userType"])
    if "password" in fields:
        user.password = fields.text("password")
        document["lastPasswordChangeDateTime"] = stamp(now)
    user.must_change_password = fields.boolean("mustChangePassword", user.must_change_password)
    user.per_user_mfa = fields.choice("perUserMfa", PER_USER_MFA, user.per_user_mfa)
    user.risk = fields.choice("risk", RISKS, user.risk)
    if "methods" in fields:
        user.methods = [each.document for each in fields.objects("methods")]
    if "roles" in fields:
        _assign_roles(tenant, user, roles(fields, "roles"))
    properties = fields.mapping("properties")
    if "id" in properties or not isinstance(properties.get("userPrincipalName", ""), str):
        raise BadInput(fields.path("properties"), "cannot change who the user is")
    _merge_patch(document, properties)
    fields.end()


def _find_user(tenant: Tenant, name: str) -> User | None:
    for user in tenant.users.values():
        if name.lower() in (user.id, str(user.document["userPrincipalName"]).lower()):
            return user
    return None


def _new_user(name: str, fields: Fields, now: datetime) -> User:
    alias, at, _ = name.partition("@")
    if not at:
        raise BadInput(fields.where, "names no user here; a new one is named by a user principal name")
    document: JsonObject = {
        "id": str(uuid4()),
        "userPrincipalName": name,
        "displayName": alias,
        "mailNickname": alias,
        "accountEnabled": True,
        "userType": "Member",
        "usageLocation": "NL",
        "createdDateTime": stamp(now),
        "lastPasswordChangeDateTime": stamp(now),
        "signInSessionsValidFromDateTime": stamp(now),
        "passwordPolicies": None,
        "employeeId": None,
    }
    return User(document=document, password=None, visible_at=now)


def _assign_roles(tenant: Tenant, user: User, wanted: set[str]) -> None:
    for assignment_id, assignment in list(tenant.role_assignments.items()):
        if assignment["principalId"] == user.id:
            del tenant.role_assignments[assignment_id]
    for template_id in sorted(wanted):
        assignment_id = str(uuid4())
        tenant.role_assignments[assignment_id] = {
            "id": assignment_id,
            "principalId": user.id,
            "roleDefinitionId": template_id,
            "directoryScopeId": "/",
        }
