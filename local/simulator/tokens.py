"""An access token is good when our key signed it, for this audience, and its time has not run out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import jwt

from local.simulator.state import World


class TokenRefused(Exception):
    """Why a bearer token does not authenticate its caller; `reason` is what the service tells them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TokenMissing(TokenRefused):
    """There is no bearer token at all."""


def verify(world: World, bearer: str | None, *, audiences: Collection[str], now: datetime) -> Mapping[str, object]:
    """The claims of an `Authorization` header.

    `audiences` are the resource's names, compared without a trailing slash. `now` is whose clock the resource goes by:
    Graph lives in the simulated time, Key Vault and managed identities in the real one.

    Raises:
        TokenMissing: no bearer token was sent.
        TokenRefused: it is malformed, not ours, expired, or meant for somebody else.
    """
    scheme, _, token = (bearer or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing("Access token is empty.")
    try:
        claims = world.signing_key.read(token.strip())
    except jwt.InvalidTokenError as error:
        raise TokenRefused("CompactToken parsing or signature validation failed.") from error
    expires, not_before = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int) or expires <= now.timestamp():
        raise TokenRefused("Lifetime validation failed, the token is expired.")
    if not isinstance(not_before, int) or not_before > now.timestamp():
        raise TokenRefused("Lifetime validation failed, the token is not yet valid.")
    if str(claims.get("aud")).rstrip("/") not in {audience.rstrip("/") for audience in audiences}:
        raise TokenRefused("Access token validation failure. Invalid audience.")
    return claims
