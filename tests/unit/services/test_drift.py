"""A password that is not the account's any more is replaced by itself: seldom, without guessing, and not in secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain.action import Verdict
from shared.domain.activity import Event
from shared.domain.directory_roles import PERMISSIONS
from shared.domain.errors import Code
from shared.domain.ids import TenantId
from shared.domain.operation import Operation, OperationKind, Status
from shared.domain.policy_check import CheckState
from shared.domain.ports import SignedIn
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from shared.domain.tenant import password_secret
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.scripted import answers, change_password, our_user, with_account

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
Change = Callable[[Stage], object]


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def lose_secret(stage: Stage) -> None:
    """Somebody disables every version of the password in our vault."""
    for version in stage.vault.names[password_secret(stage.tenant.account.require_id())].values():
        version.is_enabled = False


def lose_directory_role(stage: Stage) -> None:
    stage.microsoft365.has_directory_role = False


def lose_permission(stage: Stage) -> None:
    stage.microsoft365.permissions = set(PERMISSIONS) - {"User-PasswordProfile.ReadWrite.All"}


def rotations(stage: Stage) -> list[Operation]:
    found = (each for each in stage.operations if each.kind is OperationKind.ROTATE_PASSWORD)
    return sorted(found, key=lambda each: each.created_at)


def readable(stage: Stage) -> list[Secret]:
    versions = stage.vault.names[password_secret(stage.tenant.account.require_id())]
    return [kept.secret for kept in versions.values() if kept.is_enabled]


@pytest.mark.parametrize("change", [change_password, lose_secret])
def test_drift_that_the_daily_check_finds_is_mended_within_minutes(stage: Stage, host: Host, change: Change) -> None:
    change(stage)

    host.run(DAY + 30 * MINUTE)

    (rotation,) = rotations(stage)
    assert rotation.status is Status.SUCCEEDED
    assert readable(stage) == [our_user(stage).password]
    assert stage.tenant.policy_check.state is CheckState.PASS, "it was checked again, with a sign-in"


def test_trail_says_that_it_began_by_itself_and_why(stage: Stage, host: Host) -> None:
    change_password(stage)

    host.run(DAY + 30 * MINUTE)

    (entry,) = (entry for entry in stage.trail if entry.event is Event.ROTATION_REQUESTED)
    assert "by itself" in entry.summary
    assert entry.facts == {"code": Code.CREDENTIAL_REJECTED}
    assert entry.actor.object_id is None
    assert stage.events.count(Event.PASSWORD_ROTATED) == 1


def test_drift_that_a_failed_turn_on_finds_is_mended_too_and_the_session_turns_itself_on_again(
    stage: Stage, host: Host
) -> None:
    change_password(stage)
    stage.auto_enable()
    stage.ask()
    host.settle()
    assert stage.tenant.session.state is SessionState.FAILED

    host.run(10 * MINUTE)

    request = stage.ask()
    host.settle()
    assert stage.decision(request).verdict is Verdict.READY


def test_wrong_password_is_tried_once_and_then_no_more(stage: Stage, host: Host) -> None:
    change_password(stage)
    wrong = readable(stage)[0]
    tried: list[Secret] = []

    def noted(before: Callable[..., SignedIn], tenant_id: TenantId, name: str, password: Secret) -> SignedIn:
        tried.append(password)
        return before(tenant_id, name, password)

    answers(stage.sign_in, "with_password", noted)
    calls = stage.calls(lambda: host.run(3 * DAY))

    assert tried.count(wrong) == 1
    assert "SignIn.change_own_password" not in calls, "that takes the old password, which nobody knows"


def test_it_is_mended_once_a_day_at_most(stage: Stage, host: Host) -> None:
    for _ in range(8):
        change_password(stage)
        stage.check_policies()
        host.settle()
        host.run(timedelta(hours=4))

    first, second = rotations(stage)
    assert second.created_at - first.created_at >= DAY


@pytest.mark.parametrize(
    ("lack", "code", "step"),
    [
        (lose_directory_role, Code.ADMIN_ROLE_MISSING, "Assign the role Privileged Authentication Administrator"),
        (lose_permission, Code.PERMISSION_MISSING, "Grant admin consent for User-PasswordProfile.ReadWrite.All"),
    ],
)
def test_what_we_lack_for_it_is_told_with_a_next_step_until_it_is_there(
    stage: Stage, host: Host, lack: Change, code: Code, step: str
) -> None:
    lack(stage)
    change_password(stage)
    calls = stage.calls(lambda: host.run(3 * DAY))

    problem = stage.tenant.account.problem
    assert problem is not None
    assert problem.code is code
    assert problem.next_step is not None
    assert step in problem.next_step.text
    assert calls.count("Directory.set_password") <= 3
    assert calls.count("SignIn.with_password") == 1

    stage.microsoft365.has_directory_role = True
    stage.microsoft365.permissions = set(PERMISSIONS)
    host.run(DAY + 30 * MINUTE)

    assert stage.tenant.account.problem is None
    assert readable(stage) == [our_user(stage).password]


@pytest.mark.parametrize("is_off", [False, True])
def test_application_that_may_be_off_sets_the_password_where_there_is_one(
    stage: Stage, host: Host, *, is_off: bool
) -> None:
    stage.register_onboarding()
    stage.microsoft365.onboarding_permissions = None if is_off else stage.microsoft365.onboarding_permissions
    change_password(stage)

    calls = stage.calls(lambda: host.run(DAY + 30 * MINUTE))

    (rotation,) = rotations(stage)
    problem = stage.tenant.account.problem
    assert "SignIn.change_own_password" not in calls
    if is_off:
        assert problem is not None
        assert (rotation.status, problem.code) == (Status.FAILED, Code.ONBOARDING_OFF)
    else:
        assert (rotation.status, problem) == (Status.SUCCEEDED, None)
        assert readable(stage) == [our_user(stage).password]


def test_nothing_is_rotated_beside_a_session_on_an_administrator_s_credentials(stage: Stage, host: Host) -> None:
    change_password(stage)
    stage.check_policies()
    stage.add_global_administrator()
    host.deliver_now()
    stage.turn_on_as_admin()
    host.settle()
    assert stage.tenant.session.state is SessionState.ON

    host.run(30 * MINUTE)
    beside = rotations(stage)
    stage.turn_off()
    host.settle()
    host.run(30 * MINUTE)

    assert beside == []
    assert [rotation.status for rotation in rotations(stage)] == [Status.SUCCEEDED]


def test_account_that_is_not_ours_gets_no_password_of_ours(stage: Stage, host: Host) -> None:
    change_password(stage)
    stage.turn_on()
    host.settle()
    our_user(stage).marker = "E-4711"

    calls = stage.calls(lambda: host.run(2 * DAY))

    assert "Directory.set_password" not in calls
    assert stage.tenant.account.problem is not None
    assert stage.tenant.account.problem.code is Code.ACCOUNT_CONFLICT


def test_sign_in_that_a_policy_blocks_is_no_drift(stage: Stage, host: Host) -> None:
    stage.microsoft365.sign_in_code = 53003

    host.run(3 * DAY)

    assert rotations(stage) == []


def test_session_that_is_on_keeps_lending_tokens_after_it(stage: Stage, host: Host) -> None:
    stage.turn_on(lifetime=timedelta(hours=24))
    host.settle()
    request = stage.ask()
    change_password(stage)
    stage.check_policies()
    host.settle()

    host.run(15 * MINUTE)
    stage.restart()

    assert [rotation.status for rotation in rotations(stage)] == [Status.SUCCEEDED]
    assert stage.redeem(request)
