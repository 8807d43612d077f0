"""Allowed IPs: from where the service account may sign in, and what was changed in the tenant to make it so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.errors import Problem


class AllowedIpsState(StrEnum):
    """What the tenant does with a sign-in from elsewhere; the last two words of it end by themselves."""

    NONE = "none"
    REPORT_ONLY = "reportOnly"
    ENABLED = "enabled"
    APPLYING = "applying"
    REMOVING = "removing"
    FAILED = "failed"


class Outside(StrEnum):
    """What happens to a sign-in from elsewhere."""

    BLOCK = "block"
    REQUIRE_MFA = "requireMfa"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """The service account taken out of one of the customer's own policies, proposed or made.

    Attributes:
        before, after: the excluded user ids, as they were and as they would be or are.
    """

    policy_id: str
    display_name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    is_applied: bool = False


@dataclass(frozen=True, slots=True)
class AllowedIps:
    """The restriction, as wanted and as made.

    Attributes:
        wanted: the state asked for, reportOnly or enabled.
        ranges: the customer's own ranges.
        egress: our own addresses, as they were when the location was last written.
        location_id, policy_id: what we made in the tenant, once we have.
    """

    state: AllowedIpsState = AllowedIpsState.NONE
    wanted: AllowedIpsState = AllowedIpsState.REPORT_ONLY
    outside: Outside = Outside.BLOCK
    ranges: tuple[str, ...] = ()
    egress: tuple[str, ...] = ()
    apply_exclusions: bool = False
    location_id: str | None = None
    policy_id: str | None = None
    exclusions: tuple[Exclusion, ...] = ()
    updated_at: datetime | None = None
    problem: Problem | None = None

    @property
    def all_ranges(self) -> tuple[str, ...]:
        """What the named location holds: the customer's ranges and our addresses."""
        return tuple(dict.fromkeys((*self.ranges, *self.egress)))

    @property
    def leaves_traces(self) -> bool:
        """True while anything of ours may be in the tenant's policies."""
        made = (self.location_id, self.policy_id, *(e for e in self.exclusions if e.is_applied))
        return any(made) or self.state is not AllowedIpsState.NONE


LOCATION_NAME = "Management sessions: allowed addresses"
POLICY_NAME = "Management sessions: service account outside allowed addresses"
"""What we call them in the tenant. Found again by name when a reply was lost; there is one of each in a tenant."""
