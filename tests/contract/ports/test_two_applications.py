"""Each of two applications can do its own work with its own permissions, and one can be switched off for itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.simulator.server import Simulator
from shared.domain.directory_roles import ONBOARDING, RUNTIME, Registration
from shared.domain.errors import Code, Problem, Refused
from tests.contract.ports.applications import MAKES_AND_REMOVES, ONBOARDS, RUNS_SESSIONS, Act, Pair, Scene, set_up

WORK = {
    **{f"runtime {name}": (RUNTIME, act) for name, act in RUNS_SESSIONS.items()},
    **{f"onboarding {name}": (ONBOARDING, act) for name, act in ONBOARDS.items()},
}
NEEDED = {
    RUNTIME.name: {
        "Organization.Read.All": "has_premium",
        "User.Read.All": "user",
        "RoleManagement.Read.Directory": "role_assignments",
        "User.RevokeSessions.All": "revoke_sign_ins",
        "Policy.Read.All": "policies",
        "Application.Read.All": "application_roles",
        "UserAuthenticationMethod.Read.All": "other_methods",
    },
    ONBOARDING.name: {
        "Organization.Read.All": "organization",
        "User.ReadWrite.All": "create_user",
        "RoleManagement.ReadWrite.Directory": "assign_role",
        "User-PasswordProfile.ReadWrite.All": "set_password",
        "User.DeleteRestore.All": "restore_user",
        "Policy.Read.All": "named_locations",
        "Policy.ReadWrite.ConditionalAccess": "create_location",
        "Application.Read.All": "create_policy",
    },
}
"""Of each permission one call that it is asked for."""

IN_PART: dict[str, str] = {
    "User-PasswordProfile.ReadWrite.All": "User.ReadWrite.All",
    "User.DeleteRestore.All": "User.ReadWrite.All",
}
"""What serves in another's place with users who hold no role (https://learn.microsoft.com/graph/api/user-delete)."""


def _disable(pair: Pair) -> None:
    pair.consent(ONBOARDING).enabled = False


def _throw_out(pair: Pair) -> None:
    pair.throw_out(ONBOARDING)


def _take_credential(pair: Pair) -> None:
    pair.registered(ONBOARDING).federated_subjects.clear()


SWITCHES: dict[str, Callable[[Pair], None]] = {
    "the tenant disables it": _disable,
    "the tenant takes its consent back": _throw_out,
    "we take its credential away": _take_credential,
}


@pytest.fixture
def pair(cloud: Simulator) -> Pair:
    return Pair(cloud)


@pytest.fixture
def scene(pair: Pair) -> Scene:
    return set_up(pair)


def refusal_of(act: Callable[[], object]) -> Problem:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.problem


@pytest.mark.parametrize(("asked", "act"), WORK.values(), ids=WORK)
def test_each_can_do_its_work_with_what_it_asks_for(scene: Scene, asked: Registration, act: Act) -> None:
    act(scene, scene.pair.speaking_as(asked))

    statuses = {call["status"] for call in scene.pair.simulator.journal.calls(service="graph")}
    assert statuses & {401, 403} == set()


@pytest.mark.parametrize(
    ("asked", "permission"),
    [(asked, permission) for asked in (RUNTIME, ONBOARDING) for permission in asked.permissions],
    ids=lambda each: each.name if isinstance(each, Registration) else each,
)
def test_each_needs_everything_it_asks_for_and_says_which_lacks_what(
    scene: Scene, asked: Registration, permission: str
) -> None:
    pair, acts = scene.pair, RUNS_SESSIONS if asked is RUNTIME else ONBOARDS
    for name in {permission, IN_PART.get(permission, permission)}:
        pair.take(asked, name)

    found = refusal_of(lambda: acts[NEEDED[asked.name][permission]](scene, pair.speaking_as(asked)))

    assert found.code is Code.PERMISSION_MISSING
    assert asked.name in found.message
    assert found.next_step is not None
    assert permission in found.next_step.text
    assert found.next_step.text.count(asked.name) == 1


@pytest.mark.parametrize("act", MAKES_AND_REMOVES.values(), ids=MAKES_AND_REMOVES)
def test_the_one_that_runs_sessions_changes_nothing_that_stays(scene: Scene, act: Act) -> None:
    found = refusal_of(lambda: act(scene, scene.pair.runtime))

    assert found.code is Code.PERMISSION_MISSING
    assert all(
        call["status"] == 403
        for call in scene.pair.simulator.journal.calls(service="graph")
        if call["method"] in ("POST", "PATCH", "DELETE")
    )


def test_nobody_signs_in_to_the_one_that_makes_accounts(scene: Scene) -> None:
    found = refusal_of(lambda: RUNS_SESSIONS["with_password"](scene, scene.pair.onboarding))

    assert found.code is Code.CONSENT_MISSING


@pytest.mark.parametrize("switch_off", SWITCHES.values(), ids=SWITCHES)
def test_the_one_that_makes_accounts_says_that_it_is_off_and_nothing_of_it_is_remembered(
    scene: Scene, switch_off: Callable[[Pair], None]
) -> None:
    pair = scene.pair
    switch_off(pair)

    asked = refusal_of(lambda: pair.onboarding.sign_in.permissions(pair.tenant_id))
    acting = refusal_of(lambda: ONBOARDS["create_user"](scene, pair.onboarding))

    assert asked == acting
    assert asked.code is Code.ONBOARDING_OFF
    assert asked.next_step is not None
    assert ONBOARDING.name in asked.message
    assert ONBOARDING.name in asked.next_step.text
    assert [cause.code in (Code.CONSENT_MISSING, Code.INTERNAL_ERROR) for cause in asked.details] == [True]


@pytest.mark.parametrize("switch_off", SWITCHES.values(), ids=SWITCHES)
@pytest.mark.parametrize("act", RUNS_SESSIONS)
def test_sessions_go_on_while_the_one_that_makes_accounts_is_off(
    scene: Scene, act: str, switch_off: Callable[[Pair], None]
) -> None:
    pair = scene.pair
    switch_off(pair)
    is_gone = switch_off is _throw_out

    if act == "application_roles" and is_gone:
        assert refusal_of(lambda: RUNS_SESSIONS[act](scene, pair.runtime)).code is Code.CONSENT_MISSING
    else:
        RUNS_SESSIONS[act](scene, pair.runtime)


def test_the_one_that_runs_sessions_is_told_apart_when_it_is_the_one_that_lacks_consent(scene: Scene) -> None:
    scene.pair.throw_out(RUNTIME)

    assert refusal_of(lambda: scene.pair.runtime.sign_in.permissions(scene.tenant_id)).code is Code.CONSENT_MISSING
    assert scene.pair.onboarding.sign_in.permissions(scene.tenant_id) == set(ONBOARDING.permissions)


def test_what_is_switched_on_again_works_at_once(scene: Scene) -> None:
    pair = scene.pair
    pair.consent(ONBOARDING).enabled = False
    refusal_of(lambda: pair.onboarding.sign_in.permissions(pair.tenant_id))
    pair.consent(ONBOARDING).enabled = True

    ONBOARDS["create_user"](scene, pair.onboarding)

    assert pair.onboarding.sign_in.permissions(pair.tenant_id) == set(ONBOARDING.permissions)


def test_both_together_ask_for_conditional_access_once_a_second(scene: Scene) -> None:
    pair = scene.pair
    pair.simulator.world.conditional_access_pacing = 1.0
    pair.simulator.clock.advance(1)
    pair.pauses.clear()

    for by in (pair.runtime, pair.onboarding, pair.runtime, pair.onboarding):
        by.policies.policies(pair.tenant_id)

    assert len(pair.pauses) == 3
    assert {call["status"] for call in pair.simulator.journal.calls(service="graph")} == {200}
