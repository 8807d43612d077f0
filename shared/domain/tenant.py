"""A tenant: the one row that says everything a console's header and panel need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.domain.action import ActionKind
from shared.domain.actors import Grant
from shared.domain.allowed_ips import AllowedIps
from shared.domain.directory_roles import RoleProfile
from shared.domain.errors import Code, Problem, Refused, refused
from shared.domain.ids import AccountId, OperationId, TenantId
from shared.domain.operation import OperationKind
from shared.domain.policy_check import CheckSummary
from shared.domain.removal import Stock
from shared.domain.session import Method, Session, SessionState

MAX_OPERATORS: Final = 100
"""Keeps the tenant's row small: every look at a tenant reads it whole."""


class ConsentState(StrEnum):
    """What the customer has agreed to, as far as we could see."""

    UNKNOWN = "unknown"
    MISSING = "missing"
    PARTIAL = "partial"
    GRANTED = "granted"


@dataclass(frozen=True, slots=True)
class Consent:
    """The last look at the tenant's consent: the application permissions it holds, and those that are missing.

    Attributes:
        onboarding: the consent to the application that makes accounts, where that is another one.
    """

    state: ConsentState = ConsentState.UNKNOWN
    held: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    checked_at: datetime | None = None
    problem: Problem | None = None
    onboarding: Consent | None = None

    @property
    def is_granted(self) -> bool:
        """True when nothing is missing, of either application."""
        return self.state is ConsentState.GRANTED and (self.onboarding is None or self.onboarding.is_granted)


class AccountState(StrEnum):
    """Where the management service account stands."""

    NONE = "none"
    CREATING = "creating"
    CREATED = "created"
    FAILED = "failed"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The management service account: what we intend, recorded before we act, and what there is.

    Attributes:
        account_id: our own id of it; part of the ownership marker and of the secrets' names.
        user_principal_name: the name we mean to create, or created.
        object_id: the directory object, once there is one.
        roles: role template ids read back from the tenant.
        secret_version: the Key Vault version of the password in use.
        staged_version: while a rotation is under way: the version of the password that is to replace it.
        reconciled_at: when a rotation was last begun because Entra did not accept the password in use.
        stock: what a removal found and what became of it, kept until all of it is gone or an account is made again.
    """

    state: AccountState = AccountState.NONE
    account_id: AccountId | None = None
    user_principal_name: str | None = None
    object_id: UUID | None = None
    roles: tuple[UUID, ...] = ()
    secret_version: str | None = None
    staged_version: str | None = None
    created_at: datetime | None = None
    rotated_at: datetime | None = None
    next_rotation_at: datetime | None = None
    problem: Problem | None = None
    reconciled_at: datetime | None = None
    stock: Stock = ()

    @property
    def is_usable(self) -> bool:
        """True when a session can be turned on with it."""
        return self.state is AccountState.CREATED

    def seen(self, problem: Problem | None) -> ServiceAccount:
        """This account as a check found it in the tenant: with what is wrong with it, or with that no more."""
        is_about_it = self.problem is not None and self.problem.code in (Code.ACCOUNT_LOST, Code.ACCOUNT_CONFLICT)
        return replace(self, problem=problem) if problem is not None or is_about_it else self

    def promoted(self, now: datetime, cadence: timedelta) -> ServiceAccount:
        """This account with the staged password in use; without one it stays as it is."""
        if self.staged_version is None:
            return self
        return replace(
            self,
            secret_version=self.staged_version,
            staged_version=None,
            rotated_at=now,
            next_rotation_at=now + cadence,
        )

    def require_id(self) -> AccountId:
        """The account's id. Raises Refused `serviceAccountMissing` when nothing was ever intended."""
        if self.account_id is None:
            raise _no_account()
        return self.account_id

    def require_object_id(self) -> UUID:
        """The directory object's id. Raises Refused `serviceAccountMissing` when there is none."""
        if self.object_id is None:
            raise _no_account()
        return self.object_id


def _no_account() -> Refused:
    return refused(
        Code.SERVICE_ACCOUNT_MISSING,
        "The tenant has no management service account.",
        step="Create the service account (PUT …/service-account), then ask again.",
    )


def password_secret(account_id: AccountId) -> str:
    """The Key Vault name of an account's password: never made twice, because the account's id never is."""
    return f"account-{account_id}-password"


def session_secret(tenant_id: TenantId, account_id: AccountId | None) -> str:
    """The Key Vault name of the refresh token a session stands on."""
    return f"account-{account_id}-session" if account_id else f"tenant-{tenant_id}-session"


@dataclass(frozen=True, slots=True)
class AutoEnable:
    """Whether, for which kinds, and until how long after the last lease the session turns on by itself."""

    enabled: bool = False
    kinds: tuple[ActionKind, ...] = tuple(ActionKind)
    idle_timeout: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class RunningOperation:
    """The operation that has the tenant."""

    operation_id: OperationId
    kind: OperationKind


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer's Microsoft 365 organisation, as we manage it.

    Attributes:
        initial_domain: its `….onmicrosoft.com` domain, once we have read it.
        grants: who besides the fleet's callers may do what here, by object id.
    """

    tenant_id: TenantId
    display_name: str
    created_at: datetime
    updated_at: datetime
    session: Session
    role_profile: RoleProfile = RoleProfile.LEAST_PRIVILEGE
    initial_domain: str | None = None
    consent: Consent = field(default_factory=Consent)
    account: ServiceAccount = field(default_factory=ServiceAccount)
    auto_enable: AutoEnable = field(default_factory=AutoEnable)
    allowed_ips: AllowedIps = field(default_factory=AllowedIps)
    policy_check: CheckSummary = field(default_factory=CheckSummary)
    operation: RunningOperation | None = None
    grants: Mapping[str, Grant] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        """True while an operation has the tenant that others must wait for; a policy check gives way to everything."""
        return self.operation is not None and self.operation.kind is not OperationKind.CHECK_POLICIES

    def at(self, now: datetime, *, session: Session | None = None, account: ServiceAccount | None = None) -> Tenant:
        """This tenant changed at `now`."""
        return replace(self, updated_at=now, session=session or self.session, account=account or self.account)


def session_secret_of(tenant: Tenant) -> str:
    """The Key Vault name of the refresh token that the tenant's session stands on now."""
    by_administrator = tenant.session.method is Method.GLOBAL_ADMIN
    return session_secret(tenant.tenant_id, None if by_administrator else tenant.account.account_id)


def new_tenant(tenant_id: TenantId, display_name: str, now: datetime, *, profile: RoleProfile) -> Tenant:
    """A tenant just onboarded: nothing there, session off."""
    return Tenant(tenant_id, display_name, now, now, Session(SessionState.OFF, now), role_profile=profile)
