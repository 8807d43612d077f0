"""The host under test, on an app of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest

from local.host import FunctionHost

APP = Path(__file__).parent / "app"


@pytest.fixture
def settings(azurite: str) -> dict[str, str]:
    """App settings with a queue of the test's own."""
    return {
        "WORK_QUEUE": f"work-{uuid4()}",
        "SessionStorage": azurite,
        "TICK_SCHEDULE": "* * * * * *",
        "PYTHON_THREADPOOL_THREAD_COUNT": "8",
    }


@pytest.fixture
def host(settings: dict[str, str]) -> Iterator[FunctionHost]:
    """A host that has loaded the app and opened no trigger yet."""
    with FunctionHost(APP, settings) as running:
        yield running


@pytest.fixture
def app(host: FunctionHost) -> ModuleType:
    """The app's module as the host has loaded it, to look at what its functions were given."""
    return sys.modules["function_app"]
