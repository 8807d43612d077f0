"""The account we say there is: when it is not as recorded it is told, no session stands on it, and a retry heals it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain.action import Verdict
from shared.domain.activity import Event
from shared.domain.allowed_ips import AllowedIpsState
from shared.domain.errors import Code
from shared.domain.next_step import next_step_of
from shared.domain.policy_check import Check, Finding
from shared.domain.policy_check import Verdict as Found
from shared.domain.session import SessionState
from tests.fakes.microsoft365 import FakeUser
from tests.host import Host
from tests.people import READER
from tests.stage import Stage
from tests.unit.services.restricted import ours, set_to
from tests.unit.services.scripted import our_user, with_account

MINUTE = timedelta(minutes=1)
Change = Callable[[Stage], object]


def in_bin(stage: Stage) -> None:
    stage.directory.delete_user(stage.tenant_id, our_user(stage).object_id)


def gone(stage: Stage) -> None:
    stage.microsoft365.users.remove(our_user(stage))


def disabled(stage: Stage) -> None:
    our_user(stage).is_enabled = False


def unmarked(stage: Stage) -> None:
    our_user(stage).marker = "E-4711"


def renamed(stage: Stage) -> None:
    our_user(stage).user_principal_name = "broker@fake.onmicrosoft.com"


CHANGES: dict[Change, tuple[Code, str]] = {
    in_bin: (Code.ACCOUNT_LOST, "recycle bin"),
    gone: (Code.ACCOUNT_LOST, "not in the tenant any more"),
    disabled: (Code.ACCOUNT_LOST, "is disabled"),
    unmarked: (Code.ACCOUNT_CONFLICT, "does not carry our mark"),
    renamed: (Code.ACCOUNT_LOST, "renamed to broker@"),
}
"""What the customer does, and what is said of it."""

every_change = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def checked(stage: Stage, host: Host) -> dict[Check, Finding]:
    """A check on request, at its end: its rows."""
    stage.check_policies()
    host.settle()
    return {row.check: row for row in stage.services.policies.latest_check(READER, stage.tenant_id).findings}


def turned_on(stage: Stage, host: Host) -> None:
    stage.turn_on(lifetime=timedelta(hours=20))
    host.settle()
    assert stage.tenant.session.state is SessionState.ON
    host.run(MINUTE)


@every_change
def test_what_became_of_it_is_told_with_a_code_and_a_next_step(stage: Stage, host: Host, change: Change) -> None:
    code, words = CHANGES[change]
    change(stage)

    row = checked(stage, host)[Check.SERVICE_ACCOUNT]

    problem = stage.tenant.account.problem
    assert (row.verdict, row.is_obstacle, row.code) == (Found.FAIL, True, code)
    assert words in str(row.cause)
    assert problem == row.as_problem()
    assert next_step_of(stage.tenant) == problem.next_step
    assert "service account creation" in next_step_of(stage.tenant).text


@every_change
def test_nobody_notices_until_the_daily_look_and_that_one_does(stage: Stage, host: Host, change: Change) -> None:
    change(stage)

    host.run(timedelta(days=1, minutes=10))

    assert stage.tenant.account.problem is not None
    assert stage.tenant.account.problem.code is CHANGES[change][0]


@every_change
def test_session_that_is_on_ends_within_minutes_of_the_check(stage: Stage, host: Host, change: Change) -> None:
    turned_on(stage, host)
    change(stage)
    checked(stage, host)

    host.run(10 * MINUTE)

    assert stage.tenant.session.state is SessionState.OFF
    (ended,) = (entry for entry in stage.trail if entry.event is Event.SESSION_ACCOUNT_LOST)
    assert stage.tenant.account.problem is not None
    assert ended.reason == stage.tenant.account.problem.message


@every_change
def test_session_does_not_turn_itself_on_and_says_why(stage: Stage, host: Host, change: Change) -> None:
    change(stage)
    stage.auto_enable()
    checked(stage, host)

    calls = stage.calls(stage.ask)

    assert not [call for call in calls if call.startswith(("SignIn", "Directory"))]
    decision = stage.decision(stage.requests[-1])
    assert decision.verdict is Verdict.DENIED
    assert decision.problem == stage.tenant.account.problem


@every_change
def test_retrying_the_creation_heals_it(stage: Stage, host: Host, change: Change) -> None:
    change(stage)
    stage.auto_enable()
    checked(stage, host)

    stage.create_account()
    host.run(10 * MINUTE)

    request = stage.ask()
    host.settle()
    assert stage.tenant.account.problem is None
    assert stage.tenant.policy_check.stopped_by is None
    assert stage.decision(request).verdict is Verdict.READY


def test_what_was_mended_by_hand_is_forgotten_at_the_next_check(stage: Stage, host: Host) -> None:
    disabled(stage)
    checked(stage, host)
    our_user(stage).is_enabled = True

    host.run(timedelta(days=1, minutes=10))

    assert stage.tenant.account.problem is None


def test_session_on_an_administrator_s_credentials_stays_on(stage: Stage, host: Host) -> None:
    stage.add_global_administrator()
    stage.turn_on_as_admin()
    host.settle()
    host.run(MINUTE)
    disabled(stage)
    checked(stage, host)

    host.run(10 * MINUTE)

    assert stage.tenant.session.state is SessionState.ON


def test_session_that_was_turned_on_after_the_check_is_not_ended_by_it(stage: Stage, host: Host) -> None:
    disabled(stage)
    checked(stage, host)
    our_user(stage).is_enabled = True

    turned_on(stage, host)
    host.run(30 * MINUTE)

    assert stage.tenant.session.state is SessionState.ON


def test_rows_about_an_account_that_is_gone_are_skipped_and_nothing_is_asked_about_it(stage: Stage, host: Host) -> None:
    gone(stage)

    rows: dict[Check, Finding] = {}
    calls = stage.calls(lambda: rows.update(checked(stage, host)))

    about_it = (Check.PER_USER_MFA, Check.CONDITIONAL_ACCESS, Check.ROLES, Check.OTHER_SIGN_IN_METHODS, Check.SIGN_IN)
    assert {rows[check].verdict for check in about_it} == {Found.SKIPPED}
    assert not {"TenantPolicies.per_user_mfa", "TenantPolicies.what_if", "SignIn.with_password"} & set(calls)
    assert rows[Check.SECURITY_DEFAULTS].verdict is Found.PASS


def test_account_that_is_not_to_be_seen_for_a_moment_is_looked_for_again(stage: Stage, host: Host) -> None:
    our_user(stage).reads_until_visible = 2

    rows = checked(stage, host)

    assert rows[Check.SERVICE_ACCOUNT].verdict is Found.PASS
    assert stage.tenant.account.problem is None


def test_what_cannot_be_looked_at_changes_nothing(stage: Stage, host: Host) -> None:
    turned_on(stage, host)
    stage.microsoft365.permissions = {"Policy.Read.All"}

    rows = checked(stage, host)
    host.run(10 * MINUTE)

    assert rows[Check.SERVICE_ACCOUNT].verdict is Found.UNKNOWN
    assert stage.tenant.account.problem is None
    assert stage.tenant.session.state is SessionState.ON


def test_allowed_ips_follow_an_account_that_was_made_anew(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    host.run(timedelta(days=1, hours=1))
    former = our_user(stage)
    gone(stage)
    checked(stage, host)

    stage.create_account()
    host.run(timedelta(days=1, hours=1))

    account = _account(stage)
    assert account.object_id != former.object_id
    assert (ours(stage).users, ours(stage).state) == (frozenset({account.object_id}), "enabled")
    assert stage.tenant.allowed_ips.problem is None


def _account(stage: Stage) -> FakeUser:
    (user,) = (user for user in stage.microsoft365.users if not user.is_deleted)
    return user
