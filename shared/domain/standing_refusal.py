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

_ABOUT_THE_ACCOUNT: Final = frozenset({Check.SERVICE_ACCOUNT, Check.SIGN_IN})
"""The rows of a check that tell what a turn-on of the service account would be told."""
_DRIFTED: Final = frozenset({Code.CREDENTIAL_REJECTED, Code.SECRET_MISSING})

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
    return None if _has_signed_in_since(tenant, at) else problem


def is_disproved(tenant: Tenant) -> bool:
    """True when the session's last turn-on was refused and the account has signed in since."""
    return _has_failed(tenant) and _has_signed_in_since(tenant, tenant.session.since)


def drift(tenant: Tenant) -> Problem | None:
    """Why the password we keep is held to be another than the account's; None when nothing says so.

    The last refusal counts: one that says that the account itself is gone or not ours is no drift.
    """
    refusal = standing_refusal(tenant)
    return refusal if refusal is not None and refusal.code in _DRIFTED else None


def _refusals(tenant: Tenant) -> Iterator[tuple[datetime, Problem]]:
    session, check, problem = tenant.session, tenant.policy_check, tenant.session.problem
    refused_at = session.since if _has_failed(tenant) else session.refused_at
    if refused_at is not None and problem is not None and problem.code not in _MAY_PASS:
        yield refused_at, problem
    stopped_by = check.stopped_by
    if stopped_by is not None and stopped_by.check in _ABOUT_THE_ACCOUNT and check.checked_at is not None:
        yield check.checked_at, stopped_by.as_problem()


def _has_failed(tenant: Tenant) -> bool:
    session = tenant.session
    return session.state is SessionState.FAILED and session.method is Method.SERVICE_ACCOUNT


def _has_signed_in_since(tenant: Tenant, at: datetime) -> bool:
    check, rotated_at = tenant.policy_check, tenant.account.rotated_at
    signed_in_at = check.checked_at if check.has_signed_in else None
    return any(moment is not None and moment > at for moment in (rotated_at, signed_in_at))
