"""Run a policy check as an operation of its own: on request, on a schedule, and after the account was created."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.errors import Problem
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import CheckState
from shared.domain.tenant import Tenant
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.check_policies import CheckPolicies, noted
from shared.services.world import World


class RunPolicyCheck:
    """The flow behind `POST …/policy-checks`."""

    kind = OperationKind.CHECK_POLICIES
    steps = ("checkPolicies",)

    def __init__(self, world: World, checks: CheckPolicies) -> None:
        self._world = world
        self._checks = checks

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """The whole check, the real sign-in as the last word."""
        return Done(noted(self._checks.run(tenant, operation, with_sign_in=True)))

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
        """Nothing: a check changes nothing."""
