"""How fast Graph's adapter asks for conditional access, and what it does when it was too fast or not answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.server import Simulator
from shared.domain.errors import ReplyLost, Transient
from tests.contract.ports.policy_scenes import OTHERS, PACED, READS, WRITES, Act, Scene
from tests.contract.ports.policy_stages import PACE, SimulatedPolicyStage

THROTTLED = Fault(FaultKind.THROTTLED, times=1, service="graph")


@pytest.fixture
def scene(cloud: Simulator) -> Scene:
    return Scene(SimulatedPolicyStage(cloud))


def test_conditional_access_is_asked_at_once_and_then_once_a_second(scene: Scene, cloud: Simulator) -> None:
    for act, _ in READS.values():
        act(scene)

    assert len(scene.on.pauses) == len(READS) - 1
    assert all(timedelta() < pause <= PACE for pause in scene.on.pauses)
    assert [call["status"] for call in cloud.journal.calls(service="graph")] == [200] * len(READS)


def test_reading_and_writing_an_exclusion_are_a_second_apart(scene: Scene) -> None:
    WRITES["exclude_users"][0](scene)

    assert len(scene.on.pauses) == 1


def test_what_is_not_conditional_access_waits_for_nothing(scene: Scene) -> None:
    for act, _ in OTHERS.values():
        act(scene)

    assert scene.on.pauses == []


@pytest.mark.parametrize(("act", "requests"), PACED.values(), ids=PACED)
def test_429_that_does_not_say_when_is_waited_out_once(scene: Scene, cloud: Simulator, act: Act, requests: int) -> None:
    cloud.faults.add([THROTTLED])

    act(scene)

    assert scene.on.pauses[0] == timedelta(seconds=2)
    assert len(scene.asked) == requests + 1


@pytest.mark.parametrize(("act", "_"), PACED.values(), ids=PACED)
def test_tenant_that_stays_busy_is_left_to_the_queue(scene: Scene, cloud: Simulator, act: Act, _: int) -> None:
    cloud.faults.add([replace(THROTTLED, times=100)])

    with pytest.raises(Transient) as busy:
        act(scene)

    assert not isinstance(busy.value, ReplyLost)
    assert busy.value.retry_after == timedelta(seconds=2)
    assert len(scene.asked) == 2


@pytest.mark.parametrize(("act", "_"), PACED.values(), ids=PACED)
def test_429_that_says_when_is_obeyed(scene: Scene, cloud: Simulator, act: Act, _: int) -> None:
    cloud.faults.add([replace(THROTTLED, retry_after=7)])
    act(scene)
    assert scene.on.pauses[0] == timedelta(seconds=7)

    scene.forget()
    cloud.faults.add([replace(THROTTLED, retry_after=600)])
    with pytest.raises(Transient) as busy:
        READS["policies"][0](scene)
    assert busy.value.retry_after == timedelta(minutes=10)
    assert scene.on.pauses == []


# ── lost replies ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("act", "requests"), (OTHERS | READS).values(), ids=OTHERS | READS)
def test_question_whose_answer_is_lost_is_asked_again(scene: Scene, cloud: Simulator, act: Act, requests: int) -> None:
    expected = act(scene)
    scene.forget()
    cloud.faults.add([Fault(FaultKind.REPLY_LOST, times=1, service="graph")])

    assert act(scene) == expected
    assert len(scene.asked) == requests + 1


@pytest.mark.parametrize(("act", "_"), WRITES.values(), ids=WRITES)
@pytest.mark.parametrize(
    "fault",
    [Fault(FaultKind.REPLY_LOST, times=1), Fault(FaultKind.STATUS, times=1, status=502)],
    ids=["reply lost", "bad gateway"],
)
def test_write_whose_effect_is_unknown_is_not_done_twice(
    scene: Scene, cloud: Simulator, fault: Fault, act: Act, _: int
) -> None:
    cloud.faults.add([replace(fault, service="graph", method=method) for method in ("POST", "PATCH", "DELETE")])

    with pytest.raises(ReplyLost):
        act(scene)

    assert len([call for call in scene.asked if not call.startswith("GET")]) == 1


def test_what_was_made_and_never_confirmed_is_found_by_its_name(scene: Scene, cloud: Simulator) -> None:
    cloud.faults.add([Fault(FaultKind.REPLY_LOST, times=1, service="graph", method="POST")])
    with pytest.raises(ReplyLost):
        scene.policies.create_location(scene.tenant_id, "Lost", ("192.0.2.0/24",))

    found = {location.display_name for location in scene.policies.named_locations(scene.tenant_id)}

    assert found == {"Egress", "Lost"}
