"""An account that is there already is adopted, restored, sidestepped or mended, and never made twice."""

from __future__ import annotations

from shared.domain.directory_roles import PERMISSIONS
from shared.domain.errors import Code
from shared.domain.operation import Operation, Status
from shared.domain.ports import Organization
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from shared.domain.tenant import password_secret
from tests.fakes.microsoft365 import FakeUser
from tests.host import Host
from tests.stage import Stage

THEIRS = Secret("only-for-tests-Th3irs!")


def create(stage: Stage, host: Host) -> Operation:
    """The operation at its end."""
    accepted = stage.create_account()
    host.settle()
    return stage.operation(accepted)


def users(stage: Stage) -> list[FakeUser]:
    return [user for user in stage.microsoft365.users if not user.is_deleted]


def first_name(stage: Stage) -> str:
    return f"management-{stage.tenant_id.hex[:8]}@fake.onmicrosoft.com"


def password(stage: Stage) -> Secret:
    """The password that the record says is in use."""
    account = stage.tenant.account
    return stage.vault.names[password_secret(account.require_id())][str(account.secret_version)].secret


def test_account_of_ours_that_was_left_behind_is_adopted_with_a_new_password(created: Stage, host: Host) -> None:
    (left,) = users(created)
    created.remove_account()
    host.settle()
    left.is_deleted = False

    operation = create(created, host)

    assert operation.result is not None
    assert operation.result["origin"] == "adopted"
    assert users(created) == [left]
    assert left.password == password(created)


def test_deleted_account_of_ours_is_restored(created: Stage, host: Host) -> None:
    (former,) = users(created)
    created.remove_account()
    host.settle()

    operation = create(created, host)

    assert operation.result is not None
    assert operation.result["origin"] == "restored"
    assert users(created) == [former]
    assert former.password == password(created)


def test_deleted_account_that_may_not_be_restored_is_sidestepped(created: Stage, host: Host) -> None:
    created.remove_account()
    host.settle()
    created.microsoft365.permissions = set(PERMISSIONS) - {"User.DeleteRestore.All"}

    operation = create(created, host)

    assert operation.result is not None
    assert operation.result["origin"] == "created"
    assert len(users(created)) == 1


def test_name_somebody_else_has_is_sidestepped_and_left_alone(onboarded: Stage, host: Host) -> None:
    theirs = onboarded.microsoft365.add_user(first_name(onboarded), THEIRS, marker="employee-4711")

    create(onboarded, host)

    ours = next(user for user in users(onboarded) if user is not theirs)
    assert ours.user_principal_name == first_name(onboarded).replace("@", "-2@")
    assert (theirs.password, theirs.marker, theirs.roles) == (THEIRS, "employee-4711", {})


def test_name_taken_by_something_invisible_is_waited_for_and_then_sidestepped(onboarded: Stage, host: Host) -> None:
    hidden = onboarded.microsoft365.add_user(first_name(onboarded), THEIRS)
    hidden.reads_until_visible = 10_000

    operation = create(onboarded, host)

    assert operation.status is Status.SUCCEEDED
    assert str(onboarded.tenant.account.user_principal_name).partition("@")[0].endswith("-2")


def test_when_every_name_is_taken_the_refusal_says_what_to_do(onboarded: Stage, host: Host) -> None:
    for suffix in ("", "-2", "-3", "-4", "-5"):
        onboarded.microsoft365.add_user(first_name(onboarded).replace("@", f"{suffix}@"), THEIRS)

    problem = create(onboarded, host).problem

    assert problem is not None
    assert problem.next_step is not None
    assert problem.code is Code.ACCOUNT_CONFLICT


def test_tenant_whose_domain_signs_in_elsewhere_is_refused_before_anything_is_made(
    onboarded: Stage, host: Host
) -> None:
    onboarded.microsoft365.organization = Organization(
        "Federated", "fake.onmicrosoft.com", initial_domain_is_managed=False
    )

    problem = create(onboarded, host).problem

    assert problem is not None
    assert problem.code is Code.ACCOUNT_CONFLICT
    assert users(onboarded) == []
    assert onboarded.vault.names == {}


def test_roles_somebody_took_away_are_given_back_by_the_same_call(created: Stage, host: Host) -> None:
    (user,) = users(created)
    user.roles.clear()
    created.turn_on()
    host.settle()
    failed = created.tenant

    create(created, host)
    created.turn_on()
    host.settle()

    assert failed.session.state is SessionState.FAILED
    assert failed.account.problem is not None
    assert failed.account.problem.code is Code.ROLE_MISSING
    assert created.tenant.session.state is SessionState.ON


def test_account_somebody_disabled_is_enabled_by_the_same_call(created: Stage, host: Host) -> None:
    (user,) = users(created)
    user.is_enabled = False
    created.turn_on()
    host.settle()

    create(created, host)

    assert user.is_enabled
    assert created.tenant.account.problem is None


def test_password_somebody_deleted_from_the_vault_is_replaced_by_the_same_call(created: Stage, host: Host) -> None:
    name = password_secret(created.tenant.account.require_id())
    created.vault.retire(name, str(created.tenant.account.secret_version))
    created.turn_on()
    host.settle()

    create(created, host)
    created.turn_on()
    host.settle()

    assert users(created)[0].password == password(created)
    assert created.tenant.session.state is SessionState.ON


def test_account_the_customer_deleted_comes_back_by_the_same_call(created: Stage, host: Host) -> None:
    users(created)[0].is_deleted = True
    created.turn_on()
    host.settle()

    create(created, host)
    created.turn_on()
    host.settle()

    assert len(users(created)) == 1
    assert created.tenant.session.state is SessionState.ON
