"""Where a tenant's rows are kept: what can be read, and how it is written all together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from shared.domain.action import Action, ParkedAction
from shared.domain.activity import Activity
from shared.domain.directory_roles import RoleProfile
from shared.domain.errors import NextStep, Problem
from shared.domain.ids import ActionId, OperationId, SessionId, TenantId
from shared.domain.lease import Gate, GateState, Lease
from shared.domain.next_step import next_step_of
from shared.domain.operation import Operation
from shared.domain.poison import PoisonMessage
from shared.domain.policy_check import PolicyCheck
from shared.domain.session import SessionState
from shared.domain.tenant import AccountState, ConsentState, Tenant


@dataclass(frozen=True, slots=True)
class Replay:
    """What an Idempotency-Key stood for: the same key with another request is refused.

    Attributes:
        key: digest of caller and key; never the key itself.
        fingerprint: digest of the request, without any secret in it.
    """

    key: str
    fingerprint: str
    operation_id: OperationId | None


T = TypeVar("T")

Row = Tenant | Gate | Operation | Action | ParkedAction | Activity | Replay | PolicyCheck | PoisonMessage
R_co = TypeVar("R_co", bound=Row, covariant=True)


@dataclass(frozen=True, slots=True)
class Stored(Generic[R_co]):
    """A row as it was read, with the etag that proves nobody has changed it since."""

    row: R_co
    etag: str


@dataclass(frozen=True, slots=True)
class Insert:
    """Write a row that must not be there yet."""

    row: Row


@dataclass(frozen=True, slots=True)
class Replace:
    """Write a row over the one that was read; refused when somebody was faster."""

    row: Row
    etag: str


@dataclass(frozen=True, slots=True)
class Put:
    """Write a row whatever is there; another write of the same transaction guards it."""

    row: Row


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete a row that nobody has changed since it was read."""

    row: Row
    etag: str


@dataclass(frozen=True, slots=True)
class SetGates:
    """Set all sixteen gates at once, whatever they hold.

    Attributes:
        keep_leases: False empties them: every lease ends with this write.
        leases: what those that are emptied hold from now on, each lease at its own gate.
    """

    state: GateState
    session_id: SessionId | None = None
    expires_at: datetime | None = None
    keep_leases: bool = False
    leases: tuple[Lease, ...] = ()


Write = Insert | Replace | Put | Remove | SetGates


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many, and where to go on; `continuation` is opaque and None at the end."""

    items: tuple[T, ...]
    continuation: str | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """A tenant and its gates, read in one request."""

    tenant: Stored[Tenant]
    gates: tuple[Stored[Gate], ...]


class TenantStore(Protocol):
    """Every row of a tenant, in one partition, so that what belongs together is written together.

    A row that a later release wrote is left as it is: reading it raises WrittenLater (Refused), and the lists of kept
    messages, of the trail and of what is old leave it out.
    """

    def tenant(self, tenant_id: TenantId) -> Stored[Tenant]:
        """One point read. Raises NotFound `tenantNotFound`."""

    def overview(self, tenant_id: TenantId) -> Overview:
        """One range query. Raises NotFound `tenantNotFound`."""

    def gate(self, tenant_id: TenantId, number: int) -> Stored[Gate]:
        """One point read. Raises NotFound `tenantNotFound`."""

    def operation(self, tenant_id: TenantId, operation_id: OperationId) -> Stored[Operation]:
        """One point read. Raises NotFound `operationNotFound`."""

    def action(self, tenant_id: TenantId, action_id: ActionId) -> Stored[Action]:
        """One point read. Raises NotFound `actionNotFound`."""

    def replay(self, tenant_id: TenantId, key: str) -> Replay | None:
        """One point read: what an Idempotency-Key stood for, or None."""

    def parked(self, tenant_id: TenantId) -> tuple[Stored[ParkedAction], ...]:
        """Everything that waits in this tenant, in no order."""

    def policy_check(self, tenant_id: TenantId) -> Stored[PolicyCheck] | None:
        """One point read: the tenant's latest check, running or ended, or None."""

    def poison_messages(self, tenant_id: TenantId) -> tuple[Stored[PoisonMessage], ...]:
        """Every message kept for the tenant, in no order."""

    def poison_message(self, tenant_id: TenantId, message_id: UUID) -> Stored[PoisonMessage]:
        """One point read. Raises NotFound `notFound`."""

    def activity(self, tenant_id: TenantId, *, limit: int, continuation: str | None) -> Page[Activity]:
        """Newest first, at most `limit` (1 to 200). Raises Invalid `invalidValue` for a foreign continuation."""

    def old_activity(self, tenant_id: TenantId, *, before: datetime, limit: int) -> tuple[Stored[Activity], ...]:
        """At most `limit` entries of the trail from before that moment, the newest of them first."""

    def old_replays(
        self, tenant_id: TenantId, *, part: int, before: datetime, limit: int
    ) -> tuple[Stored[Replay], ...]:
        """At most `limit` replays that were written before that moment, of one sixteenth (0 to 15) of them all."""

    def commit(self, tenant_id: TenantId, writes: Sequence[Write]) -> tuple[str, ...]:
        """Write all or nothing (at most 100 rows); the new etag of each write, "" where there is none to tell.

        Raises:
            AlreadyExists: an Insert met a row of the same key.
            Conflict: a Replace or Remove met a row that has changed or is gone.
        """


@dataclass(frozen=True, slots=True)
class TenantSummary:
    """What a list of tenants shows of one."""

    tenant_id: TenantId
    display_name: str
    role_profile: RoleProfile
    consent: ConsentState
    account: AccountState
    state: SessionState
    since: datetime
    expires_at: datetime | None
    problem: Problem | None
    auto_enabled: bool
    next_step: NextStep
    created_at: datetime
    updated_at: datetime

    @property
    def has_problem(self) -> bool:
        """Whether somebody must look: a session or an account that failed, or consent that does not suffice."""
        return (
            self.state is SessionState.FAILED
            or (self.state is SessionState.ON and self.problem is not None)
            or self.account is AccountState.FAILED
            or self.consent in (ConsentState.PARTIAL, ConsentState.MISSING)
        )


def summary_of(tenant: Tenant) -> TenantSummary:
    """The tenant's line in the list."""
    return TenantSummary(
        tenant.tenant_id,
        tenant.display_name,
        tenant.role_profile,
        tenant.consent.state,
        tenant.account.state,
        tenant.session.state,
        tenant.session.since,
        tenant.session.expires_at,
        tenant.session.problem or tenant.account.problem,
        tenant.auto_enable.enabled,
        next_step_of(tenant),
        tenant.created_at,
        tenant.updated_at,
    )


class TenantIndex(Protocol):
    """Tenants by session state. It may lag behind the tenants' own rows by a crash; upkeep mends it."""

    def put(self, summary: TenantSummary, *, was: SessionState | None) -> None:
        """Enter the tenant under its state and take it out from under `was`; None stands for every other state."""

    def list(
        self,
        *,
        state: SessionState | None,
        limit: int,
        continuation: str | None,
        fits: Callable[[TenantSummary], bool] | None = None,
    ) -> Page[TenantSummary]:
        """A page, ordered by state and tenant id; of those that fit, it may be short and still go on.

        A line that a later release wrote is left out, and the page is shorter by it.

        Raises:
            Invalid: `invalidValue`: a foreign continuation.
        """

    def listed(self, state: SessionState, *, limit: int) -> tuple[TenantId, ...]:
        """The tenants under that state, at most `limit`, in order of their ids, whichever release entered them."""


@dataclass(frozen=True, slots=True)
class Due:
    """A reason to look at a tenant at a time."""

    tenant_id: TenantId
    at: datetime


class DueList(Protocol):
    """When to look at which tenant: written before the work it guards, so that no crash leaves work unseen."""

    def add(self, due: Due) -> None:
        """Enter it; entering the same twice is entering it once."""

    def until(self, now: datetime, *, limit: int) -> tuple[Due, ...]:
        """What is due at `now`, oldest first."""

    def remove(self, due: Due) -> None:
        """Take it out; gone already is fine."""
