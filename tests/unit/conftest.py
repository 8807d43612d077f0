"""The unit suite: no network."""

from __future__ import annotations

from tests.no_network import no_network

__all__ = ["no_network"]
