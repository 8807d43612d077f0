"""Whatever is asked of Graph, nothing is written about applications, service principals or what they may do."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final
from uuid import UUID

import pytest

from local.simulator.server import Simulator
from shared.domain import policies, ports
from shared.domain.activity import Event
from shared.domain.directory_roles import ONBOARDING, RUNTIME, Registration
from shared.domain.store import Replace
from shared.domain.tenant import AccountState
from tests.contract.ports.applications import ONBOARDS, RUNS_SESSIONS, Act, Pair, set_up
from tests.host import Host
from tests.stage import Stage

WRITES: Final = ("POST", "PATCH", "PUT", "DELETE")
OF_USERS_AND_POLICIES: Final = re.compile(
    r"/v1\.0/("
    r"me/changePassword"
    r"|users(/[^/]+(/revokeSignInSessions)?)?"
    r"|directory/deletedItems/[^/]+/restore"
    r"|roleManagement/directory/roleAssignments(/[^/]+)?"
    r"|identity/conditionalAccess/(evaluate|(policies|namedLocations)(/[^/]+)?)"
    r")"
)
"""All that is ever written to."""

WORK: Final = {
    **{f"runtime {name}": (RUNTIME, act) for name, act in RUNS_SESSIONS.items()},
    **{f"onboarding {name}": (ONBOARDING, act) for name, act in ONBOARDS.items()},
}


@pytest.fixture
def pair(cloud: Simulator) -> Pair:
    return Pair(cloud)


@pytest.fixture
def stage(pair: Pair) -> Stage:
    """The whole service over both applications, in the tenant as it is in the simulator."""
    stage, runtime = Stage(), pair.runtime
    stage.tenant_id = pair.tenant_id
    stage.world = replace(
        stage.world,
        application_id=runtime.application_id,
        directory=runtime.directory,
        sign_in=runtime.sign_in,
        policies=runtime.policies,
        onboarding=pair.onboarding,
    )
    stage.restart()
    return stage


def written_elsewhere(pair: Pair) -> list[str]:
    """The paths of Graph that were written to and are not about users, their roles or policies."""
    calls = [call for call in pair.simulator.journal.calls(service="graph") if call["method"] in WRITES]
    return [call["path"] for call in calls if not OF_USERS_AND_POLICIES.fullmatch(call["path"])]


def our_own(pair: Pair) -> list[str]:
    """What there is of our applications, at home and in the tenant, and who holds which role but for users."""
    tenant, world = pair.simulator.world.tenants[str(pair.tenant_id)], pair.simulator.world
    held_by_others = [each for each in tenant.role_assignments.values() if each["principalId"] not in tenant.users]
    return [repr(world.applications), repr(tenant.consents), repr(held_by_others)]


def test_everything_that_is_asked_of_graph_is_tried_here() -> None:
    methods = {
        name
        for port in (ports.Directory, ports.SignIn, policies.TenantPolicies)
        for name, member in vars(port).items()
        if callable(member) and not name.startswith("_")
    }

    assert {name.partition(" ")[2] for name in WORK} == methods - {"permissions"}


@pytest.mark.parametrize(("asked", "act"), WORK.values(), ids=WORK)
def test_nothing_is_written_about_our_own_principals(pair: Pair, asked: Registration, act: Act) -> None:
    scene = set_up(pair)
    before = our_own(pair)

    act(scene, pair.speaking_as(asked))

    assert written_elsewhere(pair) == []
    assert our_own(pair) == before


def test_a_whole_life_leaves_our_own_principals_as_they_were(pair: Pair, stage: Stage) -> None:
    host, before = Host(stage), our_own(pair)

    for act in (
        stage.onboard,
        stage.create_account,
        stage.set_allowed_ips,
        stage.turn_on,
        stage.rotate,
        stage.turn_off,
        stage.remove_account,
    ):
        act()
        host.settle()

    assert stage.tenant.account.state is AccountState.NONE
    assert Event.PASSWORD_ROTATED in stage.events
    assert our_own(pair) == before
    assert written_elsewhere(pair) == []


def test_a_forged_record_takes_no_role_from_our_own_principal(pair: Pair, stage: Stage) -> None:
    host, before = Host(stage), our_own(pair)
    stage.onboard()
    stage.create_account()
    host.settle()
    principal_id = UUID(pair.consent(ONBOARDING).service_principal_id)
    stored = stage.records.tenant(stage.tenant_id)
    forged = replace(stored.row, account=replace(stored.row.account, object_id=principal_id))
    stage.records.commit(stage.tenant_id, [Replace(forged, stored.etag)])

    stage.remove_account()
    host.settle()

    assert our_own(pair) == before
    assert stage.world.directory.role_assignments(stage.tenant_id, principal_id)
