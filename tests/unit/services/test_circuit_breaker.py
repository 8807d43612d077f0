"""The circuit breaker: what was refused for good is not tried by itself, until something has changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.action import Verdict
from shared.domain.errors import Code
from shared.domain.session import SessionState
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.scripted import change_password, our_user, with_account


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def refused(stage: Stage, host: Host) -> None:
    """A session that an action needed, and that failed at its sign-in."""
    change_password(stage)
    stage.auto_enable()
    stage.ask()
    host.settle()
    assert stage.tenant.session.state is SessionState.FAILED
    stage.clock.advance(timedelta(minutes=1))


def asked(stage: Stage, host: Host) -> Verdict:
    """What the next action is told."""
    request = stage.ask()
    host.settle()
    return stage.decision(request).verdict


def test_refusal_that_a_check_met_holds_the_session_back_too(stage: Stage, host: Host) -> None:
    change_password(stage)
    stage.check_policies()
    host.settle()
    stage.auto_enable()

    calls = stage.calls(lambda: asked(stage, host))

    assert "SignIn.with_password" not in calls
    problem = stage.decision(stage.requests[-1]).problem
    assert problem is not None
    assert problem.code is Code.CREDENTIAL_REJECTED


def test_administrator_s_failure_does_not_hold_the_service_account_back(stage: Stage, host: Host) -> None:
    stage.auto_enable()
    stage.add_global_administrator().roles.clear()
    stage.turn_on_as_admin()
    host.settle()
    assert stage.tenant.session.state is SessionState.FAILED

    assert asked(stage, host) is Verdict.READY


def test_rotation_lets_the_session_turn_itself_on_again(stage: Stage, host: Host) -> None:
    refused(stage, host)
    stage.rotate()
    host.settle()

    assert asked(stage, host) is Verdict.READY


def test_check_that_signs_in_lets_it_too_whatever_else_the_check_finds(stage: Stage, host: Host) -> None:
    stage.rules.has_premium = False
    true = our_user(stage).password
    refused(stage, host)
    our_user(stage).password = true
    stage.check_policies()
    host.settle()

    assert asked(stage, host) is Verdict.READY
