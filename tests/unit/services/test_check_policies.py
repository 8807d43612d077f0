"""The engine of the policy check: every row once, nothing asked twice, and what cannot be found out is never `pass`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_network

import pytest

from shared.domain.errors import Code, Problem, ReplyLost, Transient, unavailable
from shared.domain.ids import TenantId
from shared.domain.operation import Status
from shared.domain.policies import Applied, SignInConditions
from shared.domain.policy_check import FOREIGN_IP, Check, CheckState, Finding, PolicyCheck, Verdict
from shared.domain.session import SessionState
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.people import READER
from tests.stage import EGRESS, Stage
from tests.unit.services.scripted import answers, change_password, our_user, refuses, refuses_every_second, with_account


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def latest(stage: Stage) -> PolicyCheck:
    return stage.services.policies.latest_check(READER, stage.tenant_id)


def checked(stage: Stage, host: Host) -> dict[Check, Finding]:
    """A check on request, at its end: its rows."""
    stage.check_policies()
    host.settle()
    return {finding.check: finding for finding in latest(stage).findings}


def blocked(stage: Stage) -> FakePolicy:
    return stage.rules.add(FakePolicy("MFA for everybody"))


def test_check_has_every_row_once_and_in_order(stage: Stage, host: Host) -> None:
    blocked(stage)

    rows = checked(stage, host)

    assert list(rows) == list(Check)
    assert len(latest(stage).findings) == len(Check)


def test_account_s_check_begins_by_itself_after_it_was_created(stage: Stage) -> None:
    assert stage.tenant.policy_check.state is CheckState.PASS
    assert [operation.requested_by.name for operation in stage.operations if operation.kind == "checkPolicies"] == [
        "Management Sessions"
    ]


def test_nothing_is_evaluated_twice_in_one_check_and_each_row_asks_once(stage: Stage, host: Host) -> None:
    stage.rules.add(FakePolicy("Not ours", users=frozenset()))

    calls = Counter(stage.calls(lambda: checked(stage, host)))

    assert calls["TenantPolicies.what_if"] == 4 + 1, "four resources from one address, and once from elsewhere"
    for method in (
        "policies",
        "security_defaults",
        "has_premium",
        "per_user_mfa",
        "other_methods",
        "application_roles",
    ):
        assert calls[f"TenantPolicies.{method}"] == 1
    assert calls["TenantPolicies.named_locations"] == 1
    for method in ("organization", "role_assignments", "user", "marked_users"):
        assert calls[f"Directory.{method}"] == 1
    assert calls["SignIn.with_password"] == 1


def test_throttled_check_goes_on_where_it_stopped_however_often(stage: Stage, host: Host) -> None:
    stage.rules.add(FakePolicy("Not ours", users=frozenset()))
    first = len(stage.log)
    stage.check_policies()
    throttled = Transient(Problem(Code.UPSTREAM_UNAVAILABLE, "Slow down."))
    evaluations = refuses_every_second(stage.policies, "what_if", throttled)

    host.settle()

    calls = Counter(f"{call.method}" for call in stage.log.calls[first:])
    assert latest(stage).state is CheckState.PASS
    assert evaluations["answered"] == 4 + 1, "each once"
    assert evaluations["refused"] == 4 + 1, "more often than a check that gets no further is put off"
    assert calls["security_defaults"] == calls["organization"] == 1, "what was found before is kept"


@pytest.mark.parametrize(
    ("method", "check", "also"),
    [
        ("application_roles", Check.ADMIN_ROLE, ()),
        ("user", Check.SERVICE_ACCOUNT, ()),
        ("marked_users", Check.UNRECORDED_ACCOUNTS, ()),
        ("has_premium", Check.LICENCE, ()),
        ("security_defaults", Check.SECURITY_DEFAULTS, ()),
        ("per_user_mfa", Check.PER_USER_MFA, ()),
        ("policies", Check.CONDITIONAL_ACCESS, (Check.COMING_POLICIES, Check.UNRECORDED_POLICIES)),
        ("what_if", Check.CONDITIONAL_ACCESS, (Check.COMING_POLICIES,)),
        ("named_locations", Check.UNRECORDED_POLICIES, ()),
        ("role_assignments", Check.ROLES, ()),
        ("other_methods", Check.OTHER_SIGN_IN_METHODS, ()),
        ("permissions", Check.CONSENT, ()),
    ],
)
def test_what_stays_away_is_unknown_and_the_rest_is_checked_all_the_same(
    stage: Stage, host: Host, method: str, check: Check, also: tuple[Check, ...]
) -> None:
    stage.rules.add(FakePolicy("Not ours", users=frozenset()))
    port = next(port for port in (stage.policies, stage.directory, stage.sign_in) if hasattr(port, method))
    refuses(port, method, unavailable("It"))

    rows = checked(stage, host)

    assert rows[check].verdict is Verdict.UNKNOWN
    unknown = {row.check for row in rows.values() if row.verdict is Verdict.UNKNOWN}
    assert unknown == {check, *also}
    assert rows[Check.SIGN_IN].verdict is Verdict.PASS
    assert latest(stage).state is CheckState.UNKNOWN


def test_sign_in_that_gets_no_reply_is_put_off_and_tried_again(stage: Stage, host: Host) -> None:
    lost = ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, "No answer came."))
    refuses(stage.sign_in, "with_password", lost, times=1)

    assert checked(stage, host)[Check.SIGN_IN].verdict is Verdict.PASS


def test_sign_in_is_the_last_word(stage: Stage, host: Host) -> None:
    stage.microsoft365.sign_in_code = 53003

    rows = checked(stage, host)

    assert rows[Check.CONDITIONAL_ACCESS].verdict is Verdict.PASS
    assert rows[Check.SIGN_IN].verdict is Verdict.FAIL
    assert "AADSTS53003" in str(rows[Check.SIGN_IN].cause)
    assert stage.tenant.policy_check.stopped_by == rows[Check.SIGN_IN]


def test_no_sign_in_is_tried_where_another_row_says_that_it_fails(stage: Stage, host: Host) -> None:
    blocked(stage)

    calls = stage.calls(lambda: checked(stage, host))

    assert "SignIn.with_password" not in calls


def test_missing_secret_fails_the_sign_in_row(stage: Stage, host: Host) -> None:
    account = stage.tenant.account
    for versions in stage.vault.names.values():
        for version in versions.values():
            version.is_enabled = False

    rows = checked(stage, host)

    assert account.secret_version
    assert (rows[Check.SIGN_IN].verdict, rows[Check.SIGN_IN].is_obstacle) == (Verdict.FAIL, True)


def test_credential_that_was_not_rotated_when_it_was_due_is_old(stage: Stage, host: Host) -> None:
    due = stage.tenant.account.next_rotation_at
    assert due is not None

    stage.clock.advance(due + timedelta(hours=25) - stage.clock.now())
    rows = checked(stage, host)

    assert rows[Check.CREDENTIAL_AGE].verdict is Verdict.FAIL
    assert "should have been rotated" in str(rows[Check.CREDENTIAL_AGE].cause)


def test_roles_that_were_taken_away_are_recorded_on_the_account(stage: Stage, host: Host) -> None:
    user = our_user(stage)
    role = user.roles.pop(next(iter(user.roles)))

    checked(stage, host)

    assert role not in stage.tenant.account.roles
    assert set(stage.tenant.account.roles) == set(user.roles.values())


def test_check_by_itself_does_not_repeat_a_sign_in_that_was_refused_for_good(stage: Stage, host: Host) -> None:
    stage.microsoft365.sign_in_code = 53003
    assert checked(stage, host)[Check.SIGN_IN].verdict is Verdict.FAIL
    first = latest(stage)

    calls = stage.calls(lambda: host.run(timedelta(days=3)))

    assert latest(stage).operation_id != first.operation_id, "it was checked again"
    assert "SignIn.with_password" not in calls
    assert stage.tenant.policy_check.state is CheckState.FAIL, "what is not tried again is as it was"


def test_check_on_request_does_repeat_it(stage: Stage, host: Host) -> None:
    change_password(stage)
    checked(stage, host)

    calls = stage.calls(lambda: checked(stage, host))

    assert calls.count("SignIn.with_password") == 1


def test_check_by_itself_signs_in_again_once_the_password_was_rotated(stage: Stage, host: Host) -> None:
    change_password(stage)
    checked(stage, host)
    stage.clock.advance(timedelta(minutes=1))
    stage.rotate()
    host.settle()

    host.run(timedelta(days=1, hours=1))

    assert stage.tenant.policy_check.state is CheckState.PASS


def test_check_by_itself_signs_in_once_the_policy_that_blocked_is_gone(stage: Stage, host: Host) -> None:
    policy = blocked(stage)
    stage.microsoft365.sign_in_code = 50076
    stage.turn_on()
    host.settle()
    assert stage.tenant.session.state is SessionState.FAILED
    del stage.rules.policies[policy.policy_id]
    stage.microsoft365.sign_in_code = None

    host.run(timedelta(days=1, hours=1))

    assert stage.tenant.policy_check.state is CheckState.PASS


def test_check_that_gave_way_to_something_else_is_not_shown_as_running(stage: Stage, host: Host) -> None:
    stage.rules.add(FakePolicy("Not ours", users=frozenset()))
    accepted = stage.check_policies()
    refuses(stage.policies, "what_if", unavailable("It"))
    host.deliver_now()
    assert latest(stage).state is CheckState.RUNNING

    stage.rotate()

    assert stage.operation(accepted).status is Status.CANCELED
    assert latest(stage).state is CheckState.UNKNOWN
    assert {finding.check for finding in latest(stage).findings} == set(Check)


def test_each_of_our_addresses_is_asked_for_with_its_country_and_a_foreign_one_without(
    stage: Stage, host: Host
) -> None:
    stage.rules.add(FakePolicy("Not ours", users=frozenset()))
    asked: list[SignInConditions] = []

    def noted(before: Callable[..., tuple[Applied, ...]], tenant_id: TenantId, conditions: SignInConditions) -> object:
        asked.append(conditions)
        return before(tenant_id, conditions)

    answers(stage.policies, "what_if", noted)

    checked(stage, host)

    assert {each.ip for each in asked} == {str(ip_network(EGRESS).network_address), FOREIGN_IP}
    assert {each.country for each in asked if each.ip == FOREIGN_IP} == {None}
    assert len({(each.resource_app_id, each.ip) for each in asked}) == len(asked)
