"""Many actions at once: a lease each, one turn-on for all, and one's end never cuts off another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from shared.domain.action import Outcome, Verdict
from shared.domain.activity import Event
from shared.domain.errors import Code, Conflict
from shared.domain.lease import MAX_LEASES_A_GATE
from shared.domain.operation import OperationKind
from tests.fakes.calls import Call
from tests.host import Host
from tests.stage import Stage


def test_full_gates_are_said_to_be_full(on: Stage) -> None:
    requests = [on.a_request() for _ in range(16 * MAX_LEASES_A_GATE + 1)]

    for request in requests:
        on.services.act.request(request)

    problems = [decision.problem for request in requests for decision in on.decisions(request)]
    assert {problem.code for problem in problems if problem} == {Code.TOO_MANY_LEASES}
    assert max(len(gate.leases) for gate in on.gates) == MAX_LEASES_A_GATE


def test_completion_lets_the_lease_go_and_no_other(on: Stage) -> None:
    done, running = on.ask(), on.ask()

    on.complete(done)
    on.complete(done)

    action = on.action(done)
    assert action is not None
    assert action.outcome is Outcome.SUCCEEDED
    assert on.events.count(Event.ACTION_COMPLETED) == 1
    assert [lease.action_id for gate in on.gates for lease in gate.leases] == [running.action_id]


def test_completion_of_an_action_nobody_has_asked_for_is_nothing(on: Stage) -> None:
    on.complete(on.a_request())

    assert Event.ACTION_COMPLETED not in on.events


def test_completion_of_an_action_that_still_waits_is_nothing(created: Stage, host: Host) -> None:
    created.auto_enable()
    request = created.ask()

    created.complete(request)
    host.settle()

    action = created.action(request)
    assert action is not None
    assert action.outcome is None
    assert created.decision(request).verdict is Verdict.READY


def test_two_hundred_requests_at_once_while_on_get_a_lease_each(on: Stage) -> None:
    requests = [on.a_request() for _ in range(200)]

    with ThreadPoolExecutor(16) as executors:
        list(executors.map(on.services.act.request, requests))

    assert {on.decision(request).verdict for request in requests} == {Verdict.READY}
    assert sum(len(gate.leases) for gate in on.gates) == 200


def test_two_hundred_requests_at_once_while_off_are_one_turn_on_and_two_hundred_answers(
    created: Stage, host: Host
) -> None:
    created.auto_enable()
    requests = [created.a_request() for _ in range(200)]

    with ThreadPoolExecutor(16) as executors:
        list(executors.map(created.services.act.request, requests))
    host.settle()

    turn_ons = [operation for operation in created.operations if operation.kind is OperationKind.TURN_ON]
    assert len(turn_ons) == 1
    assert {created.decision(request).verdict for request in requests} == {Verdict.READY}
    assert created.parked == ()


def test_request_that_lost_every_race_is_delivered_again_and_not_forgotten(on: Stage, host: Host) -> None:
    races: list[Call] = []

    def contended(call: Call) -> None:
        if call.method == "commit" and len(races) < 45:
            races.append(call)
            raise Conflict

    on.log.breakdown = contended
    request = on.a_request()
    host.request(request)

    host.run(timedelta(minutes=1))

    assert on.decision(request).verdict is Verdict.READY


def test_request_that_would_wait_for_a_session_that_has_just_come_on_is_answered_now(
    created: Stage, host: Host
) -> None:
    created.auto_enable()
    created.turn_on()
    created.log.at_next("TenantStore.commit", host.deliver_now)

    request = created.ask()

    assert created.decision(request).verdict is Verdict.READY


def test_session_is_not_turned_on_at_once_after_a_check_of_long_ago(created: Stage, host: Host) -> None:
    created.check_policies()
    host.settle()
    created.auto_enable()
    created.clock.advance(created.world.limits.check_lasts)

    request = created.ask()

    assert created.decisions(request) == []
