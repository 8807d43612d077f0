"""Looking changes nothing, costs one request, and shows nobody what he has no right to see."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from shared.domain.actors import Caller, Grant, Right
from shared.domain.errors import Code, NotFound, Refused
from shared.domain.ids import ActionId, OperationId, TenantId
from shared.domain.session import SessionState
from shared.domain.store import summary_of
from shared.domain.tenant import AccountState, ConsentState
from shared.services.accept import Asking
from tests.people import ADMINISTRATOR, EXECUTOR, OPERATOR, READER
from tests.stage import Stage

NOWHERE: frozenset[Right] = frozenset()
STRANGER = Caller(uuid4(), UUID(int=1), False, "Sam", NOWHERE, frozenset(Right))


@pytest.mark.parametrize("caller", [READER, OPERATOR, ADMINISTRATOR])
def test_tenant_is_shown_with_its_gates_in_one_table_request(onboarded: Stage, caller: Caller) -> None:
    calls = onboarded.calls(lambda: onboarded.services.look.tenant(caller, onboarded.tenant_id))

    assert calls == ["TenantStore.overview"]


@pytest.mark.parametrize("tenant", ["ours", "nobody's"])
def test_who_has_no_right_cannot_tell_a_tenant_from_one_that_is_not_there(onboarded: Stage, tenant: str) -> None:
    tenant_id = onboarded.tenant_id if tenant == "ours" else TenantId(uuid4())

    with pytest.raises(NotFound) as refusal:
        onboarded.services.look.tenant(STRANGER, tenant_id)

    assert refusal.value.problem.code is Code.TENANT_NOT_FOUND
    assert refusal.value.problem.message == "There is no such tenant."


def test_who_was_let_in_sees_that_tenant_and_not_the_list(onboarded: Stage) -> None:
    onboarded.services.onboard.grant(
        onboarded.tenant_id, Asking(ADMINISTRATOR), STRANGER.object_id, Grant((Right.READER,))
    )

    seen = onboarded.services.look.tenant(STRANGER, onboarded.tenant_id)
    with pytest.raises(Refused) as refusal:
        onboarded.services.look.tenants(STRANGER, state=None, limit=10, continuation=None)

    assert seen.tenant.row == onboarded.tenant
    assert refusal.value.problem.code is Code.CALLER_NOT_ALLOWED


def test_list_is_shown_to_who_may_see_all_of_it(onboarded: Stage) -> None:
    page = onboarded.services.look.tenants(READER, state=None, limit=10, continuation=None)

    assert [line.tenant_id for line in page.items] == [onboarded.tenant_id]


@pytest.mark.parametrize(
    ("state", "account", "consent", "has_problem"),
    [
        (SessionState.OFF, AccountState.CREATED, ConsentState.GRANTED, False),
        (SessionState.OFF, AccountState.NONE, ConsentState.UNKNOWN, False),
        (SessionState.FAILED, AccountState.CREATED, ConsentState.GRANTED, True),
        (SessionState.OFF, AccountState.FAILED, ConsentState.GRANTED, True),
        (SessionState.ON, AccountState.CREATED, ConsentState.PARTIAL, True),
        (SessionState.OFF, AccountState.NONE, ConsentState.MISSING, True),
    ],
)
def test_list_can_be_of_those_with_a_problem_or_of_the_others(
    onboarded: Stage, state: SessionState, account: AccountState, consent: ConsentState, has_problem: bool
) -> None:
    line = replace(summary_of(onboarded.tenant), state=state, account=account, consent=consent)
    onboarded.index.put(line, was=onboarded.tenant.session.state)

    found = {
        asked: onboarded.services.look.tenants(READER, state=None, has_problem=asked, limit=10, continuation=None).items
        for asked in (True, False)
    }

    assert found == {has_problem: (line,), not has_problem: ()}


@pytest.mark.parametrize(
    ("search", "is_found"), [("ÜBER", True), ("über us", True), ("0000AB", True), ("straße", False)]
)
def test_list_is_searched_by_name_and_id_in_capitals_or_not(onboarded: Stage, search: str, is_found: bool) -> None:
    tenant_id = TenantId(UUID("c0000000-0000-4000-8000-0000000000ab"))
    onboarded.index.put(
        replace(summary_of(onboarded.tenant), tenant_id=tenant_id, display_name="Über Us"), was=SessionState.OFF
    )

    page = onboarded.services.look.tenants(READER, state=None, search=search, limit=10, continuation=None)

    assert [line.tenant_id for line in page.items] == [tenant_id] * is_found


def test_operation_and_trail_are_shown_to_readers_only(created: Stage) -> None:
    (operation, *_) = created.operations
    look, tenant_id = created.services.look, created.tenant_id

    shown = look.operation(READER, tenant_id, operation.operation_id)
    entries = look.activity(READER, tenant_id, limit=200, continuation=None).items

    assert shown.operation_id == operation.operation_id
    assert len(entries) == len(created.trail)
    for caller in (STRANGER, EXECUTOR):
        with pytest.raises((NotFound, Refused)):
            look.operation(caller, tenant_id, operation.operation_id)
        with pytest.raises((NotFound, Refused)):
            look.activity(caller, tenant_id, limit=200, continuation=None)


def test_operation_nobody_knows_is_not_found(onboarded: Stage) -> None:
    with pytest.raises(NotFound) as refusal:
        onboarded.services.look.operation(READER, onboarded.tenant_id, OperationId(uuid4()))

    assert refusal.value.problem.code is Code.OPERATION_NOT_FOUND


def test_executor_sees_its_own_action_and_no_other_s(on: Stage) -> None:
    request, look = on.ask(), on.services.look
    another = replace(EXECUTOR, object_id=uuid4(), application_id=uuid4())

    own = look.action(EXECUTOR, on.tenant_id, request.action_id)
    with pytest.raises(NotFound) as refusal:
        look.action(another, on.tenant_id, request.action_id)

    assert own.decision == on.decision(request)
    assert refusal.value.problem.code is Code.ACTION_NOT_FOUND
    assert look.action(READER, on.tenant_id, request.action_id) == own
    with pytest.raises(NotFound):
        look.action(READER, on.tenant_id, ActionId(uuid4()))
    with pytest.raises(NotFound):
        look.action(STRANGER, on.tenant_id, request.action_id)
