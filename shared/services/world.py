"""What every service is given: the ports, and the limits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from shared import telemetry
from shared.domain.actors import Caller, Right
from shared.domain.directory_roles import RUNTIME, SINGLE, Registration
from shared.domain.errors import (
    Code,
    NextStep,
    NotFound,
    Problem,
    Refused,
    Transient,
    WrittenLater,
    refused,
    tenant_not_found,
)
from shared.domain.limits import Limits
from shared.domain.policies import TenantPolicies
from shared.domain.ports import Directory, Messages, SignIn, TickingClock, Vault
from shared.domain.resources import Audiences
from shared.domain.session import SessionState
from shared.domain.store import DueList, TenantIndex, TenantStore, TenantSummary, summary_of
from shared.domain.tenant import Tenant

_SOON = timedelta(seconds=10)
_OTHER_RELEASE_WITHIN = timedelta(minutes=1)
_BEFORE_RIGHTS = frozenset({"tenant", "gate"})
"""Kinds of rows that are read before anybody knows what the caller may do in the tenant."""


@dataclass(frozen=True, slots=True)
class Application:
    """One of our applications at Microsoft 365: the ports that speak as it.

    Attributes:
        application_id: its client id, as tenants consent to it.
    """

    application_id: UUID
    directory: Directory
    sign_in: SignIn
    policies: TenantPolicies


@dataclass(frozen=True, slots=True)
class World:
    """The outside, port by port.

    Attributes:
        application_id: our own client id, as tenants consent to it; accounts are marked with it.
        onboarding: the application that makes and removes accounts, roles and policies, where it is another one. It
            may be switched off.
        egress_ips: CIDR ranges that our sign-ins, and our executors' requests, come from.
        egress_country: where those addresses are (ISO 3166-1), for policies that look at countries.
    """

    clock: TickingClock
    store: TenantStore
    index: TenantIndex
    due: DueList
    messages: Messages
    vault: Vault
    directory: Directory
    sign_in: SignIn
    policies: TenantPolicies
    application_id: UUID
    egress_ips: tuple[str, ...] = ()
    egress_country: str | None = None
    limits: Limits = field(default_factory=Limits)
    audiences: Audiences = field(default_factory=Audiences)
    onboarding: Application | None = None

    @property
    def registration(self) -> Registration:
        """What the application asks for that runs sessions."""
        return SINGLE if self.onboarding is None else RUNTIME

    def as_onboarding(self) -> World:
        """This world for those who make and remove things in tenants; sign-ins stay with the other application."""
        if self.onboarding is None:
            return self
        return replace(self, directory=self.onboarding.directory, policies=self.onboarding.policies)

    def enter_in_index(self, tenant: Tenant, was: Tenant | None) -> None:
        """Bring the tenant's line in the list up to date, if it shows anything that has changed since `was`.

        The list may lag: what is decided and recorded does not fail because the list is away. Upkeep enters it again.
        """
        before = summary_of(was) if was else None
        now = summary_of(tenant)
        if before is not None and replace(before, updated_at=now.updated_at) == now:
            return
        try:
            self.enter(now, was=before.state if before else None)
        except (Transient, WrittenLater) as error:
            telemetry.event("listBehind", tenant_id=tenant.tenant_id, code=error.problem.code)

    def enter(self, summary: TenantSummary, *, was: SessionState | None) -> None:
        """Enter a line in the list.

        Whoever changes the tenant enters it too, and upkeep enters it again two minutes later; so only a line that has
        come late may have taken the place of a newer one for good, and is compared with the tenant.

        Raises:
            Transient: our own tables are away.
            WrittenLater: a later release has changed the tenant since.
        """
        self.index.put(summary, was=was)
        if self.clock.now() < summary.updated_at + _SOON:
            return
        current = summary_of(self.store.tenant(summary.tenant_id).row)
        if current != summary:
            self.index.put(current, was=None)


def authorise(caller: Caller, tenant: Tenant, right: Right) -> None:
    """Let the caller go on, or not.

    Raises:
        NotFound: `tenantNotFound`, it has no right at all here and so may not learn that the tenant exists.
        Refused: `callerNotAllowed`, it has rights here, but not this one.
    """
    rights = caller.rights(tenant.grants)
    if not rights:
        raise tenant_not_found()
    if right not in rights:
        raise not_allowed(right)


def authorise_everywhere(caller: Caller, right: Right) -> None:
    """Let the caller go on where it is about no tenant, or not.

    Raises:
        Refused: `callerNotAllowed`, it has not got this right in every tenant.
    """
    if right not in caller.rights({}):
        raise refused(
            Code.CALLER_NOT_ALLOWED,
            f"This takes the right {right.value} in every tenant.",
            step="Ask for the app role of that right that ends in .All.",
        )


def as_told(caller: Caller, error: WrittenLater) -> NotFound | Transient:
    """What a caller is told of a row that a later release wrote.

    Who has been granted a right in the tenant only its own row tells. So for callers without a right that holds in
    every tenant it is not there; the others may know of it, and it can be read once that release runs again.
    """
    if error.kind in _BEFORE_RIGHTS and not caller.everywhere:
        return tenant_not_found()
    step = NextStep("Ask again in a minute; if it stays so, have that release, or a later one, deployed again.")
    text = f"A later release of this service wrote this record ({error.kind}), and this one cannot read it."
    return Transient(Problem(Code.SERVICE_UNAVAILABLE, text, next_step=step), _OTHER_RELEASE_WITHIN)


def not_allowed(right: Right) -> Refused:
    """The refusal for a caller without that right."""
    return refused(
        Code.CALLER_NOT_ALLOWED,
        f"This takes the right {right.value}, which the caller does not have here.",
        step="Ask an administrator of this tenant to grant it (PUT …/operators/{objectId}).",
    )
