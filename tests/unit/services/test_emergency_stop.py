"""The emergency stop turns every session off at once, and no tenant's trouble saves another's session."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.adapters.storage import rows
from shared.domain.actors import Caller
from shared.domain.errors import Code, Refused, unavailable
from shared.domain.ids import TenantId
from shared.domain.session import SessionState
from tests.fakes.calls import Call
from tests.fakes.later_release import rewrite
from tests.host import Host
from tests.people import ADMINISTRATOR, EXECUTOR, OPERATOR, READER
from tests.stage import Stage


@pytest.fixture
def two(on: Stage, host: Host) -> tuple[TenantId, TenantId]:
    """Two tenants whose sessions are on; the stage's own is the second."""
    first, on.tenant_id = on.tenant_id, TenantId(uuid4())
    on.onboard()
    on.create_account()
    host.settle()
    on.turn_on()
    host.settle()
    return first, on.tenant_id


def state(stage: Stage, tenant_id: TenantId) -> SessionState:
    return stage.records.tenant(tenant_id).row.session.state


def test_every_session_hands_out_no_token_from_the_moment_it_returns(
    on: Stage, host: Host, two: tuple[TenantId, TenantId]
) -> None:
    request = on.ask()
    on.redeem(request)

    stopped = on.services.emergency_stop(OPERATOR, reason="a stolen laptop")

    assert (stopped.stopped, stopped.failed, stopped.is_complete) == (2, (), True)
    with pytest.raises(Refused) as refusal:
        on.redeem(request)
    assert refusal.value.problem.code is Code.SESSION_NOT_ON
    host.settle()
    assert [state(on, tenant_id) for tenant_id in two] == [SessionState.OFF] * 2


def test_session_that_is_being_turned_on_or_drained_is_stopped_too(
    on: Stage, host: Host, two: tuple[TenantId, TenantId]
) -> None:
    on.turn_off()
    host.settle()
    on.turn_on()
    on.tenant_id = two[0]
    on.ask()
    on.turn_off(drain=True)

    stopped = on.services.emergency_stop(OPERATOR, reason=None)
    host.settle()

    assert stopped.stopped == 2
    assert [state(on, tenant_id) for tenant_id in two] == [SessionState.OFF] * 2


def test_session_that_turns_itself_on_is_stopped_before_the_list_says_so(created: Stage, host: Host) -> None:
    created.check_policies()
    host.settle()
    created.auto_enable()
    stopped = []

    def stop() -> None:
        assert [line.state for line in created.listed] == [SessionState.OFF]
        stopped.append(created.services.emergency_stop(OPERATOR, reason=None))

    created.log.at_next("SignIn.with_password", stop)
    request = created.ask()

    assert (stopped[0].stopped, stopped[0].failed, stopped[0].is_complete) == (1, (), True)
    assert created.decisions(request) == []
    assert not any(gate.leases for gate in created.gates)


def test_tenant_that_may_turn_itself_on_and_cannot_be_read_is_named(created: Stage, host: Host) -> None:
    created.auto_enable()

    def away() -> None:
        raise unavailable("Storage")

    created.log.breakdown = lambda call: away() if call == Call("TenantStore", "tenant") else None

    stopped = created.services.emergency_stop(OPERATOR, reason=None)

    assert (stopped.stopped, stopped.failed) == (0, (created.tenant_id,))


def test_tenant_that_cannot_be_stopped_is_named_and_the_others_are_stopped(
    on: Stage, two: tuple[TenantId, TenantId]
) -> None:
    failed: list[Call] = []

    def breakdown(call: Call) -> None:
        if call.method == "commit" and not failed:
            failed.append(call)
            raise unavailable("Storage")

    on.log.breakdown = breakdown
    stopped = on.services.emergency_stop(OPERATOR, reason=None)

    assert stopped.stopped == 1
    assert len(stopped.failed) == 1
    assert state(on, stopped.failed[0]) is SessionState.ON


def test_tenant_that_a_later_release_has_written_is_named_and_the_others_are_stopped(
    on: Stage, two: tuple[TenantId, TenantId]
) -> None:
    rewrite(on.store.table, str(two[0]), rows.TENANT)
    rewrite(on.index.table, SessionState.ON, str(two[0]))

    stopped = on.services.emergency_stop(OPERATOR, reason=None)

    assert (stopped.stopped, stopped.failed) == (1, (two[0],))
    assert state(on, two[1]) is SessionState.TURNING_OFF


def test_line_that_a_later_release_has_written_keeps_no_session_alive(
    on: Stage, two: tuple[TenantId, TenantId]
) -> None:
    rewrite(on.index.table, SessionState.ON, str(two[0]))
    for due in on.due.until(on.clock.now() + timedelta(days=1), limit=100):
        on.due.remove(due)

    stopped = on.services.emergency_stop(OPERATOR, reason=None)

    assert (stopped.stopped, stopped.failed) == (2, ())


def test_tenant_that_only_the_due_list_names_and_a_later_release_has_written_is_named(
    on: Stage, two: tuple[TenantId, TenantId]
) -> None:
    for tenant_id in two:
        on.index.table.delete(SessionState.ON, str(tenant_id))
    rewrite(on.store.table, str(two[0]), rows.TENANT)

    stopped = on.services.emergency_stop(OPERATOR, reason=None)

    assert (stopped.stopped, stopped.failed) == (1, (two[0],))
    assert state(on, two[1]) is SessionState.TURNING_OFF


@pytest.mark.parametrize("is_listed", [True, False])
def test_trouble_that_nobody_foresaw_in_one_tenant_is_told_by_its_kind_and_saves_no_other_session(
    on: Stage, two: tuple[TenantId, TenantId], is_listed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    if not is_listed:
        for tenant_id in two:
            on.index.table.delete(SessionState.ON, str(tenant_id))
    found = on.store.table.get(str(two[0]), rows.TENANT)
    assert found is not None
    on.store.table.put({**found.entity, "Document": "only-for-tests-secret"})

    stopped = on.services.emergency_stop(OPERATOR, reason=None)

    assert (stopped.stopped, stopped.failed) == (1, (two[0],))
    assert "DecodeError" in caplog.text
    assert "only-for-tests-secret" not in caplog.text


@pytest.mark.parametrize("caller", [READER, ADMINISTRATOR, EXECUTOR])
def test_only_an_operator_of_every_tenant_may_pull_it(
    on: Stage, two: tuple[TenantId, TenantId], caller: Caller
) -> None:
    with pytest.raises(Refused) as refusal:
        on.services.emergency_stop(caller, reason=None)

    assert refusal.value.problem.code is Code.CALLER_NOT_ALLOWED
    assert state(on, on.tenant_id) is SessionState.ON
