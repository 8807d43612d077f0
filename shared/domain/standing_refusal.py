"""The circuit breaker: after a sign-in was refused for good, none is tried by itself until something has changed.

A hundred actions would otherwise be a hundred sign-ins, and the account locked by repetition.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from shared.domain.errors import Code, Problem
from shared.domain.policy_check import Check
from shared.domain.session import Method, SessionState
from shared.domain.tenant import Tenant

_MAY_PASS: Final = frozenset(
    {Code.UPSTREAM_UNAVAILABLE, Code.OPERATION_TIMED_OUT, Code.SERVICE_UNAVAILABLE, Code.PRECONDITION_FAILED}
)
"""Failures that say nothing about the account: time mends them."""


def standing_refusal(tenant: Tenant) -> Problem | None:
    """Why the service account was refused the last time; None when it was not, or when something has changed since.

    A password rotated since has been proven by a sign-in, and so has a check that signed in. An operator's retry needs
    no leave: it is what ends a refusal, or renews it.
    """
    refusals = sorted(_refusals(tenant), key=lambda found: found[0])
    if not refusals:
        return None
    at, problem = refusals[-1]
    check, rotated_at = tenant.policy_check, tenant.account.rotated_at
    signed_in_at = check.checked_at if check.has_signed_in else None
    return None if any(moment is not None and moment > at for moment in (rotated_at, signed_in_at)) else problem


def _refusals(tenant: Tenant) -> Iterator[tuple[datetime, Problem]]:
    session, check, problem = tenant.session, tenant.policy_check, tenant.session.problem
    by_account = session.state is SessionState.FAILED and session.method is Method.SERVICE_ACCOUNT
    if by_account and problem is not None and problem.code not in _MAY_PASS:
        yield session.since, problem
    if check.stopped_by is not None and check.stopped_by.check is Check.SIGN_IN and check.checked_at is not None:
        yield check.checked_at, check.stopped_by.as_problem()
