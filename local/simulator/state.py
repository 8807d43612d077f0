"""The simulated world: tenants and what is in them, as plain mutable records behind one lock."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local.simulator.clock import Clock
from local.simulator.signing import SigningKey, signing_key
from local.simulator.vault import Vault

JsonObject = dict[str, Any]


def documentation_countries() -> dict[str, str]:
    """The address ranges reserved for documentation (RFC 5737), each placed in a country."""
    return {"203.0.113.0/24": "NL", "198.51.100.0/24": "US", "192.0.2.0/24": "RU"}


@dataclass(slots=True)
class User:
    """A directory user. `document` holds its Graph properties; the rest is what Graph never shows."""

    document: JsonObject  # id, userPrincipalName, accountEnabled, employeeId, createdDateTime, …
    password: str | None
    visible_at: datetime  # replication: reads and role assignments before this moment answer 404
    deleted_at: datetime | None = None  # in the recycle bin since
    per_user_mfa: str = "disabled"  # disabled | enabled | enforced
    methods: list[JsonObject] = field(default_factory=list)  # authentication methods besides the password
    failed_sign_ins: list[str] = field(default_factory=list)  # hashes of wrong passwords (smart lockout)
    locked_until: datetime | None = None
    lockouts: int = 0  # how often smart lockout struck since the last success; each time it lasts longer
    must_change_password: bool = False  # passwordProfile.forceChangePasswordNextSignIn
    risk: str = "none"

    @property
    def id(self) -> str:
        return str(self.document["id"])


@dataclass(slots=True)
class Consent:
    """What a tenant has consented to for one application: its service principal and the grants it holds."""

    service_principal_id: str
    enabled: bool = True
    app_roles: set[str] = field(default_factory=set)  # Graph application permissions by name, e.g. "User.Read.All"
    delegated: dict[str, set[str]] = field(
        default_factory=dict
    )  # resource key -> scopes, e.g. "graph" -> {"User.Read"}
    directory_roles: set[str] = field(default_factory=set)  # role template ids the service principal itself holds


@dataclass(slots=True)
class RefreshToken:
    """A refresh token we issued: bound to a user and a client, good for any resource (Entra's rule)."""

    user_id: str
    client_id: str
    issued_at: datetime
    revoked: bool = False


@dataclass(slots=True)
class AuthorizationCode:
    """A code we gave a browser: good once, for the client, address and PKCE challenge it was asked with."""

    client_id: str
    redirect_uri: str
    challenge: str
    object_id: str  # who was picked
    scope: str
    nonce: str | None
    issued_at: datetime
    is_redeemed: bool = False


@dataclass(slots=True)
class Tenant:
    """One Microsoft 365 organisation."""

    id: str
    display_name: str
    domains: list[
        JsonObject
    ]  # verifiedDomains: name, isInitial, isDefault, type ("Managed" | "Federated"), capabilities
    country: str = "NL"
    skus: list[JsonObject] = field(default_factory=list)
    security_defaults: bool = False
    users: dict[str, User] = field(default_factory=dict)  # by object id, deleted ones included
    role_assignments: dict[str, JsonObject] = field(default_factory=dict)
    policies: dict[str, JsonObject] = field(default_factory=dict)  # conditional access
    named_locations: dict[str, JsonObject] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)  # by application (client) id
    groups: dict[str, set[str]] = field(default_factory=dict)  # group id -> member object ids
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    directory_roles: set[str] = field(default_factory=set)  # what its administrator gives our service principal too
    conditional_access_used_at: datetime | None = None  # the last call that pacing let through


@dataclass(slots=True)
class Application:
    """An application registration of the vendor: how it proves itself and what its manifest asks for."""

    client_id: str
    secret: str | None
    required_app_roles: set[str]  # Graph application permissions in the manifest; consenting grants all of them
    required_delegated: dict[str, set[str]]
    display_name: str = ""
    federated_subjects: set[str] = field(default_factory=set)  # object ids of managed identities that may speak for it


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody of the vendor's who calls our API: what their access token says about them."""

    object_id: str
    name: str
    idtyp: str  # "user" | "app"
    roles: tuple[str, ...]
    username: str | None = None  # users only
    client_id: str = ""  # apps: their own; users: the console's


@dataclass(slots=True)
class World:
    """Everything there is. Whoever touches it holds `lock`; the frame does so round every handler."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    clock: Clock = field(default_factory=Clock)
    signing_key: SigningKey = field(default_factory=signing_key)
    origin: str = "https://localhost"  # where Entra and Graph are
    key_vault_origin: str = "https://localhost"
    home_tenant_id: str = ""  # the vendor's own tenant: callers and the managed identity live there
    api_audience: str = ""  # what callers' tokens are for
    service_client_id: str = ""  # the application customers consent to
    tenants: dict[str, Tenant] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)  # by application (client) id
    callers: dict[str, Caller] = field(default_factory=dict)  # by the name tests know them by
    authorization_codes: dict[str, AuthorizationCode] = field(default_factory=dict)  # the vendor's own tenant's
    vault: Vault = field(default_factory=Vault)
    egress_ip: str = "203.0.113.10"  # where a caller comes from that sends no x-simulated-ip header
    replication: float = 0.0  # seconds until a new directory object can be read
    conditional_access_pacing: float = 0.0  # seconds between conditional access calls of one tenant; 0 = no limit
    policy_delay: float = 0.0  # seconds until sign-ins obey a new conditional access policy
    named_location_delay: float = 0.0  # seconds until a policy can name a new location (error 1040 before)
    countries: dict[str, str] = field(default_factory=documentation_countries)  # where an IP range is: CIDR -> ISO 3166
