"""The service account is made once: adopted, restored or made beside, whatever the tenant and its replication do."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.activity import Event
from shared.domain.directory_roles import CREATE_PERMISSIONS, PERMISSIONS, PROFILES, ROLE_NAMES, RoleProfile
from shared.domain.errors import Code
from shared.domain.operation import Operation, Status
from shared.domain.secret import Secret
from shared.domain.tenant import AccountState, password_secret
from shared.services.accept import Asking
from tests.fakes.microsoft365 import FakeUser
from tests.host import Host
from tests.people import ADMINISTRATOR
from tests.stage import Stage

STEPS = ["checkConsent", "readTenant", "keepPassword", "createUser", "assignRoles", "verifyRoles"]


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


def test_account_has_a_kept_password_a_mark_and_exactly_the_roles_of_its_profile(onboarded: Stage, host: Host) -> None:
    operation = create(onboarded, host)

    (user,) = users(onboarded)
    account = onboarded.tenant.account
    wanted = {role.template_id for role in PROFILES[RoleProfile.LEAST_PRIVILEGE]}
    assert (account.state, account.object_id, account.user_principal_name) == (
        AccountState.CREATED,
        user.object_id,
        first_name(onboarded),
    )
    assert user.password == password(onboarded)
    assert user.marker is not None
    assert len(user.marker) == 16
    assert set(user.roles.values()) == set(account.roles) == wanted
    assert operation.result is not None
    assert operation.result["userPrincipalName"] == first_name(onboarded)
    assert Event.SERVICE_ACCOUNT_CREATED in onboarded.events


def test_progress_can_be_shown_step_by_step(onboarded: Stage, host: Host) -> None:
    onboarded.microsoft365.replication_lag = 1_000
    accepted = onboarded.create_account()

    host.run(timedelta(seconds=20))

    operation = onboarded.operation(accepted)
    assert [step.name for step in operation.steps] == STEPS
    assert operation.current is not None
    assert operation.current.name == "assignRoles"
    assert operation.percent_complete == 100 * 4 // 6


def test_password_is_kept_before_the_user_exists(onboarded: Stage, host: Host) -> None:
    calls = onboarded.calls(lambda: create(onboarded, host))

    assert calls.index("Vault.put") < calls.index("Directory.create_user") < calls.index("Directory.assign_role")


def test_replication_lag_is_waited_for_in_the_queue_and_not_in_the_function(onboarded: Stage, host: Host) -> None:
    onboarded.microsoft365.replication_lag = 5

    operation = create(onboarded, host)

    assert operation.status is Status.SUCCEEDED
    assert operation.updated_at is not None
    assert operation.updated_at >= operation.created_at + timedelta(seconds=14)
    assert len(users(onboarded)) == 1


def test_account_that_never_becomes_visible_ends_the_operation_in_time(onboarded: Stage, host: Host) -> None:
    onboarded.microsoft365.replication_lag = 10_000

    operation = create(onboarded, host)

    assert operation.status is Status.FAILED
    assert operation.updated_at is not None
    assert operation.updated_at <= operation.deadline
    assert onboarded.tenant.account.state is AccountState.FAILED


@pytest.mark.parametrize("missing", CREATE_PERMISSIONS)
def test_missing_permission_is_said_in_the_known_sentence_with_what_to_grant(
    onboarded: Stage, host: Host, missing: str
) -> None:
    onboarded.microsoft365.permissions = set(PERMISSIONS) - {missing}

    problem = create(onboarded, host).problem

    assert problem is not None
    assert problem.next_step is not None
    assert problem.code is Code.PERMISSION_MISSING
    assert problem.message == "Management Sessions doesn't have permission to create a service account on your tenant."
    assert missing in problem.next_step.text
    assert users(onboarded) == []


def test_tenant_without_any_consent_says_the_same_and_why(onboarded: Stage, host: Host) -> None:
    onboarded.microsoft365.permissions = None

    problem = create(onboarded, host).problem

    assert problem is not None
    assert problem.code is Code.PERMISSION_MISSING
    assert [cause.code for cause in problem.details] == [Code.CONSENT_MISSING]


def test_retry_goes_on_from_what_is_there(onboarded: Stage, host: Host) -> None:
    onboarded.microsoft365.permissions = set(PERMISSIONS) - {"User.ReadWrite.All"}
    create(onboarded, host)
    intended = onboarded.tenant.account.account_id
    onboarded.microsoft365.permissions = set(PERMISSIONS)

    operation = create(onboarded, host)

    assert operation.status is Status.SUCCEEDED
    assert onboarded.tenant.account.account_id == intended
    assert onboarded.tenant.account.problem is None
    assert len(users(onboarded)) == 1


def test_asked_for_again_nothing_is_left_to_do(created: Stage) -> None:
    assert created.create_account().operation is None


def test_wider_profile_adds_roles_and_keeps_the_account_usable_meanwhile(created: Stage, host: Host) -> None:
    before = created.tenant.account.object_id

    created.services.accounts.create(created.tenant_id, Asking(ADMINISTRATOR), profile=RoleProfile.FULL_MANAGEMENT)
    meanwhile = created.tenant.account.state
    host.settle()

    assert meanwhile is AccountState.CREATED
    assert created.tenant.account.object_id == before
    assert {ROLE_NAMES[role] for role in created.tenant.account.roles} == set(ROLE_NAMES.values())
