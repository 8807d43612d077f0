"""Whoever waits is answered once: when the session is on, when it will not be, or when the deadline comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.action import ActionKind, ActionRequest, Verdict
from shared.domain.activity import Event
from shared.domain.errors import Code, Transient, unavailable
from shared.domain.operation import OperationKind
from shared.domain.session import SessionState
from shared.services.accept import Asking
from tests.fakes.calls import Call
from tests.host import Host
from tests.mortal import Killed
from tests.people import ADMINISTRATOR
from tests.stage import Stage

MINUTE = timedelta(minutes=1)


@pytest.fixture
def willing(created: Stage) -> Stage:
    """A session that is off and may turn itself on."""
    created.auto_enable(idle_timeout=timedelta(hours=2))
    return created


def code_of(stage: Stage, request: ActionRequest) -> Code:
    problem = stage.decision(request).problem
    assert problem is not None
    return problem.code


def entra_is_away(stage: Stage, span: timedelta) -> None:
    until = stage.clock.now() + span

    def breakdown(call: Call) -> None:
        if call.method == "with_password" and stage.clock.now() < until:
            raise unavailable("Microsoft Entra")

    stage.log.breakdown = breakdown


def test_who_waits_is_recorded_as_waiting_and_answered_when_the_session_is_on(willing: Stage, host: Host) -> None:
    requests = [willing.ask(kind) for kind in ActionKind]
    waiting = [parked.request for parked in willing.parked]

    host.settle()

    assert sorted(waiting, key=str) == sorted(requests, key=str)
    assert willing.events.count(Event.ACTION_PARKED) == len(requests)
    assert {willing.decision(request).verdict for request in requests} == {Verdict.READY}
    assert all(willing.redeem(request) for request in requests)


def test_who_waits_learns_that_the_session_could_not_be_turned_on_and_why(willing: Stage, host: Host) -> None:
    willing.microsoft365.sign_in_code = 53003
    requests = [willing.ask(), willing.ask()]

    host.settle()

    assert {willing.decision(request).verdict for request in requests} == {Verdict.FAILED}
    assert {code_of(willing, request) for request in requests} == {Code.SIGN_IN_BLOCKED}


def test_deadline_comes_before_the_turn_on_ends_and_is_kept(willing: Stage, host: Host) -> None:
    entra_is_away(willing, 5 * MINUTE)
    hasty, patient = willing.ask(deadline=timedelta(seconds=40)), willing.ask()

    host.run(timedelta(seconds=40))
    early = [willing.decisions(hasty), willing.decisions(patient)]
    host.settle()

    assert [len(sent) for sent in early] == [1, 0]
    assert code_of(willing, hasty) is Code.DEADLINE_PASSED
    assert willing.decision(patient).verdict is Verdict.READY


def test_deadline_is_kept_even_if_the_message_that_reminds_of_it_is_lost(willing: Stage, host: Host) -> None:
    entra_is_away(willing, 5 * MINUTE)
    hasty = willing.ask(deadline=timedelta(seconds=40))
    willing.messages.sent.clear()

    host.run(2 * MINUTE)

    assert code_of(willing, hasty) is Code.DEADLINE_PASSED


def test_turned_off_while_somebody_waits_it_turns_itself_on_again(willing: Stage, host: Host) -> None:
    request = willing.ask()

    willing.turn_off()
    host.settle()

    assert willing.decision(request).verdict is Verdict.READY
    assert [o.kind for o in willing.operations].count(OperationKind.TURN_ON) == 2


def test_turned_off_and_auto_enable_too_nobody_is_left_waiting(willing: Stage, host: Host) -> None:
    request = willing.ask()
    willing.turn_off()
    willing.services.onboard.set_auto_enable(
        willing.tenant_id, Asking(ADMINISTRATOR), enabled=False, kinds=None, idle_timeout=None
    )

    host.settle()

    assert code_of(willing, request) is Code.MANAGEMENT_OFF


def test_who_asks_while_the_session_drains_waits_for_the_next_one(willing: Stage, host: Host) -> None:
    willing.turn_on()
    host.settle()
    running = willing.ask()
    willing.turn_off(drain=True)

    request = willing.ask()
    undecided = willing.decisions(request)
    willing.complete(running)
    host.settle()

    assert undecided == []
    assert willing.decision(request).verdict is Verdict.READY


def test_who_asks_a_session_whose_time_is_up_waits_for_the_next_one(willing: Stage, host: Host) -> None:
    willing.turn_on(lifetime=10 * MINUTE)
    host.settle()
    willing.clock.advance(10 * MINUTE)

    request = willing.ask()
    host.run(5 * MINUTE)

    assert willing.decision(request).verdict is Verdict.READY
    assert willing.events.count(Event.SESSION_EXPIRED) == 1


def test_who_asks_during_a_rotation_waits_for_its_end(willing: Stage, host: Host) -> None:
    willing.rotate()

    request = willing.ask()
    host.settle()

    assert willing.decision(request).verdict is Verdict.READY
    assert willing.tenant.session.state is SessionState.ON


def test_a_hundred_who_wait_are_answered_in_as_many_transactions_as_it_takes(willing: Stage, host: Host) -> None:
    requests = [willing.ask() for _ in range(100)]

    host.settle()

    assert {willing.decision(request).verdict for request in requests} == {Verdict.READY}


def test_answer_whose_sender_died_is_sent_by_upkeep_and_is_the_same(willing: Stage, host: Host) -> None:
    def die() -> None:
        raise Killed

    request = willing.ask()
    willing.log.at_next("Messages.send_decision", die)

    host.settle()

    action = willing.action(request)
    assert action is not None
    assert action.decision is not None
    assert willing.decision(request).lease_id == action.decision.lease_id


def test_answer_is_sent_again_by_nobody_who_did_not_record_it(willing: Stage, host: Host) -> None:
    request = willing.ask()

    def another_answers_too() -> None:
        willing.services.upkeep()
        host.deliver_now()

    willing.log.at_next("Messages.send_decision", another_answers_too)
    host.settle()

    assert len(willing.decisions(request)) == 1


def test_queue_that_is_away_delays_the_answer_and_loses_none(willing: Stage, host: Host) -> None:
    def away() -> None:
        raise unavailable("The queue")

    requests = [willing.ask() for _ in range(3)]
    willing.log.at_next("Messages.send_decision", away)

    host.settle()

    assert {willing.decision(request).verdict for request in requests} == {Verdict.READY}


def test_auto_enable_that_cannot_wake_a_worker_is_not_forgotten(willing: Stage, host: Host) -> None:
    def away() -> None:
        raise unavailable("The queue")

    willing.log.at_next("Messages.send_operation", away)
    request = willing.a_request()
    with pytest.raises(Transient):
        willing.services.act.request(request)
    host.request(request)

    host.settle()

    assert willing.decision(request).verdict is Verdict.READY
