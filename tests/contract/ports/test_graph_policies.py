"""How often Graph's adapter asks for policies, and what it makes of refusals and of answers that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.server import Simulator
from shared.adapters.graph_calls import GraphCalls
from shared.adapters.graph_pace import Pace
from shared.adapters.graph_policies import GraphPolicies
from shared.domain.errors import Code, NotFound, Refused, Transient
from shared.domain.ids import TenantId
from shared.domain.policies import Applied, SignInConditions
from shared.domain.secret import AccessToken, Secret
from tests.contract.ports.policy_scenes import OTHERS, PACED, READS, WRITES, Act, Scene
from tests.contract.ports.policy_stages import GRAPH, OUR_IP, Drafted, SimulatedPolicyStage, what_if
from tests.contract.ports.scripted_server import ScriptedServer, answer_with, serving
from tests.fakes.clock import START, FakeClock


@pytest.fixture
def stage(cloud: Simulator) -> SimulatedPolicyStage:
    return SimulatedPolicyStage(cloud)


@pytest.fixture
def scene(stage: SimulatedPolicyStage) -> Scene:
    return Scene(stage)


# ── how often ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("act", "requests"), (OTHERS | PACED).values(), ids=OTHERS | PACED)
def test_each_question_takes_so_many_requests(scene: Scene, act: Act, requests: int) -> None:
    act(scene)

    assert len(scene.asked) == requests


def test_exclusion_that_is_there_already_is_not_written_again(scene: Scene) -> None:
    scene.policies.exclude_users(scene.tenant_id, scene.theirs, (scene.user_id,))
    scene.forget()

    scene.policies.exclude_users(scene.tenant_id, scene.theirs, (scene.user_id,))

    assert [call.partition(" ")[0] for call in scene.asked] == ["GET"]


def test_policies_are_read_to_the_last_page(scene: Scene) -> None:
    for number in range(150):
        scene.on.add_policy(Drafted(f"Policy {number}"))

    assert len(scene.policies.policies(scene.tenant_id)) == 152
    assert len(scene.asked) == 2


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("country", "applies"), [("NL", True), ("US", False)])
def test_country_that_is_known_settles_a_policy_about_countries(
    stage: SimulatedPolicyStage, country: str, applies: bool
) -> None:
    policy_id = stage.add_policy(Drafted(for_country="NL"))

    assert what_if(stage, country=country) == ([Applied(policy_id)] if applies else [])


def test_places_that_are_no_ranges_are_left_out(stage: SimulatedPolicyStage) -> None:
    stage.add_policy(Drafted(for_country="NL"))

    assert stage.policies.named_locations(stage.tenant_id) == ()


def test_only_the_permissions_that_are_missing_are_named(scene: Scene) -> None:
    scene.on.keep_permissions("Policy.Read.All")

    with pytest.raises(Refused) as refusal:
        WRITES["create_policy"][0](scene)

    problem = refusal.value.problem
    assert problem.code is Code.PERMISSION_MISSING
    assert problem.next_step
    assert "Policy.ReadWrite.ConditionalAccess and Application.Read.All" in problem.next_step.text
    assert "Policy.Read.All" not in problem.next_step.text


@pytest.mark.parametrize(
    ("error", "code"),
    [("AccessDenied", Code.LICENCE_MISSING), ("Authorization_RequestDenied", Code.PERMISSION_MISSING)],
)
def test_refusal_of_a_token_that_allows_everything_is_told_by_its_code(
    scene: Scene, cloud: Simulator, error: str, code: Code
) -> None:
    cloud.faults.add([Fault(FaultKind.STATUS, times=2, service="graph", status=403, error=error)])

    with pytest.raises(Refused) as refusal:
        READS["policies"][0](scene)

    assert refusal.value.problem.code is code


def test_code_of_a_missing_licence_means_a_missing_permission_where_one_is_missing(
    scene: Scene, cloud: Simulator
) -> None:
    scene.on.keep_permissions("Organization.Read.All")
    cloud.faults.add([Fault(FaultKind.STATUS, times=2, service="graph", status=403, error="AccessDenied")])

    with pytest.raises(Refused) as refusal:
        READS["policies"][0](scene)

    assert refusal.value.problem.code is Code.PERMISSION_MISSING


@pytest.mark.parametrize("name", ["create_policy", "set_policy"])
def test_policy_that_graph_refuses_for_no_reason_we_know_is_our_mistake(
    scene: Scene, cloud: Simulator, name: str
) -> None:
    refuse = Fault(FaultKind.STATUS, times=1, service="graph", status=400, error="BadRequest", message="1007: no.")
    cloud.faults.add([replace(refuse, method=method) for method in ("POST", "PATCH")])

    with pytest.raises(Refused) as refusal:
        WRITES[name][0](scene)

    assert refusal.value.problem.code is Code.INTERNAL_ERROR


def test_policy_that_goes_while_it_is_changed_is_gone(scene: Scene, cloud: Simulator) -> None:
    cloud.faults.add([Fault(FaultKind.STATUS, times=1, service="graph", method="PATCH", status=404, error="NotFound")])

    with pytest.raises(NotFound):
        WRITES["exclude_users"][0](scene)


def test_application_that_is_not_in_the_tenant_has_no_consent(scene: Scene) -> None:
    with pytest.raises(Refused) as refusal:
        scene.policies.application_roles(scene.tenant_id, uuid4())

    assert refusal.value.problem.code is Code.CONSENT_MISSING


# ── answers that are none ────────────────────────────────────────────────────────────────────────────────────────────

TENANT, USER = TenantId(UUID("d0000000-0000-4000-8000-00000000abcd")), uuid4()

NO_ANSWERS: dict[str, tuple[Callable[[GraphPolicies], object], object]] = {
    "has_premium": (lambda policies: policies.has_premium(TENANT), {}),
    "security_defaults": (lambda policies: policies.security_defaults(TENANT), {"isEnabled": None}),
    "per_user_mfa": (lambda policies: policies.per_user_mfa(TENANT, USER), {"perUserMfaState": "unknownFutureValue"}),
    "other_methods": (lambda policies: policies.other_methods(TENANT, USER), {}),
    "policies": (lambda policies: policies.policies(TENANT), {"value": None}),
    "what_if": (lambda policies: policies.what_if(TENANT, SignInConditions(USER, GRAPH, OUR_IP, None)), {}),
    "named_locations": (lambda policies: policies.named_locations(TENANT), {}),
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as running:
        yield running


@pytest.mark.parametrize(("ask", "answer"), NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_answer_that_says_nothing_never_means_that_all_is_well(
    server: ScriptedServer, ask: Callable[[GraphPolicies], object], answer: object
) -> None:
    clock = FakeClock()
    token = AccessToken(Secret("only-for-tests-token"), START)
    calls = GraphCalls(server.url, pause=clock.pause)
    policies = GraphPolicies(calls, lambda tenant_id, *, fresh=False: token, Pace(clock, clock.pause))
    server.answers = [answer_with(answer)]

    with pytest.raises(Transient):
        ask(policies)
