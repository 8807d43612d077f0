"""Bearer tokens of the simulator's seeded callers, as `python -m local token` prints them."""

from __future__ import annotations

import base64
import json
from typing import Any

from local.client import Client

ROLES = ("reader", "operator", "administrator", "executor")


class TokenRefused(Exception):
    """No token can be had; the message says what the stack answered."""


def bearer(client: Client, role: str, *, tenant_id: str | None = None) -> str:
    """A token of the caller with this role: in every tenant or, with `tenant_id`, in that tenant alone.

    In the second case the caller is one that has the role nowhere, and the administrator grants it in the tenant.

    Raises:
        TokenRefused: there is no such caller, or the tenant is unknown to the API.
        StackNotUp: nobody answers.
    """
    if tenant_id is None:
        return _token(client, role)
    token = _token(client, f"limited-{role}")
    granted = client.api(
        "PUT",
        f"/v1/tenants/{tenant_id}/operators/{claims_of(token)['oid']}",
        token=_token(client, "administrator"),
        content={"roles": [role]},
    )
    if granted.status not in (200, 201):
        raise TokenRefused(
            f"The API did not grant {role} in tenant {tenant_id}: {granted.status} {granted.body.decode()}\n"
            "Onboard the tenant first: PUT /v1/tenants/{tenantId}."
        )
    return token


def _token(client: Client, caller: str) -> str:
    reply = client.control("POST", "/token", {"caller": caller})
    if reply.status != 200 or not isinstance(reply.json, dict):
        raise TokenRefused(f"The simulator has no token for {caller!r}: {reply.status} {reply.body.decode()}")
    return str(reply.json["accessToken"])


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified: for looking at tokens that came from the stack itself."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
