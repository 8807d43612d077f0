"""Ask for the tenant's policies to be checked, or for its allowed IPs to be set or removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain.activity import Event
from shared.domain.actors import SERVICE, Actor, Caller, Right
from shared.domain.allowed_ips import AllowedIps, AllowedIpsState, Outside
from shared.domain.errors import Code, Conflict, NextStep, Problem, Refused, Transient, not_found
from shared.domain.ids import TenantId
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import PolicyCheck
from shared.domain.removal import Kind, without
from shared.domain.store import Stored
from shared.domain.tenant import Tenant
from shared.services.accept import Accept, Accepted, Asking, Plan, busy, new_operation
from shared.services.carry_out import entry_of
from shared.services.consent import require_onboarding
from shared.services.remove_allowed_ips import RemoveAllowedIps
from shared.services.run_policy_check import RunPolicyCheck
from shared.services.set_allowed_ips import SetAllowedIps
from shared.services.world import World, authorise


class AskForPolicies:
    """The services behind `…/policy-checks` and `…/allowed-ips`."""

    def __init__(self, world: World, accept: Accept) -> None:
        self._world = world
        self._accept = accept

    def check(self, tenant_id: TenantId, asking: Asking) -> Accepted:
        """Check now.

        Raises:
            NotFound, Refused: as `Accept`; `operationInProgress`.
        """
        return self._ask(
            tenant_id,
            asking,
            Right.OPERATOR,
            RunPolicyCheck.kind,
            lambda t: self._plan_check(t, asking.caller.actor, asking),
        )

    def latest_check(self, caller: Caller, tenant_id: TenantId) -> PolicyCheck:
        """The latest check, running or ended; one whose operation came to nothing has ended with it.

        Raises:
            NotFound: `tenantNotFound`, `policyCheckNotFound`.
            Refused: `callerNotAllowed`.
        """
        store = self._world.store
        authorise(caller, store.tenant(tenant_id).row, Right.READER)
        stored = store.policy_check(tenant_id)
        if stored is None:
            raise not_found(Code.POLICY_CHECK_NOT_FOUND, "The tenant's policies have not been checked yet.")
        check = stored.row
        if check.checked_at is not None:
            return check
        operation = store.operation(tenant_id, check.operation_id).row
        return check.cut_short(operation.updated_at or operation.created_at) if operation.is_terminal else check

    def set_allowed_ips(
        self,
        tenant_id: TenantId,
        asking: Asking,
        *,
        ranges: tuple[str, ...],
        outside: Outside,
        wanted: AllowedIpsState,
        apply_exclusions: bool,
    ) -> Accepted:
        """Set from where the account may sign in; our own addresses are always added.

        Raises:
            NotFound, Refused: as `Accept`; `serviceAccountMissing`, `operationInProgress`, `onboardingOff`.
            Transient: `serviceUnavailable`: our own addresses are not known, so the account would be locked out.
        """

        def is_underway(tenant: Tenant) -> bool:
            ips = tenant.allowed_ips
            asked = (ranges, outside, wanted, apply_exclusions)
            return (ips.ranges, ips.outside, ips.wanted, ips.apply_exclusions) == asked

        def plan(tenant: Tenant) -> Plan | None:
            if self._are_so(tenant.allowed_ips, ranges, outside, wanted, apply_exclusions):
                return None
            tenant.account.require_object_id()
            if not self._world.egress_ips:
                raise _addresses_unknown()
            require_onboarding(self._world, tenant_id)
            ips = replace(
                tenant.allowed_ips,
                state=AllowedIpsState.APPLYING,
                wanted=wanted,
                outside=outside,
                ranges=ranges,
                apply_exclusions=apply_exclusions,
                problem=None,
            )
            return self._plan_ips(tenant, ips, asking.caller.actor, asking)

        return self._ask(tenant_id, asking, Right.ADMINISTRATOR, SetAllowedIps.kind, plan, is_underway)

    def _are_so(
        self,
        ips: AllowedIps,
        ranges: tuple[str, ...],
        outside: Outside,
        wanted: AllowedIpsState,
        apply_exclusions: bool,
    ) -> bool:
        """True when what is asked for is in force, for the addresses we have now, and no check found it spoilt."""
        same = (ips.state, ips.outside, ips.ranges, ips.egress) == (wanted, outside, ranges, self._world.egress_ips)
        pending = apply_exclusions and not all(exclusion.is_applied for exclusion in ips.exclusions)
        return same and not pending and ips.problem is None

    def remove_allowed_ips(self, tenant_id: TenantId, asking: Asking) -> Accepted:
        """Remove the restriction and undo the exclusions made for it.

        Raises:
            NotFound, Refused: as `Accept`; `operationInProgress`, `onboardingOff`.
        """

        def plan(tenant: Tenant) -> Plan | None:
            if not tenant.allowed_ips.leaves_traces:
                return None
            require_onboarding(self._world, tenant_id)
            operation = self._operation(
                tenant,
                RemoveAllowedIps.kind,
                RemoveAllowedIps.steps,
                asking.caller.actor,
                self._world.limits.set_ips_within,
                asking,
            )
            removing = replace(tenant.allowed_ips, state=AllowedIpsState.REMOVING, problem=None)
            entry = entry_of(
                operation, Event.ALLOWED_IPS_REMOVAL_REQUESTED, "Allowed IPs are to be removed.", operation.created_at
            )
            return Plan(operation, replace(tenant.at(operation.created_at), allowed_ips=removing), entry)

        return self._ask(tenant_id, asking, Right.ADMINISTRATOR, RemoveAllowedIps.kind, plan)

    def keep_up(self, tenant: Stored[Tenant]) -> bool:
        """What is due by itself: allowed IPs that have to be set again, the daily check; True when something began."""
        row, now, limits = tenant.row, self._world.clock.now(), self._world.limits
        if row.operation is not None or not row.account.is_usable:
            return False
        checked_at = row.policy_check.checked_at
        if self._must_set_again(row, now) and self._may_change_policies(row.tenant_id):
            # No exclusion is made that nobody asks for now; those made before stay.
            ips = replace(row.allowed_ips, state=AllowedIpsState.APPLYING, apply_exclusions=False)
            plan = self._plan_ips(row, ips, SERVICE, None)
        elif checked_at is None or now >= checked_at + limits.check_every:
            plan = self._plan_check(row, SERVICE, None)
        else:
            return False
        try:
            self._accept.begin(tenant, plan)
        except Conflict:
            return False  # whoever was faster has the tenant; the next look comes
        return True

    def _must_set_again(self, tenant: Tenant, now: datetime) -> bool:
        """When our addresses have changed; when what we made is gone, but not more than once a day."""
        ips, egress = tenant.allowed_ips, self._world.egress_ips
        rested = ips.updated_at is None or now >= ips.updated_at + self._world.limits.check_every
        return ips.is_behind(egress) or (bool(egress) and ips.is_gone and rested)

    def _may_change_policies(self, tenant_id: TenantId) -> bool:
        """True unless the onboarding application is switched off: then allowed IPs stay behind until it is back."""
        try:
            require_onboarding(self._world, tenant_id)
        except Refused:
            return False
        return True

    def _ask(
        self,
        tenant_id: TenantId,
        asking: Asking,
        right: Right,
        kind: OperationKind,
        plan: Callable[[Tenant], Plan | None],
        is_underway: Callable[[Tenant], bool] = lambda tenant: True,
    ) -> Accepted:
        """`is_underway`: a running operation of this kind does what is asked for now, not something else."""

        def decide(tenant: Stored[Tenant]) -> Plan | Operation | None:
            running = self._accept.under_way(tenant.row)
            if running is not None and running.kind is kind and is_underway(tenant.row):
                return running
            if running is not None and tenant.row.is_busy:
                raise busy(running)
            return plan(tenant.row)

        return self._accept(tenant_id, asking, right, decide)

    def _plan_check(self, tenant: Tenant, by: Actor, asking: Asking | None) -> Plan:
        steps = RunPolicyCheck.steps if asking else RunPolicyCheck.daily_steps
        operation = self._operation(tenant, RunPolicyCheck.kind, steps, by, self._world.limits.check_within, asking)
        entry = entry_of(
            operation, Event.POLICY_CHECK_REQUESTED, "The tenant's policies are being checked.", operation.created_at
        )
        return Plan(operation, tenant.at(operation.created_at), entry)

    def _plan_ips(self, tenant: Tenant, ips: AllowedIps, by: Actor, asking: Asking | None) -> Plan:
        operation = self._operation(
            tenant, SetAllowedIps.kind, SetAllowedIps.steps, by, self._world.limits.set_ips_within, asking
        )
        text = f"Allowed IPs are to be {ips.wanted.value} for {len(ips.ranges)} ranges and our own addresses."
        entry = entry_of(operation, Event.ALLOWED_IPS_REQUESTED, text, operation.created_at)
        # A removal that failed may have learnt that these are gone.
        stock = without(tenant.account.stock, Kind.EXCLUSION, Kind.POLICY, Kind.LOCATION)
        account = replace(tenant.account, stock=stock)
        return Plan(operation, replace(tenant.at(operation.created_at), allowed_ips=ips, account=account), entry)

    def _operation(
        self,
        tenant: Tenant,
        kind: OperationKind,
        steps: tuple[str, ...],
        by: Actor,
        within: timedelta,
        asking: Asking | None,
    ) -> Operation:
        now = self._world.clock.now()
        return new_operation(tenant.tenant_id, kind, steps, by, now=now, within=within, asking=asking)


def _addresses_unknown() -> Transient:
    text = "This service does not know its own addresses, which must be among the allowed ones."
    return Transient(Problem(Code.SERVICE_UNAVAILABLE, text, next_step=NextStep("Set EGRESS_IPS for this service.")))
