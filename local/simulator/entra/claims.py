"""What the simulated Entra writes into its tokens: only what the tenant's state says at that moment."""

from __future__ import annotations

import secrets
from datetime import datetime

from local.simulator.memberships import roles_of
from local.simulator.state import Application, JsonObject, Tenant, User, World

SHORTEST_LIFE, LONGEST_LIFE = 3600, 5400  # seconds; Entra draws a random life between (configurable-token-lifetimes)


def app_claims(
    world: World, tenant: Tenant, application: Application, *, audience: str, graph: bool, authentication: str
) -> JsonObject:
    """An app-only access token's claims. `roles` are Graph permissions, so other audiences carry none."""
    consent = tenant.consents[application.client_id]
    claims = _access_token(world, tenant, application, audience, authentication)
    claims |= {
        "app_displayname": application.display_name,
        "idtyp": "app",
        "oid": consent.service_principal_id,
        "sub": consent.service_principal_id,
        "wids": sorted(roles_of(tenant, consent.service_principal_id)),
    }
    if graph and consent.app_roles:
        claims["roles"] = sorted(consent.app_roles)
    return claims


def user_claims(
    world: World,
    tenant: Tenant,
    application: Application,
    user: User,
    *,
    audience: str,
    resource_key: str,
    ip: str,
    authentication: str,
) -> JsonObject:
    """A user's access token's claims: all scopes consented to for the resource, and the roles the user holds now."""
    consent = tenant.consents[application.client_id]
    claims = _access_token(world, tenant, application, audience, authentication)
    claims |= {
        "acct": 0,
        "amr": ["pwd"],
        "app_displayname": application.display_name,
        "idtyp": "user",
        "ipaddr": ip,
        "name": user.document.get("displayName"),
        "oid": user.id,
        "scp": " ".join(sorted(consent.delegated.get(resource_key, ()))),
        "sub": user.id,
        "unique_name": user.document["userPrincipalName"],
        "upn": user.document["userPrincipalName"],
        "wids": sorted(roles_of(tenant, user.id)),
    }
    return claims


def id_token_claims(world: World, tenant: Tenant, application: Application, user: User) -> JsonObject:
    """An OpenID Connect ID token's claims (v2.0)."""
    now = int(world.clock.now().timestamp())
    return {
        "aud": application.client_id,
        "iss": issuer(world, tenant.id),
        "iat": now,
        "nbf": now,
        "exp": now + SHORTEST_LIFE,
        "name": user.document.get("displayName"),
        "oid": user.id,
        "preferred_username": user.document["userPrincipalName"],
        "sub": user.id,
        "tid": tenant.id,
        "uti": secrets.token_urlsafe(16),
        "ver": "2.0",
    }


def issuer(world: World, tenant_id: str) -> str:
    """The v2.0 issuer of a tenant."""
    return f"{world.origin}/{tenant_id}/v2.0"


def lifetime(now: datetime) -> tuple[int, int]:
    """When a token issued now begins and ends, in Unix seconds."""
    begins = int(now.timestamp())
    return begins, begins + SHORTEST_LIFE + secrets.randbelow(LONGEST_LIFE - SHORTEST_LIFE + 1)


def _access_token(
    world: World, tenant: Tenant, application: Application, audience: str, authentication: str
) -> JsonObject:
    begins, ends = lifetime(world.clock.now())
    authority = f"https://sts.windows.net/{tenant.id}/"  # Microsoft's own resources still take v1.0 tokens
    return {
        "aud": audience,
        "iss": authority,
        "iat": begins,
        "nbf": begins,
        "exp": ends,
        "appid": application.client_id,
        "appidacr": authentication,
        "idp": authority,
        "tid": tenant.id,
        "uti": secrets.token_urlsafe(16),
        "ver": "1.0",
    }
