"""A request for long work is taken in once, whoever asks at the same time, and a worker is woken for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NoReturn

import pytest

from shared.domain.activity import Event
from shared.domain.errors import Code, Conflict, NotFound, Refused, Transient, unavailable
from shared.domain.ids import OperationId
from shared.domain.operation import OperationKind, Status
from shared.domain.session import SessionState
from shared.domain.tenant import AccountState
from shared.services.accept import Asking
from tests.host import Host
from tests.people import ADMINISTRATOR, OPERATOR, READER
from tests.stage import Stage


def id_of(stage: Stage, key: str | None = None) -> OperationId:
    """The operation that a request for a service account comes to."""
    accepted = stage.create_account(key)
    assert accepted.operation is not None
    return accepted.operation.operation_id


def test_double_click_gets_the_same_operation(onboarded: Stage) -> None:
    assert id_of(onboarded) == id_of(onboarded)

    assert len(onboarded.operations) == 1
    assert onboarded.events.count(Event.SERVICE_ACCOUNT_REQUESTED) == 1


def test_fifty_clicks_at_once_get_the_same_operation(onboarded: Stage) -> None:
    with ThreadPoolExecutor(16) as people:
        ids = set(people.map(lambda _: id_of(onboarded), range(50)))

    assert len(ids) == len(onboarded.operations) == 1


def test_same_key_gets_the_same_operation_even_when_it_is_over(onboarded: Stage, host: Host) -> None:
    first = id_of(onboarded, "key")
    host.settle()

    again = onboarded.create_account("key")

    assert again.operation is not None
    assert (again.operation.operation_id, again.operation.status) == (first, Status.SUCCEEDED)


def test_key_that_joined_what_was_under_way_starts_nothing_later(created: Stage, host: Host) -> None:
    started = created.rotate("first")
    joined = created.rotate("second")
    host.settle()

    again = created.rotate("second")

    assert started.operation
    assert joined.operation
    assert again.operation
    assert started.operation.operation_id == joined.operation.operation_id == again.operation.operation_id
    assert len([o for o in created.operations if o.kind is OperationKind.ROTATE_PASSWORD]) == 1


def test_key_that_found_nothing_to_do_does_nothing_later(on: Stage, host: Host) -> None:
    assert on.turn_on("key").operation is None
    on.turn_off()
    host.settle()

    assert on.turn_on("key").operation is None

    assert on.tenant.session.state is SessionState.OFF


def test_key_used_for_another_request_is_refused(created: Stage) -> None:
    def turn_off(fingerprint: str) -> None:
        asking = Asking(OPERATOR, "key", fingerprint)
        created.services.sessions.turn_off(created.tenant_id, asking, drain=False, reason=None)

    turn_off("off")

    with pytest.raises(Refused) as refusal:
        turn_off("off, after draining")

    assert refusal.value.problem.code is Code.IDEMPOTENCY_KEY_REUSED
    assert refusal.value.problem.target == "Idempotency-Key"


def test_request_about_a_tenant_seen_differently_is_not_taken_in(onboarded: Stage) -> None:
    stale = onboarded.records.tenant(onboarded.tenant_id).etag
    onboarded.auto_enable()

    with pytest.raises(Conflict) as refusal:
        onboarded.services.accounts.create(onboarded.tenant_id, Asking(ADMINISTRATOR, if_match=stale), profile=None)

    assert refusal.value.problem.code is Code.PRECONDITION_FAILED
    assert onboarded.operations == []


def test_request_about_the_tenant_as_it_is_is_taken_in(onboarded: Stage) -> None:
    seen = onboarded.records.tenant(onboarded.tenant_id).etag

    accepted = onboarded.services.accounts.create(
        onboarded.tenant_id, Asking(ADMINISTRATOR, if_match=seen), profile=None
    )

    assert accepted.operation is not None


@pytest.mark.parametrize("ask", ["turn_on", "rotate", "set_allowed_ips", "check_policies"])
def test_while_something_else_is_under_way_the_answer_is_to_wait(onboarded: Stage, ask: str) -> None:
    onboarded.create_account()

    with pytest.raises(Refused) as refusal:
        getattr(onboarded, ask)()

    assert refusal.value.problem.code is Code.OPERATION_IN_PROGRESS
    assert refusal.value.problem.next_step is not None


def test_who_has_no_right_here_learns_nothing_and_who_has_another_is_told(onboarded: Stage) -> None:
    stranger = Asking(READER)

    with pytest.raises(Refused) as refusal:
        onboarded.services.accounts.create(onboarded.tenant_id, stranger, profile=None)
    with pytest.raises(Refused):
        onboarded.services.sessions.turn_on(onboarded.tenant_id, Asking(ADMINISTRATOR), lifetime=None, reason=None)

    assert refusal.value.problem.code is Code.CALLER_NOT_ALLOWED
    assert onboarded.operations == []


def test_tenant_nobody_onboarded_takes_nothing_in(stage: Stage) -> None:
    with pytest.raises(NotFound) as refusal:
        stage.create_account()

    assert refusal.value.problem.code is Code.TENANT_NOT_FOUND


def test_request_is_recorded_with_its_operation_and_its_entry_before_a_worker_is_woken(onboarded: Stage) -> None:
    calls = onboarded.calls(onboarded.create_account)

    assert calls.count("TenantStore.commit") == 1
    assert calls.index("DueList.add") < calls.index("TenantStore.commit") < calls.index("Messages.send_operation")


def test_worker_that_could_not_be_woken_is_woken_by_upkeep(onboarded: Stage, host: Host) -> None:
    def away() -> NoReturn:
        raise unavailable("The queue")

    onboarded.log.at_next("Messages.send_operation", away)

    with pytest.raises(Transient):
        onboarded.create_account()
    host.run(timedelta(minutes=5))

    assert onboarded.tenant.account.state is AccountState.CREATED
