"""Carry an operation out, step by step, from the queue: put off what is not ready, end what cannot be.

Every step may run twice: a worker that dies between a step's effect and its record leaves the step to be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared import telemetry
from shared.domain.activity import Activity, Event
from shared.domain.errors import Code, Conflict, ManagementSessionError, NotFound, Problem, Transient
from shared.domain.ids import OperationId, TenantId
from shared.domain.operation import Operation, OperationKind, Status
from shared.domain.store import Insert, Write
from shared.domain.tenant import Tenant
from shared.services.work import Change, Superseded, Work
from shared.services.world import World


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did: how the tenant's rows change by it, and what later steps need to know.

    Attributes:
        is_quick: the step takes seconds and does no harm when it is done again, so it waits for the next record.
    """

    change: Change | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    writes: tuple[Write, ...] = ()
    is_quick: bool = False


@dataclass(frozen=True, slots=True)
class Ending:
    """What the end of an operation writes, all in one transaction."""

    change: Change
    writes: tuple[Write, ...]
    activity: Activity
    result: Mapping[str, object] | None = None


class Flow(Protocol):
    """One kind of work: its steps, and how it ends."""

    @property
    def kind(self) -> OperationKind:
        """The kind of operation it carries out."""

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """Do one step. Raises Transient to be put off, Refused to end the operation as failed."""

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """The end, when every step is done."""

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """The end, when a step was refused or time ran out."""

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Undo, as far as it can be, what an operation that came to nothing has left outside the tenant's row."""


class CarryOut:
    """The worker behind the `operations` queue."""

    def __init__(self, world: World, flows: tuple[Flow, ...], answer_parked: Callable[[TenantId], object]) -> None:
        self._world = world
        self._answer_parked = answer_parked
        self._flows = {flow.kind: flow for flow in flows}

    def __call__(self, tenant_id: TenantId, operation_id: OperationId) -> None:
        """Go on with an operation as far as it goes now. Delivered twice, it is done once.

        Raises:
            Transient: our own tables or queues are away; the platform delivers the message again.
        """
        store = self._world.store
        try:
            stored = store.operation(tenant_id, operation_id)
            tenant = store.tenant(tenant_id)
        except NotFound as error:
            telemetry.event("operationUnknown", operation_id=operation_id, code=error.problem.code)
            return
        if stored.row.is_terminal or stored.row.is_claimed(self._world.clock.now()):
            self._answer_parked(tenant_id)
            return
        with telemetry.correlated(stored.row.correlation_id):
            self._take(self._flows[stored.row.kind], Work(self._world, tenant, stored), self._go_on)
        self._answer_parked(tenant_id)

    def at_once(self, kind: OperationKind, work: Work) -> None:
        """Go on with an operation that its own caller has begun and claimed; no message says that it is there.

        Raises:
            Transient: our own tables or queues are away; somebody else goes on.
        """
        settled = False
        try:
            self._take(self._flows[kind], work, self._go_through)
            self._answer_parked(work.tenant.tenant_id)
            settled = True
        finally:
            if not settled:
                wait = self._world.limits.resend_after
                self._world.messages.send_operation(work.tenant.tenant_id, work.operation.operation_id, after=wait)

    def _take(self, flow: Flow, work: Work, go: Callable[[Flow, Work], None]) -> None:
        settled = False
        try:
            go(flow, work)
            settled = True
        except Superseded as lost:
            settled = True
            telemetry.event("operationSuperseded", operation_id=lost.operation.operation_id)
            self._abandon(flow, work.tenant, lost.operation)
        finally:
            if not settled:  # nobody foresaw this: let the platform deliver the message to somebody else
                work.write(work.operation.put_off(self._world.clock.now()))

    def close(self, tenant_id: TenantId, operation_id: OperationId, problem: Problem) -> None:
        """End an operation that keeps failing in ways nobody foresaw: the poison door's work."""
        store = self._world.store
        try:
            stored = store.operation(tenant_id, operation_id)
            work = Work(self._world, store.tenant(tenant_id), stored)
        except NotFound:
            return
        flow = self._flows[stored.row.kind]
        if not stored.row.is_terminal:
            try:
                self._end(flow, work, problem)
            except Superseded as lost:
                self._abandon(flow, work.tenant, lost.operation)
        self._answer_parked(tenant_id)

    def _go_on(self, flow: Flow, work: Work) -> None:
        now = self._world.clock.now
        if not work.owns_tenant:
            problem = Problem(Code.OPERATION_CANCELED, "Another operation took this one's place.")
            work.write(work.operation.ended(Status.CANCELED, now(), problem=problem))
            self._abandon(flow, work.tenant, work.operation)
            return
        if now() >= work.operation.deadline:
            self._end(flow, work, _timed_out(work.operation))
            return
        first = work.operation.current
        claimed = work.operation.claimed(now(), self._world.limits.stuck_after)
        work.write(claimed.started(first.name, now()) if first else claimed)
        self._go_through(flow, work)

    def _go_through(self, flow: Flow, work: Work) -> None:
        """Do the steps that are not done, until the end or as far as they go now."""
        now, claim = self._world.clock.now, self._world.limits.stuck_after
        while step := work.operation.current:
            try:
                with work.held():
                    done = flow.perform(step.name, work.tenant, work.operation)
            except (Transient, Conflict) as error:
                self._put_off(flow, work, error)
                return
            except ManagementSessionError as error:
                self._end(flow, work, error.problem)
                return
            moved = work.operation.done(step.name, now(), **done.notes)
            following = moved.current
            if following is None:
                tenant = done.change(work.tenant) if done.change else work.tenant
                ending = flow.succeed(tenant, moved)
                self._finish(work, moved, ending, Status.SUCCEEDED, None, done)
                return
            moved = moved.started(following.name, now()).claimed(now(), claim)
            if done.is_quick:
                work.keep(moved, done.change)
                continue
            work.write(moved, done.change, done.writes)
            work.enter_in_index()

    def _put_off(self, flow: Flow, work: Work, error: Transient | Conflict) -> None:
        now = self._world.clock.now()
        delay = work.operation.delay(error.retry_after if isinstance(error, Transient) else None)
        if now + delay >= work.operation.deadline:
            self._end(flow, work, error.problem)
            return
        telemetry.event(
            "operationPutOff",
            tenant_id=work.tenant.tenant_id,
            operation_id=work.operation.operation_id,
            code=error.problem.code,
            seconds=delay / timedelta(seconds=1),
        )
        work.write(work.operation.put_off(now, delay))
        self._world.messages.send_operation(work.tenant.tenant_id, work.operation.operation_id, after=delay)
        work.enter_in_index()

    def _end(self, flow: Flow, work: Work, problem: Problem) -> None:
        problem = replace(problem, correlation_id=work.operation.correlation_id)
        ending = flow.fail(work.tenant, work.operation, problem)
        self._finish(work, work.operation, ending, Status.FAILED, problem, Done())
        self._abandon(flow, work.tenant, work.operation)

    def _abandon(self, flow: Flow, tenant: Tenant, operation: Operation) -> None:
        """Clean up after an operation that came to nothing; what fails here leaves nothing usable, only litter."""
        try:
            flow.abandon(tenant, operation)
        except ManagementSessionError as error:
            telemetry.event("abandonFailed", operation_id=operation.operation_id, code=error.problem.code)

    def _finish(
        self, work: Work, operation: Operation, ending: Ending, status: Status, problem: Problem | None, last: Done
    ) -> None:
        now = self._world.clock.now()

        def change(tenant: Tenant) -> Tenant:
            return replace(
                ending.change(last.change(tenant) if last.change else tenant), operation=None, updated_at=now
            )

        ended = operation.ended(status, now, problem=problem, result=_to_the_second(ending.result))
        writes = (*last.writes, *ending.writes, Insert(ending.activity))
        if work.answer is None:
            work.write(ended, change, writes)
        else:
            answered, send = work.answer(writes, problem)
            if work.write(ended, change, writes, rather=answered):
                send()
        work.enter_in_index()
        telemetry.event(
            ending.activity.event,
            tenant_id=work.tenant.tenant_id,
            operation_id=operation.operation_id,
            code=problem.code if problem else None,
            state=ending.activity.facts.get("state"),
            obstacle=ending.activity.facts.get("obstacle"),
            controls=ending.activity.facts.get("controls"),
            seconds=(now - operation.created_at) / timedelta(seconds=1),
        )


def _to_the_second(result: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """The result with its times as callers see times everywhere."""
    if result is None:
        return None
    return {name: v.replace(microsecond=0) if isinstance(v, datetime) else v for name, v in result.items()}


def _timed_out(operation: Operation) -> Problem:
    step = operation.current
    where = f" at the step {step.name}" if step else ""
    return Problem(Code.OPERATION_TIMED_OUT, f"The operation did not end in time; it stood{where}.")


def entry_of(
    operation: Operation, event: Event, summary: str, at: datetime, *, reason: str | None = None, **facts: str
) -> Activity:
    """The trail's entry for something an operation did, in the name of who asked for it."""
    return Activity(
        operation.tenant_id,
        at,
        event,
        operation.requested_by,
        summary,
        operation.correlation_id,
        reason=reason,
        operation_id=operation.operation_id,
        facts=facts,
    )
