"""Upkeep looks at what is due and at nothing else, mends what a crash left, and lets no tenant hold up another."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from shared.adapters.storage.due_table import DueTable
from shared.domain.activity import Event
from shared.domain.errors import Conflict, unavailable
from shared.domain.ids import TenantId
from shared.domain.operation import OperationKind, Status
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from shared.domain.store import Due
from shared.domain.tenant import session_secret
from tests.fakes.calls import Call
from tests.fakes.queues import SentOperation
from tests.host import Host
from tests.mortal import Killed
from tests.stage import Stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def die() -> None:
    raise Killed


def away() -> None:
    raise unavailable("It")


def entries(stage: Stage) -> list[Due]:
    """What is on the due list for the stage's tenant."""
    everything = DueTable(stage.due.table).until(stage.clock.now() + timedelta(days=400), limit=1_000)
    return [entry for entry in everything if entry.tenant_id == stage.tenant_id]


def another_tenant(stage: Stage, host: Host) -> TenantId:
    """The tenant that the stage has had so far; from now on it has another one, with its session on."""
    before, stage.tenant_id = stage.tenant_id, TenantId(uuid4())
    stage.onboard()
    stage.create_account()
    host.settle()
    stage.turn_on()
    host.settle()
    return before


def test_with_nothing_due_it_costs_one_request_however_many_tenants_there_are(stage: Stage, host: Host) -> None:
    for _ in range(30):
        stage.tenant_id = TenantId(uuid4())
        stage.onboard()
    host.run(10 * MINUTE)

    assert stage.calls(stage.services.upkeep) == ["DueList.until"]


def test_session_whose_time_is_up_is_turned_off_and_the_trail_says_why(on: Stage, host: Host) -> None:
    host.run(on.world.limits.session_lifetime + 2 * MINUTE)

    assert on.tenant.session.state is SessionState.OFF
    assert Event.SESSION_EXPIRED in on.events


def test_session_nobody_uses_is_turned_off_after_its_idle_time(on: Stage, host: Host) -> None:
    on.auto_enable(idle_timeout=20 * MINUTE)

    host.run(19 * MINUTE)
    before = on.tenant.session.state
    host.run(10 * MINUTE)

    assert before is SessionState.ON
    assert on.tenant.session.state is SessionState.OFF
    assert Event.SESSION_IDLE in on.events


def test_session_is_not_idle_while_an_action_holds_a_lease_and_is_some_time_after(on: Stage, host: Host) -> None:
    on.auto_enable(idle_timeout=20 * MINUTE)
    request = on.ask()

    host.run(50 * MINUTE)
    held = on.tenant.session.state
    on.complete(request)
    host.run(15 * MINUTE)
    just_released = on.tenant.session.state
    host.run(15 * MINUTE)

    assert (held, just_released) == (SessionState.ON, SessionState.ON)
    assert on.tenant.session.state is SessionState.OFF


def test_session_somebody_turned_on_stays_on_when_nothing_would_turn_it_on_again(on: Stage, host: Host) -> None:
    host.run(3 * HOUR)

    assert on.tenant.session.state is SessionState.ON


def test_action_let_in_at_the_very_moment_keeps_its_lease(on: Stage, host: Host) -> None:
    on.auto_enable(idle_timeout=20 * MINUTE)
    host.run(19 * MINUTE)
    late = on.a_request()
    commits: list[Call] = []

    def let_in(call: Call) -> None:
        if call.method == "commit" and on.clock.now() >= on.tenant.session.since + 20 * MINUTE and not commits:
            commits.append(call)
            on.services.act.request(late)

    on.log.breakdown = let_in
    host.run(10 * MINUTE)

    assert commits
    assert on.tenant.session.state is SessionState.DRAINING
    assert on.redeem(late)


@pytest.mark.parametrize("lost", ["message", "worker"])
def test_operation_nobody_works_on_is_taken_up_again(created: Stage, host: Host, lost: str) -> None:
    if lost == "worker":
        created.log.at_next("SignIn.with_password", die)
    accepted = created.turn_on()
    if lost == "message":
        created.messages.sent.clear()

    host.run(20 * MINUTE)

    assert created.operation(accepted).status is Status.SUCCEEDED
    assert created.tenant.session.state is SessionState.ON


def test_operation_somebody_works_on_is_left_alone(created: Stage, host: Host) -> None:
    sent: list[SentOperation] = []

    def look_meanwhile() -> None:
        created.clock.advance(MINUTE)
        created.services.upkeep()
        sent.extend(created.messages.operations)

    created.turn_on()
    created.log.at_next("SignIn.with_password", look_meanwhile)
    host.settle()

    assert sent == []


def test_however_often_something_happened_one_look_follows(on: Stage, host: Host) -> None:
    on.auto_enable(idle_timeout=5 * HOUR)
    for _ in range(5):
        on.rotate()
        host.settle()
        on.check_policies()
        host.settle()
        host.run(7 * MINUTE)

    host.run(30 * MINUTE)

    assert len([entry for entry in entries(on) if entry.at < on.clock.now() + HOUR]) == 1


def test_tenant_at_rest_is_not_looked_at_but_once_a_day(created: Stage, host: Host) -> None:
    host.run(timedelta(days=2))
    looks = [call.method for call in created.log.calls].count("overview")

    host.run(timedelta(days=10))

    assert [call.method for call in created.log.calls].count("overview") - looks <= 40


def test_one_tenant_s_trouble_does_not_keep_another_waiting(on: Stage, host: Host) -> None:
    troubled = another_tenant(on, host)

    def breakdown(call: Call) -> None:
        if call.method == "overview":
            failures.append(call)
            if len(failures) % 2:
                away()

    failures: list[Call] = []
    on.log.breakdown = breakdown
    host.run(on.world.limits.session_lifetime + 30 * MINUTE)

    ours, on.tenant_id = on.tenant.session.state, troubled
    assert ours is SessionState.OFF
    assert on.tenant.session.state is SessionState.OFF


def test_trouble_nobody_foresaw_in_one_tenant_does_not_keep_another_waiting(on: Stage, host: Host) -> None:
    troubled = another_tenant(on, host)
    row = on.store.table.get(str(troubled), "0-tenant")
    assert row is not None
    on.store.table.put({**row.entity, "Document": "{"})

    host.run(on.world.limits.session_lifetime + 10 * MINUTE)

    assert on.tenant.session.state is SessionState.OFF
    assert host.surprises != []


def test_run_looks_at_every_tenant_before_it_fails_with_what_nobody_foresaw(
    on: Stage, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    troubled = [another_tenant(on, host), another_tenant(on, host)]
    for tenant_id in troubled:
        row = on.store.table.get(str(tenant_id), "0-tenant")
        assert row is not None
        on.store.table.put({**row.entity, "Document": "{"})
    on.clock.advance(on.world.limits.session_lifetime + 10 * MINUTE)

    with pytest.raises(msgspec.DecodeError):
        on.services.upkeep()

    assert on.tenant.session.state is not SessionState.ON
    assert not on.due.until(on.clock.now(), limit=9)
    failed = [line for line in caplog.messages if '"upkeepFailed"' in line]
    assert len(failed) == 2
    assert all(any(str(tenant_id) in line for line in failed) for tenant_id in troubled)


def test_tenant_that_is_not_there_is_looked_at_once(onboarded: Stage, host: Host) -> None:
    host.run(10 * MINUTE)
    onboarded.due.add(Due(TenantId(uuid4()), onboarded.clock.now()))

    onboarded.services.upkeep()

    assert onboarded.calls(onboarded.services.upkeep) == ["DueList.until"]


@pytest.mark.parametrize("change", ["auto_enable", "turn_on", "onboard"])
def test_list_that_a_crash_left_behind_is_mended(created: Stage, host: Host, change: str) -> None:
    host.run(HOUR)
    created.log.at_next("TenantIndex.put", die)
    created.microsoft365.permissions = None if change == "onboard" else created.microsoft365.permissions

    with pytest.raises(Killed):
        getattr(created, change)()
    created.restart()
    host.run(10 * MINUTE)

    (line,) = created.listed
    tenant = created.tenant
    assert (line.state, line.auto_enabled, line.consent) == (
        tenant.session.state,
        tenant.auto_enable.enabled,
        tenant.consent.state,
    )


def test_secret_that_no_record_names_is_made_unreadable(created: Stage, host: Host) -> None:
    name = session_secret(created.tenant_id, None)
    created.due.add(Due(created.tenant_id, created.clock.now() + MINUTE))
    version = created.vault.put(name, Secret("only-for-tests-left-behind"), purpose="session refresh token")

    host.run(3 * MINUTE)

    assert not created.vault.names[name][version].is_enabled


def test_two_upkeeps_at_once_do_everything_once(on: Stage, host: Host) -> None:
    on.clock.advance(on.world.limits.session_lifetime)

    with ThreadPoolExecutor(2) as timers:
        list(timers.map(lambda _: on.services.upkeep(), range(2)))
    host.settle()

    assert [operation.kind for operation in on.operations].count(OperationKind.TURN_OFF) == 1
    assert on.tenant.session.state is SessionState.OFF


def test_upkeep_that_loses_a_race_leaves_it_to_the_winner(on: Stage, host: Host) -> None:
    on.clock.advance(on.world.limits.session_lifetime)

    def lose() -> None:
        on.turn_off()
        raise Conflict

    on.log.at_next("TenantStore.commit", lose)
    on.services.upkeep()
    host.settle()

    assert on.tenant.session.state is SessionState.OFF
    assert Event.SESSION_EXPIRED not in on.events


def test_killed_upkeep_leaves_the_entry_for_the_next(on: Stage, host: Host) -> None:
    host.run(on.world.limits.session_lifetime - MINUTE)
    on.log.at_next("TenantStore.overview", die)

    host.run(5 * MINUTE)

    assert on.tenant.session.state is SessionState.OFF
