"""Suites that import `no_network` cannot reach anybody, not even on this machine."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest


class NetworkUsed(AssertionError):
    """A test that must not touch the network has tried to."""


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way a socket reaches somebody, or lets itself be reached, fails the test."""

    def refuse(*_: object) -> NoReturn:
        raise NetworkUsed("this suite runs without the network")

    for method in ("connect", "connect_ex", "bind", "listen", "sendto", "sendmsg"):
        monkeypatch.setattr(socket.socket, method, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
