"""A sign-in as conditional access sees it: who wants what, from where and with what, each fact known or not."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from local.simulator.memberships import groups_of, roles_of
from local.simulator.state import Tenant, User, World

# The parts of the "Office 365" application group that issue tokens here: Exchange Online, SharePoint Online, Teams.
OFFICE_365_APPLICATIONS = frozenset(
    {
        "00000002-0000-0ff1-ce00-000000000000",
        "00000003-0000-0ff1-ce00-000000000000",
        "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
        "48ac35b8-9aa8-4d74-927d-1f4a14a0b239",
    }
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """The facts of one sign-in. None is a fact nobody gave: a what-if must then say "not enough information", while
    at a real sign-in (`is_real`) Entra has looked and there is none.
    """

    tenant: Tenant
    is_real: bool
    user: User | None = None  # None: a workload identity signs in
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    service_principal_id: str | None = None
    applications: frozenset[str] = frozenset()  # the resources asked for, by application id
    user_action: str | None = None
    authentication_context: str | None = None
    client_app_type: str | None = None
    platform: str | None = None
    ip: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2
    sign_in_risk: str | None = None
    user_risk: str | None = None
    insider_risk: str | None = None
    transfer_method: str | None = None
    describes_device: bool = False

    @classmethod
    def of_password(
        cls, world: World, tenant: Tenant, user: User, *, client_app_type: str, resource_app_id: str, ip: str
    ) -> Self:
        """A real sign-in with user name and password: no device, no platform, no second factor."""
        return cls(
            tenant=tenant,
            is_real=True,
            user=user,
            roles=roles_of(tenant, user.id),
            groups=groups_of(tenant, user.id),
            applications=frozenset({resource_app_id}),
            client_app_type=client_app_type,
            ip=ip,
            country=country_of(world.countries, ip),
            sign_in_risk=user.risk,
            user_risk=user.risk,
            transfer_method="none",
        )


def country_of(countries: Mapping[str, str], ip: str) -> str | None:
    """Where an address is, by the longest range it is in (`countries`: CIDR -> ISO code); None when nobody knows."""
    address = ipaddress.ip_address(ip)
    found = {
        network.prefixlen: country
        for network, country in ((ipaddress.ip_network(cidr), country) for cidr, country in countries.items())
        if address in network
    }
    return found[max(found)] if found else None


def is_in(ip: str, cidr: str) -> bool:
    """Whether an address lies in a range; an IPv4 address never lies in an IPv6 range."""
    return ipaddress.ip_address(ip) in ipaddress.ip_network(cidr, strict=False)
