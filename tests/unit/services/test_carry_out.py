"""A worker goes on with an operation as far as it goes, twice is once, and nothing stays under way for ever."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.errors import Code, Conflict, Problem, ReplyLost, Transient, unavailable
from shared.domain.ids import OperationId
from shared.domain.operation import Status
from shared.domain.session import SessionState
from shared.domain.tenant import AccountState, session_secret_of
from tests.fakes.calls import Call
from tests.host import Host
from tests.mortal import Killed
from tests.stage import Stage

MINUTE = timedelta(minutes=1)
GIVEN_UP = Problem(Code.INTERNAL_ERROR, "This could not be done after several attempts.")


def away() -> None:
    raise unavailable("It")


def die() -> None:
    raise Killed


def attempts(stage: Stage, method: str) -> int:
    return [call.method for call in stage.log.calls].count(method)


def test_message_delivered_twice_is_worked_on_once(onboarded: Stage, host: Host) -> None:
    accepted = onboarded.create_account()
    assert accepted.operation is not None
    ids = onboarded.tenant_id, accepted.operation.operation_id

    onboarded.services.carry_out(*ids)
    calls = onboarded.calls(lambda: onboarded.services.carry_out(*ids))

    assert calls == ["TenantStore.operation", "TenantStore.tenant", "TenantStore.parked"]
    assert attempts(onboarded, "create_user") == 1


def test_message_delivered_twice_at_once_is_worked_on_by_one(onboarded: Stage, host: Host) -> None:
    accepted = onboarded.create_account()
    assert accepted.operation is not None
    ids = onboarded.tenant_id, accepted.operation.operation_id
    onboarded.log.at_next("Vault.put", lambda: onboarded.services.carry_out(*ids))

    onboarded.services.carry_out(*ids)

    assert attempts(onboarded, "create_user") == 1
    assert onboarded.tenant.account.state is AccountState.CREATED


def test_message_about_an_operation_nobody_knows_is_nothing(onboarded: Stage) -> None:
    onboarded.services.carry_out(onboarded.tenant_id, OperationId(uuid4()))
    onboarded.services.carry_out.close(onboarded.tenant_id, OperationId(uuid4()), GIVEN_UP)

    assert onboarded.operations == []


def test_step_that_was_done_is_not_done_again_after_a_kill(onboarded: Stage, host: Host) -> None:
    accepted = onboarded.create_account()
    onboarded.log.at_next("Directory.assign_role", die)

    host.settle()

    assert onboarded.operation(accepted).status is Status.SUCCEEDED
    assert attempts(onboarded, "organization") == 2  # once to create it, once by the check that follows
    assert attempts(onboarded, "create_user") == 1


def test_what_is_away_is_waited_for_longer_and_longer_and_as_long_as_it_asks(created: Stage, host: Host) -> None:
    waits: list[float] = []

    def breakdown(call: Call) -> None:
        if call.method == "with_password" and len(waits) < 5:
            waits.append((created.clock.now() - start).total_seconds())
            raise Transient(unavailable("It").problem, timedelta(seconds=45) if len(waits) == 5 else None)

    created.turn_on()
    start = created.clock.now()
    created.log.breakdown = breakdown
    host.settle()

    assert waits == [0, 2, 6, 14, 30]
    assert created.tenant.session.since == start + timedelta(seconds=75)


def test_message_that_comes_before_its_time_does_not_ask_again_sooner(created: Stage, host: Host) -> None:
    def throttled() -> None:
        raise Transient(unavailable("It").problem, 5 * MINUTE)

    accepted = created.turn_on()
    assert accepted.operation is not None
    created.log.at_next("SignIn.with_password", throttled)
    host.run()

    for _ in range(10):
        host.run(timedelta(seconds=20))
        created.services.carry_out(created.tenant_id, accepted.operation.operation_id)

    assert attempts(created, "with_password") == 1
    host.settle()
    assert created.tenant.session.state is SessionState.ON


def test_operation_that_cannot_end_in_time_ends_as_failed_before_its_deadline(created: Stage, host: Host) -> None:
    def breakdown(call: Call) -> None:
        if call.method == "with_password":
            away()

    created.log.breakdown = breakdown
    accepted = created.turn_on()

    host.settle()

    operation = created.operation(accepted)
    assert operation.status is Status.FAILED
    assert operation.updated_at is not None
    assert operation.updated_at <= operation.deadline
    assert operation.problem is not None
    assert operation.problem.code is Code.UPSTREAM_UNAVAILABLE


def test_worker_that_comes_after_the_deadline_ends_it_with_the_step_it_stood_at(created: Stage, host: Host) -> None:
    accepted = created.turn_on()
    created.clock.advance(60 * MINUTE)

    host.settle()

    problem = created.operation(accepted).problem
    assert problem is not None
    assert problem.code is Code.OPERATION_TIMED_OUT
    assert "checkPolicies" in problem.message


def test_what_nobody_foresaw_is_delivered_again_and_ends_at_the_poison_door(created: Stage, host: Host) -> None:
    def breakdown(call: Call) -> None:
        if call.method == "with_password":
            raise RuntimeError("a defect")

    created.log.breakdown = breakdown
    accepted = created.turn_on()

    host.settle()

    operation = created.operation(accepted)
    assert len(host.surprises) == 5
    assert operation.status is Status.FAILED
    assert operation.problem is not None
    assert operation.problem.code is Code.INTERNAL_ERROR
    assert created.tenant.session.state is SessionState.FAILED


def test_poison_door_leaves_an_operation_that_has_ended_as_it_is(onboarded: Stage, host: Host) -> None:
    accepted = onboarded.create_account()
    host.settle()
    assert accepted.operation is not None

    onboarded.services.carry_out.close(onboarded.tenant_id, accepted.operation.operation_id, GIVEN_UP)

    assert onboarded.operation(accepted).status is Status.SUCCEEDED


def test_setting_changed_meanwhile_is_kept_and_the_work_goes_on(onboarded: Stage, host: Host) -> None:
    accepted = onboarded.create_account()
    onboarded.log.at_next("Directory.create_user", onboarded.auto_enable)

    host.settle()

    assert onboarded.operation(accepted).status is Status.SUCCEEDED
    assert onboarded.tenant.auto_enable.enabled


@pytest.mark.parametrize("lost", [Conflict(), ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, "No answer."))])
def test_write_that_was_done_though_it_seemed_to_fail_is_not_taken_for_another_s(
    created: Stage, host: Host, lost: Exception
) -> None:
    def seem_to_fail() -> None:
        recording = len(created.log) + 1  # what comes after the refresh token was kept
        created.log.fail(recording, lost, after_effect=True)

    created.log.at_next("Vault.put", seem_to_fail)
    accepted = created.turn_on()
    host.settle()

    kept = created.vault.names[session_secret_of(created.tenant)][str(created.tenant.session.secret_version)]
    assert created.operation(accepted).status is Status.SUCCEEDED
    assert kept.is_enabled


def test_list_that_is_away_does_not_hold_anything_up(created: Stage, host: Host) -> None:
    def breakdown(call: Call) -> None:
        if call.port == "TenantIndex" and created.clock.now() < start + 3 * MINUTE:
            away()

    start = created.clock.now()
    created.log.breakdown = breakdown
    created.turn_on()

    host.run(MINUTE)
    meanwhile = created.tenant.session.state
    host.run(10 * MINUTE)

    assert meanwhile is SessionState.ON
    assert [line.state for line in created.listed] == [SessionState.ON]
