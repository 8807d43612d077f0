"""What is ours in a tenant and on no record is told; it is removed by itself only when that cannot be a mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.domain.activity import Event
from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME, AllowedIpsState
from shared.domain.directory_roles import GLOBAL_READER
from shared.domain.errors import Code, refused, unavailable
from shared.domain.operation import OperationKind
from shared.domain.policies import NamedLocation
from shared.domain.policy_check import Check, CheckState, Finding, PolicyCheck, Verdict
from shared.domain.secret import Secret
from shared.domain.tenant import AccountState
from shared.services.create_account import marker_of, names_of, owner_of
from tests.fakes.microsoft365 import FakeUser
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.people import READER
from tests.stage import APPLICATION, Stage
from tests.unit.services.restricted import ours, place, set_to
from tests.unit.services.scripted import our_user, refuses, with_account

A_DAY = timedelta(days=1, minutes=20)
PASSWORD = Secret("only-for-tests-St4y!")


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def latest(stage: Stage) -> PolicyCheck:
    return stage.services.policies.latest_check(READER, stage.tenant_id)


def row(stage: Stage, check: Check) -> Finding:
    found = latest(stage).found(check)
    assert found is not None
    return found


def stray(stage: Stage) -> FakeUser:
    """What an attempt at this very account left: its reply was lost, and the next one took another name."""
    mark = marker_of(stage.tenant, APPLICATION)
    return stage.microsoft365.add_user(names_of(stage.tenant)[1], PASSWORD, marker=mark)


def former(stage: Stage) -> FakeUser:
    """An account of ours of former times, which the customer has taken out of the recycle bin."""
    mark = owner_of(stage.tenant, APPLICATION) + "00000000"
    return stage.microsoft365.add_user(names_of(stage.tenant)[1], PASSWORD, marker=mark)


def renamed(stage: Stage) -> FakeUser:
    user = stray(stage)
    user.user_principal_name = "broker@fake.onmicrosoft.com"
    return user


def powerful(stage: Stage) -> FakeUser:
    user = stray(stage)
    user.roles[str(uuid4())] = GLOBAL_READER.template_id
    return user


def second_policy(stage: Stage) -> FakePolicy:
    """What an attempt to set allowed IPs left, whose reply was lost."""
    return stage.rules.add(replace(ours(stage), policy_id=str(uuid4())))


def second_location(stage: Stage, *, is_trusted: bool = False) -> NamedLocation:
    made = NamedLocation(str(uuid4()), LOCATION_NAME, ("192.0.2.0/24",), is_trusted)
    stage.rules.locations[made.location_id] = made
    return made


# ── users ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_account_that_a_dead_attempt_left_is_told_on_request_and_not_touched(stage: Stage, host: Host) -> None:
    left = stray(stage)

    stage.check_policies()
    host.settle()

    found = row(stage, Check.UNRECORDED_ACCOUNTS)
    assert (found.verdict, found.is_obstacle) == (Verdict.FAIL, False)
    assert left.user_principal_name in str(found.cause)
    assert found.fix == "Nothing needs to be done: the daily look removes it."
    assert not left.is_deleted


def test_account_that_a_dead_attempt_left_is_removed_by_the_daily_look_and_the_trail_says_so(
    stage: Stage, host: Host
) -> None:
    left = stray(stage)

    host.run(A_DAY)

    assert left.is_deleted
    assert not our_user(stage).is_deleted
    (entry,) = (entry for entry in stage.trail if entry.event is Event.ORPHAN_REMOVED)
    assert left.user_principal_name in entry.summary
    assert entry.facts == {"kind": "user", "id": str(left.object_id)}
    assert row(stage, Check.UNRECORDED_ACCOUNTS).verdict is Verdict.PASS
    assert stage.tenant.policy_check.state is CheckState.PASS


@pytest.mark.parametrize("plant", [former, renamed, powerful])
def test_account_that_may_be_of_use_to_somebody_is_told_and_left(
    stage: Stage, host: Host, plant: Callable[[Stage], FakeUser]
) -> None:
    user = plant(stage)

    host.run(A_DAY)

    found = row(stage, Check.UNRECORDED_ACCOUNTS)
    assert not user.is_deleted
    assert found.verdict is Verdict.FAIL
    assert f"Delete “{user.user_principal_name}”, unless" in str(found.fix)
    assert found.link is not None
    assert Event.ORPHAN_REMOVED not in stage.events


def test_nothing_is_removed_while_the_recorded_account_is_not_there_for_it_may_be_taken_over(
    stage: Stage, host: Host
) -> None:
    left = stray(stage)
    our_user(stage).is_enabled = False

    host.run(A_DAY)

    assert not left.is_deleted
    assert row(stage, Check.UNRECORDED_ACCOUNTS).verdict is Verdict.FAIL


def test_account_whose_record_was_lost_is_told_where_there_is_no_account(stage: Stage, host: Host) -> None:
    stage.remove_account()
    host.settle()
    user = former(stage)

    stage.check_policies()
    host.settle()

    assert stage.tenant.account.state is AccountState.NONE
    assert row(stage, Check.SERVICE_ACCOUNT).verdict is Verdict.SKIPPED
    assert user.user_principal_name in str(row(stage, Check.UNRECORDED_ACCOUNTS).cause)


def test_what_became_somebody_s_after_the_check_is_left(stage: Stage, host: Host) -> None:
    left = stray(stage)
    reads: list[str] = []

    def gets_a_role() -> None:
        reads.append("read")
        left.roles[str(uuid4())] = GLOBAL_READER.template_id

    stage.log.at_next("TenantPolicies.named_locations", gets_a_role)
    host.run(A_DAY)

    assert reads
    assert not left.is_deleted


def test_removal_that_is_refused_leaves_the_row_as_it_was(stage: Stage, host: Host) -> None:
    left = stray(stage)
    refuses(stage.directory, "delete_user", refused(Code.PERMISSION_MISSING, "No."))

    host.run(A_DAY)

    assert not left.is_deleted
    assert row(stage, Check.UNRECORDED_ACCOUNTS).verdict is Verdict.FAIL
    assert stage.tenant.policy_check.checked_at is not None


@pytest.mark.parametrize("is_off", [False, True])
def test_application_that_may_be_off_removes_it_where_there_is_one(stage: Stage, host: Host, *, is_off: bool) -> None:
    stage.register_onboarding()
    stage.microsoft365.onboarding_permissions = None if is_off else stage.microsoft365.onboarding_permissions
    left = stray(stage)

    host.run(A_DAY)

    assert left.is_deleted is not is_off
    assert row(stage, Check.UNRECORDED_ACCOUNTS).verdict is (Verdict.FAIL if is_off else Verdict.PASS)


def test_graph_that_stays_away_does_not_keep_the_check_from_ending(stage: Stage, host: Host) -> None:
    left = stray(stage)
    refuses(stage.directory, "delete_user", unavailable("Graph"), times=30)

    host.run(A_DAY)

    assert not left.is_deleted
    assert stage.tenant.policy_check.state is CheckState.FAIL


def test_daily_look_that_gave_way_is_made_again_and_removes_it_then(stage: Stage, host: Host) -> None:
    left = stray(stage)
    stage.log.at_next("Directory.marked_users", lambda: stage.rotate())

    host.run(A_DAY)

    assert left.is_deleted
    kinds = [operation.kind for operation in stage.operations if operation.requested_by.object_id is None]
    assert kinds.count(OperationKind.CHECK_POLICIES) == 3, "one after the creation, one that gave way, one more"


def test_disabling_advanced_management_removes_it_too(stage: Stage, host: Host) -> None:
    left = stray(stage)

    accepted = stage.remove_account()
    host.settle()

    assert [user for user in stage.microsoft365.users if not user.is_deleted] == []
    result = stage.operation(accepted).result
    assert result is not None
    assert str(left.object_id) in str(result["removal"])


# ── policies and named locations ─────────────────────────────────────────────────────────────────────────────────────


def test_policy_and_location_that_a_dead_attempt_left_are_removed_by_the_daily_look(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    host.run(timedelta(minutes=10))
    recorded = (ours(stage).policy_id, place(stage).location_id)
    policy, location = second_policy(stage), second_location(stage)
    policy.spared_location = location.location_id

    host.run(A_DAY)

    assert (ours(stage).policy_id, place(stage).location_id) == recorded
    removed = {entry.facts["id"] for entry in stage.trail if entry.event is Event.ORPHAN_REMOVED}
    assert removed == {policy.policy_id, location.location_id}
    assert row(stage, Check.UNRECORDED_POLICIES).verdict is Verdict.PASS


@pytest.mark.parametrize("users", [None, frozenset({uuid4()})])
def test_policy_that_concerns_anybody_else_is_told_and_left(
    stage: Stage, host: Host, users: frozenset[UUID] | None
) -> None:
    copied = stage.rules.add(FakePolicy(POLICY_NAME, users=users, state="disabled"))

    host.run(A_DAY)

    assert copied.policy_id in stage.rules.policies
    assert "or give it another name if it is yours" in str(row(stage, Check.UNRECORDED_POLICIES).fix)


def test_location_that_somebody_trusts_is_told_and_left(stage: Stage, host: Host) -> None:
    location = second_location(stage, is_trusted=True)

    host.run(A_DAY)

    assert stage.rules.locations == {location.location_id: location}
    assert LOCATION_NAME in str(row(stage, Check.UNRECORDED_POLICIES).cause)


def test_location_that_a_policy_of_the_customer_s_refers_to_is_left(stage: Stage, host: Host) -> None:
    location = second_location(stage)
    stage.rules.add(FakePolicy("From the office only", state="disabled", spared_location=location.location_id))

    host.run(A_DAY)

    assert location.location_id in stage.rules.locations
    assert row(stage, Check.UNRECORDED_POLICIES).verdict is Verdict.FAIL


def test_nothing_is_told_of_allowed_ips_that_setting_again_will_mend(stage: Stage, host: Host) -> None:
    refuses(stage.policies, "set_policy", refused(Code.PERMISSION_MISSING, "No."))
    stage.set_allowed_ips()
    host.settle()
    assert stage.tenant.allowed_ips.state is AllowedIpsState.FAILED

    host.run(A_DAY)

    assert row(stage, Check.UNRECORDED_POLICIES).verdict is Verdict.SKIPPED
    assert ours(stage)


def test_tenant_without_premium_is_not_asked_for_policies(stage: Stage, host: Host) -> None:
    stage.rules.has_premium = False

    calls = stage.calls(lambda: host.run(A_DAY))

    assert row(stage, Check.UNRECORDED_POLICIES).verdict is Verdict.SKIPPED
    assert "TenantPolicies.named_locations" not in calls
