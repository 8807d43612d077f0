"""A session is turned on by a proven sign-in, and a refused one is explained and not tried again."""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

import pytest

from shared.domain.activity import Event
from shared.domain.errors import Code, Refused, unavailable
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind, Status
from shared.domain.session import SessionState
from shared.domain.tenant import session_secret_of
from tests.host import Host
from tests.people import OPERATOR
from tests.stage import Stage

HOUR = timedelta(hours=1)


def turn_on(stage: Stage, host: Host) -> Operation:
    """The operation at its end."""
    accepted = stage.turn_on()
    host.settle()
    return stage.operation(accepted)


def away() -> NoReturn:
    raise unavailable("It")


def readable_refresh_tokens(stage: Stage) -> int:
    purposes = [
        kept.purpose for versions in stage.vault.names.values() for kept in versions.values() if kept.is_enabled
    ]
    return purposes.count("session refresh token")


def test_session_is_on_for_its_lifetime_in_the_name_of_who_asked(created: Stage, host: Host) -> None:
    accepted = created.turn_on(lifetime=2 * HOUR)
    host.settle()

    session = created.tenant.session
    assert session.state is SessionState.ON
    assert session.expires_at == session.since + 2 * HOUR
    assert session.turned_on_by == OPERATOR.actor
    assert {(gate.state, gate.expires_at) for gate in created.gates} == {(GateState.OPEN, session.expires_at)}
    assert created.operation(accepted).result == {"expiresAt": f"{session.expires_at:%Y-%m-%dT%H:%M:%SZ}"}


def test_nobody_gets_longer_than_the_longest(created: Stage, host: Host) -> None:
    created.turn_on(lifetime=1_000 * HOUR)
    host.settle()

    assert created.tenant.session.expires_at == created.tenant.session.since + created.world.limits.session_longest


def test_session_whose_time_is_up_is_turned_off_by_whoever_asks_for_it_and_on_again_when_asked_again(
    on: Stage, host: Host
) -> None:
    on.clock.advance(8 * HOUR)

    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            on.turn_on("key")
        assert refusal.value.problem.code is Code.OPERATION_IN_PROGRESS
    assert on.tenant.session.state is SessionState.TURNING_OFF
    assert {gate.state for gate in on.gates} == {GateState.CLOSED}
    host.run()
    again = on.turn_on("key")
    host.settle()

    assert on.operation(again).status is Status.SUCCEEDED
    assert on.tenant.session.is_on(on.clock.now())
    assert on.events.count(Event.SESSION_EXPIRED) == 1
    assert readable_refresh_tokens(on) == 1


def test_session_whose_time_is_up_waits_for_what_is_under_way(on: Stage) -> None:
    on.clock.advance(8 * HOUR)
    on.rotate()

    with pytest.raises(Refused) as refusal:
        on.turn_on()

    assert "rotatePassword" in refusal.value.problem.message
    assert Event.SESSION_EXPIRED not in on.events


def test_turned_on_twice_it_is_on_once(on: Stage) -> None:
    assert on.turn_on().operation is None
    assert on.events.count(Event.SESSION_TURNED_ON) == 1


def test_without_an_account_there_is_nothing_to_turn_on_and_the_answer_says_what_to_do(onboarded: Stage) -> None:
    with pytest.raises(Refused) as refusal:
        onboarded.turn_on()

    assert refusal.value.problem.code is Code.SERVICE_ACCOUNT_MISSING
    assert refusal.value.problem.next_step is not None


def test_refused_sign_in_fails_the_session_with_its_reason_and_is_not_tried_again(created: Stage, host: Host) -> None:
    created.microsoft365.sign_in_code = 50076
    first = len(created.log)

    operation = turn_on(created, host)

    session = created.tenant.session
    tries = [call for call in created.log.calls[first:] if call.method == "with_password"]
    assert (operation.status, session.state) == (Status.FAILED, SessionState.FAILED)
    assert session.problem is not None
    assert session.problem.code is Code.SIGN_IN_BLOCKED
    assert session.problem.next_step is not None
    assert len(tries) == 1
    assert {gate.state for gate in created.gates} == {GateState.CLOSED}


def test_failed_session_is_turned_on_again_when_the_reason_is_gone(created: Stage, host: Host) -> None:
    created.microsoft365.sign_in_code = 50076
    turn_on(created, host)
    created.microsoft365.sign_in_code = None

    operation = turn_on(created, host)

    assert operation.status is Status.SUCCEEDED
    assert created.tenant.session.problem is None


def test_session_is_not_on_without_its_roles_and_leaves_no_readable_token(created: Stage, host: Host) -> None:
    created.microsoft365.users[0].roles.popitem()

    operation = turn_on(created, host)

    assert operation.problem is not None
    assert operation.problem.code is Code.ROLE_MISSING
    assert readable_refresh_tokens(created) == 0


def test_rotation_that_stopped_halfway_is_found_out_by_the_sign_in_and_ended(created: Stage, host: Host) -> None:
    before = str(created.tenant.account.secret_version)
    created.microsoft365.sign_in_code = 53003
    created.rotate()
    host.settle()
    halfway = created.tenant.account
    created.microsoft365.sign_in_code = None

    operation = turn_on(created, host)

    after = created.tenant.account
    assert (halfway.secret_version, halfway.staged_version is None) == (before, False)
    assert operation.status is Status.SUCCEEDED
    assert (after.secret_version, after.staged_version) == (halfway.staged_version, None)
    assert not created.vault.names[f"account-{after.account_id}-password"][before].is_enabled


def test_two_wrong_passwords_are_tried_once_each(created: Stage, host: Host) -> None:
    created.microsoft365.sign_in_code = 53003
    created.rotate()
    host.settle()
    created.microsoft365.sign_in_code = None
    created.microsoft365.users[0].password = created.vault.names.popitem()[1].popitem()[1].secret
    created.clock.advance(HOUR)

    first = len(created.log)
    turn_on(created, host)

    assert [call.method for call in created.log.calls[first:]].count("with_password") <= 2


def test_entra_away_for_a_while_is_waited_for(created: Stage, host: Host) -> None:
    created.log.at_next("SignIn.with_password", away)

    operation = turn_on(created, host)

    assert operation.status is Status.SUCCEEDED
    assert operation.kind is OperationKind.TURN_ON


def test_session_stands_on_the_version_that_its_record_names(on: Stage) -> None:
    session = on.tenant.session

    kept = on.vault.names[session_secret_of(on.tenant)][str(session.secret_version)]

    assert kept.secret.reveal() in on.microsoft365.refresh_tokens
