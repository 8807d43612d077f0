"""A fresh tenant for every test of Graph."""

from __future__ import annotations

import pytest

from tests.simulator.graph.directory import Directory


@pytest.fixture
def directory() -> Directory:
    """Contoso: Entra ID P2, one managed domain, the application consented, no users."""
    return Directory()
