"""What a vault keeps: secrets with versions, and the four states a secret passes through when it is deleted."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

RETENTION = timedelta(days=90)  # a deleted secret is purged by the vault itself after that
MAXIMUM_VALUE = 25 * 1024  # bytes (learn.microsoft.com/azure/key-vault/secrets/about-secrets)
_NAME = re.compile(r"[0-9A-Za-z-]{1,127}")


class SecretState(StrEnum):
    """Where a secret is between being set and being gone."""

    LIVE = "live"
    DELETING = "deleting"  # no longer readable, not yet among the deleted
    DELETED = "deleted"
    RECOVERING = "recovering"  # neither readable nor settable yet


class VaultRefused(Exception):
    """The vault says no. `inner_code` is the machine-readable reason inside the error, where Key Vault gives one."""

    def __init__(self, status: int, code: str, message: str, inner_code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner_code = inner_code


@dataclass(slots=True)
class SecretVersion:
    """One value a secret has had. `not_before` and `expires` (Unix seconds) are information: nothing checks them."""

    id: str
    value: str = field(repr=False)
    created: datetime
    updated: datetime
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    content_type: str | None = None
    tags: dict[str, str] | None = None


@dataclass(slots=True)
class Secret:
    """A name and its versions, oldest first; deletion and recovery concern all of them at once."""

    name: str
    versions: list[SecretVersion] = field(default_factory=list)
    deleted_at: datetime | None = None
    recovered_at: datetime | None = None

    @property
    def latest(self) -> SecretVersion:
        return self.versions[-1]


@dataclass(slots=True)
class Vault:
    """One key vault. Names are case-insensitive; the spelling of the first `put` is kept."""

    purge_protection: bool = True
    deletion_seconds: float = 0.0  # how long a deletion takes to show among the deleted secrets
    recovery_seconds: float = 0.0  # how long a recovered secret can neither be read nor set
    _secrets: dict[str, Secret] = field(default_factory=dict)

    def put(self, name: str, version: SecretVersion) -> Secret:
        """Adds a version.

        Raises:
            VaultRefused: 400 for a bad name or a value above 25 KiB, 409 while the name is deleted or in between.
        """
        if not _NAME.fullmatch(name):
            raise VaultRefused(400, "BadParameter", f"The request URI contains an invalid name: {name}")
        if len(version.value.encode()) > MAXIMUM_VALUE:
            raise VaultRefused(400, "BadParameter", f"The value of a secret may have at most {MAXIMUM_VALUE} bytes.")
        secret = self._find(name, version.created)
        if secret is None:
            secret = self._secrets[name.lower()] = Secret(name)
        elif (state := self.state(secret, version.created)) is not SecretState.LIVE:
            raise _in_between(name, state)
        secret.versions.append(version)
        return secret

    def get(self, name: str, version_id: str, *, now: datetime) -> tuple[Secret, SecretVersion]:
        """A live secret's version, the latest for an empty `version_id`; whether it is enabled is not asked here.

        Raises:
            VaultRefused: 404.
        """
        secret = self._find(name, now)
        if secret is None or self.state(secret, now) is not SecretState.LIVE:
            raise _not_found(name)
        if not version_id:
            return secret, secret.latest
        for version in secret.versions:
            if version.id == version_id:
                return secret, version
        raise _not_found(f"{name}/{version_id}")

    def delete(self, name: str, *, now: datetime) -> Secret:
        """Soft-deletes a secret with all its versions.

        Raises:
            VaultRefused: 404.
        """
        secret, _ = self.get(name, "", now=now)
        secret.deleted_at, secret.recovered_at = now, None
        return secret

    def get_deleted(self, name: str, *, now: datetime) -> Secret:
        """A secret whose deletion is complete.

        Raises:
            VaultRefused: 404.
        """
        secret = self._find(name, now)
        if secret is None or self.state(secret, now) is not SecretState.DELETED:
            raise VaultRefused(404, "SecretNotFound", f"Deleted Secret not found: {name}")
        return secret

    def recover(self, name: str, *, now: datetime) -> Secret:
        """Brings a deleted secret back.

        Raises:
            VaultRefused: 404 when it is not deleted, 409 while it is being deleted or recovered.
        """
        secret = self._settled(name, now)
        secret.deleted_at, secret.recovered_at = None, now
        return secret

    def purge(self, name: str, *, now: datetime) -> None:
        """Removes a deleted secret for ever.

        Raises:
            VaultRefused: 403 under purge protection, 404 when it is not deleted, 409 while in between.
        """
        secret = self._settled(name, now)
        if self.purge_protection:
            message = (
                'Operation "purge" is not allowed because purge protection is enabled for this vault. '
                "Key Vault service will automatically purge it after the retention period has passed."
            )
            raise VaultRefused(403, "Forbidden", message)
        del self._secrets[secret.name.lower()]

    def secrets(self, state: SecretState, *, now: datetime) -> list[Secret]:
        """The secrets in that state, by name."""
        found = [secret for name in list(self._secrets) if (secret := self._find(name, now))]
        return sorted((secret for secret in found if self.state(secret, now) is state), key=lambda each: each.name)

    def state(self, secret: Secret, now: datetime) -> SecretState:
        """Where the secret is at `now`."""
        if secret.deleted_at:
            settles_at = secret.deleted_at + timedelta(seconds=self.deletion_seconds)
            return SecretState.DELETING if now < settles_at else SecretState.DELETED
        if secret.recovered_at and now < secret.recovered_at + timedelta(seconds=self.recovery_seconds):
            return SecretState.RECOVERING
        return SecretState.LIVE

    def _find(self, name: str, now: datetime) -> Secret | None:
        secret = self._secrets.get(name.lower())
        if secret and secret.deleted_at and now >= secret.deleted_at + RETENTION:
            del self._secrets[name.lower()]
            return None
        return secret

    def _settled(self, name: str, now: datetime) -> Secret:
        secret = self._find(name, now)
        if secret and (state := self.state(secret, now)) in (SecretState.DELETING, SecretState.RECOVERING):
            raise _in_between(name, state)
        return self.get_deleted(name, now=now)


def _not_found(name: str) -> VaultRefused:
    message = (
        f"A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret "
        "you may be able to recover it using the correct recovery command."
    )
    return VaultRefused(404, "SecretNotFound", message)


def _in_between(name: str, state: SecretState) -> VaultRefused:
    reason, inner_code = {
        SecretState.DELETED: (
            "in a deleted but recoverable state, and its name cannot be reused; "
            "in this state, the secret can only be recovered or purged.",
            "ObjectIsDeletedButRecoverable",
        ),
        SecretState.DELETING: (
            "being deleted and cannot be re-created or recovered; retry later.",
            "ObjectIsBeingDeleted",
        ),
        SecretState.RECOVERING: (
            "being recovered and cannot be re-created; retry later.",
            "ObjectIsBeingRecovered",
        ),
    }[state]
    return VaultRefused(409, "Conflict", f"Secret {name} is currently {reason}", inner_code)
