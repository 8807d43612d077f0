"""Allowed IPs: from where the service account may sign in, and what was changed in the tenant to make it so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain.errors import Code, Problem


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
        is_asked: we were asked to make it: from then on it may be there, whatever came in between.
        is_applied: it was made and read back.
    """

    policy_id: str
    display_name: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    is_asked: bool = False
    is_applied: bool = False

    @property
    def may_be_there(self) -> bool:
        """True for one that has to be looked for when everything is undone."""
        return self.is_asked or self.is_applied


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

    def removing(self) -> AllowedIps:
        """These, on their way out; nothing when there is nothing of them."""
        return replace(self, state=AllowedIpsState.REMOVING, problem=None) if self.leaves_traces else self

    def interrupted(self, problem: Problem) -> AllowedIps:
        """These, when whatever was changing them did not end well: to be set or removed again."""
        if self.state not in (AllowedIpsState.APPLYING, AllowedIpsState.REMOVING):
            return self
        return replace(self, state=AllowedIpsState.FAILED, problem=problem)

    def is_behind(self, egress: Collection[str]) -> bool:
        """True when it is in force and our addresses, so far as they are known, are others than when it was set."""
        return self.is_in_force and bool(egress) and set(egress) != set(self.egress)

    @property
    def is_gone(self) -> bool:
        """True when it is in force by the record, and the last check did not find the location or the policy."""
        return self.is_in_force and self.problem is not None and self.problem.code is Code.NOT_FOUND

    def seen(self, problem: Problem | None) -> AllowedIps:
        """These as a check found them in the tenant: with what is wrong with them, or nothing."""
        return replace(self, problem=problem) if self.is_in_force else self

    @property
    def is_in_force(self) -> bool:
        """True when they were set, and nothing has begun to change them since."""
        return self.state in (AllowedIpsState.ENABLED, AllowedIpsState.REPORT_ONLY)

    @property
    def leaves_traces(self) -> bool:
        """True while anything of ours may be in the tenant's policies."""
        made = (self.location_id, self.policy_id, *(e for e in self.exclusions if e.may_be_there))
        return any(made) or self.state is not AllowedIpsState.NONE


LOCATION_NAME: Final = "Management sessions: allowed addresses"
POLICY_NAME: Final = "Management sessions: service account outside allowed addresses"
"""What we call them in the tenant. Found again by name when a reply was lost; there is one of each in a tenant."""

CONTROLS: Final = {Outside.BLOCK: "block", Outside.REQUIRE_MFA: "mfa"}
POLICY_STATES: Final = {
    AllowedIpsState.ENABLED: "enabled",
    AllowedIpsState.REPORT_ONLY: "enabledForReportingButNotEnforced",
}
"""What our policy demands, and the state it is in, in Microsoft Graph's words
(https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy)."""
