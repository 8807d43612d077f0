"""Entra's public signing keys are fetched seldom, by one thread at a time, and outlive an outage of a day.

How often: https://learn.microsoft.com/entra/identity-platform/signing-key-rollover asks to look every hour and at an
unknown key, but not more often than every five minutes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from threading import Lock
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared import telemetry
from shared.domain.errors import Code, not_found, unavailable
from shared.domain.ports import Clock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

FRESH_FOR: Final = timedelta(hours=1)
USABLE_FOR: Final = timedelta(hours=24)
PAUSE: Final = timedelta(minutes=5)
"""Between two fetches while there are keys to go by."""
SHORT_PAUSE: Final = timedelta(seconds=30)
"""Between two fetches while there are none: nobody can be let in until one succeeds."""
_TIMEOUT_SECONDS: Final = 5
_LARGEST_REPLY: Final = 256 * 1024
_SHORTEST_KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class _KeySet:
    keys: Mapping[str, RSAPublicKey]
    fetched_at: datetime


class JwksSigningKeys:
    """The SigningKeys of one tenant, from its JSON Web Key Set (RFC 7517 §5); fetched when the first key is asked for.

    Args:
        issuer: `{authority}/{tenant id}/v2.0`; its keys are at `{authority}/{tenant id}/discovery/v2.0/keys`.

    Raises:
        ValueError: the issuer is not an https address, so its keys could not be trusted.
    """

    def __init__(self, issuer: str, clock: Clock) -> None:
        address = urlsplit(issuer.removesuffix("/v2.0") + "/discovery/v2.0/keys")
        if address.scheme != "https" or not address.hostname:
            raise ValueError(f"an issuer's address begins with https://, not {issuer!r}")
        self._host, self._port, self._path = address.hostname, address.port, address.path
        self._clock = clock
        self._held: _KeySet | None = None
        self._tried_at: datetime | None = None
        self._fetching = Lock()

    def key(self, key_id: str) -> RSAPublicKey:
        """The RSA public key of that id, of 2048 bits or more.

        Raises:
            NotFound: `notFound`: Entra does not publish it, or has not done so for long enough to ask again.
            Transient: `upstreamUnavailable`: no key set could be had for a day, or yet.
        """
        # Whoever knows the key goes on with it while another thread fetches; whoever does not must wait for the answer.
        if self._is_due(key_id) and self._fetching.acquire(blocking=not self._knows(key_id)):
            try:
                if self._is_due(key_id):  # nobody has fetched while we waited
                    self._refresh()
            finally:
                self._fetching.release()
        held = self._usable()
        if held is None:
            raise unavailable("Microsoft's list of signing keys", SHORT_PAUSE)
        if key_id not in held.keys:
            raise not_found(Code.NOT_FOUND, "There is no signing key of that id.")
        return held.keys[key_id]

    def _usable(self) -> _KeySet | None:
        held = self._held
        return held if held and self._clock.now() - held.fetched_at < USABLE_FOR else None

    def _knows(self, key_id: str) -> bool:
        held = self._usable()
        return held is not None and key_id in held.keys

    def _is_due(self, key_id: str) -> bool:
        now, held = self._clock.now(), self._usable()
        if held and key_id in held.keys and now - held.fetched_at < FRESH_FOR:
            return False
        return self._tried_at is None or now - self._tried_at >= (PAUSE if held else SHORT_PAUSE)

    def _refresh(self) -> None:
        """Hold the newest key set; keep the last good one when there is none to be had."""
        try:
            keys = _signing_keys(self._fetch())
        except (OSError, HTTPException, ValueError, RecursionError) as error:
            telemetry.event("signingKeysUnavailable", level=logging.WARNING, error=type(error).__name__)
        else:
            self._held = _KeySet(keys, self._clock.now())
        finally:
            self._tried_at = self._clock.now()

    def _fetch(self) -> bytes:
        from shared.adapters.tls import context  # loads requests: see functions/callers.py

        # http.client follows no redirect and asks no proxy.
        connection = HTTPSConnection(self._host, self._port, timeout=_TIMEOUT_SECONDS, context=context())
        try:
            connection.request("GET", self._path, headers={"Accept": "application/json"})
            response = connection.getresponse()
            body = response.read(_LARGEST_REPLY + 1)
        finally:
            connection.close()
        if response.status != HTTPStatus.OK or len(body) > _LARGEST_REPLY:
            raise ValueError(f"status {response.status}, {len(body)} bytes")
        return body


def _signing_keys(document: bytes) -> Mapping[str, RSAPublicKey]:
    """The keys a signature may be checked with. Raises ValueError when there is none in the document."""
    key_set = json.loads(document)
    entries = key_set.get("keys") if isinstance(key_set, dict) else None
    parsed = (_signing_key(entry) for entry in entries if isinstance(entry, dict)) if isinstance(entries, list) else ()
    keys = dict(key for key in parsed if key)
    if not keys:
        raise ValueError("no signing key in the key set")
    return keys


def _signing_key(entry: dict[str, object]) -> tuple[str, RSAPublicKey] | None:
    """A key with its id (RFC 7517 §4, RFC 7518 §6.3.1), or None for one of another kind, or too short."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # only now: see functions/callers.py
    from jwt import InvalidKeyError
    from jwt.algorithms import RSAAlgorithm

    key_id = entry.get("kid")
    if entry.get("use") != "sig" or not isinstance(key_id, str):
        return None
    try:
        key = RSAAlgorithm.from_jwk(entry)  # refuses every "kty" but RSA
    except (InvalidKeyError, ValueError, TypeError):
        return None
    if not isinstance(key, RSAPublicKey) or key.key_size < _SHORTEST_KEY_BITS:
        return None
    return key_id, key
