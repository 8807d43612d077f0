"""Turn a session off: let running actions finish if asked, then revoke and forget.

That no new token can be had is done before this begins: the request that asked for "off" closed the gates in its own
transaction. What follows is cleaning up, tried for a while and reported when it cannot be done.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from shared.domain.activity import Event
from shared.domain.errors import Code, NextStep, Problem, Transient
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.session import MAX_TOKEN_LIFE, Session, SessionState
from shared.domain.store import Overview, SetGates
from shared.domain.tenant import Tenant
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.kept_secrets import forget_refresh_token
from shared.services.world import World

DRAIN = "drain"


class TurnOff:
    """The flow behind `PUT …/session {"state":"off"}`, the session's end and its idle time-out."""

    kind = OperationKind.TURN_OFF
    steps = ("retireToken", "revokeSignIns")

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; `drain` comes first when it was asked for."""
        match step:
            case "drain":
                return self._drain(tenant)
            case "revokeSignIns":
                return self._revoke(tenant)
            case _:
                return self._retire(tenant)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """Off, with what is still to be known about the tokens handed out."""
        return self._off(tenant, operation, None)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """Off all the same, and what could not be cleaned up is said."""
        left = Problem(
            Code.CLEANUP_INCOMPLETE,
            f"The session is off, but its sign-ins could not be revoked: {problem.message}",
            next_step=NextStep(
                "Revoke the service account's sessions in Entra, or turn the session on and off again.",
                "https://learn.microsoft.com/entra/identity/users/users-revoke-access",
            ),
            details=(replace(problem, correlation_id=None),),
            correlation_id=problem.correlation_id,
        )
        return self._off(tenant, operation, left)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: whoever took over cleans up, and upkeep when nobody did."""

    def _off(self, tenant: Tenant, operation: Operation, problem: Problem | None) -> Ending:
        now = self._world.clock.now()
        until = tenant.session.tokens_valid_until or now

        def off(tenant: Tenant) -> Tenant:
            ending = closed(tenant.session, until, now)
            return tenant.at(now, session=ending.turned_off(now, tokens_valid_until=until, problem=problem))

        text = (
            f"The management session is off; tokens already handed out end by {until:%Y-%m-%dT%H:%M:%SZ} at the latest."
        )
        entry = entry_of(operation, Event.SESSION_TURNED_OFF, text, now, reason=operation.notes.get("reason"))
        return Ending(off, (SetGates(GateState.CLOSED),), entry, {"tokensValidUntil": until})

    def _drain(self, tenant: Tenant) -> Done:
        now = self._world.clock.now()
        overview = self._world.store.overview(tenant.tenant_id)
        running = sum(len(gate.row.live(now)) for gate in overview.gates)
        if running and now < tenant.session.since + self._world.limits.drain_longest:
            problem = Problem(Code.OPERATION_IN_PROGRESS, f"Waiting for {running} running actions to end.")
            raise Transient(problem)  # looked at again soon at first, once a minute later
        until = residual(overview, now)

        def close(tenant: Tenant) -> Tenant:
            return tenant.at(now, session=closed(tenant.session, until, now))

        return Done(close, writes=(SetGates(GateState.CLOSED),))

    def _revoke(self, tenant: Tenant) -> Done:
        user_id = tenant.session.user_id or tenant.account.object_id
        if user_id is not None:
            self._world.directory.revoke_sign_ins(tenant.tenant_id, user_id)
        return Done()

    def _retire(self, tenant: Tenant) -> Done:
        forget_refresh_token(self._world, tenant)
        return Done()


def residual(overview: Overview, now: datetime) -> datetime:
    """Until when tokens handed out through these gates may live: if a lease was granted, as long as a token can."""
    return now + MAX_TOKEN_LIFE if any(gate.row.used for gate in overview.gates) else now


def closed(session: Session, tokens_valid_until: datetime, now: datetime) -> Session:
    """The session on its way off, whatever it was before."""
    if session.state is SessionState.TURNING_OFF:
        return session
    return replace(session.to(SessionState.TURNING_OFF, now), tokens_valid_until=tokens_valid_until)
