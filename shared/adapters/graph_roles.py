"""Who holds which directory role in the whole tenant, users and service principals alike."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from shared.adapters.graph_calls import Request
from shared.adapters.graph_refusals import Need
from shared.adapters.graph_requests import GraphRequests
from shared.domain.ids import TenantId
from shared.domain.ports import RoleAssignment

ASSIGNMENTS: Final = "/v1.0/roleManagement/directory/roleAssignments"
TENANT_WIDE: Final = "/"


def role_assignments(
    graph: GraphRequests, tenant_id: TenantId, principal_id: UUID, need: Need
) -> tuple[RoleAssignment, ...]:
    """GET …/roleAssignments (https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments)."""
    query = {"$filter": f"principalId eq '{principal_id}'", "$select": "id,roleDefinitionId,directoryScopeId"}
    return tuple(
        RoleAssignment(str(entry["id"]), UUID(str(entry["roleDefinitionId"])))
        for entry in graph.pages(tenant_id, need, Request("GET", ASSIGNMENTS, query))
        if entry.get("directoryScopeId") == TENANT_WIDE
    )
