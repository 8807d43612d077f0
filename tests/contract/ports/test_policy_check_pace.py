"""A whole policy check over the real adapters: what it asks, and how long Microsoft's rate makes it wait."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from local.simulator.server import Simulator
from shared.domain.actors import Actor, ActorKind
from shared.domain.directory_roles import RoleProfile
from shared.domain.ids import OperationId
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import Check, PolicyCheck
from shared.domain.tenant import AccountState, ServiceAccount, new_tenant
from shared.services.check_policies import CheckPolicies
from shared.services.world import World
from tests.contract.ports.policy_stages import Drafted, SimulatedPolicyStage
from tests.stage import Stage

EGRESS = ("203.0.113.10/32", "203.0.113.77/32")
BUDGET = timedelta(seconds=10)


@pytest.fixture
def scene(cloud: Simulator) -> SimulatedPolicyStage:
    """A tenant with a policy, so that there is something to evaluate."""
    stage = SimulatedPolicyStage(cloud)
    stage.add_policy(Drafted(resource=str(uuid4())))
    stage.pauses.clear()
    cloud.journal.clear()
    return stage


def checked(scene: SimulatedPolicyStage, world: World) -> PolicyCheck:
    """A check of the scene's tenant, without a sign-in, in one pass."""
    now = world.clock.now()
    account = ServiceAccount(AccountState.CREATED, object_id=scene.user_id, next_rotation_at=now + timedelta(days=1))
    tenant = new_tenant(scene.tenant_id, "Tailspin Toys", now, profile=RoleProfile.LEAST_PRIVILEGE)
    operation = Operation(
        OperationId(uuid4()),
        scene.tenant_id,
        OperationKind.CHECK_POLICIES,
        Actor(ActorKind.USER),
        "only-for-tests",
        now,
        now + timedelta(minutes=15),
        (),
    )
    return CheckPolicies(world).run(replace(tenant, account=account), operation, with_sign_in=False)


def test_four_resources_from_two_addresses_are_evaluated_within_ten_seconds_of_waiting(
    scene: SimulatedPolicyStage, cloud: Simulator
) -> None:
    world = replace(
        Stage().world,
        directory=scene.directory,
        sign_in=scene.sign_in,
        policies=scene.policies,
        application_id=scene.application_id,
        egress_ips=EGRESS,
        egress_country="NL",
    )

    check = checked(scene, world)

    calls = Counter(call["path"].rpartition("/")[2] for call in cloud.journal.calls(service="graph"))
    assert len(check.findings) == len(Check)
    assert calls.pop("evaluate") == 4 * 2 + 1
    assert calls.total() <= 12
    assert sum(scene.pauses, timedelta()) <= BUDGET
    assert {call["status"] for call in cloud.journal.calls(service="graph")} == {200}
