"""Conditional access calls cost more than others: they need a licence, and a tenant has few of them a second."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from local.simulator.calls import GraphCall, GraphHandler, GraphRoute
from local.simulator.graph.operation import NOBODY, operation
from local.simulator.graph.organization import P1_PLAN, P2_PLAN, has_plan
from local.simulator.graph.refusals import GraphRefusal
from local.simulator.wire import Response


def premium_operation(
    method: str,
    template: str,
    handler: GraphHandler,
    *,
    permissions: Iterable[str],
    also: Iterable[str] = (),
    roles: frozenset[str] = NOBODY,
) -> GraphRoute:
    """An operation on conditional access, answered only at the tenant's pace and to a tenant with Entra ID P1."""

    def answer(call: GraphCall) -> Response:
        _keep_pace(call)
        if not has_plan(call.tenant, P1_PLAN, P2_PLAN):
            raise GraphRefusal(
                403,
                "AccessDenied",
                "Your tenant is not licensed for this feature. Please upgrade your subscription to access it.",
            )
        return handler(call)

    return operation(method, template, answer, permissions=permissions, also=also, roles=roles)


def _keep_pace(call: GraphCall) -> None:
    """One call a second and tenant, whatever the application; the 429 carries no Retry-After (throttling-limits)."""
    now, last = call.clock.now(), call.tenant.conditional_access_used_at
    pace = timedelta(seconds=call.world.conditional_access_pacing)
    if last is not None and timedelta(0) <= now - last < pace:
        raise GraphRefusal(429, "TooManyRequests", "Too many requests. Please try again later.")
    call.tenant.conditional_access_used_at = now
