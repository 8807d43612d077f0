"""The key the simulated Entra signs tokens with: RSA 2048, made once a run and never written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair and the id (`kid`) it is published under."""

    kid: str
    private_key: RSAPrivateKey = field(repr=False)

    def sign(self, claims: Mapping[str, object]) -> str:
        """The claims as an RS256 JWT whose header names this key."""
        return jwt.encode(dict(claims), self.private_key, algorithm="RS256", headers={"kid": self.kid})

    def read(self, token: str) -> dict[str, object]:
        """The claims of a token that this key signed; their times, issuer and audience are the caller's to judge.

        Raises:
            jwt.InvalidTokenError: it is no RS256 JWT, or another key signed it.
        """
        claims: dict[str, object] = jwt.decode(
            token,
            self.private_key.public_key(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
        )
        return claims

    def jwk(self) -> dict[str, object]:
        """The public half as a JSON Web Key (RFC 7517)."""
        numbers = RSAAlgorithm.to_jwk(self.private_key.public_key(), as_dict=True)
        return {"kty": "RSA", "use": "sig", "kid": self.kid, "n": numbers["n"], "e": numbers["e"]}


@cache
def signing_key() -> SigningKey:
    """The run's one signing key: every world of the process shares it, because making one takes a tenth of a second."""
    private_key = generate_private_key(public_exponent=65537, key_size=2048)
    modulus = private_key.public_key().public_numbers().n
    # Named after the key itself: a verifier that outlives this process sees an unknown kid, not a broken signature.
    kid = sha256(modulus.to_bytes(256)).hexdigest()[:27]
    return SigningKey(kid=kid, private_key=private_key)
