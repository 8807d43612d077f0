"""An executor's request is decided once: a lease at once, a place among those who wait, or a reasoned no."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.action import ActionKind, Verdict
from shared.domain.activity import Event
from shared.domain.errors import Code, Problem, unavailable
from shared.domain.ids import ActionId, TenantId
from shared.domain.session import AutoEnableOutcome, SessionState
from tests.fakes.calls import Call
from tests.host import AGAIN, Host
from tests.stage import Stage

HOUR = timedelta(hours=1)
GIVEN_UP = Problem(Code.INTERNAL_ERROR, "This could not be done after several attempts.")


def test_while_the_session_is_on_a_request_costs_one_read_one_transaction_and_one_message(on: Stage) -> None:
    calls = on.calls(on.ask)

    assert calls == ["TenantStore.gate", "TenantStore.commit", "Messages.send_decision"]


def test_request_gets_a_lease_for_as_long_as_it_asked(on: Stage) -> None:
    request = on.ask()

    decision = on.decision(request)
    assert (decision.verdict, decision.lease_id) == (Verdict.READY, on.lease_id(request))
    assert decision.expires_at == on.clock.now() + HOUR
    assert Event.ACTION_READY in on.events


@pytest.mark.parametrize(("lifetime", "lease"), [(2 * HOUR, 2 * HOUR), (24 * HOUR, 8 * HOUR)])
def test_nobody_gets_a_lease_longer_than_the_session_nor_than_the_longest(
    created: Stage, host: Host, lifetime: timedelta, lease: timedelta
) -> None:
    created.turn_on(lifetime=lifetime)
    host.settle()
    request = created.a_request(duration=100 * HOUR)

    created.services.act.request(request)

    assert created.decision(request).expires_at == created.clock.now() + lease


def test_same_request_again_gets_the_same_answer_and_no_second_lease(on: Stage) -> None:
    request = on.ask()

    on.clock.advance(HOUR / 2)
    on.services.act.request(request)

    first, again = on.decisions(request)
    assert first == again
    assert sum(len(gate.leases) for gate in on.gates) == 1
    assert on.events.count(Event.ACTION_READY) == 1


def test_request_whose_answer_was_not_sent_is_answered_when_it_is_delivered_again(on: Stage, host: Host) -> None:
    def away() -> None:
        raise unavailable("The queue")

    on.log.at_next("Messages.send_decision", away)
    request = on.a_request()
    host.request(request)

    host.run(AGAIN)

    assert on.decision(request).verdict is Verdict.READY


def test_answer_that_could_never_be_sent_is_sent_by_the_poison_door_and_is_the_recorded_one(on: Stage) -> None:
    def away() -> None:
        raise unavailable("The queue")

    request = on.a_request()
    on.log.at_next("Messages.send_decision", away)
    with pytest.raises(type(unavailable("The queue"))):
        on.services.act.request(request)

    on.services.act.give_up(request, GIVEN_UP)

    assert on.decision(request).verdict is Verdict.READY


def test_request_nobody_could_decide_is_answered_as_failed_once(on: Stage) -> None:
    request = on.a_request()

    on.services.act.give_up(request, GIVEN_UP)
    on.services.act.request(request)

    assert [decision.verdict for decision in on.decisions(request)] == [Verdict.FAILED] * 2
    assert on.events.count(Event.ACTION_FAILED) == 1


def test_request_whose_deadline_has_passed_is_denied_with_what_to_do(on: Stage) -> None:
    request = on.ask(deadline=timedelta(seconds=1))

    problem = on.decision(request).problem
    assert problem is not None
    assert problem.next_step is not None
    assert problem.code is Code.DEADLINE_PASSED


def test_request_for_a_tenant_we_do_not_know_is_denied(on: Stage) -> None:
    request = on.a_request()
    elsewhere = type(request)(
        ActionId(uuid4()),
        TenantId(uuid4()),
        request.kind,
        request.executor,
        request.operator,
        request.deadline,
    )

    on.services.act.request(elsewhere)

    problem = on.decision(elsewhere).problem
    assert problem is not None
    assert problem.code is Code.TENANT_NOT_FOUND


@pytest.mark.parametrize("kind", ActionKind)
def test_off_and_auto_enable_off_is_management_off_with_what_to_do(created: Stage, kind: ActionKind) -> None:
    request = created.ask(kind)

    decision = created.decision(request)
    assert decision.verdict is Verdict.DENIED
    assert decision.problem is not None
    assert decision.problem.next_step is not None
    assert decision.problem.code is Code.MANAGEMENT_OFF


def test_why_it_was_not_auto_enabled_is_recorded(created: Stage) -> None:
    request = created.ask()

    last = created.tenant.session.last_auto_enable
    assert last is not None
    assert (last.outcome, last.action_id) == (AutoEnableOutcome.NOT_ENABLED, request.action_id)
    assert "auto-enable is off" in last.reason


def test_a_hundred_refusals_write_the_reason_once_a_minute(created: Stage) -> None:
    first = created.ask()
    for _ in range(100):
        created.ask()

    last = created.tenant.session.last_auto_enable
    assert last is not None
    assert last.action_id == first.action_id


def test_kind_that_auto_enable_does_not_cover_is_denied_and_one_that_it_covers_waits(created: Stage) -> None:
    created.auto_enable(ActionKind.WORKFLOW)

    denied, waiting = created.ask(ActionKind.CUSTOM_ACTION), created.ask(ActionKind.WORKFLOW)

    problem = created.decision(denied).problem
    assert problem is not None
    assert problem.code is Code.KIND_NOT_ALLOWED
    assert [parked.request for parked in created.parked] == [waiting]


def test_request_that_turns_the_session_on_is_named_as_the_reason(created: Stage, host: Host) -> None:
    created.auto_enable()

    request = created.ask(ActionKind.WORKFLOW)
    host.settle()

    session = created.tenant.session
    assert session.state is SessionState.ON
    assert session.reason == "workflow asked for by Otto Operator"
    assert session.last_auto_enable is not None
    assert (session.last_auto_enable.outcome, session.last_auto_enable.action_id) == (
        AutoEnableOutcome.ENABLED,
        request.action_id,
    )
    assert session.turned_on_by is not None
    assert session.turned_on_by.object_id == request.operator.object_id


def test_without_an_account_nothing_is_turned_on(onboarded: Stage) -> None:
    onboarded.auto_enable()

    problem = onboarded.decision(onboarded.ask()).problem

    assert problem is not None
    assert problem.code is Code.SERVICE_ACCOUNT_MISSING


def test_after_a_definite_refusal_no_sign_in_is_tried_for_actions_until_somebody_turns_it_on(
    created: Stage, host: Host
) -> None:
    created.auto_enable()
    created.microsoft365.sign_in_code = 50126
    created.clock.advance(HOUR)
    first = created.ask()
    host.settle()
    tries = [call.method for call in created.log.calls].count("with_password")

    later = [created.ask() for _ in range(20)]
    host.settle()

    assert created.decision(first).verdict is Verdict.FAILED
    assert {created.decision(request).verdict for request in later} == {Verdict.DENIED}
    assert [call.method for call in created.log.calls].count("with_password") == tries


def test_after_a_failure_that_may_pass_the_next_action_tries_again(created: Stage, host: Host) -> None:
    created.auto_enable()
    until = created.clock.now() + created.world.limits.turn_on_within

    def away(call: Call) -> None:
        if call.method == "with_password" and created.clock.now() < until:
            raise unavailable("Microsoft Entra")

    created.log.breakdown = away
    created.ask()
    host.settle()
    failed = created.tenant.session.state
    created.clock.advance(HOUR)

    request = created.ask()
    host.settle()

    assert failed is SessionState.FAILED
    assert created.decision(request).verdict is Verdict.READY
