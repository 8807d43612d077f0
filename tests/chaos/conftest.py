"""Killed processes, fuzzing and crowds, against the real stack: `make faults`, and `QUICK=1` for a short run."""

from __future__ import annotations

from typing import Final

import pytest

from tests.chaos.tally import Tally

_TALLY: Final = pytest.StashKey[Tally]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """A short run, and another sequence of moments."""
    parser.addoption("--quick", action="store_true", help="a short run: fewer kills, fewer requests, some of the steps")
    parser.addoption("--seed", type=int, default=20260401, help="chooses the moments of the kills and what is fuzzed")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[_TALLY] = Tally()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was counted."""
    terminalreporter.section("chaos")
    for line in config.stash[_TALLY].lines():
        terminalreporter.line(line)


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Where tests count what they do."""
    return request.config.stash[_TALLY]


@pytest.fixture(scope="session")
def is_quick(request: pytest.FixtureRequest) -> bool:
    """Whether there is a minute and a half, or a quarter of an hour."""
    return bool(request.config.getoption("--quick"))


@pytest.fixture(scope="session")
def seed(request: pytest.FixtureRequest) -> int:
    """What everything random follows from."""
    return int(request.config.getoption("--seed"))
