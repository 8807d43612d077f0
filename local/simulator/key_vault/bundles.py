"""Secrets as Key Vault writes and reads them (rest/api/keyvault/secrets: SecretBundle, SecretItem, and the deleted)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from local.simulator.vault import RETENTION, Secret, SecretVersion, Vault, VaultRefused

JsonObject = dict[str, Any]


def item(origin: str, vault: Vault, secret: Secret, version: SecretVersion, *, with_version: bool) -> JsonObject:
    """A secret without its value: what lists are made of. Only lists of versions name the version."""
    suffix = f"/{version.id}" if with_version else ""
    document: JsonObject = {
        "id": f"{origin}/secrets/{secret.name}{suffix}",
        "attributes": {
            "enabled": version.enabled,
            "created": int(version.created.timestamp()),
            "updated": int(version.updated.timestamp()),
            "recoveryLevel": "Recoverable" if vault.purge_protection else "Recoverable+Purgeable",
            "recoverableDays": RETENTION.days,
        },
        "tags": version.tags or {},
    }
    if version.not_before is not None:
        document["attributes"]["nbf"] = version.not_before
    if version.expires is not None:
        document["attributes"]["exp"] = version.expires
    if version.content_type is not None:
        document["contentType"] = version.content_type
    return document


def bundle(origin: str, vault: Vault, secret: Secret, version: SecretVersion) -> JsonObject:
    """A secret with its value."""
    return {"value": version.value} | item(origin, vault, secret, version, with_version=True)


def deleted(origin: str, vault: Vault, secret: Secret, *, with_version: bool) -> JsonObject:
    """A deleted secret: no value, but until when and where it can be recovered.

    Raises:
        ValueError: it is not deleted.
    """
    if secret.deleted_at is None:
        raise ValueError("only a deleted secret is shown as one")
    document = item(origin, vault, secret, secret.latest, with_version=with_version)
    document["recoveryId"] = f"{origin}/deletedsecrets/{secret.name}"
    document["deletedDate"] = int(secret.deleted_at.timestamp())
    document["scheduledPurgeDate"] = int((secret.deleted_at + RETENTION).timestamp())
    return document


def new_version(document: object, *, now: datetime) -> SecretVersion:
    """The version that a PUT's body describes.

    Raises:
        VaultRefused: 400, there is no text `value` or a property has the wrong type.
    """
    value = document.get("value") if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise VaultRefused(400, "BadParameter", "Property value has invalid value: it must be a text.")
    version = SecretVersion(id=uuid4().hex, value=value, created=now, updated=now)
    change(version, document, now=now)
    return version


def change(version: SecretVersion, document: object, *, now: datetime) -> None:
    """Applies the properties a body names; tags are replaced as a whole, a value cannot be changed.

    Raises:
        VaultRefused: 400, a property has the wrong type.
    """
    if not isinstance(document, dict):
        raise VaultRefused(400, "BadParameter", "The request body must be an object.")
    attributes = _typed(document, "attributes", dict, {})
    version.enabled = _typed(attributes, "enabled", bool, version.enabled)
    version.not_before = _typed(attributes, "nbf", int, version.not_before)
    version.expires = _typed(attributes, "exp", int, version.expires)
    version.content_type = _typed(document, "contentType", str, version.content_type)
    version.tags = _typed(document, "tags", dict, version.tags)
    version.updated = now


def _typed(document: JsonObject, name: str, kind: type, otherwise: Any) -> Any:
    value = document.get(name)
    if value is None:
        return otherwise
    if not isinstance(value, kind):
        raise VaultRefused(400, "BadParameter", f"Property {name} has invalid value: it must be {kind.__name__}.")
    return value
