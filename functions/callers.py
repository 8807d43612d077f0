"""Nobody is a caller before the token is proven: signed by our own tenant's Entra, meant for this API, and in time.

Claims: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference. What to check:
https://learn.microsoft.com/entra/identity-platform/claims-validation, RFC 8725 (JWT best current practices).
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NoReturn, cast
from uuid import UUID

from shared.domain.actors import Caller, Right
from shared.domain.errors import Code, NextStep, NotFound, Problem, Refused
from shared.domain.ports import Clock, SigningKeys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt.types import Options

_LONGEST_HEADER: Final = 8 * 1024
_LEEWAY: Final = 60
"""Seconds by which our clock and Entra's may differ."""
_END_OF_TIME: Final = 253_402_300_800
"""The first second of the year 10000: no later moment can be a datetime."""

_SCOPE: Final = "Sessions.Access"
_APP_ROLES: Final[Mapping[Right, str]] = {
    Right.READER: "Tenants.Read",
    Right.OPERATOR: "Sessions.Operate",
    Right.ADMINISTRATOR: "Tenants.Manage",
    Right.EXECUTOR: "Actions.Execute",
}
"""The app role behind each right; with `.All` it holds in every tenant, without it only where it was granted."""
_FOR_USERS: Final = (Right.READER, Right.OPERATOR, Right.ADMINISTRATOR)
_FOR_APPLICATIONS: Final = (Right.READER, Right.EXECUTOR)

_GUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_KEYS_AND_EXTENSIONS: Final = frozenset({"crit", "jku", "jwk", "nonce", "x5c", "x5u"})
"""Header fields by which a token would bring its own key, or rules of its own (RFC 7515 §4.1; RFC 8725 §3.10)."""

# Said out loud even where it is the default. Time is judged by our own Clock, not by the library's.
_OPTIONS: Final[Options] = {
    "verify_signature": True,
    "enforce_minimum_key_length": True,
    "require": ["iss", "aud", "exp", "nbf", "iat", "tid", "oid", "azp", "ver", "idtyp"],
    "verify_iss": True,
    "verify_aud": True,
    "strict_aud": True,
    "verify_sub": True,
    "verify_jti": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Reason(StrEnum):
    """Why a token was not accepted: for the log, never for the caller."""

    MISSING = "missing"
    NOT_BEARER = "notBearer"
    TOO_LONG = "tooLong"
    MALFORMED = "malformed"
    ALGORITHM_NOT_ALLOWED = "algorithmNotAllowed"
    HEADER_NOT_ALLOWED = "headerNotAllowed"
    FOREIGN = "foreign"
    WRONG_AUDIENCE = "wrongAudience"
    UNKNOWN_KEY = "unknownKey"
    NOT_PROVEN = "notProven"
    EXPIRED = "expired"
    NOT_YET_VALID = "notYetValid"
    INVALID_CLAIM = "invalidClaim"
    WRONG_SCOPE = "wrongScope"


class Unauthenticated(Refused):
    """There is no token that can be accepted. It looks the same to the caller, whatever was wrong.

    Attributes:
        reason: what was wrong; for the log.
    """

    def __init__(self, reason: Reason) -> None:
        step = NextStep("Get a new access token for this API and send it in the Authorization header, after 'Bearer '.")
        super().__init__(Problem(Code.UNAUTHENTICATED, "A valid access token is required.", next_step=step))
        self.reason = reason


class TokenVerifier:
    """Turns an Authorization header into a Caller, or refuses; the cheapest checks come first.

    Args:
        issuer: `{authority}/{tenant id}/v2.0`; that tenant is the only one whose callers are let in.
        audience: this API's application (client) id.

    Raises:
        ValueError: the issuer does not have that form.
    """

    def __init__(self, *, issuer: str, audience: str, keys: SigningKeys, clock: Clock) -> None:
        found = re.fullmatch(rf"https://[^/?#]+/({_GUID})/v2\.0", issuer)
        if found is None:
            raise ValueError(f"an issuer is https://authority/tenant-id/v2.0, not {issuer!r}")
        self._issuer = issuer
        self._tenant = found[1]
        self._audience = audience
        self._keys = keys
        self._clock = clock

    def verify(self, authorization: str | None) -> Caller:
        """Who sent this Authorization header.

        Raises:
            Unauthenticated: it holds no token that we accept.
            Transient: the keys to check it with cannot be had right now.
        """
        unverified_token = _bearer_token(authorization)
        header, unverified_claims, _ = unverified_token.split(".")
        key_id = _key_id(_json_object(header))
        self._require_ours(_json_object(unverified_claims))
        claims = self._proven(unverified_token, key_id)
        self._require_in_time(claims)
        return _caller(claims)

    def _require_ours(self, unverified_claims: Mapping[str, object]) -> None:
        # Before any key is looked up: a flood of other tenants' tokens must not make us ask Entra for keys.
        named = unverified_claims.get("iss"), unverified_claims.get("tid"), unverified_claims.get("ver")
        if named != (self._issuer, self._tenant, "2.0"):
            raise Unauthenticated(Reason.FOREIGN)
        if unverified_claims.get("aud") != self._audience:
            raise Unauthenticated(Reason.WRONG_AUDIENCE)

    def _proven(self, unverified_token: str, key_id: str) -> Mapping[str, object]:
        import jwt  # with cryptography 30 ms of a cold start: requests without a plausible token never pay it

        try:
            key = cast("RSAPublicKey", self._keys.key(key_id))
        except NotFound:
            raise Unauthenticated(Reason.UNKNOWN_KEY) from None
        try:
            claims: Mapping[str, object] = jwt.decode(
                unverified_token,
                key,
                algorithms=["RS256"],
                audience=self._audience,
                issuer=self._issuer,
                options=_OPTIONS,
            )
        except jwt.MissingRequiredClaimError:
            raise Unauthenticated(Reason.INVALID_CLAIM) from None
        except jwt.PyJWTError:
            raise Unauthenticated(Reason.NOT_PROVEN) from None
        return claims

    def _require_in_time(self, claims: Mapping[str, object]) -> None:
        now = self._clock.now().timestamp()
        if now >= _seconds(claims, "exp") + _LEEWAY:
            raise Unauthenticated(Reason.EXPIRED)
        if now < max(_seconds(claims, "nbf"), _seconds(claims, "iat")) - _LEEWAY:
            raise Unauthenticated(Reason.NOT_YET_VALID)


def _bearer_token(authorization: str | None) -> str:
    """The token in the header, of three base64url segments (RFC 6750 §2.1, RFC 7515 §3.1)."""
    if not authorization:
        raise Unauthenticated(Reason.MISSING)
    if len(authorization) > _LONGEST_HEADER:
        raise Unauthenticated(Reason.TOO_LONG)
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated(Reason.NOT_BEARER)
    token = credentials.strip(" ")
    segments = token.split(".")
    if len(segments) != 3 or not all(_BASE64URL.fullmatch(segment) for segment in segments):
        raise Unauthenticated(Reason.MALFORMED)
    return token


def _json_object(segment: str) -> Mapping[str, object]:
    """A segment as one JSON object: UTF-8, no name twice, no NaN (RFC 7519 §4, RFC 8259)."""
    value: object = None
    try:
        text = urlsafe_b64decode(segment + "=" * (-len(segment) % 4)).decode()
        value = json.loads(text, object_pairs_hook=_without_twins, parse_constant=_never)
    except (ValueError, RecursionError):
        pass  # refused below, outside of this block: the error at hand holds the token's text
    if not isinstance(value, dict):
        raise Unauthenticated(Reason.MALFORMED)
    return value


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _never(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _key_id(header: Mapping[str, object]) -> str:
    if header.get("alg") != "RS256":
        raise Unauthenticated(Reason.ALGORITHM_NOT_ALLOWED)
    key_id = header.get("kid")
    if header.get("typ") != "JWT" or not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise Unauthenticated(Reason.HEADER_NOT_ALLOWED)
    if not _KEYS_AND_EXTENSIONS.isdisjoint(header):
        raise Unauthenticated(Reason.HEADER_NOT_ALLOWED)
    return key_id


def _seconds(claims: Mapping[str, object], name: str) -> int:
    """A NumericDate in whole seconds, as Entra writes it (RFC 7519 §2)."""
    value = claims.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _END_OF_TIME:
        raise Unauthenticated(Reason.INVALID_CLAIM)
    return value


def _guid(claims: Mapping[str, object], name: str) -> UUID:
    value = claims.get(name)
    if not isinstance(value, str) or not re.fullmatch(_GUID, value):  # UUID() itself takes braces and any digits
        raise Unauthenticated(Reason.INVALID_CLAIM)
    return UUID(value)


def _caller(claims: Mapping[str, object]) -> Caller:
    kind, scopes, roles = claims.get("idtyp"), claims.get("scp"), claims.get("roles", [])
    if kind not in ("user", "app") or not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise Unauthenticated(Reason.INVALID_CLAIM)
    is_application = kind == "app"
    has_scope = isinstance(scopes, str) and _SCOPE in scopes.split(" ")
    if "scp" in claims if is_application else not has_scope:
        raise Unauthenticated(Reason.WRONG_SCOPE)
    # A right in the wrong kind of token counts for nothing: people do not execute, programs do not turn sessions on.
    possible = _FOR_APPLICATIONS if is_application else _FOR_USERS
    return Caller(
        object_id=_guid(claims, "oid"),
        application_id=_guid(claims, "azp"),
        is_application=is_application,
        name=None if is_application else _display_name(claims),
        everywhere=frozenset(right for right in possible if f"{_APP_ROLES[right]}.All" in roles),
        where_granted=frozenset(right for right in possible if _APP_ROLES[right] in roles),
    )


def _display_name(claims: Mapping[str, object]) -> str | None:
    """How the activity trail calls a person; nothing is decided by it, so a strange one is only left out."""
    for value in (claims.get("name"), claims.get("preferred_username")):
        if isinstance(value, str) and value and value.isprintable():
            return value[:256]
    return None
