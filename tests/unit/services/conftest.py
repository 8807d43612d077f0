"""Where the stories of the services begin: a tenant just known, one with an account, one whose session is on."""

from __future__ import annotations

import pytest

from shared.domain.session import SessionState
from shared.domain.tenant import AccountState
from tests.host import Host
from tests.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """A tenant nobody has onboarded."""
    return Stage()


@pytest.fixture
def host(stage: Stage) -> Host:
    """What delivers the stage's messages."""
    return Host(stage)


@pytest.fixture
def onboarded(stage: Stage, host: Host) -> Stage:
    """The stage with its tenant onboarded."""
    stage.onboard()
    host.settle()
    return stage


@pytest.fixture
def created(onboarded: Stage, host: Host) -> Stage:
    """The stage with a service account."""
    onboarded.create_account()
    host.settle()
    assert onboarded.tenant.account.state is AccountState.CREATED
    return onboarded


@pytest.fixture
def on(created: Stage, host: Host) -> Stage:
    """The stage with its session on."""
    created.turn_on()
    host.settle()
    assert created.tenant.session.state is SessionState.ON
    return created
