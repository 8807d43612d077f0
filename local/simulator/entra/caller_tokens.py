"""Access tokens of the vendor's own people and executors, as Entra issues them for our API."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from local.simulator.entra.claims import issuer
from local.simulator.state import Caller, JsonObject, World

SCOPE = "Sessions.Access"


def caller_token(
    world: World, caller: Caller, *, tenant_id: str, lifetime: float, overrides: Mapping[str, object]
) -> tuple[str, datetime]:
    """A signed v2.0 access token and when it expires.

    `tenant_id` issues it, `lifetime` is in seconds and may be negative, `overrides` replace claims (null removes one).
    It is stamped with the real time: whoever verifies it does not live in the simulated one.

    Raises:
        TypeError: an override is of a type that no token can carry.
    """
    issued = int(datetime.now(UTC).timestamp())
    expires = issued + int(lifetime)
    claims: JsonObject = {
        "aud": world.api_audience,
        "iss": issuer(world, tenant_id),
        "iat": min(issued, expires),
        "nbf": min(issued, expires),
        "exp": expires,
        "azp": caller.client_id,
        "azpacr": "2" if caller.idtyp == "app" else "0",
        "idtyp": caller.idtyp,
        "oid": caller.object_id,
        "sub": caller.object_id,
        "tid": tenant_id,
        "uti": secrets.token_urlsafe(16),
        "ver": "2.0",
    }
    if caller.roles:
        claims["roles"] = list(caller.roles)
    if caller.idtyp == "user":
        claims |= {"name": caller.name, "preferred_username": caller.username, "scp": SCOPE}
    for name, content in overrides.items():
        if content is None:
            claims.pop(name, None)
        else:
            claims[name] = content
    return world.signing_key.sign(claims), datetime.fromtimestamp(expires, UTC)
