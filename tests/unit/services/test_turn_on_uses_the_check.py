"""A turn-on looks before it signs in, tells which policy refused it, and never tries by itself what was refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.action import ActionRequest, Verdict
from shared.domain.errors import Code, Problem, Transient, unavailable
from shared.domain.operation import Status
from shared.domain.policy_check import CheckState
from shared.domain.session import SessionState
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.scripted import change_password, our_user, refuses, with_account

NAME = "MFA for everybody"
DAYS_LATER = timedelta(days=2)


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def blocked(stage: Stage) -> FakePolicy:
    """The customer makes a policy, and it bites."""
    stage.microsoft365.sign_in_code = 50076
    return stage.rules.add(FakePolicy(NAME))


def unblocked(stage: Stage, policy: FakePolicy) -> None:
    """The customer takes it back."""
    stage.microsoft365.sign_in_code = None
    del stage.rules.policies[policy.policy_id]


def turned_on(stage: Stage, host: Host) -> list[str]:
    """A turn-on, carried out to its end; what it asked of the world."""
    stage.turn_on()
    return stage.calls(host.settle)


def checked(stage: Stage, host: Host) -> None:
    stage.check_policies()
    host.settle()


def refusal(stage: Stage) -> Problem:
    """Why the session failed."""
    assert stage.tenant.session.state is SessionState.FAILED
    assert stage.tenant.session.problem is not None
    return stage.tenant.session.problem


def test_failing_check_stops_a_turn_on_before_a_sign_in_is_wasted(stage: Stage, host: Host) -> None:
    blocked(stage)
    checked(stage, host)

    calls = turned_on(stage, host)

    assert "SignIn.with_password" not in calls
    assert NAME in refusal(stage).message
    assert refusal(stage).next_step is not None
    (operation,) = (each for each in stage.operations if each.kind == "turnOn")
    assert (operation.status, operation.problem) == (Status.FAILED, refusal(stage)), "the row is the operation's error"


def test_obstacle_that_is_gone_since_the_check_does_not_stop_it(stage: Stage, host: Host) -> None:
    policy = blocked(stage)
    checked(stage, host)
    unblocked(stage, policy)

    turned_on(stage, host)

    assert stage.tenant.session.state is SessionState.ON
    assert stage.tenant.policy_check.state is CheckState.PASS


def test_fresh_check_saves_the_time_to_look_again_and_an_old_one_does_not(stage: Stage, host: Host) -> None:
    assert "TenantPolicies.policies" not in turned_on(stage, host)
    stage.turn_off()
    host.settle()

    stage.clock.advance(DAYS_LATER)

    assert "TenantPolicies.policies" in turned_on(stage, host)


def test_check_from_other_addresses_than_we_have_now_is_not_fresh(stage: Stage, host: Host) -> None:
    stage.set_allowed_ips()
    host.settle()
    checked(stage, host)
    stage.world = replace(stage.world, egress_ips=("192.0.2.0/28",))
    stage.restart()

    calls = turned_on(stage, host)

    assert "SignIn.with_password" not in calls, "our own policy would refuse it"
    assert refusal(stage).next_step is not None
    assert "Set the allowed IPs again" in str(refusal(stage).next_step)


def test_refused_sign_in_tells_which_policy_it_was(stage: Stage, host: Host) -> None:
    blocked(stage)  # after the check that is still fresh

    calls = turned_on(stage, host)

    assert calls.count("SignIn.with_password") == 1
    assert refusal(stage).code is Code.SIGN_IN_BLOCKED
    assert refusal(stage).message.startswith("AADSTS50076")
    assert [NAME in detail.message for detail in refusal(stage).details] == [True]
    assert refusal(stage).next_step == refusal(stage).details[0].next_step
    assert stage.tenant.policy_check.stopped_by is not None, "the console shows the check too"


@pytest.mark.parametrize("method", ["what_if", "policies", "security_defaults"])
def test_looking_for_the_policy_never_leads_to_a_second_sign_in(stage: Stage, host: Host, method: str) -> None:
    blocked(stage)
    refuses(stage.policies, method, Transient(Problem(Code.UPSTREAM_UNAVAILABLE, "Slow down.")))

    calls = turned_on(stage, host)

    assert calls.count("SignIn.with_password") == 1
    assert refusal(stage).code is Code.SIGN_IN_BLOCKED


def test_tables_that_are_away_while_the_policy_is_looked_for_lead_to_no_second_sign_in(
    stage: Stage, host: Host
) -> None:
    blocked(stage)
    stage.turn_on()
    refuses(stage.store, "policy_check", unavailable("Storage"), times=1)

    calls = stage.calls(host.settle)

    assert calls.count("SignIn.with_password") == 1
    assert refusal(stage).details == ()


def test_new_account_that_entra_does_not_know_everywhere_yet_is_tried_again(stage: Stage, host: Host) -> None:
    stage.rotate()
    host.settle()
    true, user = our_user(stage).password, our_user(stage)
    change_password(stage)
    stage.turn_on()
    host.run(timedelta(seconds=5))
    user.password = true

    host.settle()

    assert stage.tenant.session.state is SessionState.ON


def test_wrong_password_is_tried_once_when_the_account_is_not_new(stage: Stage, host: Host) -> None:
    change_password(stage)

    calls = turned_on(stage, host)

    assert calls.count("SignIn.with_password") == 1
    assert refusal(stage).code is Code.CREDENTIAL_REJECTED


def test_wrong_password_is_never_tried_often_enough_to_lock_the_account(stage: Stage, host: Host) -> None:
    stage.rotate()
    host.settle()
    change_password(stage)

    calls = turned_on(stage, host)

    assert calls.count("SignIn.with_password") <= 6, "and always the same password, which counts once"
    assert refusal(stage).code is Code.CREDENTIAL_REJECTED


def test_everybody_who_waits_is_told_the_reason(stage: Stage, host: Host) -> None:
    blocked(stage)
    stage.auto_enable()
    others: list[ActionRequest] = []
    stage.log.at_next("SignIn.with_password", lambda: others.extend(stage.ask() for _ in range(2)))
    requests = [stage.ask(), *others]
    host.settle()

    decisions = [stage.decision(request) for request in requests]
    assert {decision.verdict for decision in decisions} == {Verdict.FAILED}
    assert {decision.problem for decision in decisions} == {refusal(stage)}
    assert NAME in refusal(stage).details[0].message


def test_after_a_definite_refusal_no_sign_in_is_tried_by_itself(stage: Stage, host: Host) -> None:
    stage.microsoft365.sign_in_code = 53003
    stage.auto_enable()
    stage.ask()
    host.settle()

    def a_week() -> None:
        for _ in range(7):
            stage.ask()
            host.run(timedelta(days=1))

    calls = stage.calls(a_week)

    assert "SignIn.with_password" not in calls
    late = stage.requests[-1]
    assert stage.decision(late).verdict is Verdict.DENIED
    assert stage.decision(late).problem == refusal(stage)


def test_check_that_passes_lets_the_session_turn_itself_on_again(stage: Stage, host: Host) -> None:
    policy = blocked(stage)
    stage.auto_enable()
    stage.ask()
    host.settle()
    unblocked(stage, policy)
    stage.clock.advance(timedelta(minutes=1))

    checked(stage, host)
    request = stage.ask()
    host.settle()

    assert stage.decision(request).verdict is Verdict.READY


def test_operator_s_retry_lets_the_session_turn_itself_on_again(stage: Stage, host: Host) -> None:
    policy = blocked(stage)
    stage.auto_enable()
    stage.ask()
    host.settle()
    unblocked(stage, policy)

    turned_on(stage, host)
    stage.turn_off()
    host.settle()
    request = stage.ask()
    host.settle()

    assert stage.decision(request).verdict is Verdict.READY


def test_outage_is_no_refusal_and_the_next_request_tries_again(stage: Stage, host: Host) -> None:
    outage = refuses(stage.sign_in, "with_password", unavailable("Entra"))
    stage.auto_enable()
    stage.ask()
    host.settle()
    assert refusal(stage).code is Code.UPSTREAM_UNAVAILABLE
    outage.clear()

    request = stage.ask()
    host.settle()

    assert stage.decision(request).verdict is Verdict.READY
