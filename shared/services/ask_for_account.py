"""Ask for the service account to be created, rotated or taken away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from shared.domain.activity import Event
from shared.domain.actors import SERVICE, Actor, Right
from shared.domain.directory_roles import PROFILES, RoleProfile
from shared.domain.errors import Code, Conflict, Problem, refused
from shared.domain.ids import AccountId, TenantId
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.session import Method, SessionState
from shared.domain.standing_refusal import drift
from shared.domain.store import Overview, SetGates, Stored, Write
from shared.domain.tenant import AccountState, ServiceAccount, Tenant
from shared.services.accept import Accept, Accepted, Asking, Plan, busy, new_operation
from shared.services.carry_out import entry_of
from shared.services.consent import require_onboarding, require_onboarding_to_remove
from shared.services.create_account import CreateAccount
from shared.services.delete_account import DeleteAccount
from shared.services.rotate_password import DRIFT, RotatePassword
from shared.services.turn_off import closed, residual
from shared.services.world import World


class AskForServiceAccount:
    """The services behind `…/service-account`."""

    def __init__(self, world: World, accept: Accept) -> None:
        self._world = world
        self._accept = accept

    def create(self, tenant_id: TenantId, asking: Asking, *, profile: RoleProfile | None) -> Accepted:
        """Create, or retry: goes on from what a failed attempt left. A changed role profile is put into effect.

        Raises:
            NotFound, Refused: as `Accept`; `operationInProgress`, `onboardingOff`.
        """

        def decide(tenant: Stored[Tenant]) -> Plan | Operation | None:
            row = tenant.row
            running = self._accept.running(row)
            if running is not None:
                if running.kind is OperationKind.CREATE_SERVICE_ACCOUNT:
                    return running
                raise busy(running)
            wanted = profile or row.role_profile
            is_sound = row.account.is_usable and row.account.problem is None
            if is_sound and set(_template_ids(wanted)) <= set(row.account.roles):
                return None
            require_onboarding(self._world, tenant_id)
            now = self._world.clock.now()
            account = replace(row.account, account_id=row.account.account_id or AccountId(uuid4()), problem=None)
            state = AccountState.CREATED if row.account.is_usable else AccountState.CREATING
            planned = replace(row.at(now, account=replace(account, state=state)), role_profile=wanted)
            operation = new_operation(
                tenant_id,
                CreateAccount.kind,
                CreateAccount.steps,
                asking.caller.actor,
                now=now,
                within=self._world.limits.create_within,
                asking=asking,
            )
            text = f"The service account was asked for, with the roles of {wanted.value}."
            return Plan(operation, planned, entry_of(operation, Event.SERVICE_ACCOUNT_REQUESTED, text, now))

        return self._accept(tenant_id, asking, Right.ADMINISTRATOR, decide)

    def rotate(self, tenant_id: TenantId, asking: Asking) -> Accepted:
        """Rotate the password now.

        Raises:
            NotFound, Refused: as `Accept`; `serviceAccountMissing`, `operationInProgress`.
        """

        def decide(tenant: Stored[Tenant]) -> Plan | Operation | None:
            running = self._accept.running(tenant.row)
            if running is not None:
                if running.kind is OperationKind.ROTATE_PASSWORD:
                    return running
                raise busy(running)
            return self._plan_rotation(tenant.row, asking.caller.actor, asking)

        return self._accept(tenant_id, asking, Right.ADMINISTRATOR, decide)

    def rotate_when_due(self, tenant: Stored[Tenant]) -> None:
        """Rotate because the date has come, or because Entra does not accept the password in use any more.

        Whoever was faster has done it.
        """
        row, now = tenant.row, self._world.clock.now()
        if row.operation is not None or not row.account.is_usable:
            return
        due, drifted = row.account.next_rotation_at, self._drift(row, now)
        try:
            if drifted is not None:
                self._accept.begin(tenant, self._plan_reconciliation(row, drifted))
            elif due and now >= due:
                self._accept.begin(tenant, self._plan_rotation(row, SERVICE, None))
        except Conflict:
            return

    def _drift(self, tenant: Tenant, now: datetime) -> Problem | None:
        """Why to reconcile: once a day at most, and never beside a session on somebody else's credentials."""
        before, session = tenant.account.reconciled_at, tenant.session
        if before is not None and now < before + self._world.limits.rotate_again:
            return None
        if session.method is Method.GLOBAL_ADMIN and session.state not in (SessionState.OFF, SessionState.FAILED):
            return None
        return drift(tenant)

    def remove(self, tenant_id: TenantId, asking: Asking) -> Accepted:
        """Disable advanced management: the session is off from the moment this returns, the rest follows.

        Raises:
            NotFound, Refused: as `Accept`; `onboardingOff`.
        """

        def decide(tenant: Stored[Tenant]) -> Plan | Operation | None:
            running = self._accept.running(tenant.row)
            if running is not None and running.kind is OperationKind.DELETE_SERVICE_ACCOUNT:
                return running
            is_off = tenant.row.session.state is SessionState.OFF
            if running is None and is_off and tenant.row.account.state is AccountState.NONE:
                return None
            require_onboarding_to_remove(self._world, tenant_id)
            return self._plan_removal(self._world.store.overview(tenant_id), asking)

        return self._accept(tenant_id, asking, Right.ADMINISTRATOR, decide)

    def _plan_rotation(
        self, tenant: Tenant, by: Actor, asking: Asking | None, notes: dict[str, str] | None = None
    ) -> Plan:
        if not tenant.account.is_usable:
            raise refused(
                Code.SERVICE_ACCOUNT_MISSING,
                "The tenant has no management service account whose password could be rotated.",
                step="Create the service account (PUT …/service-account), then ask again.",
            )
        now = self._world.clock.now()
        operation = new_operation(
            tenant.tenant_id,
            RotatePassword.kind,
            RotatePassword.steps,
            by,
            now=now,
            within=self._world.limits.rotate_within,
            asking=asking,
            notes=notes,
        )
        return Plan(
            operation, tenant.at(now), entry_of(operation, Event.ROTATION_REQUESTED, "A rotation was asked for.", now)
        )

    def _plan_reconciliation(self, tenant: Tenant, why: Problem) -> Plan:
        plan = self._plan_rotation(tenant, SERVICE, None, {DRIFT: why.code})
        text = "A rotation was begun by itself, because the stored password is not the account's any more."
        now = plan.operation.created_at
        entry = entry_of(plan.operation, Event.ROTATION_REQUESTED, text, now, code=why.code)
        account = replace(plan.tenant.account, reconciled_at=now)
        return replace(plan, tenant=replace(plan.tenant, account=account), entry=entry)

    def _plan_removal(self, overview: Overview, asking: Asking) -> Plan:
        tenant, now = overview.tenant.row, self._world.clock.now()
        writes: tuple[Write, ...] = ()
        session = tenant.session
        if session.state is not SessionState.OFF:
            session = closed(session, residual(overview, now), now)
            writes = (SetGates(GateState.CLOSED),)
        operation = new_operation(
            tenant.tenant_id,
            DeleteAccount.kind,
            DeleteAccount.steps,
            asking.caller.actor,
            now=now,
            within=self._world.limits.delete_within,
            asking=asking,
        )
        account: ServiceAccount = replace(tenant.account, state=AccountState.DELETING, problem=None)
        text = "Advanced management is being disabled: account, roles and secrets are removed."
        entry = entry_of(operation, Event.SERVICE_ACCOUNT_REMOVAL_REQUESTED, text, now)
        planned = replace(tenant.at(now, session=session, account=account), allowed_ips=tenant.allowed_ips.removing())
        return Plan(operation, planned, entry, writes)


def _template_ids(profile: RoleProfile) -> list[object]:
    return [role.template_id for role in PROFILES[profile]]
