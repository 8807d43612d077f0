"""Run a policy check as an operation of its own: on request, and daily, when what nobody owns is removed as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shared.domain.activity import Activity, Event
from shared.domain.errors import Problem, Transient
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import CheckState, Orphan, OrphanKind, PolicyCheck
from shared.domain.record_findings import unrecorded_accounts, unrecorded_policies
from shared.domain.store import Insert, Put
from shared.domain.tenant import Tenant
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.check_policies import CheckPolicies, noted
from shared.services.orphans import remove
from shared.services.world import World

_TRIES = 8
"""How often Graph may be away before what nobody owns is left to the next day: four minutes in all."""


class RunPolicyCheck:
    """The flow behind `POST …/policy-checks`."""

    kind = OperationKind.CHECK_POLICIES
    steps = ("checkPolicies",)
    daily_steps = (*steps, "removeOrphans")

    def __init__(self, world: World, checks: CheckPolicies) -> None:
        self._world = world
        self._checks = checks

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """The whole check, the real sign-in as the last word; what it found counts when the last step is done."""
        if step == "removeOrphans":
            return self._remove_orphans(tenant, operation)
        check = self._checks.run(tenant, operation, with_sign_in=True)
        return Done() if len(operation.steps) > 1 else Done(noted(check, operation))

    def _remove_orphans(self, tenant: Tenant, operation: Operation) -> Done:
        """Remove what the check has put on record as nobody's, unless the tenant has gone on to something else."""
        stored = self._world.store.policy_check(tenant.tenant_id)
        if stored is None or stored.row.operation_id != operation.operation_id:
            return Done()
        check = stored.row
        gone = [orphan for orphan in check.orphans if orphan.may_go and self._is_removed(tenant, orphan, operation)]
        if not gone:
            return Done(noted(check, operation))
        entries = tuple(Insert(self._entry(operation, orphan)) for orphan in gone)
        check = _without(check, gone)
        return Done(noted(check, operation), writes=(Put(check), *entries))

    def _is_removed(self, tenant: Tenant, orphan: Orphan, operation: Operation) -> bool:
        now = self._world.store.tenant(tenant.tenant_id).row
        if now.operation is None or now.operation.operation_id != operation.operation_id:
            return False
        try:
            return remove(self._world, now, orphan)
        except Transient:
            if operation.attempts < _TRIES:
                raise
            return False

    def _entry(self, operation: Operation, orphan: Orphan) -> Activity:
        text = f"“{orphan.display_name}” was removed from the tenant: it is ours, and no record named it."
        now, facts = self._world.clock.now(), {"kind": orphan.kind, "id": orphan.orphan_id}
        return entry_of(operation, Event.ORPHAN_REMOVED, text, now, **facts)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """The check ended, whatever it found."""
        summary = tenant.policy_check
        counts = ", ".join(f"{count} {verdict.value}" for verdict, count in summary.counts.items())
        text = f"The policy check ended: {counts}."
        facts = {"state": str(summary.state)}
        if summary.stopped_by is not None:
            controls = sorted({control for policy in summary.stopped_by.policies for control in policy.controls})
            facts |= {"obstacle": str(summary.stopped_by.check), "controls": ", ".join(controls)}
        entry = entry_of(operation, Event.POLICY_CHECK_ENDED, text, self._world.clock.now(), **facts)
        return Ending(lambda tenant: tenant, (), entry)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """The check did not end: what the last one found is stale, and that is all that is known."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.POLICY_CHECK_FAILED, problem.message, now, code=problem.code)
        stale = replace(tenant.policy_check, state=CheckState.UNKNOWN)
        return Ending(lambda tenant: replace(tenant, policy_check=stale), (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: a check changes nothing, and what nobody owns is left to the next one."""


def _without(check: PolicyCheck, gone: Sequence[Orphan]) -> PolicyCheck:
    """The check as it would have found the tenant without these."""
    left = tuple(orphan for orphan in check.orphans if orphan not in gone)
    if any(orphan.kind is OrphanKind.USER for orphan in gone):
        check = check.with_row(unrecorded_accounts(left))
    if any(orphan.kind is not OrphanKind.USER for orphan in gone):
        check = check.with_row(unrecorded_policies(left))
    return replace(check, orphans=left)
