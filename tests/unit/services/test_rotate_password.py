"""A password is rotated in two phases, and whatever happens in between the true one is found again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.activity import Event
from shared.domain.directory_roles import PERMISSIONS
from shared.domain.errors import Code, Refused
from shared.domain.operation import Operation, OperationKind, Status
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from shared.domain.store import Due
from shared.domain.tenant import password_secret
from tests.host import Host
from tests.mortal import Killed
from tests.stage import Stage

THEIRS = Secret("only-for-tests-Th3irs!")


def rotate(stage: Stage, host: Host) -> Operation:
    """The operation at its end."""
    accepted = stage.rotate()
    host.settle()
    return stage.operation(accepted)


def readable(stage: Stage) -> list[Secret]:
    """Every password that can still be read."""
    versions = stage.vault.names[password_secret(stage.tenant.account.require_id())]
    return [kept.secret for kept in versions.values() if kept.is_enabled]


def lose(stage: Stage, *, is_deleted: bool) -> None:
    """The staged password can be read no more: somebody disabled it, or deleted the secret with all its versions."""
    account = stage.tenant.account
    assert account.staged_version is not None
    name = password_secret(account.require_id())
    if is_deleted:
        stage.vault.delete(name)
    else:
        stage.vault.retire(name, account.staged_version)


def actual(stage: Stage) -> Secret:
    return stage.microsoft365.users[0].password


def test_new_password_is_the_only_one_and_its_dates_are_told(created: Stage, host: Host) -> None:
    before = actual(created)

    operation = rotate(created, host)

    account = created.tenant.account
    assert readable(created) == [actual(created)]
    assert actual(created) != before
    assert (account.rotated_at, account.next_rotation_at) == (
        created.clock.now(),
        created.clock.now() + created.world.limits.rotate_every,
    )
    assert account.staged_version is None
    assert operation.result is not None
    assert set(operation.result) == {"rotatedAt", "nextRotationAt"}
    assert Event.PASSWORD_ROTATED in created.events


def test_password_is_kept_before_it_is_set_and_proven_before_the_old_one_goes(created: Stage, host: Host) -> None:
    calls = created.calls(lambda: rotate(created, host))

    order = ["Vault.put", "Directory.set_password", "SignIn.with_password", "Vault.retire"]
    assert [calls.index(name) for name in order] == sorted(calls.index(name) for name in order)


def test_session_that_is_on_goes_on_lending_tokens(on: Stage, host: Host) -> None:
    request = on.ask()

    rotate(on, host)
    on.restart()
    since = len(on.log)
    token = on.redeem(request)

    assert token
    assert "with_password" not in [call.method for call in on.log.calls[since:]]


def test_application_that_may_not_set_it_lets_the_account_change_it_itself(created: Stage, host: Host) -> None:
    created.microsoft365.has_directory_role = False

    operation = rotate(created, host)

    assert operation.status is Status.SUCCEEDED
    assert readable(created) == [actual(created)]


def test_what_the_application_lacks_is_said_when_the_account_cannot_help_itself(created: Stage, host: Host) -> None:
    created.microsoft365.permissions = set(PERMISSIONS) - {"User-PasswordProfile.ReadWrite.All"}
    created.microsoft365.users[0].password = THEIRS

    operation = rotate(created, host)

    assert operation.problem is not None
    assert operation.problem.code in (Code.PERMISSION_MISSING, Code.CREDENTIAL_REJECTED)
    assert actual(created) == THEIRS


def test_drift_is_mended_by_a_rotation(created: Stage, host: Host) -> None:
    created.microsoft365.users[0].password = THEIRS

    operation = rotate(created, host)

    assert operation.status is Status.SUCCEEDED
    assert readable(created) == [actual(created)]


def test_rotation_that_failed_keeps_both_candidates_and_the_next_one_heals_it(created: Stage, host: Host) -> None:
    created.microsoft365.sign_in_code = 53003
    failed = rotate(created, host)
    candidates = readable(created)
    created.microsoft365.sign_in_code = None

    healed = rotate(created, host)

    assert (failed.status, healed.status) == (Status.FAILED, Status.SUCCEEDED)
    assert actual(created) in candidates
    assert len(candidates) == 2
    assert readable(created) == [actual(created)]


def test_token_is_redeemed_with_the_staged_password_while_a_rotation_is_halfway(on: Stage, host: Host) -> None:
    request = on.ask()

    def redeem_in_the_middle() -> None:
        on.microsoft365.refresh_tokens.clear()
        on.redeem(request)

    on.log.at_next("Directory.revoke_sign_ins", redeem_in_the_middle)
    operation = rotate(on, host)

    assert operation.status is Status.SUCCEEDED
    assert on.tokens
    assert readable(on) == [actual(on)]
    assert on.tenant.account.staged_version is None


@pytest.mark.parametrize("call", ["Vault.put", "Directory.set_password", "SignIn.with_password", "Vault.retire"])
def test_worker_that_dies_in_the_middle_leaves_a_rotation_that_ends(created: Stage, host: Host, call: str) -> None:
    def die() -> None:
        raise Killed

    created.log.at_next(call, die)

    operation = rotate(created, host)

    assert operation.status is Status.SUCCEEDED
    assert readable(created) == [actual(created)]


@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("is_set", [False, True])
def test_staged_password_that_was_lost_is_replaced_whether_or_not_it_was_set_already(
    created: Stage, host: Host, *, is_set: bool, is_deleted: bool
) -> None:
    if is_set:
        created.microsoft365.sign_in_code = 53003
    else:
        created.microsoft365.permissions = None
    halfway = rotate(created, host)
    lose(created, is_deleted=is_deleted)
    created.microsoft365.sign_in_code, created.microsoft365.permissions = None, set(PERMISSIONS)

    healed = rotate(created, host)

    assert (halfway.status, healed.status) == (Status.FAILED, Status.SUCCEEDED)
    assert created.tenant.account.staged_version is None
    assert readable(created) == [actual(created)]


def test_old_password_is_not_trusted_where_the_lost_one_was_set_and_nobody_may_set_another(
    created: Stage, host: Host
) -> None:
    created.microsoft365.sign_in_code = 53003
    rotate(created, host)
    lose(created, is_deleted=False)
    created.microsoft365.sign_in_code, created.microsoft365.has_directory_role = None, False

    refused = rotate(created, host)
    host.run(timedelta(days=2))
    told = created.tenant.account.problem
    created.microsoft365.has_directory_role = True
    host.run(timedelta(days=2))

    assert refused.status is Status.FAILED
    assert told is not None
    assert told.code is Code.ADMIN_ROLE_MISSING
    assert readable(created) == [actual(created)]
    assert created.tenant.account.problem is None


def test_staged_password_out_of_the_recycle_bin_is_the_one_that_the_account_may_have(
    created: Stage, host: Host
) -> None:
    created.microsoft365.sign_in_code = 53003
    rotate(created, host)
    lose(created, is_deleted=True)
    created.microsoft365.sign_in_code, created.microsoft365.has_directory_role = None, False
    set_already = actual(created)

    operation = rotate(created, host)

    assert operation.status is Status.SUCCEEDED, "nobody may set another, and the account knows this one"
    assert readable(created) == [actual(created)] == [set_already]


def test_rotation_that_begins_while_upkeep_sweeps_does_not_stage_what_is_swept(created: Stage, host: Host) -> None:
    host.run(timedelta(hours=1))
    name = password_secret(created.tenant.account.require_id())
    created.vault.put(name, Secret("only-for-tests-left-behind"), purpose="service account password")
    created.clock.advance(timedelta(minutes=2))
    created.due.add(Due(created.tenant_id, created.clock.now()))

    def begin() -> None:
        created.rotate()
        host.deliver_now()

    created.log.at_next("Vault.retire", begin)
    created.services.upkeep()
    host.settle()

    (operation,) = (each for each in created.operations if each.kind is OperationKind.ROTATE_PASSWORD)
    assert operation.status is Status.SUCCEEDED
    assert readable(created) == [actual(created)]


def test_rotation_comes_by_itself_when_it_is_due(created: Stage, host: Host) -> None:
    before = actual(created)

    host.run(created.world.limits.rotate_every + timedelta(hours=1))

    assert actual(created) != before
    assert [o.kind for o in created.operations].count(OperationKind.ROTATE_PASSWORD) == 1


def test_rotation_that_was_refused_is_tried_again_the_next_day_and_not_every_few_minutes(
    created: Stage, host: Host
) -> None:
    host.run(created.world.limits.rotate_every - timedelta(hours=1))
    created.microsoft365.users[0].is_enabled = False

    host.run(timedelta(hours=46))

    rotations = [o for o in created.operations if o.kind is OperationKind.ROTATE_PASSWORD]
    assert [o.status for o in rotations] == [Status.FAILED] * 2


def test_without_an_account_there_is_nothing_to_rotate(onboarded: Stage) -> None:
    with pytest.raises(Refused) as refusal:
        onboarded.rotate()

    assert refusal.value.problem.code is Code.SERVICE_ACCOUNT_MISSING


def test_rotation_keeps_the_session_as_it_was(on: Stage, host: Host) -> None:
    rotate(on, host)

    assert on.tenant.session.state is SessionState.ON
