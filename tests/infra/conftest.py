"""The two environments, worked out once."""

from __future__ import annotations

import pytest

from tests.infra.bicep_template import Deployment
from tests.infra.environments import worked_out


@pytest.fixture(scope="session")
def dev() -> Deployment:
    return worked_out("dev")


@pytest.fixture(scope="session")
def prod() -> Deployment:
    return worked_out("prod")
