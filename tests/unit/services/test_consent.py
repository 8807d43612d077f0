"""Which of two applications lacks what: told on onboarding, when an account is asked for, and by policy checks."""

from __future__ import annotations

import pytest

from shared.domain.directory_roles import CREATE_PERMISSIONS, ONBOARDING, RUNTIME
from shared.domain.errors import Code
from shared.domain.operation import Operation, Status
from shared.domain.policy_check import Check, Finding, Verdict
from shared.domain.session import SessionState
from shared.domain.tenant import ConsentState
from shared.services.accept import Accepted
from tests.host import Host
from tests.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """A tenant nobody has onboarded, which lets both applications in with what each asks for."""
    stage = Stage()
    stage.register_onboarding()
    return stage


def switch_off(stage: Stage) -> None:
    stage.microsoft365.onboarding_permissions = None


def ended(stage: Stage, host: Host, accepted: Accepted) -> Operation:
    host.settle()
    return stage.operation(accepted)


def row(stage: Stage, check: Check) -> Finding:
    stored = stage.records.policy_check(stage.tenant_id)
    assert stored is not None
    found = stored.row.found(check)
    assert found is not None
    return found


def test_consent_is_looked_at_application_by_application(onboarded: Stage) -> None:
    consent = onboarded.tenant.consent

    assert (consent.state, consent.held) == (ConsentState.GRANTED, tuple(RUNTIME.permissions))
    assert consent.onboarding is not None
    assert (consent.onboarding.state, consent.onboarding.held) == (
        ConsentState.GRANTED,
        tuple(ONBOARDING.permissions),
    )
    assert consent.is_granted


def test_each_application_lacks_what_it_lacks_itself(stage: Stage) -> None:
    stage.microsoft365.permissions = set(RUNTIME.permissions) - {"User.RevokeSessions.All"}
    stage.microsoft365.onboarding_permissions = set(ONBOARDING.permissions) - {"User.ReadWrite.All"}

    consent = stage.onboard().consent

    assert (consent.state, consent.missing) == (ConsentState.PARTIAL, ("User.RevokeSessions.All",))
    assert consent.onboarding is not None
    assert (consent.onboarding.state, consent.onboarding.missing) == (ConsentState.PARTIAL, ("User.ReadWrite.All",))
    assert not consent.is_granted


def test_an_application_that_is_off_is_told_apart_from_the_one_that_is_not(stage: Stage) -> None:
    switch_off(stage)

    consent = stage.onboard().consent

    assert consent.state is ConsentState.GRANTED
    assert consent.onboarding is not None
    assert consent.onboarding.problem is not None
    assert (consent.onboarding.state, consent.onboarding.problem.code) == (
        ConsentState.MISSING,
        Code.ONBOARDING_OFF,
    )


@pytest.mark.parametrize("missing", CREATE_PERMISSIONS)
def test_creation_needs_what_the_application_that_creates_holds(onboarded: Stage, host: Host, missing: str) -> None:
    onboarded.microsoft365.onboarding_permissions = set(ONBOARDING.permissions) - {missing}

    problem = ended(onboarded, host, onboarded.create_account()).problem

    assert problem is not None
    assert problem.code is Code.PERMISSION_MISSING
    assert problem.message.endswith("doesn't have permission to create a service account on your tenant.")
    assert problem.next_step is not None
    assert missing in problem.next_step.text
    assert ONBOARDING.name in problem.next_step.text


def test_daily_checks_go_on_and_say_that_it_is_off(created: Stage, host: Host) -> None:
    switch_off(created)

    operation = ended(created, host, created.check_policies())

    consent = row(created, Check.CONSENT)
    assert operation.status is Status.SUCCEEDED
    assert (consent.verdict, consent.is_obstacle) == (Verdict.PASS, False)
    assert consent.cause is not None
    assert ONBOARDING.name in consent.cause
    assert row(created, Check.SIGN_IN).verdict is Verdict.PASS
    assert created.tenant.policy_check.stopped_by is None


def test_without_an_account_the_application_that_would_make_it_is_missed(onboarded: Stage, host: Host) -> None:
    switch_off(onboarded)

    ended(onboarded, host, onboarded.check_policies())

    consent = row(onboarded, Check.CONSENT)
    assert (consent.verdict, consent.is_obstacle, consent.code) == (Verdict.FAIL, False, Code.CONSENT_MISSING)


def test_the_check_says_which_application_lacks_what_and_neither_keeps_the_session_off(
    created: Stage, host: Host
) -> None:
    created.microsoft365.permissions = set(RUNTIME.permissions) - {"UserAuthenticationMethod.Read.All"}
    created.microsoft365.onboarding_permissions = set(ONBOARDING.permissions) - {"User.DeleteRestore.All"}

    ended(created, host, created.check_policies())
    created.turn_on()
    host.settle()

    consent = row(created, Check.CONSENT)
    assert consent.cause == (
        f"{RUNTIME.name} lacks admin consent for UserAuthenticationMethod.Read.All. "
        f"{ONBOARDING.name} lacks admin consent for User.DeleteRestore.All."
    )
    assert (consent.verdict, consent.is_obstacle) == (Verdict.FAIL, False)
    assert created.tenant.session.state is SessionState.ON


def test_without_the_application_that_runs_sessions_none_is_turned_on_and_it_is_named(
    created: Stage, host: Host
) -> None:
    created.microsoft365.permissions = None

    ended(created, host, created.check_policies())

    consent = row(created, Check.CONSENT)
    assert (consent.verdict, consent.is_obstacle) == (Verdict.FAIL, True)
    assert consent.cause is not None
    assert consent.cause.startswith(f"{RUNTIME.name}: ")


def test_the_directory_role_is_asked_for_of_the_application_that_acts(created: Stage, host: Host) -> None:
    created.microsoft365.has_directory_role = False

    ended(created, host, created.check_policies())

    found = row(created, Check.ADMIN_ROLE)
    assert found.verdict is Verdict.FAIL
    assert found.fix is not None
    assert found.fix.endswith(f"to the enterprise application {ONBOARDING.name}.")
