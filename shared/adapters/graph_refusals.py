"""Why Microsoft Graph says no, in our own codes, and what to do about it: judged by status and code, never by text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.adapters.graph_calls import Reply
from shared.adapters.token_claims import permissions_in
from shared.domain.directory_roles import PERMISSIONS, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR, Registration
from shared.domain.errors import Code, Problem, Refused, Transient, refused

_CONSENT: Final = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"
_ROLES: Final = "https://learn.microsoft.com/entra/identity/role-based-access-control/manage-roles-portal"
_LICENCES: Final = "https://learn.microsoft.com/entra/fundamentals/licensing"
_CODE: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Need:
    """What a call takes of the tenant.

    Attributes:
        permission: the Graph permission it takes.
        or_lesser: one that serves as well, for a registration that asks for no more.
        on_role_holder: whether it takes a directory role besides, because it acts on a user who holds roles.
        purpose: what the call is for, to follow "permission to"; that of the permission unless given.
        also: further permissions it takes.
        takes_premium: whether it takes Entra ID P1.
    """

    permission: str
    on_role_holder: bool = False
    purpose: str = ""
    also: tuple[str, ...] = ()
    takes_premium: bool = False
    or_lesser: str = ""

    @property
    def aim(self) -> str:
        """What the call is for."""
        return self.purpose or PERMISSIONS[self.permission]

    def of(self, asked: Registration) -> tuple[str, ...]:
        """The permissions it takes, as that registration asks for them."""
        first = self.or_lesser if self.or_lesser in asked.permissions else self.permission
        return (first, *self.also)

    def missing(self, claims: Mapping[str, object], asked: Registration) -> tuple[str, ...]:
        """The permissions that a token with these claims lacks for it."""
        return tuple(name for name in self.of(asked) if name not in permissions_in(claims))


def refusal(reply: Reply, need: Need, claims: Mapping[str, object], asked: Registration) -> Refused:
    """The Refused for a reply that is no success; `claims` are those of the token it was sent with.

    `asked` is the registration that it was sent for.

    Graph words a missing permission and a missing directory role alike, and gives a missing permission and a missing
    licence one code where conditional access is concerned. So the token has to say which it is.
    """
    if reply.status == 401:
        return no_consent(asked)
    if reply.status != 403:
        code = reply.code if _CODE.fullmatch(reply.code) else "no code"
        return refused(Code.INTERNAL_ERROR, f"Microsoft Graph refused to {need.aim} ({reply.status}, {code}).")
    missing = need.missing(claims, asked)
    if need.on_role_holder and not missing:
        role = PRIVILEGED_AUTHENTICATION_ADMINISTRATOR.name
        return refused(
            Code.ADMIN_ROLE_MISSING,
            f"{asked.name} lacks the directory role it takes to {need.aim}, because the account holds roles.",
            step=f"Assign the role {role} to the enterprise application {asked.name} in the tenant, then try again.",
            link=_ROLES,
        )
    if need.takes_premium and not missing and reply.code == "AccessDenied":
        return refused(
            Code.LICENCE_MISSING,
            f"It takes Entra ID P1 to {need.aim}, and the tenant has none.",
            step="Add Entra ID P1 to the tenant, then try again.",
            link=_LICENCES,
        )
    return refused(
        Code.PERMISSION_MISSING,
        f"{asked.name} doesn't have permission to {need.aim} in this tenant.",
        step=f"Grant admin consent for {' and '.join(missing or need.of(asked)[:1])} with the consent link of "
        f"{asked.name}, then try again.",
        link=_CONSENT,
    )


def no_consent(asked: Registration) -> Refused:
    """Our application is not, or no longer, in the tenant."""
    return refused(
        Code.CONSENT_MISSING,
        f"Microsoft Graph does not accept {asked.name} in the tenant.",
        step=f"Grant admin consent with the consent link of {asked.name}, then try again.",
        link=_CONSENT,
    )


def not_there_yet() -> Transient:
    """A 404 right after a creation is a replica that lags; one that lasts ends the operation with this problem."""
    return Transient(Problem(Code.ACCOUNT_LOST, "The account is not there, or Microsoft Graph does not show it yet."))
