"""A policy check: everything in a tenant that can keep the session from being turned on, one row a check.

`unknown` is never `pass`: an error, a missing licence or a condition we could not supply proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.domain.errors import Code, NextStep, Problem
from shared.domain.ids import OperationId
from shared.domain.resources import Resource


class Verdict(StrEnum):
    """Nothing is in the way; something is; it could not be found out; it does not apply here."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Check(StrEnum):
    """What is checked, in the order in which to put things right."""

    CONSENT = "consent"
    ADMIN_ROLE = "adminRole"
    SERVICE_ACCOUNT = "serviceAccount"
    UNRECORDED_ACCOUNTS = "unrecordedAccounts"
    TENANT_FACTS = "tenantFacts"
    LICENCE = "licence"
    SECURITY_DEFAULTS = "securityDefaults"
    PER_USER_MFA = "perUserMfa"
    CONDITIONAL_ACCESS = "conditionalAccess"
    COMING_POLICIES = "comingPolicies"
    NAMED_LOCATION = "namedLocation"
    UNRECORDED_POLICIES = "unrecordedPolicies"
    ROLES = "roles"
    CREDENTIAL_AGE = "credentialAge"
    OTHER_SIGN_IN_METHODS = "otherSignInMethods"
    SIGN_IN = "signIn"


class PolicyState(StrEnum):
    """Whether a policy bites now, or would if it were enabled."""

    ENABLED = "enabled"
    REPORT_ONLY = "reportOnly"


@dataclass(frozen=True, slots=True)
class BlockingPolicy:
    """A conditional access policy that blocks the service account, or will.

    Attributes:
        controls: what it demands, in Microsoft Graph's words.
        source_ips: from which of our addresses, as CIDR ranges of one.
        exclusion: the narrowest exclusion that cures it, in one sentence.
        blocks_from: when it begins to block, where that is known.
    """

    policy_id: str
    display_name: str
    state: PolicyState
    is_microsoft_managed: bool
    controls: tuple[str, ...]
    resources: tuple[Resource, ...]
    source_ips: tuple[str, ...]
    exclusion: str
    blocks_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: a verdict and, unless nothing is in the way, the cause, what to do and where.

    Attributes:
        is_obstacle: a sign-in is useless until it is put right; other failures leave the session possible.
        code: what the row is under, as the reason for a refusal.
    """

    check: Check
    verdict: Verdict
    cause: str | None = None
    fix: str | None = None
    link: str | None = None
    policies: tuple[BlockingPolicy, ...] = ()
    is_obstacle: bool = False
    code: Code = Code.SIGN_IN_BLOCKED

    def as_problem(self) -> Problem:
        """This row as the reason for a refusal."""
        step = NextStep(self.fix, self.link) if self.fix else None
        return Problem(self.code, self.cause or f"The check {self.check.value} failed.", next_step=step)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One evaluation's outcome, kept so that nothing is evaluated twice in one check.

    Attributes:
        ip: the address asked about; the foreign one is `FOREIGN_IP`.
        applied: ids of the policies that would apply.
        uncertain: ids of those of which Graph cannot tell.
    """

    resource: Resource
    ip: str
    applied: tuple[str, ...]
    uncertain: tuple[str, ...] = ()


class OrphanKind(StrEnum):
    """What can be left of us in a tenant."""

    USER = "user"
    POLICY = "conditionalAccessPolicy"
    LOCATION = "namedLocation"


@dataclass(frozen=True, slots=True)
class Orphan:
    """Something in the tenant that bears our mark or our name, and that no record names.

    Attributes:
        orphan_id: the object id of a user, the id of a policy or location.
        may_go: it is ours beyond doubt and of use to nobody: an attempt that died has left it, and upkeep removes it.
    """

    kind: OrphanKind
    orphan_id: str
    display_name: str
    may_go: bool


FOREIGN_IP: Final = "198.51.100.7"
"""An address that is nobody's (RFC 5737): what a sign-in from anywhere else would meet."""

_CUT_SHORT: Final = "The check was cut short before it came to this."


@dataclass(frozen=True, slots=True)
class PolicyCheck:
    """The tenant's latest check.

    Attributes:
        checked_at: when it ended; None while it runs.
        findings: the rows found so far.
        what_ifs: the evaluations made so far, while it runs.
        held_roles: the directory roles (template ids) the service account was seen to hold; None when it was not seen.
        orphans: what of ours was seen that no record names.
    """

    operation_id: OperationId
    started_at: datetime
    checked_at: datetime | None = None
    findings: tuple[Finding, ...] = ()
    what_ifs: tuple[WhatIf, ...] = ()
    held_roles: tuple[UUID, ...] | None = None
    orphans: tuple[Orphan, ...] = ()

    @property
    def state(self) -> CheckState:
        """Running, or the worst of the verdicts."""
        return CheckState.RUNNING if self.checked_at is None else worst(self.findings)

    def found(self, check: Check) -> Finding | None:
        """The row of that check, when there is one already."""
        return next((finding for finding in self.findings if finding.check is check), None)

    def stops_turn_on(self) -> Finding | None:
        """The first row that makes a sign-in useless."""
        return next((f for f in self.findings if f.verdict is Verdict.FAIL and f.is_obstacle), None)

    def with_row(self, row: Finding) -> PolicyCheck:
        """This check with another row in place of the one of that name."""
        return replace(self, findings=tuple(row if found.check is row.check else found for found in self.findings))

    def cut_short(self, at: datetime) -> PolicyCheck:
        """This check, which nobody goes on with, at its end: what it did not come to is unknown."""
        fix = "Run the check again."
        missing = (check for check in Check if self.found(check) is None)
        unknown = tuple(Finding(check, Verdict.UNKNOWN, _CUT_SHORT, fix) for check in missing)
        return replace(self, checked_at=at, findings=(*self.findings, *unknown), what_ifs=())


class CheckState(StrEnum):
    """A check as a whole."""

    NONE = "none"
    RUNNING = "running"
    PASS = "pass"  # noqa: S105 - a state
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What the tenant's row keeps of its latest check.

    Attributes:
        stopped_by: the row that stops a turn-on, when there is one.
        has_signed_in: its real sign-in succeeded.
    """

    state: CheckState = CheckState.NONE
    checked_at: datetime | None = None
    counts: dict[Verdict, int] = field(default_factory=dict)
    stopped_by: Finding | None = None
    has_signed_in: bool = False

    def outdated(self) -> CheckSummary:
        """What is left of it once the policies were changed: that there was a check, and that another is due."""
        return self if self.state is CheckState.NONE else CheckSummary(CheckState.UNKNOWN)


def worst(findings: Iterable[Finding]) -> CheckState:
    """Fail before unknown before pass; what was skipped does not count."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.FAIL in verdicts:
        return CheckState.FAIL
    return CheckState.UNKNOWN if Verdict.UNKNOWN in verdicts or not verdicts else CheckState.PASS


def summary_of_check(check: PolicyCheck) -> CheckSummary:
    """The check in the few words that the tenant's row has room for."""
    counts = {verdict: sum(f.verdict is verdict for f in check.findings) for verdict in Verdict}
    signed_in = check.found(Check.SIGN_IN)
    has_signed_in = signed_in is not None and signed_in.verdict is Verdict.PASS
    return CheckSummary(check.state, check.checked_at, counts, check.stops_turn_on(), has_signed_in)
