"""That this suite uses no network is not a matter of good will."""

from __future__ import annotations

import socket
import urllib.request

import pytest

from tests.no_network import NetworkUsed


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "graph.microsoft.com"])
def test_nobody_is_reached_by_a_socket(host: str) -> None:
    with pytest.raises(NetworkUsed):
        socket.create_connection((host, 443), timeout=1)


def test_nobody_is_reached_by_http() -> None:
    with pytest.raises(NetworkUsed):
        urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)


def test_nobody_can_reach_us() -> None:
    with socket.socket() as listener, pytest.raises(NetworkUsed):
        listener.bind(("127.0.0.1", 0))
