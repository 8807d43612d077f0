"""A tenant as the control interface shows it: everything a test wants to assert on, and no password or token."""

from __future__ import annotations

from datetime import datetime

from local.simulator.memberships import roles_of
from local.simulator.state import JsonObject, Tenant, User

_NEVER_SHOWN = frozenset({"passwordProfile"})


def view(tenant: Tenant) -> JsonObject:
    """The tenant's state as JSON."""
    return {
        "tenantId": tenant.id,
        "displayName": tenant.display_name,
        "country": tenant.country,
        "domains": tenant.domains,
        "skus": [sku["skuPartNumber"] for sku in tenant.skus],
        "securityDefaults": tenant.security_defaults,
        "users": [_user(tenant, user) for user in tenant.users.values()],
        "roleAssignments": list(tenant.role_assignments.values()),
        "policies": tenant.policies,
        "namedLocations": tenant.named_locations,
        "groups": {group: sorted(members) for group, members in tenant.groups.items()},
        "directoryRoles": sorted(tenant.directory_roles),
        "consents": {
            client_id: {
                "servicePrincipalId": consent.service_principal_id,
                "enabled": consent.enabled,
                "appRoles": sorted(consent.app_roles),
                "delegated": {resource: sorted(scopes) for resource, scopes in consent.delegated.items()},
                "directoryRoles": sorted(consent.directory_roles),
            }
            for client_id, consent in tenant.consents.items()
        },
        "refreshTokens": len(tenant.refresh_tokens),
    }


def _user(tenant: Tenant, user: User) -> JsonObject:
    document = {name: content for name, content in user.document.items() if name not in _NEVER_SHOWN}
    return document | {
        "perUserMfa": user.per_user_mfa,
        "risk": user.risk,
        "methods": user.methods,
        "roles": sorted(roles_of(tenant, user.id)),
        "mustChangePassword": user.must_change_password,
        "visibleAt": _iso(user.visible_at),
        "deletedAt": _iso(user.deleted_at),
        "lockedUntil": _iso(user.locked_until),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
