"""The next step is one sentence that fits where the tenant stands, the first thing first."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.domain.directory_roles import ONBOARDING, RoleProfile
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.ids import OperationId, TenantId
from shared.domain.next_step import next_step_of
from shared.domain.operation import IN_WORDS, OperationKind
from shared.domain.session import Session, SessionState
from shared.domain.tenant import (
    AccountState,
    AutoEnable,
    Consent,
    ConsentState,
    RunningOperation,
    ServiceAccount,
    Tenant,
    new_tenant,
)
from tests.fakes.clock import START

TENANT = new_tenant(TenantId(uuid4()), "Contoso", START, profile=RoleProfile.LEAST_PRIVILEGE)
CREATED = ServiceAccount(AccountState.CREATED)
MEND = NextStep("Exclude the account from the policy.", "https://entra.microsoft.com")
BLOCKED = Problem(Code.SIGN_IN_BLOCKED, "A policy blocks it.", next_step=MEND)
NO_CONSENT = Problem(Code.CONSENT_MISSING, "Consent is missing.", next_step=NextStep("Grant admin consent."))


def consented(state: ConsentState = ConsentState.GRANTED) -> Tenant:
    return replace(TENANT, consent=Consent(state))


def in_state(state: SessionState, problem: Problem | None = None) -> Tenant:
    return replace(consented(), account=CREATED, session=Session(state, START, problem=problem))


@pytest.mark.parametrize("state", [ConsentState.UNKNOWN, ConsentState.MISSING])
def test_first_of_all_comes_consent_with_where_to_grant_it(state: ConsentState) -> None:
    step = next_step_of(consented(state), "https://login.example/adminconsent")

    assert "consent" in step.text
    assert step.link == "https://login.example/adminconsent"


@pytest.mark.parametrize("state", [ConsentState.UNKNOWN, ConsentState.MISSING])
def test_the_application_that_makes_accounts_has_a_consent_and_a_link_of_its_own(state: ConsentState) -> None:
    apart = Consent(ConsentState.GRANTED, onboarding=Consent(state))

    step = next_step_of(replace(TENANT, consent=apart), "https://login.example/one", "https://login.example/other")
    made = next_step_of(replace(TENANT, consent=apart, account=CREATED))

    assert ONBOARDING.name in step.text
    assert step.link == "https://login.example/other"
    assert "consent" not in made.text


@pytest.mark.parametrize("state", [ConsentState.GRANTED, ConsentState.PARTIAL])
def test_after_consent_comes_the_service_account(state: ConsentState) -> None:
    assert next_step_of(consented(state)) == NextStep("Create the service account.")


@pytest.mark.parametrize("kind", OperationKind)
def test_while_something_is_under_way_the_step_is_to_wait_for_it(kind: OperationKind) -> None:
    tenant = replace(consented(), operation=RunningOperation(OperationId(uuid4()), kind))

    assert next_step_of(tenant).text == f"Wait: {IN_WORDS[kind]}."


@pytest.mark.parametrize("state", sorted(set(SessionState) - {SessionState.ON}))
def test_problem_s_own_step_comes_before_the_state_s(state: SessionState) -> None:
    assert next_step_of(in_state(state, BLOCKED)) == MEND


def test_account_s_problem_comes_before_the_session_s() -> None:
    tenant = in_state(SessionState.FAILED, BLOCKED)
    retry = NextStep("Retry.")
    broken = replace(CREATED, problem=Problem(Code.ROLE_MISSING, "A role is missing.", next_step=retry))

    assert next_step_of(replace(tenant, account=broken)) == retry


def test_consent_granted_since_is_asked_for_no_more() -> None:
    failed = replace(consented(), account=ServiceAccount(AccountState.FAILED, problem=NO_CONSENT))

    assert next_step_of(failed) == NextStep("Retry the service account creation.")
    assert next_step_of(replace(failed, consent=Consent(ConsentState.MISSING))) == NO_CONSENT.next_step


def test_consent_is_granted_when_both_applications_have_theirs() -> None:
    lacking = Problem(Code.ONBOARDING_OFF, "It is off.", next_step=NextStep("Switch it on."))
    failed = replace(TENANT, account=ServiceAccount(AccountState.FAILED, problem=lacking))
    half, whole = (
        Consent(ConsentState.GRANTED, onboarding=Consent(state))
        for state in (ConsentState.MISSING, ConsentState.GRANTED)
    )

    assert next_step_of(replace(failed, consent=half)) == lacking.next_step
    assert next_step_of(replace(failed, consent=whole)) == NextStep("Retry the service account creation.")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (AccountState.FAILED, "Retry the service account creation."),
        (AccountState.CREATING, "Retry the service account creation."),
        (AccountState.DELETING, "Disable advanced management again, so that the removal is finished."),
    ],
)
def test_account_that_is_not_there_says_how_it_comes_or_goes(state: AccountState, words: str) -> None:
    assert next_step_of(replace(consented(), account=ServiceAccount(state))).text == words


@pytest.mark.parametrize("problem", [None, BLOCKED])
def test_nothing_is_to_be_done_while_the_session_is_on(problem: Problem | None) -> None:
    assert next_step_of(in_state(SessionState.ON, problem)).text.startswith("Nothing")


def test_nothing_is_to_be_done_while_the_session_turns_itself_on() -> None:
    tenant = replace(in_state(SessionState.OFF), auto_enable=AutoEnable(enabled=True))

    assert next_step_of(tenant).text.startswith("Nothing")
    assert next_step_of(in_state(SessionState.OFF)).text.startswith("Turn the management session on")


def test_failed_session_without_a_reasoned_step_is_to_be_read_and_mended() -> None:
    assert "mend" in next_step_of(in_state(SessionState.FAILED)).text
