"""Connections share what they trust, and nothing a caller says makes them trust more."""

from __future__ import annotations

import pytest
import requests

from local.simulator.server import Simulator
from shared.adapters import tls


@pytest.fixture
def clock(simulator: Simulator) -> str:
    """An address of the simulator, whose certificate only its own authority vouches for."""
    return f"{simulator.url}/_simulator/clock"


def test_server_that_nobody_vouches_for_is_not_talked_to(clock: str) -> None:
    with tls.session() as session, pytest.raises(requests.exceptions.SSLError):
        session.get(clock)


@pytest.mark.parametrize("verify", [False, "bundle"])
def test_neither_is_one_that_the_caller_wants_to_trust(clock: str, simulator: Simulator, verify: object) -> None:
    trusted = str(simulator.ca_bundle) if verify else False

    with tls.session() as session, pytest.raises(requests.exceptions.SSLError):
        session.get(clock, verify=trusted)


def test_server_that_the_machine_trusts_is_talked_to(
    clock: str, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(simulator.ca_bundle))

    with tls.session() as session:
        assert session.get(clock).status_code == 200


def test_whom_to_trust_is_read_once_and_again_when_the_machine_is_told_otherwise(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tls.context()

    assert tls.context() is before

    monkeypatch.setenv("SSL_CERT_FILE", str(simulator.ca_bundle))
    assert tls.context() is not before
    assert tls.context() is tls.context()
