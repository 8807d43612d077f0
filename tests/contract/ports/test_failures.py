"""What the adapters make of a world that refuses, throttles, breaks down or does not answer."""

from __future__ import annotations

import logging
import re
import socket
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.server import Simulator
from shared.adapters.key_vault import KeyVaultSecrets
from shared.adapters.managed_identity import ManagedIdentity
from shared.domain.errors import Code, ManagementSessionError, Refused, ReplyLost, Transient
from tests.contract.ports.scenes import CREATE, EVERYTHING, READS, SIGN_INS, VAULT, WRITES, Act, Scene, set_up
from tests.contract.ports.stages import SimulatedStage, asked_of

ALWAYS = 100

FAILURES = {
    "bad request": Fault(FaultKind.STATUS, times=ALWAYS, status=400, error="BadRequest"),
    "unauthorized": Fault(FaultKind.STATUS, times=ALWAYS, status=401, error="InvalidAuthenticationToken"),
    "forbidden": Fault(FaultKind.STATUS, times=ALWAYS, status=403, error="Authorization_RequestDenied"),
    "not found": Fault(FaultKind.STATUS, times=ALWAYS, status=404, error="Request_ResourceNotFound"),
    "conflict": Fault(FaultKind.STATUS, times=ALWAYS, status=409, error="Conflict"),
    "throttled": Fault(FaultKind.THROTTLED, times=ALWAYS),
    "throttled for long": Fault(FaultKind.THROTTLED, times=ALWAYS, retry_after=3600),
    "server error": Fault(FaultKind.STATUS, times=ALWAYS, status=500, error="InternalServerError"),
    "unavailable": Fault(FaultKind.UNAVAILABLE, times=ALWAYS),
    "reply lost": Fault(FaultKind.REPLY_LOST, times=ALWAYS),
    "sign-in refused": Fault(FaultKind.AADSTS, times=ALWAYS, code=50076),
    "no failure": Fault(),
}

JWT = re.compile(r"eyJ[\w-]+\.eyJ")


@pytest.fixture
def scene(simulated: SimulatedStage, key_vault: KeyVaultSecrets) -> Scene:
    return set_up(simulated, key_vault)


@pytest.fixture
def every_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that anybody logs at DEBUG, the libraries too."""
    noisy = [logging.getLogger(name) for name in ("azure", "msal", "urllib3", "requests")]
    before = [logger.level for logger in noisy]
    for logger in noisy:
        logger.setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        yield caplog
    for logger, level in zip(noisy, before, strict=True):
        logger.setLevel(level)


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_no_failure_shows_a_secret_or_another_library_s_exception(
    scene: Scene, cloud: Simulator, every_log: pytest.LogCaptureFixture, failure: Fault
) -> None:
    for name, act in EVERYTHING.items():
        cloud.faults.add([failure])
        shown = ""

        try:
            act(scene)
        except ManagementSessionError as error:
            shown = "".join(traceback.format_exception(error)) + repr(error) + repr(error.problem)
            seen = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            assert seen is None, f"{name}: whoever prints the chain would print the request"

        for text in (shown, every_log.text):
            assert not JWT.search(text), name
            assert not [secret for secret in scene.secrets if secret in text], name
        cloud.faults.clear()
        every_log.clear()


@pytest.mark.parametrize("act", (READS | WRITES | CREATE).values(), ids=READS | WRITES | CREATE)
def test_graph_s_short_wait_is_waited_for_here(scene: Scene, cloud: Simulator, act: Act) -> None:
    cloud.faults.add([Fault(FaultKind.THROTTLED, times=2, service="graph", retry_after=3)])

    act(scene)

    assert scene.stage.pauses == [timedelta(seconds=3)] * 2


@pytest.mark.parametrize("act", (READS | WRITES | CREATE | SIGN_INS).values(), ids=READS | WRITES | CREATE | SIGN_INS)
def test_long_wait_is_left_to_the_queue(scene: Scene, cloud: Simulator, act: Act) -> None:
    cloud.faults.add([Fault(FaultKind.THROTTLED, times=1, retry_after=600)])

    with pytest.raises(Transient) as busy:
        act(scene)

    assert busy.value.retry_after == timedelta(minutes=10)
    assert scene.stage.pauses == []


@pytest.mark.parametrize("kind", [FaultKind.REPLY_LOST, FaultKind.UNAVAILABLE])
@pytest.mark.parametrize("act", READS.values(), ids=READS)
def test_read_that_fails_is_read_again(scene: Scene, cloud: Simulator, act: Act, kind: FaultKind) -> None:
    expected = act(scene)
    cloud.faults.add([Fault(kind, times=2, service="graph", status=500)])

    assert act(scene) == expected


@pytest.mark.parametrize(
    "fault",
    [Fault(FaultKind.REPLY_LOST, times=1, service="graph"), Fault(FaultKind.STATUS, 1, service="graph", status=502)],
    ids=["reply lost", "bad gateway"],
)
@pytest.mark.parametrize("act", (WRITES | CREATE).values(), ids=WRITES | CREATE)
def test_write_whose_effect_is_unknown_is_not_done_twice(
    scene: Scene, cloud: Simulator, act: Act, fault: Fault
) -> None:
    cloud.faults.add([fault])
    cloud.journal.clear()

    with pytest.raises(ReplyLost):
        act(scene)

    assert len([call for call in asked_of(cloud, "graph") if not call.startswith("GET")]) == 1


@pytest.mark.parametrize("act", VAULT.values(), ids=VAULT)
def test_vault_that_turns_us_away_is_tried_again_later(scene: Scene, cloud: Simulator, act: Act) -> None:
    cloud.faults.add([Fault(FaultKind.STATUS, times=ALWAYS, service="keyVault", status=403, error="Forbidden")])

    with pytest.raises(Transient) as refusal:
        act(scene)

    assert refusal.value.problem.code is Code.SERVICE_UNAVAILABLE


def test_secret_whose_keeping_nobody_confirmed_may_be_there(scene: Scene, cloud: Simulator) -> None:
    cloud.faults.add([Fault(FaultKind.REPLY_LOST, times=1, service="keyVault", method="PUT")])

    with pytest.raises(ReplyLost):
        VAULT["put"](scene)


def test_request_graph_does_not_understand_is_our_mistake(scene: Scene, cloud: Simulator) -> None:
    cloud.faults.add([Fault(FaultKind.STATUS, 1, service="graph", status=400, error="Request_BadRequest")])

    with pytest.raises(Refused) as refusal:
        CREATE["create_user"](scene)

    assert refusal.value.problem.code is Code.INTERNAL_ERROR
    assert "Request_BadRequest" in refusal.value.problem.message


def test_token_that_graph_no_longer_takes_is_replaced_once(scene: Scene, cloud: Simulator) -> None:
    unauthorized = Fault(FaultKind.STATUS, times=1, service="graph", status=401, error="InvalidAuthenticationToken")
    cloud.faults.add([unauthorized])
    assert READS["organization"](scene)

    cloud.faults.add([replace(unauthorized, times=2)])
    with pytest.raises(Refused) as refusal:
        READS["organization"](scene)

    assert refusal.value.problem.code is Code.CONSENT_MISSING


def test_role_that_graph_will_not_give_for_now_is_named(scene: Scene, cloud: Simulator) -> None:
    cloud.faults.add([Fault(FaultKind.STATUS, times=1, service="graph", method="POST", status=400)])

    with pytest.raises(Transient) as refusal:
        WRITES["assign_role"](scene)

    assert refusal.value.problem.code is Code.ROLE_MISSING
    assert "Teams Administrator" in refusal.value.problem.message


@pytest.mark.parametrize("name", ["retire", "delete"])
def test_secret_that_is_being_recovered_is_touched_later(scene: Scene, cloud: Simulator, name: str) -> None:
    cloud.faults.add([Fault(FaultKind.STATUS, times=1, service="keyVault", status=409, error="Conflict")])

    with pytest.raises(Transient) as unsettled:
        VAULT[name](scene)

    assert unsettled.value.retry_after


def test_cloud_that_cannot_be_reached_was_told_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, identity: ManagedIdentity
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"https://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(scene.stage.calls, "endpoint", nowhere)
    monkeypatch.setattr(scene.stage.sign_in, "_authority_host", nowhere)
    vault = KeyVaultSecrets(nowhere, lambda: identity.credential, pause=lambda _: None)

    for act in EVERYTHING.values():
        with pytest.raises(Transient) as away:
            act(replace(scene, vault=vault))

        assert not isinstance(away.value, ReplyLost)
