"""The app loaded once for the suite, and for each test a world of its own behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.addresses import PROJECT
from local.host import FunctionHost
from local.stack import app_settings
from tests.doors.service import Service


@pytest.fixture(scope="package")
def host() -> Iterator[FunctionHost]:
    """The app under Microsoft's runtime; nothing in its settings is there, for nothing may be asked for."""
    with FunctionHost(PROJECT, app_settings("https://127.0.0.1", "https://127.0.0.1", "", "")) as running:
        yield running


@pytest.fixture
def service(host: FunctionHost, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The doors over an empty world."""
    return Service(host, monkeypatch)


@pytest.fixture
def open_service(service: Service) -> Service:
    """The doors over two tenants whose sessions are on."""
    service.open_sessions()
    return service


@pytest.fixture(scope="module")
def shared(host: FunctionHost) -> Iterator[Service]:
    """One such service for all tests of a file, which may find what others have left."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        service = Service(host, monkeypatch)
        service.open_sessions()
        yield service


@pytest.fixture
def unchanged(shared: Service) -> Iterator[Service]:
    """The same, for tests after which all is to be as it was, but for what the trail says of refused requests."""
    before = shared.kept(), len(shared.messages.sent)
    yield shared
    assert (shared.kept(), len(shared.messages.sent)) == before
    shared.forget_refusals()
