"""Ask for a session to be turned on or off: by a caller, by an executor in need, or by the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from shared import telemetry
from shared.domain.action import ActionRequest
from shared.domain.activity import Event
from shared.domain.actors import SERVICE, Actor, ActorKind, Right
from shared.domain.errors import Code, Conflict, NextStep, Problem, refused
from shared.domain.ids import SessionId, TenantId
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.session import AutoEnableOutcome, LastAutoEnable, Method, SessionState
from shared.domain.store import Overview, SetGates, Stored, Write
from shared.domain.tenant import Tenant
from shared.services.accept import Accept, Accepted, Asking, Begun, Plan, busy, new_operation
from shared.services.carry_out import entry_of
from shared.services.turn_off import DRAIN, TurnOff, closed, residual
from shared.services.turn_on import TurnOn
from shared.services.world import World

TIME_IS_UP = "The session's time is up."
_INTERRUPTED = Problem(
    Code.OPERATION_CANCELED,
    "Allowed IPs were being changed when the session was turned off.",
    next_step=NextStep("Set the allowed IPs again, or remove them."),
)


class ToggleSession:
    """Every way a session comes to be turned on or off."""

    def __init__(self, world: World, accept: Accept) -> None:
        self._world = world
        self._accept = accept

    def turn_on(
        self, tenant_id: TenantId, asking: Asking, *, lifetime: timedelta | None, reason: str | None
    ) -> Accepted:
        """Ask for "on" by the service account.

        Raises:
            NotFound, Refused: as `Accept`; `serviceAccountMissing`; `operationInProgress`, also when the session has
                just expired and is being turned off.
        """

        def decide(tenant: Stored[Tenant]) -> Plan | Operation | None:
            if tenant.row.session.is_on(self._world.clock.now()):
                return None
            running = self._accept.running(tenant.row)
            if running is not None:
                if running.kind is OperationKind.TURN_ON:
                    return running
                raise busy(running)
            self.require_not_expired(tenant.row)
            return self._plan_on(tenant.row, asking.caller.actor, reason=reason, lifetime=lifetime, asking=asking)

        return self._accept(tenant_id, asking, Right.OPERATOR, decide)

    def auto_enable(self, tenant: Stored[Tenant], request: ActionRequest, waiting: tuple[Write, ...]) -> None:
        """Turn on because an executor needs it; `waiting` is what parks its request, written with it.

        Raises:
            Conflict: somebody else changed the tenant first.
        """
        self._accept.begin(tenant, self._plan_auto_enable(tenant.row, request, waiting))

    def auto_enable_at_once(
        self,
        tenant: Stored[Tenant],
        request: ActionRequest,
        waiting: tuple[Write, ...],
        guard: Callable[[Operation], None],
    ) -> Begun:
        """As `auto_enable`, for a worker that goes on by itself in a tenant whose policies need no look (`is_checked`).

        The etags are those of `waiting`. `guard` as in `Accept.begin_claimed`, with the operation that it is about.

        Raises:
            Conflict: somebody else changed the tenant first.
        """
        plan = self._plan_auto_enable(tenant.row, request, waiting)
        checked = plan.operation.done(TurnOn.steps[0], plan.operation.created_at)
        begun = self._accept.begin_claimed(tenant, replace(plan, operation=checked), lambda: guard(checked))
        return replace(begun, etags=begun.etags[-len(waiting) :])

    def _plan_auto_enable(self, tenant: Tenant, request: ActionRequest, waiting: tuple[Write, ...]) -> Plan:
        now = self._world.clock.now()
        reason = f"{request.kind.value} asked for by {request.operator.name}"
        by = Actor(ActorKind.USER, request.operator.object_id, request.operator.name)
        plan = self._plan_on(tenant, by, reason=reason, event=Event.SESSION_AUTO_ENABLED)
        last = LastAutoEnable(AutoEnableOutcome.ENABLED, now, request.action_id, reason)
        noted = replace(plan.tenant, session=replace(plan.tenant.session, last_auto_enable=last))
        entry = replace(plan.entry, action_id=request.action_id)
        return replace(plan, tenant=noted, entry=entry, writes=(*plan.writes, *waiting))

    def turn_off(self, tenant_id: TenantId, asking: Asking, *, drain: bool, reason: str | None) -> Accepted:
        """Ask for "off". Without `drain` no new token can be had from the moment this returns, whatever is under way.

        Raises:
            NotFound, Refused: as `Accept`; `operationInProgress`, with `drain` only.
        """

        def decide(tenant: Stored[Tenant]) -> Plan | Operation | None:
            return self._decide_off(tenant, asking, drain=drain, reason=reason)

        return self._accept(tenant_id, asking, Right.OPERATOR, decide)

    def end(self, overview: Overview, event: Event, by: Actor, reason: str) -> None:
        """Turn off without a caller: expired or idle. Whoever was faster has done it.

        An idle session drains: an action may have been let in since it was looked at, and keeps its lease.
        """
        tenant = overview.tenant
        if tenant.row.session.state is not SessionState.ON or tenant.row.is_busy:
            return
        drain = event is Event.SESSION_IDLE
        plan = self._plan_off(overview, by, event=event, drain=drain, reason=reason, asking=None)
        try:
            self._accept.begin(tenant, plan)
        except Conflict:
            telemetry.event("endedByAnother", tenant_id=tenant.row.tenant_id)

    def require_not_expired(self, tenant: Tenant) -> None:
        """Let nobody turn on what is still to be turned off: a session whose time is up is turned off now.

        Upkeep would do so within the minute.

        Raises:
            Refused: `operationInProgress`: it is being turned off.
        """
        if tenant.session.state is not SessionState.ON:
            return
        self.end(self._world.store.overview(tenant.tenant_id), Event.SESSION_EXPIRED, SERVICE, TIME_IS_UP)
        raise refused(
            Code.OPERATION_IN_PROGRESS,
            "The session's time was up, and it is being turned off.",
            step="Wait until it is off, then ask again.",
        )

    def _plan_on(
        self,
        tenant: Tenant,
        by: Actor,
        *,
        reason: str | None,
        lifetime: timedelta | None = None,
        event: Event = Event.SESSION_TURNING_ON,
        asking: Asking | None = None,
    ) -> Plan:
        if not tenant.account.is_usable:
            raise refused(
                Code.SERVICE_ACCOUNT_MISSING,
                "The tenant has no management service account.",
                step="Create the service account (PUT …/service-account), then turn the session on.",
            )
        now, limits = self._world.clock.now(), self._world.limits
        session_id = SessionId(uuid4())
        session = tenant.session.turning_on(
            session_id,
            Method.SERVICE_ACCOUNT,
            by,
            reason=reason,
            lifetime=min(lifetime or limits.session_lifetime, limits.session_longest),
            now=now,
        )
        operation = new_operation(
            tenant.tenant_id, TurnOn.kind, TurnOn.steps, by, now=now, within=limits.turn_on_within, asking=asking
        )
        entry = entry_of(operation, event, "The management session is being turned on.", now, reason=reason)
        gates = SetGates(GateState.OPENING, session_id)
        return Plan(operation, tenant.at(now, session=session), entry, (gates,))

    def _decide_off(
        self, stored: Stored[Tenant], asking: Asking, *, drain: bool, reason: str | None
    ) -> Plan | Operation | None:
        tenant, state = stored.row, stored.row.session.state
        running = self._accept.running(tenant)
        if state is SessionState.OFF:
            if running is not None and running.kind is OperationKind.TURN_OFF:
                return running
            return None
        if running is not None:
            if running.kind is OperationKind.TURN_OFF and (drain or state is SessionState.TURNING_OFF):
                return running
            if running.kind not in (OperationKind.TURN_ON, OperationKind.TURN_OFF):
                if running.kind is OperationKind.DELETE_SERVICE_ACCOUNT:
                    return running
                if drain:
                    raise busy(running)
        overview = self._world.store.overview(tenant.tenant_id)
        if overview.tenant.etag != stored.etag:
            raise Conflict("the tenant")
        return self._plan_off(
            overview,
            asking.caller.actor,
            event=Event.SESSION_DRAINING if drain and state is SessionState.ON else Event.SESSION_TURNING_OFF,
            drain=drain and state is SessionState.ON,
            reason=reason,
            asking=asking,
        )

    def _plan_off(
        self, overview: Overview, by: Actor, *, event: Event, drain: bool, reason: str | None, asking: Asking | None
    ) -> Plan:
        tenant, now, limits = overview.tenant.row, self._world.clock.now(), self._world.limits
        steps: tuple[str, ...]
        if drain:
            session = tenant.session.to(SessionState.DRAINING, now)
            gates = SetGates(GateState.DRAINING, session.session_id, session.expires_at, keep_leases=True)
            steps, within = (DRAIN, *TurnOff.steps), limits.drain_longest + limits.turn_off_within
            text = "The management session takes no new actions and ends when the running ones have."
        else:
            session = closed(tenant.session, residual(overview, now), now)
            gates = SetGates(GateState.CLOSED)
            steps, within = TurnOff.steps, limits.turn_off_within
            text = "The management session is being turned off; no new token can be had."
        operation = new_operation(
            tenant.tenant_id,
            TurnOff.kind,
            steps,
            by,
            now=now,
            within=within,
            asking=asking,
            notes={"reason": reason} if reason else None,
        )
        interrupted = tenant.allowed_ips.interrupted(replace(_INTERRUPTED, correlation_id=operation.correlation_id))
        tenant = replace(tenant, allowed_ips=interrupted)
        entry = entry_of(operation, event, text, now, reason=reason)
        return Plan(operation, tenant.at(now, session=session), entry, (gates,))
