"""The simulated Entra's tokens for callers pass the same door as the real one's."""

from __future__ import annotations

import pytest

from functions.callers import Reason, TokenVerifier
from local.simulator.entra.caller_tokens import caller_token
from local.simulator.seed import API_AUDIENCE, CALLERS, HOME
from local.simulator.server import Simulator
from shared.adapters.clock import SystemClock
from shared.adapters.signing_keys import JwksSigningKeys
from shared.domain.actors import Right
from tests.doors.tokens import OTHER_TENANT, reason_of


@pytest.fixture
def verifier(cloud: Simulator) -> TokenVerifier:
    """The door as production builds it, pointed at the simulator."""
    issuer, clock = f"{cloud.url}/{HOME}/v2.0", SystemClock()
    return TokenVerifier(issuer=issuer, audience=API_AUDIENCE, keys=JwksSigningKeys(issuer, clock), clock=clock)


def token_of(simulator: Simulator, name: str, *, tenant_id: str = HOME, lifetime: float = 3600) -> str:
    token, _ = caller_token(simulator.world, CALLERS[name], tenant_id=tenant_id, lifetime=lifetime, overrides={})
    return f"Bearer {token}"


@pytest.mark.parametrize(
    ("name", "everywhere", "where_granted"),
    [
        ("reader", {Right.READER}, ()),
        ("operator", {Right.OPERATOR}, ()),
        ("administrator", {Right.ADMINISTRATOR}, ()),
        ("executor", {Right.EXECUTOR}, ()),
        ("limited-reader", (), {Right.READER}),
        ("limited-operator", (), {Right.OPERATOR}),
        ("limited-administrator", (), {Right.ADMINISTRATOR}),
        ("limited-executor", (), {Right.EXECUTOR}),
        ("stranger", (), ()),
    ],
)
def test_a_seeded_caller_has_the_rights_of_its_name(
    cloud: Simulator, verifier: TokenVerifier, name: str, everywhere: set[Right], where_granted: set[Right]
) -> None:
    caller = verifier.verify(token_of(cloud, name))

    assert str(caller.object_id) == CALLERS[name].object_id
    assert (caller.everywhere, caller.where_granted) == (frozenset(everywhere), frozenset(where_granted))


def test_an_expired_token_and_one_of_another_tenant_are_refused(cloud: Simulator, verifier: TokenVerifier) -> None:
    expired = token_of(cloud, "operator", lifetime=-120)
    foreign = token_of(cloud, "operator", tenant_id=OTHER_TENANT)

    assert reason_of(expired, verifier) is Reason.EXPIRED
    assert reason_of(foreign, verifier) is Reason.FOREIGN
