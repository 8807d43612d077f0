"""What executors get tokens for, and the scope each is asked by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Resource(StrEnum):
    """A workload we lend tokens for. Azure Resource Manager is not one: users must do MFA there, always."""

    GRAPH = "graph"
    EXCHANGE = "exchange"
    SHAREPOINT = "sharePoint"
    TEAMS = "teams"
    COMPLIANCE = "compliance"


ALL_RESOURCES = tuple(Resource)

APPLICATION_IDS: Mapping[Resource, str] = {
    Resource.GRAPH: "00000003-0000-0000-c000-000000000000",
    Resource.EXCHANGE: "00000002-0000-0ff1-ce00-000000000000",
    Resource.SHAREPOINT: "00000003-0000-0ff1-ce00-000000000000",
    Resource.TEAMS: "48ac35b8-9aa8-4d74-927d-1f4a14a0b239",
}
"""The resources as conditional access knows them. Compliance is reached through Exchange's application.

https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
"""


@dataclass(frozen=True, slots=True)
class Audiences:
    """Where each resource lives in this cloud; `{name}` stands for the tenant's name before `.onmicrosoft.com`.

    The defaults are the worldwide cloud's
    (https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2,
    https://learn.microsoft.com/microsoftteams/teams-powershell-application-authentication).
    """

    resource: Mapping[Resource, str] = field(
        default_factory=lambda: {
            Resource.GRAPH: "https://graph.microsoft.com",
            Resource.EXCHANGE: "https://outlook.office365.com",
            Resource.SHAREPOINT: "https://{name}-admin.sharepoint.com",
            Resource.TEAMS: "48ac35b8-9aa8-4d74-927d-1f4a14a0b239",
            Resource.COMPLIANCE: "https://ps.compliance.protection.outlook.com",
        }
    )

    def scope(self, resource: Resource, initial_domain: str) -> str:
        """The OAuth scope that asks for everything consented on `resource` in the tenant of `initial_domain`."""
        return self.resource[resource].format(name=initial_domain.partition(".")[0]) + "/.default"
