"""Every call Graph answers here; PARITY.md says how true each answer is."""

from __future__ import annotations

from local.simulator.calls import GraphRoute
from local.simulator.graph import (
    authentication,
    deleted_items,
    evaluate,
    named_locations,
    organization,
    policies,
    roles,
    security_defaults,
    service_principals,
    users,
)

ROUTES: tuple[GraphRoute, ...] = (
    *organization.ROUTES,
    *users.ROUTES,
    *authentication.ROUTES,
    *deleted_items.ROUTES,
    *roles.ROUTES,
    *service_principals.ROUTES,
    *named_locations.ROUTES,
    *policies.ROUTES,
    *evaluate.ROUTES,
    *security_defaults.ROUTES,
)
