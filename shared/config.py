"""Settings: the only place that reads the environment. Every setting is named, checked and explained here."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from shared.domain.errors import Code, Problem, Transient
from shared.domain.limits import Limits
from shared.domain.resources import Audiences, Resource
from shared.domain.secret import Secret

T = TypeVar("T")


class SettingInvalid(Transient):
    """A setting is missing or wrong. Callers learn only that the service is not available.

    Attributes:
        text: for the log: names the setting and says what it should be; never quotes a value.
    """

    def __init__(self, text: str) -> None:
        super().__init__(Problem(Code.SERVICE_UNAVAILABLE, "The service is not configured."))
        self.text = text


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """How queues and tables are reached: by connection string, or by account name and managed identity."""

    connection_string: Secret | None
    account_name: str | None
    client_id: str | None
    endpoint_suffix: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service needs to know of its surroundings.

    Attributes:
        app_client_secret: None in the cloud, where the managed identity vouches for the application.
        onboarding_client_id: the application that makes and removes accounts, roles and policies; None where the other
            one does everything. The managed identity vouches for it too, where it has no secret.
        token_exchange_audience: whom the managed identity vouches to; each cloud's Entra has its own name there.
        managed_identity_client_id: the user-assigned identity; None for the system-assigned one.
        egress_ips: CIDR ranges that our sign-ins and our executors come from.
        egress_country: where those addresses are: two letters, ISO 3166-1.
    """

    storage: StorageSettings
    key_vault_url: str
    authority_host: str
    graph_endpoint: str
    app_client_id: UUID
    app_client_secret: Secret | None
    onboarding_client_id: UUID | None
    onboarding_client_secret: Secret | None
    managed_identity_client_id: str | None
    token_exchange_audience: str
    api_audience: UUID
    api_issuer: str
    egress_ips: tuple[str, ...]
    egress_country: str | None
    consent_redirect_uri: str | None
    audiences: Audiences
    limits: Limits


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        SettingInvalid: one is missing or wrong.
    """
    env = os.environ if environment is None else environment
    graph = _url(env, "GRAPH_ENDPOINT", "https://graph.microsoft.com")
    app_client_id = _parsed(env, "APP_CLIENT_ID", UUID, "a GUID")
    return Settings(
        storage=_storage(env),
        key_vault_url=_url(env, "KEY_VAULT_URL"),
        authority_host=_url(env, "ENTRA_AUTHORITY_HOST", "https://login.microsoftonline.com"),
        graph_endpoint=graph,
        app_client_id=app_client_id,
        app_client_secret=_secret(env, "APP_CLIENT_SECRET"),
        onboarding_client_id=_onboarding(env, app_client_id),
        onboarding_client_secret=_secret(env, "ONBOARDING_CLIENT_SECRET"),
        managed_identity_client_id=env.get("AZURE_CLIENT_ID") or None,
        token_exchange_audience=env.get("TOKEN_EXCHANGE_AUDIENCE") or "api://AzureADTokenExchange",
        api_audience=_parsed(env, "API_AUDIENCE", UUID, "a GUID"),
        api_issuer=_issuer(env),
        egress_ips=_ranges(env.get("EGRESS_IPS", "")),
        egress_country=_country(env.get("EGRESS_COUNTRY", "")),
        consent_redirect_uri=_url(env, "CONSENT_REDIRECT_URI") if env.get("CONSENT_REDIRECT_URI") else None,
        audiences=_audiences(env, graph),
        limits=Limits(
            stuck_after=timedelta(seconds=_whole(env, "STUCK_AFTER_SECONDS", 120, least=1, most=300)),
            retention=timedelta(days=_whole(env, "RETENTION_DAYS", 400, least=30, most=3650)),
        ),
    )


def _storage(env: Mapping[str, str]) -> StorageSettings:
    connection_string, account = env.get("SessionStorage"), env.get("SessionStorage__accountName")
    if not connection_string and not account:
        raise SettingInvalid("SessionStorage__accountName (or SessionStorage, a connection string) is not set.")
    credential = env.get("SessionStorage__credential", "managedidentity")
    if account and credential != "managedidentity":
        raise SettingInvalid("SessionStorage__credential must be managedidentity.")
    return StorageSettings(
        connection_string=_secret(env, "SessionStorage"),
        account_name=account or None,
        client_id=env.get("SessionStorage__clientId") or None,
        endpoint_suffix=env.get("STORAGE_ENDPOINT_SUFFIX", "core.windows.net"),
    )


def _secret(env: Mapping[str, str], name: str) -> Secret | None:
    return Secret(env[name]) if env.get(name) else None


def _onboarding(env: Mapping[str, str], app_client_id: UUID) -> UUID | None:
    """The other application: were it the same one, switching it off would stop everything."""
    if not env.get("ONBOARDING_CLIENT_ID"):
        return None
    found = _parsed(env, "ONBOARDING_CLIENT_ID", UUID, "a GUID")
    if found == app_client_id:
        raise SettingInvalid("ONBOARDING_CLIENT_ID must be another application than APP_CLIENT_ID, or not set.")
    return found


def _audiences(env: Mapping[str, str], graph: str) -> Audiences:
    """The resources of this cloud: the worldwide ones, but for those a national cloud's settings name."""
    known = dict(Audiences().resource) | {Resource.GRAPH: graph}
    for resource, name in (
        (Resource.EXCHANGE, "EXCHANGE_RESOURCE"),
        (Resource.SHAREPOINT, "SHAREPOINT_RESOURCE"),
        (Resource.TEAMS, "TEAMS_RESOURCE"),
        (Resource.COMPLIANCE, "COMPLIANCE_RESOURCE"),
    ):
        known[resource] = env.get(name) or known[resource]
    return Audiences(known)


def _whole(env: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    """A whole number within bounds."""
    text = env.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise SettingInvalid(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise SettingInvalid(f"{name} is not set.")
    return value


def _parsed(env: Mapping[str, str], name: str, parse: Callable[[str], T], what: str) -> T:
    value = _required(env, name)
    try:
        return parse(value)
    except ValueError:
        raise SettingInvalid(f"{name} must be {what}.") from None


def _url(env: Mapping[str, str], name: str, default: str = "") -> str:
    """An absolute https URL without a trailing slash."""
    value = (env.get(name) or default or _required(env, name)).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.netloc or parts.query or parts.fragment:
        raise SettingInvalid(f"{name} must be an https URL.")
    return value


def _issuer(env: Mapping[str, str]) -> str:
    """The v2 issuer of the vendor's own tenant, `{authority}/{tenant GUID}/v2.0`."""
    value = _url(env, "API_ISSUER")
    tenant, version = value.removesuffix("/v2.0").rpartition("/")[2], value[-5:]
    try:
        UUID(tenant)
    except ValueError:
        version = ""
    if version != "/v2.0":
        raise SettingInvalid("API_ISSUER must be a v2 issuer: https://{authority}/{tenant GUID}/v2.0.")
    return value


def _ranges(text: str) -> tuple[str, ...]:
    ranges = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tuple(str(ipaddress.ip_network(part)) for part in ranges)
    except ValueError:
        raise SettingInvalid("EGRESS_IPS must be CIDR ranges, separated by commas.") from None


def _country(text: str) -> str | None:
    code = text.strip().upper()
    if code and not (len(code) == 2 and code.isascii() and code.isalpha()):
        raise SettingInvalid("EGRESS_COUNTRY must be two letters (ISO 3166-1), like NL.")
    return code or None
