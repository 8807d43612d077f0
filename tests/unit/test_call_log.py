"""The fakes' log: every call has a number, and a fault strikes at exactly that one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.errors import Code, Conflict, Problem, ReplyLost, unavailable
from shared.domain.ids import OperationId, TenantId
from shared.domain.store import Due, Insert, Replace, TenantStore
from tests.fakes import START, Call, CallLog, FakeClock, FakeDueList, FakeMessages, FakeTenantIndex, FakeTenantStore
from tests.fakes.sample_rows import NOW, new_tenant_id, onboarding, tenant_row

LOST = ReplyLost(Problem(Code.SERVICE_UNAVAILABLE, "No answer."))


class Flow:
    """A little flow over three ports."""

    def __init__(self, log: CallLog) -> None:
        self.clock = FakeClock()
        self.tenant_id: TenantId = new_tenant_id()
        self.store = FakeTenantStore(log)
        self.due_list = FakeDueList(log)
        self.messages = FakeMessages(log, self.clock)

    def run(self) -> None:
        self.store.commit(self.tenant_id, onboarding(tenant_row(self.tenant_id)))
        self.due_list.add(Due(self.tenant_id, self.clock.now()))
        self.messages.send_operation(self.tenant_id, OperationId(uuid4()))

    def effects(self) -> tuple[bool, bool, bool]:
        """Which of the three calls had its effect."""
        return bool(self.store.table.text()), bool(self.due_list.table.text()), bool(self.messages.sent)


def test_calls_on_all_fakes_are_logged_in_one_order() -> None:
    log = CallLog()

    Flow(log).run()

    assert log.calls == [Call("TenantStore", "commit"), Call("DueList", "add"), Call("Messages", "send_operation")]
    assert len(log) == 3


def test_every_method_of_a_port_is_logged() -> None:
    log = CallLog()
    store: TenantStore = FakeTenantStore(log)
    tenant_id = new_tenant_id()

    store.commit(tenant_id, onboarding(tenant_row(tenant_id)))
    store.tenant(tenant_id)
    store.overview(tenant_id)
    store.activity(tenant_id, limit=1, continuation=None)
    FakeTenantIndex(log).list(state=None, limit=1, continuation=None)

    assert [call.method for call in log.calls] == ["commit", "tenant", "overview", "activity", "list"]


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("after_effect", [False, True])
def test_a_call_fails_before_or_after_its_effect(number: int, after_effect: bool) -> None:
    log = CallLog()
    flow = Flow(log)
    log.fail(number, LOST, after_effect=after_effect)

    with pytest.raises(ReplyLost):
        flow.run()

    done = number if after_effect else number - 1
    assert flow.effects() == tuple(place < done for place in range(3))
    assert len(log) == number


def test_a_fault_strikes_once() -> None:
    log = CallLog()
    log.fail(1, unavailable("Storage"))
    flow = Flow(log)
    with pytest.raises(Exception, match="not available"):
        flow.run()

    flow.run()

    assert flow.effects() == (True, True, True)


def test_a_call_that_fails_by_itself_is_not_struck_afterwards() -> None:
    log = CallLog()
    store, tenant = FakeTenantStore(log), tenant_row(new_tenant_id())
    log.fail(1, LOST, after_effect=True)

    with pytest.raises(Conflict):
        store.commit(tenant.tenant_id, [Replace(tenant, "stale")])


def test_another_worker_can_be_faster_just_before_a_call() -> None:
    log = CallLog()
    store, tenant = FakeTenantStore(log), tenant_row(new_tenant_id())
    (etag,) = store.commit(tenant.tenant_id, [Insert(tenant)])
    log.interrupt(2, lambda: store.commit(tenant.tenant_id, [Replace(tenant, etag)]))

    with pytest.raises(Conflict):
        store.commit(tenant.tenant_id, [Replace(tenant, etag)])

    assert len(log) == 3


def test_the_clock_can_jump_just_before_a_call() -> None:
    log = CallLog()
    flow = Flow(log)
    log.interrupt(3, lambda: flow.clock.advance(timedelta(hours=1)))

    flow.run()

    assert [sent.deliver_at for sent in flow.messages.operations] == [START + timedelta(hours=1)]


def test_threads_get_numbers_of_their_own() -> None:
    log = CallLog()
    due_list = FakeDueList(log)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: due_list.add(Due(new_tenant_id(), NOW + timedelta(seconds=n))), range(200)))

    assert len(log) == 200
    assert len(due_list.until(NOW + timedelta(hours=1), limit=500)) == 200


def test_a_message_is_taken_once_and_only_when_it_is_due() -> None:
    flow = Flow(CallLog())
    tenant_id, now, later = flow.tenant_id, OperationId(uuid4()), OperationId(uuid4())
    flow.messages.send_operation(tenant_id, later, after=timedelta(minutes=1))
    flow.messages.send_operation(tenant_id, now)

    assert [sent.operation_id for sent in flow.messages.take_due()] == [now]
    flow.clock.advance(timedelta(minutes=1))
    assert [sent.operation_id for sent in flow.messages.take_due()] == [later]
    assert flow.messages.take_due() == ()
