"""What an access token that we were just given says about our application."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping

from shared.domain.secret import Secret


def claims_in(token: Secret) -> Mapping[str, object]:
    """The claims of a token of our own; empty when it is not a JWT (RFC 7519).

    The signature is not checked, and need not be: Entra handed the token to us over TLS, what it says decides only
    what we tell people, and Graph, for which it is meant, verifies it. Never use this for a caller's token.
    """
    parts = token.reveal().split(".")
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def permissions_in(claims: Mapping[str, object]) -> frozenset[str]:
    """The application permissions the tenant has consented to (claim `roles`)."""
    return _names(claims, "roles")


def grants_in(claims: Mapping[str, object]) -> frozenset[str]:
    """All that the token allows: the permissions, and the directory roles our application holds (claim `wids`).

    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    """
    return permissions_in(claims) | _names(claims, "wids")


def _names(claims: Mapping[str, object], claim: str) -> frozenset[str]:
    names = claims.get(claim)
    return frozenset(str(name) for name in names) if isinstance(names, list) else frozenset()
