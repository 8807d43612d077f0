"""Callers' tokens as Entra makes them, and whatever a forger would make instead."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

from functions.callers import Reason, TokenVerifier, Unauthenticated
from shared.domain.errors import Code, not_found

TENANT = "0b6f6c5e-2a0c-4a3d-9a51-6c2b8f2f7a10"
OTHER_TENANT = "7c1e0f86-55a4-4e0e-b7b8-6a9a1c0f5d22"
ISSUER = f"https://login.example/{TENANT}/v2.0"
AUDIENCE = "d2c9b9a4-1f7e-4f0b-8e0d-3f1f4f7f2a31"
PERSON = "a4f3e2d1-0c9b-4a87-9653-210fedcba987"
PROGRAM = "b5e4f3a2-1d0c-4b98-8764-321fedcba098"
CONSOLE = "c6f5a4b3-2e1d-4ca9-9875-432fedcba109"
KEY_ID = "only-for-tests-key"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def private_key(name: str = "entra", bits: int = 2048) -> RSAPrivateKey:
    """The key pair of that name; the default one is the tenant's."""
    return _made_once(name, bits)


@cache
def _made_once(name: str, bits: int) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=bits)


@dataclass(eq=False)
class StoppedClock:
    """A Clock that stands still until it is moved."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def move(self, span: timedelta) -> None:
        self.at += span


@dataclass(eq=False)
class FakeSigningKeys:
    """SigningKeys that publish one key, and remember which were asked for."""

    asked: list[str] = field(default_factory=list)

    def key(self, key_id: str) -> RSAPublicKey:
        self.asked.append(key_id)
        if key_id != KEY_ID:
            raise not_found(Code.NOT_FOUND, "There is no signing key of that id.")
        return private_key().public_key()


def verifier(keys: FakeSigningKeys | None = None, *, now: datetime = NOW) -> TokenVerifier:
    return TokenVerifier(issuer=ISSUER, audience=AUDIENCE, keys=keys or FakeSigningKeys(), clock=StoppedClock(now))


def reason_of(authorization: str | None, checking: TokenVerifier | None = None) -> Reason | None:
    """Why a header is refused; None when it is accepted."""
    try:
        (checking or verifier()).verify(authorization)
    except Unauthenticated as refusal:
        return refusal.reason
    return None


def user_claims(**changes: object) -> dict[str, object]:
    """What Entra says of a person at the console; a change to None takes the claim away."""
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "tid": TENANT,
        "ver": "2.0",
        "oid": PERSON,
        "sub": "only-for-tests-subject",
        "azp": CONSOLE,
        "azpacr": "2",
        "idtyp": "user",
        "scp": "Sessions.Access",
        "roles": ["Tenants.Read.All"],
        "name": "Ada Operator",
        "preferred_username": "ada@vendor.example",
        "iat": int(NOW.timestamp()),
        "nbf": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 3600,
    } | changes
    return {name: value for name, value in claims.items() if value is not None}


def app_claims(**changes: object) -> dict[str, object]:
    """What Entra says of an executor; a change to None takes the claim away."""
    return user_claims(
        **{"oid": PROGRAM, "idtyp": "app", "scp": None, "name": None, "preferred_username": None} | changes
    )


def base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).decode().rstrip("=")


def signed_octets(header: bytes, payload: bytes, key: RSAPrivateKey | None = None) -> str:
    """An Authorization header around a token of exactly these octets, properly signed."""
    signing_input = f"{base64url(header)}.{base64url(payload)}"
    signature = (key or private_key()).sign(signing_input.encode(), PKCS1v15(), SHA256())
    return f"Bearer {signing_input}.{base64url(signature)}"


def bearer(
    claims: Mapping[str, object], *, header: Mapping[str, object] | None = None, key: RSAPrivateKey | None = None
) -> str:
    """An Authorization header with these claims, signed by Entra or by `key`; None takes a header field away."""
    fields = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID} | dict(header or {})
    kept = {name: value for name, value in fields.items() if value is not None}
    return signed_octets(json.dumps(kept).encode(), json.dumps(claims).encode(), key)
