"""Which Entra roles the service account gets, by profile, and which permissions our applications ask tenants for.

Role template ids: https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DirectoryRole:
    """A built-in Entra role; `template_id` is also its roleDefinitionId."""

    template_id: UUID
    name: str


GLOBAL_ADMINISTRATOR: Final = DirectoryRole(UUID("62e90394-69f5-4237-9190-012177145e10"), "Global Administrator")
GLOBAL_READER: Final = DirectoryRole(UUID("f2ef992c-3afb-46b9-b7cf-a126ee74c451"), "Global Reader")
EXCHANGE_ADMINISTRATOR: Final = DirectoryRole(UUID("29232cdf-9323-42fd-ade2-1d097af3e4de"), "Exchange Administrator")
TEAMS_ADMINISTRATOR: Final = DirectoryRole(UUID("69091246-20e8-4a56-aa4d-066075b2a7a8"), "Teams Administrator")
USER_ADMINISTRATOR: Final = DirectoryRole(UUID("fe930be7-5e62-47db-91af-98c3a49a38b1"), "User Administrator")
AUTHENTICATION_ADMINISTRATOR: Final = DirectoryRole(
    UUID("c4e39bd9-1100-46d3-8c65-fb160da0071f"), "Authentication Administrator"
)
SHAREPOINT_ADMINISTRATOR: Final = DirectoryRole(
    UUID("f28a1f50-f6e7-4571-818b-6a12f2af6b6c"), "SharePoint Administrator"
)
PRIVILEGED_AUTHENTICATION_ADMINISTRATOR: Final = DirectoryRole(
    UUID("7be44c8a-adaf-4e2a-84d6-ab2649e08a13"), "Privileged Authentication Administrator"
)
PRIVILEGED_ROLE_ADMINISTRATOR: Final = DirectoryRole(
    UUID("e8611ab8-c189-46e8-94e1-60213ab1f814"), "Privileged Role Administrator"
)


class RoleProfile(StrEnum):
    """A named set of roles. The default is the least that the executors' work needs."""

    LEAST_PRIVILEGE = "leastPrivilege"
    READ_ONLY = "readOnly"
    FULL_MANAGEMENT = "fullManagement"


_LEAST: Final = (
    GLOBAL_READER,
    EXCHANGE_ADMINISTRATOR,
    TEAMS_ADMINISTRATOR,
    USER_ADMINISTRATOR,
    AUTHENTICATION_ADMINISTRATOR,
    SHAREPOINT_ADMINISTRATOR,
)

PROFILES: Final[dict[RoleProfile, tuple[DirectoryRole, ...]]] = {
    RoleProfile.LEAST_PRIVILEGE: _LEAST,
    RoleProfile.READ_ONLY: (GLOBAL_READER,),
    RoleProfile.FULL_MANAGEMENT: (
        *_LEAST,
        PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
        PRIVILEGED_ROLE_ADMINISTRATOR,
    ),
}

ROLE_NAMES: Final[dict[UUID, str]] = {role.template_id: role.name for role in PROFILES[RoleProfile.FULL_MANAGEMENT]}

PERMISSIONS: Final[dict[str, str]] = {
    "Organization.Read.All": "read the tenant's domains and licences",
    "User.ReadWrite.All": "create the service account",
    "RoleManagement.ReadWrite.Directory": "give the service account its roles and take them back",
    "User-PasswordProfile.ReadWrite.All": "rotate the service account's password",
    "User.RevokeSessions.All": "end the service account's sign-ins when the session is turned off",
    "User.DeleteRestore.All": "delete the service account, or restore it",
    "Policy.Read.All": "find the policies that block the session",
    "Policy.ReadWrite.ConditionalAccess": "set allowed IP addresses",
    "Application.Read.All": "see which roles this service holds itself, and write conditional access policies",
    "UserAuthenticationMethod.Read.All": "see other authentication methods on the service account",
}
"""Graph application permissions we ask for, and what each is for (https://learn.microsoft.com/graph/permissions-reference)."""

CREATE_PERMISSIONS: Final = ("Organization.Read.All", "User.ReadWrite.All", "RoleManagement.ReadWrite.Directory")
"""Without these no service account can be created."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One of our app registrations: what tenants consent to.

    Attributes:
        name: what administrators see among their enterprise applications.
        permissions: the Graph application permissions it asks for, and what each is for.
        may_be_off: it is there for some work only, and may be switched off between.
    """

    name: str
    permissions: Mapping[str, str]
    may_be_off: bool = False

    def missing(self, held: AbstractSet[str]) -> tuple[str, ...]:
        """What it asks for and does not hold, in the order in which it asks."""
        return tuple(name for name in self.permissions if name not in held)


SINGLE: Final = Registration("Management Sessions", PERMISSIONS)
"""The one that does everything, where there is no other."""

RUNTIME: Final = Registration(
    "Management Sessions",
    {
        "Organization.Read.All": "read the tenant's domains and licences",
        "User.Read.All": "see the service account, and an administrator whose sign-in was blocked",
        "RoleManagement.Read.Directory": "see the service account's roles",
        "User.RevokeSessions.All": PERMISSIONS["User.RevokeSessions.All"],
        "Policy.Read.All": PERMISSIONS["Policy.Read.All"],
        "Application.Read.All": "see which roles this service holds itself",
        "UserAuthenticationMethod.Read.All": PERMISSIONS["UserAuthenticationMethod.Read.All"],
    },
)
"""The one that runs sessions where another one makes accounts: it reads, and ends sign-ins. The service account changes
its own password, so this one needs no permission for that."""

ONBOARDING: Final = Registration(
    "Management Sessions Onboarding",
    {
        "Organization.Read.All": "read the tenant's domains",
        "User.ReadWrite.All": PERMISSIONS["User.ReadWrite.All"],
        "RoleManagement.ReadWrite.Directory": PERMISSIONS["RoleManagement.ReadWrite.Directory"],
        "User-PasswordProfile.ReadWrite.All": "give the service account a password when its own is lost",
        "User.DeleteRestore.All": PERMISSIONS["User.DeleteRestore.All"],
        "Policy.Read.All": "find the policies it made, and those it excludes the service account from",
        "Policy.ReadWrite.ConditionalAccess": PERMISSIONS["Policy.ReadWrite.ConditionalAccess"],
        "Application.Read.All": "write conditional access policies",
    },
    may_be_off=True,
)
"""The one that makes and removes accounts, roles and policies, and does nothing between."""
