"""The request that finds the session off turns it on itself: few requests to storage, one sign-in, one answer each."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.action import ActionRequest, Verdict
from shared.domain.errors import Code, Problem, Transient
from shared.domain.operation import Operation, OperationKind, Status
from shared.domain.session import SessionState
from shared.domain.tenant import session_secret_of
from tests.host import Host
from tests.mortal import Killed
from tests.stage import Stage

STORAGE = ("TenantStore.", "TenantIndex.", "DueList.", "Messages.")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ready(created: Stage, host: Host) -> Stage:
    """A tenant whose policies were checked of late, and whose session may turn itself on."""
    created.check_policies()
    host.settle()
    created.auto_enable()
    assert created.tenant.session.state is SessionState.OFF
    return created


def turn_on_of(stage: Stage) -> Operation:
    (operation,) = (each for each in stage.operations if each.kind is OperationKind.TURN_ON)
    return operation


def throttled(seconds: int) -> Callable[[], None]:
    def fail() -> None:
        raise Transient(Problem(Code.UPSTREAM_UNAVAILABLE, "Slow."), timedelta(seconds=seconds))

    return fail


def killed() -> None:
    raise Killed


def test_answer_takes_five_requests_to_storage_one_after_the_other(ready: Stage) -> None:
    calls = ready.calls(ready.ask)

    asked = [call for call in calls if call.startswith(STORAGE)]
    assert asked == [
        "TenantStore.gate",
        "TenantStore.tenant",
        "TenantStore.commit",
        "DueList.add",  # beside the transaction before it
        "TenantStore.commit",
        "Messages.send_decision",
        "TenantIndex.put",  # from here on nobody waits
        "TenantStore.parked",
    ]
    assert calls.count("SignIn.with_password") == 1


def test_session_is_on_and_the_executor_holds_a_lease(ready: Stage) -> None:
    request = ready.ask()

    assert ready.decision(request).verdict is Verdict.READY
    assert ready.tenant.session.state is SessionState.ON
    assert [lease.action_id for gate in ready.gates for lease in gate.leases] == [request.action_id]
    assert ready.redeem(request).value.reveal()
    assert [line.state for line in ready.listed] == [SessionState.ON]
    assert turn_on_of(ready).status is Status.SUCCEEDED
    assert {step.status for step in turn_on_of(ready).steps} == {Status.SUCCEEDED}
    assert ready.parked == ()


def test_who_asks_meanwhile_waits_and_is_answered_by_the_same_worker(ready: Stage) -> None:
    others: list[ActionRequest] = []
    before = [call.method for call in ready.log.calls].count("with_password")
    ready.log.at_next("SignIn.with_password", lambda: others.extend(ready.ask() for _ in range(9)))

    first = ready.ask()

    assert {ready.decision(request).verdict for request in [first, *others]} == {Verdict.READY}
    assert [call.method for call in ready.log.calls].count("with_password") - before == 1


def test_storm_is_one_sign_in_and_an_answer_each(ready: Stage, host: Host) -> None:
    requests = [ready.a_request() for _ in range(60)]
    before = len(ready.log)

    with ThreadPoolExecutor(12) as executors:
        list(executors.map(ready.services.act.request, requests))
    host.settle()

    assert {ready.decision(request).verdict for request in requests} == {Verdict.READY}
    calls = [f"{call.port}.{call.method}" for call in ready.log.calls[before:]]
    assert calls.count("SignIn.with_password") == 1
    assert calls.count("TenantStore.tenant") == 1, "one tries to turn it on, and the others find it opening"


def test_refusal_is_told_and_the_session_has_failed(ready: Stage, host: Host) -> None:
    ready.microsoft365.sign_in_code = 50076

    request = ready.ask()

    assert ready.decision(request).verdict is Verdict.FAILED
    assert ready.decision(request).problem == ready.tenant.session.problem
    assert ready.tenant.session.state is SessionState.FAILED
    assert [line.state for line in ready.listed] == [SessionState.FAILED]
    assert ready.parked == ()


def test_what_cannot_be_done_yet_is_done_later_by_another_worker(ready: Stage, host: Host) -> None:
    ready.log.at_next("SignIn.with_password", throttled(30))

    request = ready.ask()

    assert ready.decisions(request) == []
    assert [line.state for line in ready.listed] == [SessionState.TURNING_ON]
    host.run(MINUTE)
    assert ready.decision(request).verdict is Verdict.READY


def test_defect_leaves_the_operation_to_another_worker(ready: Stage, host: Host) -> None:
    def defect() -> None:
        raise RuntimeError("defect")

    ready.log.at_next("SignIn.with_password", defect)

    with pytest.raises(RuntimeError):
        ready.ask()

    host.run(MINUTE)
    assert ready.decision(ready.requests[-1]).verdict is Verdict.READY


def test_deadline_that_passes_during_the_sign_in_is_answered_with_no(ready: Stage) -> None:
    ready.log.at_next("SignIn.with_password", lambda: ready.clock.advance(MINUTE))

    request = ready.ask(deadline=MINUTE)

    problem = ready.decision(request).problem
    assert problem is not None
    assert problem.code is Code.DEADLINE_PASSED
    assert ready.tenant.session.state is SessionState.ON
    assert not any(gate.leases for gate in ready.gates)


def test_deadline_is_kept_while_the_sign_in_hangs(ready: Stage, host: Host) -> None:
    def hang() -> None:
        ready.clock.advance(MINUTE - ready.world.limits.answer_margin)
        host.deliver_now()

    ready.log.at_next("SignIn.with_password", hang)

    request = ready.ask(deadline=MINUTE)

    problem = ready.decision(request).problem
    assert problem is not None
    assert problem.code is Code.DEADLINE_PASSED
    assert ready.tenant.session.state is SessionState.ON, "somebody else had answered, and nothing was lost by it"


def test_turned_off_meanwhile_it_is_turned_on_anew_for_who_still_waits(ready: Stage, host: Host) -> None:
    ready.log.at_next("SignIn.with_password", ready.turn_off)

    request = ready.ask()

    assert ready.decisions(request) == []
    host.settle()
    assert ready.decision(request).verdict is Verdict.READY
    readable = [
        version for version in ready.vault.names[session_secret_of(ready.tenant)].values() if version.is_enabled
    ]
    assert len(readable) == 1


@pytest.mark.parametrize("call", ["TenantStore.commit", "DueList.add", "SignIn.with_password", "TenantIndex.put"])
def test_request_of_a_killed_process_is_answered_when_it_comes_again(ready: Stage, host: Host, call: str) -> None:
    ready.log.at_next(call, killed)
    request = ready.a_request()
    host.request(request)

    host.settle()

    sent = ready.decisions(request)
    assert {decision.verdict for decision in sent} == {Verdict.READY}
