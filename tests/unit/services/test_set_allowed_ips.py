"""Allowed IPs: report-only first, enforced when they spare us, exclusions only when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.domain.allowed_ips import AllowedIpsState, Outside
from shared.domain.errors import Code, Problem, Refused, ReplyLost, Transient
from shared.domain.ids import TenantId
from shared.domain.operation import Status
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.stage import EGRESS, Stage
from tests.unit.services.restricted import RANGES, SOMEBODY, demanding, excluded_in, ours, place, set_to, wish
from tests.unit.services.scripted import answers, our_user, with_account

LOST = ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, "No answer came."))


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def test_location_holds_their_ranges_and_ours_and_is_not_trusted(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.REPORT_ONLY)

    assert set(place(stage).ranges) == {*RANGES, EGRESS}
    assert not place(stage).is_trusted


def test_policy_includes_our_account_alone_and_spares_the_location(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)

    assert ours(stage).users == frozenset({our_user(stage).object_id})
    assert ours(stage).spared_location == place(stage).location_id
    assert (ours(stage).state, ours(stage).controls) == ("enabled", ("block",))


def test_policy_is_made_in_report_only_and_enforced_last(stage: Stage, host: Host) -> None:
    wish(stage, AllowedIpsState.ENABLED)
    states = []

    def noted(before: Callable[..., object], *given: object, **named: object) -> object:
        states.append(ours(stage).state)
        return before(*given, **named)

    answers(stage.policies, "set_policy", noted)
    calls = stage.calls(host.settle)

    assert states == ["enabledForReportingButNotEnforced"]
    made, what_if, enforced = (calls.index(f"TenantPolicies.{name}") for name in ("create_policy", "what_if", "policy"))
    assert made < what_if < enforced
    assert ours(stage).state == "enabled"


def test_mfa_instead_of_a_block_outside(stage: Stage, host: Host) -> None:
    wish(stage, outside=Outside.REQUIRE_MFA)
    host.settle()

    assert ours(stage).controls == ("mfa",)


def test_policy_that_would_hit_our_own_addresses_is_not_enforced(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.REPORT_ONLY)
    ours(stage).spared_location = None  # somebody took the location out of our policy

    operation = wish(stage, AllowedIpsState.ENABLED)
    host.settle()

    assert operation().status is Status.FAILED
    assert operation().problem is not None
    assert operation().problem.code is Code.POLICY_CHANGED  # type: ignore[union-attr]
    assert ours(stage).state == "enabledForReportingButNotEnforced"
    assert stage.tenant.allowed_ips.state is AllowedIpsState.FAILED


def test_service_that_does_not_know_its_addresses_locks_nobody_out(stage: Stage) -> None:
    stage.world = replace(stage.world, egress_ips=())
    stage.restart()

    with pytest.raises(Transient) as refusal:
        wish(stage, AllowedIpsState.ENABLED)

    assert refusal.value.problem.code is Code.SERVICE_UNAVAILABLE
    assert stage.rules.locations == {}


def test_exclusion_is_proposed_as_a_difference_and_nothing_is_changed(stage: Stage, host: Host) -> None:
    policy = demanding(stage, SOMEBODY)

    set_to(stage, host, AllowedIpsState.REPORT_ONLY)

    (proposed,) = stage.tenant.allowed_ips.exclusions
    assert (proposed.before, proposed.after) == ((SOMEBODY,), (SOMEBODY, str(our_user(stage).object_id)))
    assert (proposed.is_applied, proposed.may_be_there) == (False, False)
    assert excluded_in(stage, policy) == (SOMEBODY,)


def test_exclusion_that_was_asked_for_is_made_and_read_back(stage: Stage, host: Host) -> None:
    policy = demanding(stage, SOMEBODY)

    set_to(stage, host, AllowedIpsState.ENABLED, apply_exclusions=True)

    (made,) = stage.tenant.allowed_ips.exclusions
    assert made.is_applied
    assert excluded_in(stage, policy) == made.after == (SOMEBODY, str(our_user(stage).object_id))


def test_report_only_policy_that_will_block_is_proposed_too(stage: Stage, host: Host) -> None:
    policy = stage.rules.add(FakePolicy("Soon", state="enabledForReportingButNotEnforced"))

    set_to(stage, host, AllowedIpsState.REPORT_ONLY)

    assert [each.policy_id for each in stage.tenant.allowed_ips.exclusions] == [policy.policy_id]


def test_customer_who_edits_the_policy_at_the_same_time_loses_nothing(stage: Stage, host: Host) -> None:
    policy = demanding(stage)

    def edited(before: Callable[..., None], tenant_id: TenantId, policy_id: str, user_ids: tuple[str, ...]) -> None:
        before(tenant_id, policy_id, user_ids)
        if SOMEBODY not in user_ids:  # between our writing and our looking again
            before(tenant_id, policy_id, (SOMEBODY,))

    answers(stage.policies, "exclude_users", edited)
    set_to(stage, host, AllowedIpsState.ENABLED, apply_exclusions=True)

    assert set(excluded_in(stage, policy)) == {SOMEBODY, str(our_user(stage).object_id)}


def test_policy_that_the_customer_deletes_meanwhile_needs_no_exclusion(stage: Stage, host: Host) -> None:
    policy = demanding(stage)

    def deleted(before: Callable[..., None], *given: object) -> None:
        del stage.rules.policies[policy.policy_id]
        before(*given)

    answers(stage.policies, "exclude_users", deleted)
    set_to(stage, host, AllowedIpsState.ENABLED, apply_exclusions=True)

    assert stage.tenant.allowed_ips.exclusions == ()


@pytest.mark.parametrize("method", ["create_location", "create_policy", "set_policy", "exclude_users"])
def test_lost_reply_makes_nothing_twice(stage: Stage, host: Host, method: str) -> None:
    demanding(stage)
    lost = [LOST]

    def answer(before: Callable[..., object], *given: object, **named: object) -> object:
        found = before(*given, **named)
        if lost:
            raise lost.pop()
        return found

    answers(stage.policies, method, answer)
    set_to(stage, host, AllowedIpsState.ENABLED, apply_exclusions=True)

    assert place(stage).location_id == stage.tenant.allowed_ips.location_id
    assert ours(stage).policy_id == stage.tenant.allowed_ips.policy_id


def test_another_wish_while_one_is_carried_out_is_refused_and_not_lost(stage: Stage, host: Host) -> None:
    first, same = wish(stage), wish(stage)
    assert first().operation_id == same().operation_id

    with pytest.raises(Refused) as refusal:
        wish(stage, AllowedIpsState.ENABLED)

    assert refusal.value.problem.code is Code.OPERATION_IN_PROGRESS
