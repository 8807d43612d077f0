"""The flows that are broken at every step: what is there before, and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from shared.domain.action import ActionKind
from shared.domain.allowed_ips import AllowedIpsState
from shared.domain.errors import Code, Problem
from shared.domain.secret import Secret
from shared.services.create_account import marker_of, names_of
from tests.fakes.policies import FakePolicy
from tests.faults.promises import LEFT, LEFT_PASSWORD, users_of_ours
from tests.host import Host
from tests.stage import APPLICATION, Stage

Act = Callable[[Stage, Host], None]


@dataclass(frozen=True, slots=True)
class Flow:
    """One thing that somebody wants.

    Attributes:
        given: what was done before, without any fault.
        when: what is asked, all at once; everything that follows from it can be broken.
    """

    name: str
    given: tuple[Act, ...]
    when: tuple[Act, ...]


def onboard(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.onboard("onboard"))


def create(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.create_account("create"))


def turn_on(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.turn_on("on"))


def turn_off(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.turn_off("off"))


def drain(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.turn_off("drain", drain=True))


def rotate(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.rotate("rotate"))


def register_onboarding(stage: Stage, host: Host) -> None:
    """Another application makes accounts, roles and policies."""
    stage.register_onboarding()


def lose_the_directory_role(stage: Stage, host: Host) -> None:
    stage.microsoft365.has_directory_role = False


def revoke_everything(stage: Stage, host: Host) -> None:
    """The customer ends every sign-in, and the process that held a token is gone."""
    stage.microsoft365.refresh_tokens.clear()
    stage.restart()


def redeem(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.redeem(stage.requests[-1]))


def remove(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.remove_account("remove"))


def act(stage: Stage, host: Host) -> None:
    """An executor asks, does its work for a minute and says that it is done."""
    request = stage.a_request()
    host.request(request)
    host.later(timedelta(minutes=1), lambda: stage.complete(request))


def hold_a_lease(stage: Stage, host: Host) -> None:
    """An executor's action is under way."""
    stage.redeem(stage.ask())


def complete_soon(stage: Stage, host: Host) -> None:
    """The action that is under way will end in some seconds."""
    host.later(timedelta(seconds=8), lambda: stage.complete(stage.requests[-1]))


def allow_auto_enable(stage: Stage, host: Host) -> None:
    stage.auto_enable(idle_timeout=timedelta(minutes=5))


def allow_auto_enable_now(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.auto_enable(key="auto-enable"))


def ask_while_off(stage: Stage, host: Host) -> None:
    """Three executors ask at once; one of them has very little time, and every message is delivered twice."""
    for kind, deadline in (
        (ActionKind.WORKFLOW, timedelta(minutes=15)),
        (ActionKind.CUSTOM_ACTION, timedelta(minutes=12)),
        (ActionKind.PLAYBOOK_REMEDIATION, timedelta(seconds=20)),
    ):
        request = stage.a_request(kind, deadline=deadline)
        host.request(request)
        host.request(request, at=stage.clock.now() + timedelta(seconds=2))


def wait_for_expiry(stage: Stage, host: Host) -> None:
    host.run(timedelta(minutes=9))


def wait_until_idle(stage: Stage, host: Host) -> None:
    host.run(timedelta(minutes=12))


def create_slowly(stage: Stage, host: Host) -> None:
    """As `create`, in a tenant where a new user is not to be seen for a while."""
    stage.microsoft365.replication_lag = 3
    create(stage, host)


def create_after_removal(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.create_account("create again"))


def turn_on_as_admin(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.turn_on_as_admin("admin"))


def try_to_turn_on_as_admin(stage: Stage, host: Host) -> None:
    """By somebody who asks once and, when no answer comes, does something else."""
    host.http(lambda: stage.turn_on_as_admin("admin"), asks=1)


def bring_an_administrator(stage: Stage, host: Host) -> None:
    stage.add_global_administrator()


def check_policies(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.check_policies("check"))


def write_a_policy_that_blocks_later(stage: Stage, host: Host) -> None:
    stage.rules.add(FakePolicy("MFA for everybody", state="enabledForReportingButNotEnforced"))


def set_allowed_ips(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.set_allowed_ips("set"))


def change_allowed_ips(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.set_allowed_ips("change", wanted=AllowedIpsState.REPORT_ONLY))


def remove_allowed_ips(stage: Stage, host: Host) -> None:
    host.http(lambda: stage.remove_allowed_ips("take away"))


def turn_on_shortly(stage: Stage, host: Host) -> None:
    stage.turn_on(lifetime=timedelta(minutes=7))
    host.settle()


def wait_an_hour(stage: Stage, host: Host) -> None:
    """Long enough for Entra to know the account, for its first check, and for all that follows what was done before."""
    host.run(timedelta(hours=1))


def wait_for_the_daily_look(stage: Stage, host: Host) -> None:
    """A minute is left until the next check begins by itself."""
    checked_at = stage.tenant.policy_check.checked_at
    assert checked_at is not None
    host.run(checked_at + stage.world.limits.check_every - stage.clock.now() - timedelta(minutes=1))


def look_daily(stage: Stage, host: Host) -> None:
    host.run(timedelta(minutes=15))


def lose_the_account(stage: Stage, host: Host) -> None:
    """The customer deletes it; it is in their recycle bin."""
    (user,) = users_of_ours(stage)
    user.is_deleted = True


def change_the_password(stage: Stage, host: Host) -> None:
    """Somebody in the tenant does, and we are not told."""
    (user,) = users_of_ours(stage)
    user.password = Secret("only-for-tests-changed-by-somebody")


def leave_orphans(stage: Stage, host: Host) -> None:
    """What attempts leave whose replies were lost: one more account, and one more of what allowed IPs are made of."""
    tenant, rules = stage.tenant, stage.rules
    stage.microsoft365.add_user(names_of(tenant)[1], LEFT_PASSWORD, marker=marker_of(tenant, APPLICATION))
    (location,) = rules.locations.values()
    rules.locations[LEFT] = replace(location, location_id=LEFT)
    policy = rules.policies[str(tenant.allowed_ips.policy_id)]
    rules.add(replace(policy, policy_id=LEFT, spared_location=LEFT))


def delete_the_restriction(stage: Stage, host: Host) -> None:
    """The customer deletes the policy of the allowed IPs."""
    del stage.rules.policies[str(stage.tenant.allowed_ips.policy_id)]


def keep_a_message(stage: Stage, host: Host) -> None:
    problem = Problem(Code.INTERNAL_ERROR, "It failed every time.")
    stage.services.poison.keep("action-requests", stage.tenant_id, "a message", problem)


def grow_old(stage: Stage, host: Host) -> None:
    """Years in which nothing was looked at, nor anybody asked for what was answered."""
    stage.requests.clear()
    stage.clock.advance(stage.world.limits.retention + timedelta(days=3))


_CREATED = (onboard, create)
_AN_HOUR_LATER = (*_CREATED, wait_an_hour)
_ON = (*_CREATED, turn_on)
_A_DAY_LATER = (*_CREATED, wait_an_hour, wait_for_the_daily_look)
_RESTRICTED = (*_CREATED, write_a_policy_that_blocks_later, set_allowed_ips)

FLOWS = (
    Flow("onboard", (), (onboard,)),
    Flow("create", (onboard, wait_an_hour), (create,)),
    Flow("create slowly", (onboard,), (create_slowly,)),
    Flow("create again", (*_CREATED, remove, wait_an_hour), (create_after_removal,)),
    Flow("allow auto-enable", _AN_HOUR_LATER, (allow_auto_enable_now,)),
    Flow("turn on", _CREATED, (turn_on,)),
    Flow("turn off", (*_ON, wait_an_hour, hold_a_lease), (complete_soon, turn_off)),
    Flow("drain", (*_ON, hold_a_lease), (complete_soon, drain)),
    Flow("expire", (*_CREATED, turn_on_shortly), (wait_for_expiry,)),
    Flow("idle", (*_ON, allow_auto_enable), (wait_until_idle,)),
    Flow("act", _ON, (act,)),
    Flow("park and answer", (*_CREATED, allow_auto_enable), (ask_while_off,)),
    Flow("turn on for a request", (*_CREATED, check_policies, allow_auto_enable), (ask_while_off,)),
    Flow("rotate", _AN_HOUR_LATER, (rotate,)),
    Flow("rotate while on", _ON, (rotate,)),
    Flow("rotate by itself", (*_CREATED, lose_the_directory_role), (rotate,)),
    Flow("rotate with two applications", (register_onboarding, *_CREATED), (rotate,)),
    Flow("redeem", (*_ON, hold_a_lease, revoke_everything), (redeem,)),
    Flow("turn on as administrator", (onboard, bring_an_administrator, wait_an_hour), (turn_on_as_admin,)),
    Flow(
        "turn on as administrator, or not",
        (onboard, bring_an_administrator, wait_an_hour),
        (try_to_turn_on_as_admin,),
    ),
    Flow("check policies", _CREATED, (check_policies,)),
    Flow("set allowed IPs", (*_CREATED, write_a_policy_that_blocks_later), (set_allowed_ips,)),
    Flow("remove allowed IPs", _RESTRICTED, (remove_allowed_ips,)),
    Flow("change allowed IPs", _RESTRICTED, (change_allowed_ips,)),
    Flow("find the account lost", (*_A_DAY_LATER, turn_on, lose_the_account), (look_daily,)),
    Flow("reconcile", (*_A_DAY_LATER, change_the_password), (look_daily,)),
    Flow("remove orphans", (*_RESTRICTED, wait_an_hour, wait_for_the_daily_look, leave_orphans), (look_daily,)),
    Flow(
        "make allowed IPs again",
        (*_RESTRICTED, wait_an_hour, wait_for_the_daily_look, delete_the_restriction),
        (look_daily,),
    ),
    Flow("forget", (*_ON, act, wait_an_hour, keep_a_message, remove, grow_old), (look_daily,)),
    Flow("remove with two applications", (register_onboarding, *_CREATED), (remove,)),
    Flow("remove", (*_RESTRICTED, turn_on, hold_a_lease), (complete_soon, remove)),
)
