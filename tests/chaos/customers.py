"""Customers of the simulated Microsoft 365, ready to be onboarded."""

from __future__ import annotations

from uuid import uuid4

from local.client import Client


def consented(client: Client, count: int) -> list[str]:
    """New tenants whose administrators have consented; their ids."""
    tenants = [str(uuid4()) for _ in range(count)]
    reply = client.control("POST", "/seed", {"tenants": [{"tenantId": each, "consented": True} for each in tenants]})
    if reply.status != 200:
        raise ValueError(f"the simulator takes no new tenants: {reply.status} {reply.body.decode()[:200]}")
    return tenants
