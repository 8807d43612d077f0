"""Rights: what each brings, where it holds, and that setting a tenant up does not include turning it on."""

from __future__ import annotations

from uuid import uuid4

import pytest

from shared.domain.actors import IMPLIED, ActorKind, Caller, Grant, Right

NOWHERE: frozenset[Right] = frozenset()


def a_caller(*, everywhere: frozenset[Right] = NOWHERE, where_granted: frozenset[Right] = NOWHERE) -> Caller:
    return Caller(uuid4(), uuid4(), False, "Ada", everywhere, where_granted)


def test_every_right_says_what_it_brings_and_brings_itself() -> None:
    assert set(IMPLIED) == set(Right)
    assert all(right in brought for right, brought in IMPLIED.items())


def test_administrator_may_not_turn_a_session_on() -> None:
    rights = a_caller(everywhere=frozenset({Right.ADMINISTRATOR})).rights({})

    assert rights == {Right.ADMINISTRATOR, Right.READER}


def test_executor_may_not_look_at_tenants() -> None:
    assert a_caller(everywhere=frozenset({Right.EXECUTOR})).rights({}) == {Right.EXECUTOR}


@pytest.mark.parametrize("right", Right)
def test_right_that_must_be_granted_holds_only_where_it_was(right: Right) -> None:
    caller = a_caller(where_granted=frozenset({right}))

    assert caller.rights({str(caller.object_id): Grant((right,))}) == IMPLIED[right]
    assert caller.rights({}) == NOWHERE
    assert caller.rights({str(uuid4()): Grant((right,))}) == NOWHERE


def test_grant_gives_nothing_the_caller_has_no_app_role_for() -> None:
    caller = a_caller(where_granted=frozenset({Right.READER}))

    assert caller.rights({str(caller.object_id): Grant((Right.OPERATOR,))}) == NOWHERE


def test_program_is_named_as_one() -> None:
    caller = Caller(uuid4(), uuid4(), True, None, NOWHERE, NOWHERE)

    assert caller.actor.kind is ActorKind.APPLICATION
    assert caller.actor.object_id == caller.object_id
