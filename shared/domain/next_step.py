"""The next step: one sentence that tells an operator what to do with this tenant now."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.directory_roles import ONBOARDING
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.operation import IN_WORDS
from shared.domain.session import SessionState
from shared.domain.standing_refusal import drift, is_disproved, standing_refusal
from shared.domain.tenant import AccountState, ConsentState, Tenant

_THEN_CHECK = "Then check the policies: the check signs in, and when it may, tokens can be had again."
_NOT_GRANTED = (ConsentState.MISSING, ConsentState.UNKNOWN)
_LACKS_OF_CONSENT = (Code.CONSENT_MISSING, Code.PERMISSION_MISSING, Code.ONBOARDING_OFF)


def next_step_of(tenant: Tenant, consent_url: str | None = None, onboarding_url: str | None = None) -> NextStep:
    """What to do now, the first thing first; the addresses are where consent is granted, to each application."""
    is_free = is_disproved(tenant)
    if tenant.operation is not None:
        return NextStep(f"Wait: {IN_WORDS[tenant.operation.kind]}.")
    if tenant.session.state is SessionState.ON:
        return _while_refused(tenant) or NextStep("Nothing: the management session is on.")
    for problem in (tenant.account.problem, None if is_free else tenant.session.problem):
        if problem is not None and problem.next_step is not None and not _is_mended(problem, tenant):
            return problem.next_step
    match tenant.account.state:
        case AccountState.NONE if tenant.consent.state in _NOT_GRANTED:
            text = "Ask a Global Administrator of the tenant to grant admin consent, then onboard the tenant again."
            return NextStep(text, consent_url)
        case AccountState.NONE if tenant.consent.onboarding and tenant.consent.onboarding.state in _NOT_GRANTED:
            text = f"Ask a Global Administrator of the tenant to grant {ONBOARDING.name} admin consent, see that it is "
            return NextStep(text + "not switched off, then onboard the tenant again.", onboarding_url)
        case AccountState.NONE:
            return NextStep("Create the service account.")
        case AccountState.FAILED | AccountState.CREATING:
            return NextStep("Retry the service account creation.")
        case AccountState.DELETING:
            return NextStep("Disable advanced management again, so that the removal is finished.")
    if is_free:
        return NextStep("Turn the management session on again: the service account has signed in since it was refused.")
    if tenant.session.state is SessionState.FAILED:
        return NextStep("Read why the session could not be turned on, mend that, then turn it on again.")
    stopped_by = tenant.policy_check.stopped_by
    if stopped_by is not None and stopped_by.fix is not None:
        return NextStep(stopped_by.fix, stopped_by.link)
    if tenant.auto_enable.enabled:
        return NextStep("Nothing: the session turns itself on when an action needs it.")
    return NextStep("Turn the management session on, or enable auto-enable.")


def _while_refused(tenant: Tenant) -> NextStep | None:
    """What to do while the session is on and its account refused; a password that has drifted is replaced by itself."""
    refusal = standing_refusal(tenant) if tenant.session.refused_at else None
    step = refusal.next_step if refusal else None
    return replace(step, text=f"{step.text} {_THEN_CHECK}") if step and drift(tenant) is None else step


def _is_mended(problem: Problem, tenant: Tenant) -> bool:
    """True for a lack of consent that has been granted since."""
    return problem.code in _LACKS_OF_CONSENT and tenant.consent.is_granted
