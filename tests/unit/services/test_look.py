"""Looking changes nothing, costs one request, and shows nobody what he has no right to see."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from shared.domain.actors import Caller, Grant, Right
from shared.domain.errors import Code, NotFound, Refused
from shared.domain.ids import ActionId, OperationId, TenantId
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
