"""Disabling takes away what is ours, looks again, reports it, and without consent says what is left by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

import pytest

from shared.domain.activity import Event
from shared.domain.directory_roles import PERMISSIONS, PROFILES, ROLE_NAMES, RoleProfile
from shared.domain.errors import Code, Refused, unavailable
from shared.domain.ids import TenantId
from shared.domain.operation import Operation, OperationKind, Status
from shared.domain.ports import NewUser
from shared.domain.session import SessionState
from shared.domain.tenant import AccountState
from tests.fakes.microsoft365 import FakeUser
from tests.fakes.policies import FakePolicy
from tests.faults.fork import fork
from tests.host import Host
from tests.mortal import Killed
from tests.stage import Stage
from tests.unit.services.scripted import answers

EVERY_KIND = {
    *("session", "user", "roleAssignment", "secret"),
    *("exclusion", "conditionalAccessPolicy", "namedLocation"),
}
"""Of what a removal can take away."""


def remove(stage: Stage, host: Host) -> Operation:
    """The operation at its end."""
    accepted = stage.remove_account()
    host.settle()
    return stage.operation(accepted)


def report(operation: Operation, state: str) -> dict[str, list[str]]:
    """The report's rows of that state: names by kind."""
    assert operation.result is not None
    rows = cast(list[Mapping[str, str]], operation.result["removal"])
    found = [row for row in rows if row["state"] == state]
    return {row["kind"]: [same["name"] for same in found if same["kind"] == row["kind"]] for row in found}


def users(stage: Stage) -> list[FakeUser]:
    return [user for user in stage.microsoft365.users if not user.is_deleted]


def test_nothing_of_ours_is_left_and_the_report_says_what_there_was(on: Stage, host: Host) -> None:
    user, names = users(on)[0], set(on.vault.names)

    operation = remove(on, host)

    removed = report(operation, "removed")
    assert users(on) == []
    assert user.roles == {}
    assert set(on.vault.names) == on.vault.deleted
    assert set(removed["roleAssignment"]) == {role.name for role in PROFILES[RoleProfile.LEAST_PRIVILEGE]}
    assert removed["user"] == [user.user_principal_name]
    assert set(removed["secret"]) >= names
    assert on.tenant.account.state is AccountState.NONE
    assert on.tenant.session.state is SessionState.OFF
    assert Event.SERVICE_ACCOUNT_REMOVED in on.events


def test_report_says_when_it_was_verified_and_until_when_the_account_can_be_restored(on: Stage, host: Host) -> None:
    operation = remove(on, host)

    assert operation.result is not None
    assert operation.result["verifiedAt"] == f"{on.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert operation.result["restorableUntil"] == f"{on.clock.now() + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"


def test_no_token_can_be_had_from_the_moment_it_is_accepted(on: Stage) -> None:
    request = on.ask()
    on.redeem(request)

    on.remove_account()

    with pytest.raises(Refused) as refusal:
        on.redeem(request)
    assert refusal.value.problem.code is Code.SESSION_NOT_ON


def test_roles_go_before_the_user_so_that_no_role_of_ours_is_needed(on: Stage, host: Host) -> None:
    on.microsoft365.has_directory_role = False

    operation = remove(on, host)

    assert operation.status is Status.SUCCEEDED
    assert users(on) == []


def test_without_consent_the_rest_is_done_and_what_is_left_is_listed_for_the_customer(on: Stage, host: Host) -> None:
    on.microsoft365.permissions = None

    operation = remove(on, host)

    problem = on.tenant.account.problem
    assert operation.status is Status.FAILED
    assert set(report(operation, "left")) == {"roleAssignment", "user"}
    assert "secret" in report(operation, "removed")
    assert on.tenant.session.state is SessionState.OFF
    assert set(on.vault.names) == on.vault.deleted
    assert problem is not None
    assert problem.next_step is not None
    assert problem.code is Code.CLEANUP_INCOMPLETE
    assert f"delete {users(on)[0].user_principal_name}" in problem.next_step.text


def test_one_missing_permission_does_not_stop_the_rest(on: Stage, host: Host) -> None:
    on.microsoft365.permissions = set(PERMISSIONS) - {"RoleManagement.ReadWrite.Directory"}

    operation = remove(on, host)

    assert set(report(operation, "left")) == {"roleAssignment"}
    assert users(on) == []


def test_sign_ins_that_could_not_be_revoked_ended_with_the_user(on: Stage, host: Host) -> None:
    on.microsoft365.permissions = set(PERMISSIONS) - {"User.RevokeSessions.All"}

    assert remove(on, host).status is Status.SUCCEEDED


def test_same_call_again_finishes_when_consent_is_back(on: Stage, host: Host) -> None:
    on.microsoft365.permissions = None
    remove(on, host)
    on.microsoft365.permissions = set(PERMISSIONS)

    operation = remove(on, host)

    assert operation.status is Status.SUCCEEDED
    assert users(on) == []
    assert on.tenant.account.state is AccountState.NONE


def test_after_an_incomplete_removal_the_account_can_be_created_again(on: Stage, host: Host) -> None:
    on.microsoft365.permissions = None
    remove(on, host)
    on.microsoft365.permissions = set(PERMISSIONS)

    on.create_account()
    host.settle()
    on.turn_on()
    host.settle()

    assert len(users(on)) == 1
    assert on.tenant.session.state is SessionState.ON


def test_what_the_customer_removed_already_counts_as_removed(on: Stage, host: Host) -> None:
    user = users(on)[0]
    user.is_deleted = True

    operation = remove(on, host)

    assert operation.status is Status.SUCCEEDED
    assert report(operation, "absent")["user"] == [user.user_principal_name]
    assert set(report(operation, "absent")["roleAssignment"]) == {ROLE_NAMES[role] for role in user.roles.values()}


@pytest.fixture(scope="module")
def restricted() -> Stage:
    """A tenant with an account, allowed IPs and an exclusion in a policy of its own; to be forked, never used."""
    stage = Stage()
    host = Host(stage)
    stage.onboard()
    stage.create_account()
    host.settle()
    stage.rules.add(FakePolicy("MFA for everybody", state="enabledForReportingButNotEnforced"))
    stage.set_allowed_ips()
    host.settle()
    return stage


def removed_after_a_kill(restricted: Stage, number: int | None = None) -> tuple[int, list[Mapping[str, str]]]:
    """How many calls the removal took, and its report; the worker is killed when that call has had its effect."""
    stage = fork(restricted)
    host = Host(stage)
    stage.remove_account()
    first = len(stage.log)
    if number is not None:
        stage.log.fail(first + number, Killed(), after_effect=True)
    host.settle()
    (operation,) = (each for each in stage.operations if each.kind is OperationKind.DELETE_SERVICE_ACCOUNT)
    assert operation.result is not None
    return len(stage.log) - first, cast(list[Mapping[str, str]], operation.result["removal"])


def test_what_was_removed_is_reported_so_at_whatever_call_the_worker_was_killed(restricted: Stage) -> None:
    calls, expected = removed_after_a_kill(restricted)

    reports = {number: removed_after_a_kill(restricted, number)[1] for number in range(1, calls + 1)}

    assert {row["kind"] for row in expected} == EVERY_KIND
    assert {row["state"] for row in expected} == {"removed"}
    assert {number: report for number, report in reports.items() if report != expected} == {}


def test_creation_under_way_is_superseded_and_what_it_made_is_found(onboarded: Stage, host: Host) -> None:
    creating = onboarded.create_account()
    onboarded.log.at_next("Directory.assign_role", onboarded.remove_account)

    host.settle()

    assert onboarded.operation(creating).status is Status.CANCELED
    assert users(onboarded) == []
    assert onboarded.tenant.account.state is AccountState.NONE
    assert set(onboarded.vault.names) == onboarded.vault.deleted


def test_user_whose_making_was_not_recorded_is_waited_for(onboarded: Stage, host: Host) -> None:
    def made_and_not_told(_: object, tenant_id: TenantId, user: NewUser) -> None:
        made = onboarded.microsoft365.add_user(user.user_principal_name, user.password, marker=user.marker)
        made.reads_until_visible = 8
        onboarded.remove_account()
        raise unavailable("Graph")

    answers(onboarded.directory, "create_user", made_and_not_told)
    onboarded.create_account()

    host.settle()

    assert len(onboarded.microsoft365.users) == 1
    assert users(onboarded) == []
    assert onboarded.tenant.account.state is AccountState.NONE


def test_user_made_while_the_removal_ran_is_removed_by_whoever_made_it(onboarded: Stage, host: Host) -> None:
    def remove_completely() -> None:
        onboarded.remove_account()
        host.run(timedelta(minutes=2))

    onboarded.create_account()
    onboarded.log.at_next("Directory.create_user", remove_completely)

    host.settle()

    assert users(onboarded) == []
    assert onboarded.tenant.account.state is AccountState.NONE
    assert set(onboarded.vault.names) == onboarded.vault.deleted


def test_disabled_twice_is_disabled_once(on: Stage, host: Host) -> None:
    first, again = on.remove_account(), on.remove_account()
    host.settle()

    assert first.operation is not None
    assert again.operation is not None
    assert first.operation.operation_id == again.operation.operation_id
    assert on.remove_account().operation is None


def test_administrator_s_session_ends_with_the_account(on: Stage, host: Host) -> None:
    on.turn_off()
    host.settle()
    admin = on.add_global_administrator()
    on.turn_on_as_admin()
    host.settle()
    was_on = on.tenant.session.state

    remove(on, host)

    assert was_on is SessionState.ON
    assert on.tenant.session.state is SessionState.OFF
    assert admin.object_id not in on.microsoft365.refresh_tokens.values()
    assert not admin.is_deleted
    assert admin.roles
