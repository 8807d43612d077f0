"""An account refused while its session is on is asked for once, told to everybody, and used again when mended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.activity import Event
from shared.domain.errors import Code, Problem, Refused, Transient
from shared.domain.next_step import next_step_of
from shared.domain.session import SessionState
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.scripted import change_password, our_user

MANY = 50
POLICY_BLOCKS = 53003


def refused(stage: Stage) -> Problem:
    """Why no token can be had."""
    with pytest.raises(Refused) as refusal:
        stage.redeem(stage.ask())
    return refusal.value.problem


def sign_ins(stage: Stage, since: int) -> int:
    return sum(call.method == "with_password" for call in stage.log.calls[since:])


@pytest.fixture
def blocked(on: Stage) -> Stage:
    """The session is on, its refresh token revoked, and a policy refuses the account; somebody has found out."""
    on.clock.advance(timedelta(hours=1))
    on.microsoft365.refresh_tokens.clear()
    on.microsoft365.sign_in_code = POLICY_BLOCKS
    refused(on)
    return on


def test_refused_password_is_not_sent_again_however_often_executors_ask(on: Stage) -> None:
    on.clock.advance(timedelta(hours=1))
    on.microsoft365.refresh_tokens.clear()
    change_password(on)
    since = len(on.log)

    codes = {refused(on).code for _ in range(MANY)}
    on.restart()
    codes |= {refused(on).code for _ in range(MANY)}

    assert codes == {Code.CREDENTIAL_REJECTED}
    assert sign_ins(on, since) == 1


def test_another_request_costs_no_more_than_the_look_that_finds_the_refusal(blocked: Stage) -> None:
    request = blocked.ask()

    def ask() -> None:
        with pytest.raises(Refused):
            blocked.redeem(request)

    assert blocked.calls(ask) == ["TenantStore.gate", "TenantStore.tenant"]


def test_everybody_sees_that_no_token_can_be_had_and_why(blocked: Stage) -> None:
    session = blocked.tenant.session
    (line,) = blocked.listed
    (entry,) = (entry for entry in blocked.trail if entry.event is Event.SESSION_SIGN_IN_REFUSED)

    assert session.state is SessionState.ON
    assert session.problem is not None
    assert session.problem.code is Code.SIGN_IN_BLOCKED
    assert session.problem.correlation_id == entry.correlation_id
    assert session.problem.next_step is not None
    assert next_step_of(blocked.tenant).text.startswith(session.problem.next_step.text)
    assert "check the policies" in next_step_of(blocked.tenant).text
    assert line.has_problem


def test_refusal_that_loses_a_race_is_found_again_by_whoever_asks_next(on: Stage) -> None:
    on.microsoft365.refresh_tokens.clear()
    on.microsoft365.sign_in_code = POLICY_BLOCKS
    request, since = on.ask(), len(on.log)
    on.log.at_next("TenantStore.commit", lambda: on.auto_enable())

    for _ in range(3):
        with pytest.raises(Refused):
            on.redeem(request)

    assert sign_ins(on, since) == 2
    assert on.tenant.session.refused_at is not None


def test_after_a_check_that_has_signed_in_tokens_can_be_had_again(blocked: Stage, host: Host) -> None:
    blocked.microsoft365.sign_in_code = None
    blocked.clock.advance(timedelta(minutes=1))
    blocked.check_policies()
    host.settle(timedelta(minutes=10))

    session = blocked.tenant.session

    assert (session.problem, session.refused_at) == (None, None)
    assert next_step_of(blocked.tenant).text.startswith("Nothing")
    assert blocked.redeem(blocked.ask())


def test_daily_check_finds_out_that_the_account_is_accepted_again(created: Stage, host: Host) -> None:
    created.check_policies()
    host.run(timedelta(hours=10))
    created.turn_on(lifetime=timedelta(hours=24))
    host.settle(timedelta(minutes=10))
    created.microsoft365.refresh_tokens.clear()
    created.microsoft365.sign_in_code = POLICY_BLOCKS
    refused(created)
    created.microsoft365.sign_in_code = None

    host.run(timedelta(hours=16))

    assert created.tenant.session.state is SessionState.ON
    assert created.redeem(created.ask())


def test_account_that_may_be_too_new_is_not_held_to_be_refused(on: Stage) -> None:
    request, password = on.ask(), our_user(on).password
    on.microsoft365.refresh_tokens.clear()
    change_password(on)

    with pytest.raises(Transient):
        on.redeem(request)
    our_user(on).password = password

    assert on.redeem(request)


def test_password_that_was_changed_behind_our_back_is_replaced_and_tokens_can_be_had_again(
    on: Stage, host: Host
) -> None:
    on.clock.advance(timedelta(hours=1))
    on.microsoft365.refresh_tokens.clear()
    change_password(on)
    refused(on)

    host.run(timedelta(minutes=10))

    assert on.redeem(on.ask())
    assert (on.tenant.session.problem, on.tenant.session.refused_at) == (None, None)


def test_what_a_check_was_refused_is_not_tried_by_an_executor_s_request(on: Stage, host: Host) -> None:
    on.clock.advance(timedelta(hours=1))
    on.microsoft365.refresh_tokens.clear()
    on.microsoft365.sign_in_code = POLICY_BLOCKS
    on.check_policies()
    host.settle(timedelta(minutes=10))
    since = len(on.log)

    assert refused(on).code is Code.SIGN_IN_BLOCKED
    assert sign_ins(on, since) == 0


def test_session_that_failed_for_a_password_replaced_since_is_to_be_turned_on_again(created: Stage, host: Host) -> None:
    created.clock.advance(timedelta(hours=1))
    change_password(created)
    created.turn_on()
    host.settle(timedelta(minutes=30))
    session = created.tenant.session

    created.clock.advance(timedelta(minutes=1))
    created.rotate()
    host.settle(timedelta(minutes=30))

    assert session.state is created.tenant.session.state is SessionState.FAILED
    assert "again" in next_step_of(created.tenant).text
