"""Off is off at once, whatever is under way, and says until when what was handed out still lives."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.activity import Event
from shared.domain.errors import Code, Refused
from shared.domain.operation import Operation, Status
from shared.domain.session import MAX_TOKEN_LIFE, SessionState
from tests.host import Host
from tests.stage import Stage


def turn_on(stage: Stage, host: Host) -> Operation:
    """The operation at its end."""
    accepted = stage.turn_on()
    host.settle()
    return stage.operation(accepted)


def readable_refresh_tokens(stage: Stage) -> int:
    purposes = [
        kept.purpose for versions in stage.vault.names.values() for kept in versions.values() if kept.is_enabled
    ]
    return purposes.count("session refresh token")


def test_off_is_off_from_the_moment_it_is_accepted(on: Stage, host: Host) -> None:
    request = on.ask()
    on.redeem(request)

    on.turn_off()

    with pytest.raises(Refused) as refusal:
        on.redeem(request)
    assert refusal.value.problem.code is Code.SESSION_NOT_ON
    assert on.tenant.session.state is SessionState.TURNING_OFF


def test_off_says_until_when_handed_out_tokens_live(on: Stage, host: Host) -> None:
    on.redeem(on.ask())

    accepted = on.turn_off()
    host.settle()

    until = on.clock.now() + MAX_TOKEN_LIFE
    assert on.tenant.session.tokens_valid_until == until
    assert on.operation(accepted).result == {"tokensValidUntil": f"{until:%Y-%m-%dT%H:%M:%SZ}"}


def test_off_says_that_no_token_lives_when_none_was_handed_out(on: Stage, host: Host) -> None:
    on.turn_off()
    host.settle()

    assert on.tenant.session.tokens_valid_until == on.clock.now()


def test_off_revokes_the_sign_ins_and_makes_the_refresh_token_unreadable(on: Stage, host: Host) -> None:
    on.turn_off()
    host.settle()

    assert on.microsoft365.refresh_tokens == {}
    assert readable_refresh_tokens(on) == 0


def test_off_without_consent_is_off_all_the_same_and_says_what_is_left(on: Stage, host: Host) -> None:
    on.microsoft365.permissions = None

    on.turn_off()
    host.settle()

    problem = on.tenant.session.problem
    assert on.tenant.session.state is SessionState.OFF
    assert problem is not None
    assert problem.next_step is not None
    assert problem.code is Code.CLEANUP_INCOMPLETE
    assert [cause.code for cause in problem.details] == [Code.CONSENT_MISSING]
    assert readable_refresh_tokens(on) == 0


def test_turned_off_twice_it_is_off_once(on: Stage, host: Host) -> None:
    first, again = on.turn_off(), on.turn_off()
    host.settle()

    assert first.operation is not None
    assert again.operation is not None
    assert first.operation.operation_id == again.operation.operation_id
    assert on.turn_off().operation is None
    assert on.events.count(Event.SESSION_TURNED_OFF) == 1


def test_turn_on_under_way_is_superseded_by_off(created: Stage, host: Host) -> None:
    turning_on = created.turn_on()

    created.turn_off()
    host.settle()

    canceled = created.operation(turning_on)
    assert canceled.status is Status.CANCELED
    assert canceled.problem is not None
    assert canceled.problem.code is Code.OPERATION_CANCELED
    assert created.tenant.session.state is SessionState.OFF


def test_off_in_the_middle_of_signing_in_leaves_no_readable_token(created: Stage, host: Host) -> None:
    created.log.at_next("Vault.put", created.turn_off)

    turning_on = turn_on(created, host)

    assert turning_on.status is Status.CANCELED
    assert created.tenant.session.state is SessionState.OFF
    assert readable_refresh_tokens(created) == 0


@pytest.mark.parametrize("ask", ["rotate", "set_allowed_ips"])
def test_off_does_not_wait_for_what_is_under_way(on: Stage, host: Host, ask: str) -> None:
    under_way = getattr(on, ask)()

    on.turn_off()
    host.settle()

    assert on.operation(under_way).status is Status.CANCELED
    assert on.tenant.session.state is SessionState.OFF


def test_draining_lets_running_actions_finish_and_no_new_one_in(on: Stage, host: Host) -> None:
    running = on.ask()
    on.turn_off(drain=True)
    new = on.ask()

    host.run(timedelta(minutes=1))
    meanwhile = on.tenant.session.state
    on.redeem(running)
    on.complete(running)
    host.settle()

    assert on.decision(new).problem is not None
    assert meanwhile is SessionState.DRAINING
    assert on.tenant.session.state is SessionState.OFF


def test_one_action_s_end_does_not_end_the_drain_of_another(on: Stage, host: Host) -> None:
    first, second = on.ask(), on.ask()
    on.turn_off(drain=True)

    on.complete(first)
    host.run(timedelta(minutes=1))

    assert on.tenant.session.state is SessionState.DRAINING
    assert on.redeem(second)


def test_drain_does_not_last_for_ever(on: Stage, host: Host) -> None:
    request = on.a_request(duration=timedelta(hours=100))
    on.services.act.request(request)
    on.turn_off(drain=True)

    host.run(on.world.limits.drain_longest + timedelta(minutes=5))

    assert on.tenant.session.state is SessionState.OFF
    with pytest.raises(Refused):
        on.redeem(request)


def test_off_cuts_a_drain_short(on: Stage, host: Host) -> None:
    request = on.ask()
    draining = on.turn_off(drain=True)

    on.turn_off()
    host.settle()

    assert on.operation(draining).status is Status.CANCELED
    assert on.tenant.session.state is SessionState.OFF
    with pytest.raises(Refused):
        on.redeem(request)


def test_fifty_people_who_toggle_at_once_leave_it_at_rest_with_one_operation_at_a_time(
    created: Stage, host: Host
) -> None:
    def toggle(number: int) -> Code | None:
        try:
            created.turn_on() if number % 2 else created.turn_off()
        except Refused as refusal:
            return refusal.problem.code
        return None

    with ThreadPoolExecutor(16) as people:
        answers = set(people.map(toggle, range(50)))
    host.settle()

    assert answers <= {None, Code.OPERATION_IN_PROGRESS}
    assert created.tenant.session.state in (SessionState.ON, SessionState.OFF)
    assert all(operation.is_terminal for operation in created.operations)
    assert host.surprises == []
