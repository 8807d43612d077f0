"""Allowed IPs over time: undone to the last exclusion, kept up with our addresses, made again where they are gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.allowed_ips import POLICY_NAME, AllowedIpsState
from shared.domain.errors import Code, Problem, Transient, refused
from shared.domain.ids import TenantId
from shared.domain.operation import OperationKind, Status
from tests.host import Host
from tests.stage import EGRESS, Stage
from tests.unit.services.restricted import RANGES, SOMEBODY, demanding, excluded_in, ours, place, set_to, wish
from tests.unit.services.scripted import answers, our_user, refuses, with_account


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


@pytest.mark.parametrize("by", [Stage.remove_allowed_ips, Stage.remove_account])
def test_everything_made_is_undone_and_everybody_else_stays_excluded(
    stage: Stage, host: Host, by: Callable[[Stage], object]
) -> None:
    policy = demanding(stage, SOMEBODY)
    set_to(stage, host, AllowedIpsState.ENABLED, apply_exclusions=True)

    by(stage)
    host.settle()

    assert excluded_in(stage, policy) == (SOMEBODY,)
    assert list(stage.rules.policies) == [policy.policy_id]
    assert stage.rules.locations == {}
    assert not stage.tenant.allowed_ips.leaves_traces


def test_exclusion_that_was_only_proposed_is_left_to_the_customer(stage: Stage, host: Host) -> None:
    policy = demanding(stage)
    set_to(stage, host, AllowedIpsState.REPORT_ONLY)
    by_hand = (str(our_user(stage).object_id),)
    stage.rules.policies[policy.policy_id].excluded_users = by_hand

    stage.remove_allowed_ips()
    host.settle()

    assert excluded_in(stage, policy) == by_hand


def test_exclusion_made_before_the_operation_failed_is_undone_all_the_same(stage: Stage, host: Host) -> None:
    first, second = demanding(stage), demanding(stage)
    forbidden = refused(Code.PERMISSION_MISSING, "No more.")

    def once(before: Callable[..., None], tenant_id: TenantId, policy_id: str, user_ids: tuple[str, ...]) -> None:
        if policy_id == second.policy_id:
            raise forbidden
        before(tenant_id, policy_id, user_ids)

    answers(stage.policies, "exclude_users", once)
    operation = wish(stage, AllowedIpsState.ENABLED, apply_exclusions=True)
    host.settle()
    assert operation().status is Status.FAILED
    assert excluded_in(stage, first) == (str(our_user(stage).object_id),)

    stage.remove_allowed_ips()
    host.settle()

    assert excluded_in(stage, first) == excluded_in(stage, second) == ()


def test_undoing_is_read_back_too(stage: Stage, host: Host) -> None:
    policy = demanding(stage)
    set_to(stage, host, AllowedIpsState.ENABLED, apply_exclusions=True)
    account = str(our_user(stage).object_id)
    edits = [lambda: setattr(stage.rules.policies[policy.policy_id], "excluded_users", (account, SOMEBODY))]

    def edited(before: Callable[..., None], *given: object) -> None:
        before(*given)
        if edits:
            edits.pop()()

    answers(stage.policies, "exclude_users", edited)
    stage.remove_allowed_ips()
    host.settle()

    assert excluded_in(stage, policy) == (SOMEBODY,)


def test_new_addresses_of_ours_reach_the_tenant_by_themselves_and_exclude_nobody_new(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED, apply_exclusions=True)
    later = demanding(stage)
    stage.world = replace(stage.world, egress_ips=("198.51.100.64/28",))
    stage.restart()

    host.run(timedelta(days=1, hours=1))

    assert set(place(stage).ranges) == {*RANGES, "198.51.100.64/28"}
    assert ours(stage).state == "enabled"
    assert stage.tenant.allowed_ips.state is AllowedIpsState.ENABLED
    assert excluded_in(stage, later) == (), "nobody asked for that this time"
    (by,) = (
        each.requested_by
        for each in stage.operations
        if each.kind is OperationKind.SET_ALLOWED_IPS and each.requested_by.name == "Management Sessions"
    )
    assert by.object_id is None


def test_addresses_that_are_not_known_any_more_are_not_pushed(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    stage.world = replace(stage.world, egress_ips=())
    stage.restart()

    host.run(timedelta(days=1, hours=1))

    assert EGRESS in place(stage).ranges


@pytest.mark.parametrize("gone", ["location", "policy", "both"])
def test_setting_again_makes_what_is_gone(stage: Stage, host: Host, gone: str) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    if gone != "policy":
        del stage.rules.locations[place(stage).location_id]
    if gone != "location":
        del stage.rules.policies[ours(stage).policy_id]
    stage.check_policies()
    host.settle()
    assert stage.tenant.allowed_ips.problem is not None

    set_to(stage, host, AllowedIpsState.ENABLED)

    assert ours(stage).spared_location == place(stage).location_id
    assert ours(stage).state == "enabled"


def restrictions(stage: Stage) -> int:
    """How often allowed IPs were set, by whomever."""
    return [operation.kind for operation in stage.operations].count(OperationKind.SET_ALLOWED_IPS)


@pytest.mark.parametrize("gone", ["location", "policy", "both"])
def test_what_the_customer_deletes_is_made_again_by_itself_within_a_day(stage: Stage, host: Host, gone: str) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    host.run(timedelta(days=2))
    if gone != "policy":
        del stage.rules.locations[place(stage).location_id]
    if gone != "location":
        del stage.rules.policies[ours(stage).policy_id]

    host.run(timedelta(days=1, hours=1))

    assert ours(stage).spared_location == place(stage).location_id
    assert ours(stage).state == "enabled"
    assert stage.tenant.allowed_ips.problem is None
    assert restrictions(stage) == 2


def test_what_is_deleted_again_and_again_is_made_once_a_day(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    host.run(timedelta(days=2))

    for _ in range(24):
        stage.rules.policies = {
            policy_id: policy
            for policy_id, policy in stage.rules.policies.items()
            if policy.display_name != POLICY_NAME
        }
        stage.check_policies()
        host.settle()
        host.run(timedelta(hours=2))

    assert restrictions(stage) - 1 <= 3


def test_what_the_customer_changed_is_told_and_left_to_people(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    ours(stage).state = "disabled"

    host.run(timedelta(days=3))

    assert ours(stage).state == "disabled"
    assert stage.tenant.allowed_ips.problem is not None
    assert restrictions(stage) == 1


def test_nothing_is_made_again_while_our_own_addresses_are_not_known(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    host.run(timedelta(days=2))
    del stage.rules.policies[ours(stage).policy_id]
    stage.world = replace(stage.world, egress_ips=())
    stage.restart()

    host.run(timedelta(days=2))

    assert stage.rules.policies == {}


def test_setting_what_is_in_force_and_unspoilt_is_done_already(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    stage.check_policies()
    host.settle()

    calls = stage.calls(lambda: wish(stage, AllowedIpsState.ENABLED))

    assert not [call for call in calls if call.startswith(("Messages", "TenantPolicies"))]
    assert stage.tenant.operation is None


def test_check_made_before_the_policies_changed_counts_no_more(stage: Stage, host: Host) -> None:
    assert stage.tenant.policy_check.checked_at is not None

    set_to(stage, host, AllowedIpsState.REPORT_ONLY)
    assert stage.tenant.policy_check.checked_at is None
    host.run(timedelta(minutes=10))

    assert stage.tenant.policy_check.checked_at is not None, "another one was made by itself"


def test_tenant_without_premium_is_told_so(stage: Stage, host: Host) -> None:
    stage.rules.has_premium = False

    operation = wish(stage)
    host.settle()

    assert operation().problem is not None
    assert operation().problem.code is Code.LICENCE_MISSING  # type: ignore[union-attr]


def test_new_location_that_is_not_known_everywhere_yet_is_waited_for(stage: Stage, host: Host) -> None:
    stage.rules.location_lag = 2

    set_to(stage, host, AllowedIpsState.REPORT_ONLY)

    assert ours(stage).spared_location == place(stage).location_id


def test_throttling_on_the_way_only_takes_longer(stage: Stage, host: Host) -> None:
    refuses(
        stage.policies,
        "set_location",
        Transient(Problem(Code.UPSTREAM_UNAVAILABLE, "Slow."), timedelta(minutes=1)),
        times=2,
    )
    set_to(stage, host, AllowedIpsState.REPORT_ONLY)

    set_to(stage, host, AllowedIpsState.ENABLED)

    assert ours(stage).state == "enabled"
