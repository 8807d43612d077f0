"""At whatever call consent is withdrawn, the removal report is what an administrator sees who looks into the tenant."""

from __future__ import annotations

from functools import partial

import pytest

from shared.domain.errors import ReplyLost, unavailable
from shared.domain.operation import OperationKind, Status
from tests.faults.fork import fork
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.removals import Named, Removal, a_restricted_tenant, consent, remove, there, withdraw


@pytest.fixture(scope="module")
def restricted() -> Stage:
    """A tenant in which there is something of each kind; to be forked, never used."""
    return a_restricted_tenant()


@pytest.fixture(scope="module")
def everything(restricted: Stage) -> list[Named]:
    """What is there before the removal: of each kind something."""
    found = there(restricted)
    assert {kind: [each[0] for each in found].count(kind) for kind, *_ in found} == {
        "conditionalAccessPolicy": 1,
        "exclusion": 2,
        "namedLocation": 1,
        "roleAssignment": 6,
        "user": 1,
    }
    return found


def number_of_calls(restricted: Stage) -> int:
    """How many calls an undisturbed removal makes after it was asked for."""
    stage = fork(restricted)
    host = Host(stage)
    stage.remove_account()
    first = len(stage.log)
    host.settle()
    return len(stage.log) - first


def withdrawn_before(restricted: Stage, number: int) -> Removal:
    """The removal during which consent was withdrawn just before its call of that number."""
    stage = fork(restricted)
    host = Host(stage)
    accepted = stage.remove_account()
    stage.log.interrupt(len(stage.log) + number, lambda: withdraw(stage))
    host.settle()
    return Removal(stage, stage.operation(accepted))


def untruths(removal: Removal, everything: list[Named]) -> list[str]:
    """What the report says that is not so."""
    gone = [thing for thing in everything if thing not in removal.there]
    is_over = removal.operation.status is Status.SUCCEEDED
    wrong = []
    if removal.told("left") != removal.there:
        wrong.append(f"left are {removal.there}, and the report says {removal.told('left')}")
    if removal.told("removed", "unverified") != gone:
        wrong.append(f"gone are {gone}, and the report says {removal.told('removed', 'unverified')}")
    if is_over != (not removal.rows("left", "unverified")) or is_over != (
        "verifiedAt" in (removal.operation.result or {})
    ):
        wrong.append(f"it {removal.operation.status}, with {removal.rows('left', 'unverified')}")
    return wrong


def test_report_is_exact_at_whatever_call_consent_is_withdrawn(restricted: Stage, everything: list[Named]) -> None:
    removals = {n: withdrawn_before(restricted, n) for n in range(1, number_of_calls(restricted) + 1)}

    wrong = {number: untruths(removal, everything) for number, removal in removals.items()}

    assert {number: each for number, each in wrong.items() if each} == {}
    assert {len(removal.there) for removal in removals.values()} == set(range(len(everything) + 1)), (
        "each was the first"
    )


def test_second_removal_without_consent_tells_the_same(restricted: Stage, everything: list[Named]) -> None:
    wrong = {}
    for number in range(1, number_of_calls(restricted) + 1):
        first = withdrawn_before(restricted, number)
        if first.operation.status is Status.SUCCEEDED:
            continue

        again = remove(first.stage)

        if untruths(again, everything) or again.told("left", "unverified") != first.told("left", "unverified"):
            wrong[number] = again.rows("left", "unverified")

    assert wrong == {}


def test_second_removal_with_consent_removes_the_rest_and_verifies_all(
    restricted: Stage, everything: list[Named]
) -> None:
    wrong = {}
    for number in range(1, number_of_calls(restricted) + 1):
        first = withdrawn_before(restricted, number)
        if first.operation.status is Status.SUCCEEDED:
            continue
        consent(first.stage)

        again = remove(first.stage)

        if again.there or again.told("removed") != everything or again.operation.status is not Status.SUCCEEDED:
            wrong[number] = again.rows("left", "unverified", "absent")

    assert wrong == {}


def test_nothing_that_is_there_is_said_to_be_gone_though_a_reply_was_lost_before(restricted: Stage) -> None:
    wrong = {}
    for number in range(1, number_of_calls(restricted) + 1):
        stage = fork(restricted)
        host = Host(stage)
        stage.remove_account()
        first = len(stage.log)
        stage.log.fail(first + number, ReplyLost(unavailable("Graph").problem), after_effect=True)
        stage.log.interrupt(first + number + 1, partial(withdraw, stage))

        host.settle()

        (operation,) = (each for each in stage.operations if each.kind is OperationKind.DELETE_SERVICE_ACCOUNT)
        removal = Removal(stage, operation)
        if not set(removal.there) <= set(removal.told("left")):
            wrong[number] = set(removal.there) - set(removal.told("left"))

    assert wrong == {}


def test_account_shows_no_role_that_is_gone(restricted: Stage) -> None:
    last = number_of_calls(restricted)
    shown = [withdrawn_before(restricted, number) for number in range(1, last + 1)]

    kept = [(removal.stage.tenant.account, removal.stage.microsoft365.users[0]) for removal in shown]

    assert {len(account.roles) for account, _ in kept} == set(range(7))
    for account, user in kept:
        assert set(account.roles) == (set() if user.is_deleted else set(user.roles.values()))
