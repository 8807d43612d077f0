"""Why Microsoft Graph says no, in our own codes, and what to do about it: judged by status and code, never by text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.adapters.graph_calls import Reply
from shared.adapters.token_claims import permissions_in
from shared.domain.directory_roles import PERMISSIONS, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR
from shared.domain.errors import Code, Refused, refused

_CONSENT: Final = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"
_ROLES: Final = "https://learn.microsoft.com/entra/identity/role-based-access-control/manage-roles-portal"
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Need:
    """What a call takes of the tenant.

    Attributes:
        permission: the Graph permission it takes.
        on_role_holder: whether it takes a directory role besides, because it acts on a user who holds roles.
        purpose: what the call is for, to follow "permission to"; that of the permission unless given.
    """

    permission: str
    on_role_holder: bool = False
    purpose: str = ""

    @property
    def aim(self) -> str:
        """What the call is for."""
        return self.purpose or PERMISSIONS[self.permission]


def refusal(reply: Reply, need: Need, claims: Mapping[str, object]) -> Refused:
    """The Refused for a reply that is no success; `claims` are those of the token it was sent with.

    Graph words a missing permission and a missing directory role alike, so the token has to say which it is.
    """
    if reply.status == 401:
        return refused(
            Code.CONSENT_MISSING,
            "Microsoft Graph does not accept this application in the tenant.",
            step="Grant admin consent with the consent link of the tenant, then try again.",
            link=_CONSENT,
        )
    if reply.status != 403:
        code = reply.code if _CODE.fullmatch(reply.code) else "no code"
        return refused(Code.INTERNAL_ERROR, f"Microsoft Graph refused to {need.aim} ({reply.status}, {code}).")
    if need.on_role_holder and need.permission in permissions_in(claims):
        role = PRIVILEGED_AUTHENTICATION_ADMINISTRATOR.name
        return refused(
            Code.ADMIN_ROLE_MISSING,
            f"Management Sessions lacks the directory role it takes to {need.aim}, because the account holds roles.",
            step=f"Assign the role {role} to this application's enterprise application in the tenant, then try again.",
            link=_ROLES,
        )
    return refused(
        Code.PERMISSION_MISSING,
        f"Management Sessions doesn't have permission to {need.aim} in this tenant.",
        step=f"Grant admin consent for {need.permission} with the consent link of the tenant, then try again.",
        link=_CONSENT,
    )
