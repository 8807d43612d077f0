"""One application makes and removes, another runs sessions: what each does, and what goes on while one is off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.allowed_ips import AllowedIpsState
from shared.domain.directory_roles import ONBOARDING, PROFILES
from shared.domain.errors import Code, Problem, Refused
from shared.domain.operation import Operation, Status
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from shared.domain.tenant import AccountState
from shared.services.accept import Accepted
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.restricted import excluded_in, ours, set_to


@pytest.fixture
def stage() -> Stage:
    """A tenant nobody has onboarded, which lets both applications in with what each asks for."""
    stage = Stage()
    stage.register_onboarding()
    return stage


def switch_off(stage: Stage) -> None:
    stage.microsoft365.onboarding_permissions = None


def switch_on(stage: Stage) -> None:
    stage.microsoft365.onboarding_permissions = set(ONBOARDING.permissions)


def ended(stage: Stage, host: Host, accepted: Accepted) -> Operation:
    host.settle()
    return stage.operation(accepted)


def refusal_of(act: Callable[[], object]) -> Problem:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.problem


# ── who does what ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_account_is_made_used_and_removed_by_two_that_could_not_do_it_alone(created: Stage, host: Host) -> None:
    (user,) = created.microsoft365.users
    assert set(user.roles.values()) == {role.template_id for role in PROFILES[created.tenant.role_profile]}

    created.turn_on()
    host.settle()
    assert created.tenant.session.state is SessionState.ON
    created.turn_off()
    host.settle()
    assert created.microsoft365.refresh_tokens == {}

    removed = ended(created, host, created.remove_account())
    assert (removed.status, user.is_deleted, user.roles) == (Status.SUCCEEDED, True, {})


def test_allowed_ips_are_set_and_removed_by_the_one_that_may(created: Stage, host: Host) -> None:
    theirs = created.rules.add(FakePolicy("MFA for everybody"))

    set_to(created, host, AllowedIpsState.ENABLED, apply_exclusions=True)
    assert ours(created).state == "enabled"
    assert excluded_in(created, theirs) == (str(created.tenant.account.object_id),)

    created.remove_allowed_ips()
    host.settle()
    assert excluded_in(created, theirs) == ()
    assert set(created.rules.policies) == {theirs.policy_id}


# ── while one is off ─────────────────────────────────────────────────────────────────────────────────────────────────


MAKES_OR_REMOVES: dict[str, Callable[[Stage], object]] = {
    "remove": lambda stage: stage.remove_account(),
    "set allowed IPs": lambda stage: stage.set_allowed_ips("set"),
    "remove allowed IPs": lambda stage: stage.remove_allowed_ips(),
}


@pytest.mark.parametrize("act", MAKES_OR_REMOVES.values(), ids=MAKES_OR_REMOVES)
def test_what_takes_the_application_that_is_off_is_refused_before_anything_is_touched(
    on: Stage, host: Host, act: Callable[[Stage], object]
) -> None:
    set_to(on, host, AllowedIpsState.REPORT_ONLY)
    switch_off(on)
    before = on.tenant

    problem = refusal_of(lambda: act(on))

    assert problem.code is Code.ONBOARDING_OFF
    assert problem.next_step is not None
    assert ONBOARDING.name in problem.next_step.text
    assert on.tenant == before
    assert (before.session.state, before.account.state) == (SessionState.ON, AccountState.CREATED)


def test_creation_is_refused_at_once_and_not_recorded_as_failed(onboarded: Stage, host: Host) -> None:
    switch_off(onboarded)

    assert refusal_of(onboarded.create_account).code is Code.ONBOARDING_OFF
    assert onboarded.tenant.account.state is AccountState.NONE

    switch_on(onboarded)
    assert ended(onboarded, host, onboarded.create_account()).status is Status.SUCCEEDED


def test_sessions_turn_on_and_off_and_end_their_sign_ins(created: Stage, host: Host) -> None:
    switch_off(created)

    created.turn_on()
    host.settle()
    while_on, tokens = created.tenant.session, dict(created.microsoft365.refresh_tokens)
    created.turn_off()
    host.settle()

    assert (while_on.state, len(tokens)) == (SessionState.ON, 1)
    assert (created.tenant.session.state, created.tenant.session.problem) == (SessionState.OFF, None)
    assert created.microsoft365.refresh_tokens == {}


def test_the_account_changes_its_own_password(created: Stage, host: Host) -> None:
    switch_off(created)
    (user,) = created.microsoft365.users
    before = user.password

    operation = ended(created, host, created.rotate())

    assert operation.status is Status.SUCCEEDED
    assert user.password != before


def test_a_password_that_nobody_knows_is_replaced_once_the_application_is_back(created: Stage, host: Host) -> None:
    (user,) = created.microsoft365.users
    user.password = Secret("only-for-tests-somebody-else-set-it")
    switch_off(created)

    refused = ended(created, host, created.rotate())
    switch_on(created)
    rotated = ended(created, host, created.rotate())

    assert refused.problem is not None
    assert refused.problem.code is Code.ONBOARDING_OFF
    assert rotated.status is Status.SUCCEEDED


def test_rotation_uses_the_application_that_may_be_off_only_when_it_must(created: Stage, host: Host) -> None:
    created.microsoft365.onboarding_permissions = set()

    assert ended(created, host, created.rotate()).status is Status.SUCCEEDED


def test_allowed_ips_that_fell_behind_wait_until_it_is_back(created: Stage, host: Host) -> None:
    set_to(created, host, AllowedIpsState.ENABLED)
    created.world = replace(created.world, egress_ips=("203.0.113.64/28",))
    created.restart()
    switch_off(created)

    host.run(timedelta(minutes=30))
    assert created.tenant.allowed_ips.state is AllowedIpsState.ENABLED
    assert created.tenant.allowed_ips.egress != created.world.egress_ips

    switch_on(created)
    host.run(timedelta(days=1, minutes=30))
    assert created.tenant.allowed_ips.egress == created.world.egress_ips


def test_a_tenant_that_threw_both_out_can_still_be_given_up(on: Stage, host: Host) -> None:
    on.microsoft365.permissions = None
    switch_off(on)

    operation = ended(on, host, on.remove_account())

    assert operation.problem is not None
    assert operation.problem.code is Code.CLEANUP_INCOMPLETE
    assert set(on.vault.names) - on.vault.deleted == set()
    assert on.tenant.session.state is SessionState.OFF
