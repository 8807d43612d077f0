"""What ended long ago is forgotten, a bounded piece at each look; what is alive, or of late, never is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from shared.domain.action import ActionRequest, Outcome
from shared.domain.activity import Activity, Event
from shared.domain.actors import SERVICE
from shared.domain.errors import Code, Problem
from shared.domain.ids import OperationId, TenantId
from shared.domain.store import Insert, Put
from shared.services.forget_old_rows import MOST, ForgetOldRows
from shared.services.record_refusal import NOBODY
from tests.fakes.calls import Call
from tests.fakes.later_release import rewrite
from tests.host import Host
from tests.mortal import Killed
from tests.people import READER
from tests.stage import Stage

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WORKED_OFF = 18 * DAY
"""A day for the trail, sixteen for the keys, and one to be sure."""
PROBLEM = Problem(Code.INTERNAL_ERROR, "It failed.")


def rows(stage: Stage, kind: str, tenant_id: TenantId | None = None) -> list[str]:
    """The keys of the tenant's rows of that kind."""
    found = stage.store.table.between(str(tenant_id or stage.tenant_id), f"{kind}-", f"{kind}.")
    return [str(each.entity["RowKey"]) for each in found]


def at_rest(stage: Stage, host: Host) -> None:
    """No session, no account: nothing happens any more by itself but looks."""
    stage.remove_account()
    host.settle()


def entries(stage: Stage, number: int, at: datetime) -> None:
    """A long trail, written in one moment."""
    trail = [
        Activity(stage.tenant_id, at, Event.TENANT_CHANGED, SERVICE, f"{n}", "c", entry_id=uuid4())
        for n in range(number)
    ]
    for first in range(0, number, 100):
        stage.records.commit(stage.tenant_id, [Insert(entry) for entry in trail[first : first + 100]])


def act(stage: Stage) -> ActionRequest:
    request = stage.ask()
    stage.complete(request, Outcome.SUCCEEDED)
    return request


def test_everything_that_ended_is_gone_after_the_retention_and_the_tenant_is_still_there(on: Stage, host: Host) -> None:
    for _ in range(3):
        act(on)
    on.check_policies("a key")
    host.settle()
    on.services.poison.keep("action-requests", on.tenant_id, "a message", PROBLEM)
    at_rest(on, host)
    before = on.tenant

    host.run(on.world.limits.retention + WORKED_OFF)

    assert {kind: rows(on, kind) for kind in ("activity", "operation", "action", "replay", "poison")} == {
        "activity": [],
        "operation": [],
        "action": [],
        "replay": [],
        "poison": [],
    }
    assert on.tenant == before
    assert len(on.gates) == 16


def test_nothing_goes_before_its_time(on: Stage, host: Host) -> None:
    act(on)
    on.services.poison.keep("action-requests", on.tenant_id, "a message", PROBLEM)
    at_rest(on, host)
    kept = {kind: rows(on, kind) for kind in ("activity", "operation", "action", "poison")}

    host.run(on.world.limits.retention - DAY)

    assert {kind: rows(on, kind) for kind in kept} == kept


def test_retention_is_as_long_as_it_is_set(on: Stage, host: Host) -> None:
    on.world = replace(on.world, limits=replace(on.world.limits, retention=30 * DAY))
    on.restart()
    act(on)
    at_rest(on, host)

    host.run(30 * DAY + WORKED_OFF)

    assert rows(on, "activity") == rows(on, "operation") == rows(on, "action") == []


def test_key_never_stands_for_an_operation_that_is_gone(on: Stage, host: Host) -> None:
    for number in range(12):
        on.check_policies(f"key {number}")
        host.settle()
        host.run(DAY / 4)
    at_rest(on, host)

    for _ in range(on.world.limits.retention // DAY + 20):
        host.run(DAY)
        replays = on.store.table.between(str(on.tenant_id), "replay-", "replay.")
        named = {str(each.entity["Document"]).split('"operation_id":"')[1][:36] for each in replays}
        assert named <= {key.removeprefix("operation-") for key in rows(on, "operation")}

    assert rows(on, "replay") == []


def test_what_is_young_stays_beside_what_is_old(on: Stage, host: Host) -> None:
    old = act(on)
    at_rest(on, host)
    host.run(on.world.limits.retention - DAY)
    on.create_account()
    host.settle()
    on.turn_on()
    host.settle()
    young = act(on)
    at_rest(on, host)

    host.run(10 * DAY)

    assert (on.action(old), on.action(young) is None) == (None, False)
    assert {operation.kind.value for operation in on.operations} >= {"createServiceAccount", "turnOn"}
    assert min(entry.at for entry in on.trail) > on.clock.now() - on.world.limits.retention - 2 * DAY


def test_operation_that_has_the_tenant_is_kept_with_all_that_tells_of_it(created: Stage, host: Host) -> None:
    accepted = created.turn_on()
    assert accepted.operation is not None
    created.messages.sent.clear()
    created.clock.advance(created.world.limits.retention + 5 * DAY)

    created.services.upkeep()

    assert created.operation(accepted).created_at == accepted.operation.created_at
    assert [entry for entry in created.trail if entry.operation_id == accepted.operation.operation_id]


def test_action_that_waits_is_kept_with_all_that_tells_of_it(created: Stage, host: Host) -> None:
    created.auto_enable()
    request = created.ask()
    created.clock.advance(created.world.limits.retention + 5 * DAY)

    ForgetOldRows(created.world)(created.tenant_id)

    assert created.action(request) is not None
    assert Event.ACTION_PARKED in created.events
    assert len(created.parked) == 1


def test_latest_policy_check_is_kept_with_its_operation_until_it_is_old_itself(created: Stage, host: Host) -> None:
    created.check_policies()
    host.settle()
    at_rest(created, host)
    check = created.records.policy_check(created.tenant_id)
    assert check is not None
    operation_id, ended = check.row.operation_id, check.row.checked_at
    created.clock.advance(created.world.limits.retention + 5 * DAY)
    created.records.commit(created.tenant_id, [Put(replace(check.row, checked_at=created.clock.now()))])

    ForgetOldRows(created.world)(created.tenant_id)

    assert ended is not None
    assert rows(created, "operation") == [f"operation-{operation_id}"]


def test_a_look_removes_a_bounded_number_of_rows_and_the_next_ones_go_on(onboarded: Stage, host: Host) -> None:
    entries(onboarded, 700, onboarded.clock.now())
    onboarded.clock.advance(onboarded.world.limits.retention + 2 * DAY)

    left, looks = [len(rows(onboarded, "activity"))], 0
    while left[-1] and looks < 10:
        calls = Counter(onboarded.calls(onboarded.services.upkeep))
        assert calls["TenantStore.commit"] <= MOST / 100 + 1
        left.append(len(rows(onboarded, "activity")))
        looks += 1

    assert left[0] > 700
    assert max(before - after for before, after in pairwise(left)) <= MOST
    assert looks == -(-left[0] // 200), "each minute two hundred entries, until there are no more"


def test_action_and_operation_cost_one_read_each_however_many_entries_tell_of_them(on: Stage, host: Host) -> None:
    for _ in range(20):
        act(on)
    at_rest(on, host)
    host.run(on.world.limits.retention)
    first = len(on.log)

    host.run(3 * DAY)

    reads = Counter(call.method for call in on.log.calls[first:])
    assert reads["action"] == 20
    assert rows(on, "action") == []
    assert reads["operation"] <= 12


def test_trail_can_be_read_on_the_day_when_an_operation_is_gone_and_its_last_entry_is_not(
    created: Stage, host: Host
) -> None:
    host.run(22 * HOUR)
    created.turn_on()
    host.settle()
    request = created.a_request(duration=6 * HOUR)
    created.services.act.request(request)
    created.turn_off(drain=True)
    host.run(3 * HOUR)
    created.complete(request)
    at_rest(created, host)
    missing: set[OperationId | None] = set()

    for _ in range(4):
        host.run(created.world.limits.retention - DAY if not missing else DAY)
        trail = created.services.look.activity(READER, created.tenant_id, limit=200, continuation=None).items
        found = created.services.look.recent_operations(READER, created.tenant_id, trail)
        missing |= {entry.operation_id for entry in trail} - {operation.operation_id for operation in found}

    assert missing - {None}


def test_look_that_dies_halfway_leaves_the_rest_to_the_next(on: Stage, host: Host) -> None:
    for _ in range(60):
        act(on)
    at_rest(on, host)
    host.run(on.world.limits.retention)
    commits: list[int] = []

    def die_at_the_second(call: Call) -> None:
        if call.method == "commit":
            commits.append(1)
            if len(commits) == 2:
                raise Killed

    on.log.breakdown = die_at_the_second
    host.run(3 * DAY)

    assert len(commits) > 2
    assert rows(on, "action") == rows(on, "activity") == []


def test_two_looks_at_once_forget_everything_once(on: Stage, host: Host) -> None:
    act(on)
    at_rest(on, host)
    host.run(on.world.limits.retention)
    meanwhile: list[int] = []

    def another() -> None:
        meanwhile.append(on.services.upkeep())

    on.log.at_next("TenantStore.poison_messages", another)
    host.run(5 * DAY)

    assert meanwhile
    assert rows(on, "activity") == rows(on, "action") == []
    assert host.surprises == []


@pytest.mark.parametrize(
    "keep",
    [
        lambda stage: stage.services.refusals.record("action-requests", PROBLEM, None),
        lambda stage: stage.services.poison.keep("action-requests", TenantId(uuid4()), "a message", PROBLEM),
    ],
)
def test_what_belongs_to_no_tenant_is_forgotten_too(stage: Stage, host: Host, keep: Callable[[Stage], None]) -> None:
    keep(stage)
    host.run(stage.world.limits.retention - DAY)
    kept = rows(stage, "activity", NOBODY)

    host.run(4 * DAY)

    assert len(kept) == 1
    assert rows(stage, "activity", NOBODY) == rows(stage, "poison", NOBODY) == []
    first = len(stage.log)
    host.run(10 * DAY)
    assert len(stage.log) - first == 0, "and nobody looks there any more"


def test_what_belongs_to_no_tenant_is_looked_at_though_a_later_release_wrote_the_newest(
    stage: Stage, host: Host
) -> None:
    stage.services.refusals.record("action-requests", PROBLEM, None)
    stage.clock.advance(HOUR)
    stage.services.refusals.record("action-requests", PROBLEM, None)
    rewrite(stage.store.table, str(NOBODY), rows(stage, "activity", NOBODY)[0])

    host.run(2 * DAY)

    assert [due.tenant_id for due in stage.world.due.until(stage.clock.now() + 2 * DAY, limit=10)] == [NOBODY]
