"""The faults suite: no network, and a summary of how much was tried."""

from __future__ import annotations

import pytest

from tests.no_network import no_network

__all__ = ["no_network"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-step", action="store_true", help="break every flow in every way at every call")


class Tally:
    """How many calls there were to break, how often they were broken, and how often something was lost."""

    def __init__(self) -> None:
        self.steps: dict[str, int] = {}
        self.tried = 0
        self.lost = 0

    def add(self, flow: str, *, steps: int, tried: int, lost: int) -> None:
        """One flow met one kind of fault, at each of its calls that the fault concerns."""
        self.steps[flow] = steps
        self.tried += tried
        self.lost += lost


_TALLY = pytest.StashKey[Tally]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_TALLY] = Tally()


@pytest.fixture
def at_every_step(request: pytest.FixtureRequest) -> bool:
    """Whether the run is the long one."""
    return bool(request.config.getoption("--every-step", default=False))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """The whole run's."""
    return request.config.stash[_TALLY]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    tally = config.stash[_TALLY]
    if tally.tried:
        steps, flows = sum(tally.steps.values()), len(tally.steps)
        terminalreporter.section("faults")
        terminalreporter.line(
            f"{flows} flows, {steps} calls of the world; broken {tally.tried} times, "
            f"survived {tally.tried - tally.lost}, lost {tally.lost}"
        )
