"""One stack for all tests, each with a tenant of its own; and beside it another on which the whole story is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.client import Client
from local.stack import Stack
from tests.e2e.telling import Telling


@pytest.fixture(scope="package")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telling]:
    """The story, being told while the other tests run: it mostly waits for Microsoft's request rates."""
    with Telling(tmp_path_factory.mktemp("story")) as telling:
        yield telling


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, telling: Telling) -> Iterator[Stack]:
    """The stack of the other tests, which begin when the telling has begun."""
    with Stack(directory=tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture(scope="package")
def client(stack: Stack) -> Client:
    """HTTP to that stack."""
    return Client(stack.addresses)


@pytest.fixture(autouse=True)
def ordinary_world(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test leaves a fault or a delay behind for the next one."""
    yield
    if "client" in request.fixturenames:
        client = request.getfixturevalue("client")
        client.control("DELETE", "/faults")
        client.control("PATCH", "/world", {"replicationSeconds": 0})
