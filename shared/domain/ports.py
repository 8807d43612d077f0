"""What the work needs of the world: one Protocol for each outside system, in the domain's own words.

The tables are in shared/domain/store.py.

Every method may raise Transient when its system is busy or away, and ReplyLost when a request was sent and no answer
came. Fakes and adapters pass the same tests (tests/contract/ports).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.domain.action import ActionKind, Decision
from shared.domain.ids import OperationId, TenantId
from shared.domain.secret import AccessToken, Secret


class Clock(Protocol):
    """The time, aware and in UTC."""

    def now(self) -> datetime: ...


class TickingClock(Clock, Protocol):
    """A clock that wakes somebody again and again."""

    def every(self, span: timedelta, act: Callable[[], None]) -> AbstractContextManager[None]:
        """Beside the block, do `act` whenever another `span` of it has gone by; when the block is left it is over."""

    def beside(self, act: Callable[[], None]) -> AbstractContextManager[None]:
        """Do `act` while the block is done, and leave the block when both have ended; raises what either raised."""


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Messages(Protocol):
    """The queues we write to."""

    def send_operation(self, tenant_id: TenantId, operation_id: OperationId, *, after: timedelta = timedelta()) -> None:
        """Ask a worker to go on with an operation, now or later. Ids only."""

    def send_again(self, queue: str, text: str) -> None:
        """Put a kept message back on the queue it came from."""

    def send_decision(self, kind: ActionKind, decision: Decision) -> None:
        """Answer an executor, on the queue of the action's kind."""


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Vault(Protocol):
    """Key Vault secrets. Names are never deleted and made anew; versions come and go."""

    def put(self, name: str, secret: Secret, *, purpose: str) -> str:
        """Keep a new version, enabled; its version id. A name in the recycle bin is recovered first."""

    def get(self, name: str, version: str | None = None) -> Secret:
        """The secret of that version, or the newest.

        Raises:
            Refused: `secretMissing`: there is none, it is disabled, or it is deleted.
        """

    def newest(self, name: str) -> str | None:
        """The id of the newest version, if it can be read: how the next attempt finds what one that died kept."""

    def readable(self, name: str, *, before: datetime) -> tuple[str, ...]:
        """The ids of the versions made before that moment that can be read, in no order.

        One request for every 25 versions that there ever were.
        """

    def retire(self, name: str, version: str) -> None:
        """Disable a version: it can never be read again. Gone already is fine."""

    def delete(self, name: str) -> None:
        """Delete the name with all its versions; the vault keeps them a while. Gone already is fine."""

    def exists(self, name: str) -> bool:
        """True while the name is there and not deleted."""


# ── the tenant's directory and its sign-in ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Organization:
    """Facts about the tenant (https://learn.microsoft.com/graph/api/resources/organization)."""

    display_name: str
    initial_domain: str
    initial_domain_is_managed: bool
    managed_domains: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A user of the tenant; `marker` is what we wrote into `employeeId`, or what somebody else did."""

    object_id: UUID
    user_principal_name: str
    marker: str | None
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class NewUser:
    """The service account we want (https://learn.microsoft.com/graph/api/user-post-users)."""

    user_principal_name: str
    display_name: str
    marker: str
    password: Secret


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A directory role held tenant-wide."""

    assignment_id: str
    role_template_id: UUID


class Directory(Protocol):
    """Microsoft Graph, as our application, in one tenant.

    Every method raises Refused `consentMissing` or `permissionMissing` when the tenant has not agreed to it, and
    `adminRoleMissing` when the application lacks the directory role that acting on a role-holder takes.
    """

    def organization(self, tenant_id: TenantId) -> Organization:
        """The tenant's name and initial domain."""

    def user(self, tenant_id: TenantId, key: str) -> DirectoryUser | None:
        """The user of that object id or user principal name, or None: not there, or not replicated yet."""

    def marked_users(self, tenant_id: TenantId, beginning: str) -> tuple[DirectoryUser, ...]:
        """The users whose marker begins so, replicated and not deleted; one request for up to a page of them."""

    def deleted_user(self, tenant_id: TenantId, user_principal_name: str) -> DirectoryUser | None:
        """The user of that former name in the recycle bin, or None."""

    def create_user(self, tenant_id: TenantId, user: NewUser) -> DirectoryUser:
        """Create it. Raises Refused `accountConflict` when the name is taken."""

    def restore_user(self, tenant_id: TenantId, object_id: UUID, user_principal_name: str) -> None:
        """Bring a deleted user back under its former name. Raises Refused `accountConflict` when that is taken."""

    def adopt_user(self, tenant_id: TenantId, object_id: UUID, marker: str) -> None:
        """Make a user of ours usable again: enabled, never expiring, with the new marker."""

    def set_password(self, tenant_id: TenantId, object_id: UUID, password: Secret) -> None:
        """Set the password; no change is forced at the next sign-in."""

    def delete_user(self, tenant_id: TenantId, object_id: UUID) -> None:
        """Move it to the recycle bin; gone already is fine."""

    def revoke_sign_ins(self, tenant_id: TenantId, object_id: UUID) -> None:
        """End every refresh token of the user; a deleted user is fine."""

    def role_assignments(self, tenant_id: TenantId, object_id: UUID) -> tuple[RoleAssignment, ...]:
        """The roles the user holds tenant-wide."""

    def assign_role(self, tenant_id: TenantId, object_id: UUID, role_template_id: UUID) -> None:
        """Give a role; held already is fine. Raises Transient while the user is not replicated."""

    def remove_role(self, tenant_id: TenantId, assignment_id: str) -> None:
        """Take a role assignment back; gone already is fine."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that succeeded: whose, and the refresh token that goes on from it."""

    object_id: UUID
    tenant_id: UUID
    refresh_token: Secret


class SignIn(Protocol):
    """Microsoft Entra's token endpoint, for our application in one tenant.

    Raises Refused `consentMissing`, `credentialRejected` or `signInBlocked` by the AADSTS catalogue
    (shared/domain/sign_in_errors.py), Transient for those that time may mend.
    """

    def permissions(self, tenant_id: TenantId) -> frozenset[str]:
        """The Graph application permissions a fresh token carries; asks Entra anew every time."""

    def with_password(self, tenant_id: TenantId, user_principal_name: str, password: Secret) -> SignedIn:
        """Sign the user in (ROPC)."""

    def redeem(self, tenant_id: TenantId, refresh_token: Secret, scope: str) -> AccessToken:
        """An access token for one resource. Raises Refused `credentialRejected` when the refresh token is dead."""

    def change_own_password(self, tenant_id: TenantId, user_principal_name: str, old: Secret, new: Secret) -> None:
        """Let the user change its own password: needs no role, only the delegated permission."""


# ── callers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class SigningKeys(Protocol):
    """The public keys that callers' tokens are signed with."""

    def key(self, key_id: str) -> object:
        """The key of that id, as PyJWT takes it. Raises NotFound `notFound` for an unknown id."""
