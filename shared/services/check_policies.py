"""Check a tenant's policies: find what blocks the session before a sign-in is wasted, and say what to do about it.

One engine for every occasion: on request, on a schedule, after the account was created, and before a turn-on. What it
has found is written down whenever it has to wait, so a check that is throttled goes on where it stopped and asks
nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from shared.domain import findings, record_findings
from shared.domain.actors import ActorKind
from shared.domain.directory_roles import ONBOARDING, ROLE_NAMES
from shared.domain.errors import Code, Conflict, ManagementSessionError, Problem, Refused, Transient
from shared.domain.ids import TenantId
from shared.domain.operation import Operation
from shared.domain.policy_check import Check, Finding, Orphan, PolicyCheck, Verdict, summary_of_check
from shared.domain.ports import SignIn
from shared.domain.standing_refusal import standing_refusal
from shared.domain.store import Insert, Replace, Stored
from shared.domain.tenant import Tenant
from shared.services.conditional_access import ConditionalAccess
from shared.services.orphans import look_at_account, unrecorded_accounts
from shared.services.sign_in_account import may_be_too_new, sign_in_account
from shared.services.work import Change
from shared.services.world import World

_PATIENCE = 3
"""How often a check that gets no further is put off before what it cannot find out is called unknown."""
_NO_ACCOUNT = "The tenant has no service account yet."
_ACCOUNT_FIRST = "Not checked, because of what was found of the service account."
_WHAT_IF = (Check.CONDITIONAL_ACCESS, Check.COMING_POLICIES)
_NO_PREMIUM = "There is no conditional access without Entra ID P1."


class CheckPolicies:
    """The engine. It reads, evaluates and judges; the only thing it writes is the check's own row."""

    def __init__(self, world: World) -> None:
        self._world = world

    def run(self, tenant: Tenant, operation: Operation, *, with_sign_in: bool, may_wait: bool = True) -> PolicyCheck:
        """A finished check for this operation: begun now, or gone on with.

        Without `may_wait` it ends at once, and what is throttled or away is unknown.

        Raises:
            Transient: something is throttled or away; what was found so far is kept.
        """
        stored = self._world.store.policy_check(tenant.tenant_id)
        check = PolicyCheck(operation.operation_id, self._world.clock.now())
        if stored is not None and stored.row.operation_id == operation.operation_id:
            if stored.row.checked_at is not None:
                return stored.row
            check = stored.row
        examination = _Examination(self._world, tenant, operation, check, may_wait=may_wait)
        try:
            examination.go_through(with_sign_in=with_sign_in)
        except Transient:
            self._keep(tenant.tenant_id, examination.check, stored)
            raise
        ended = replace(examination.check, checked_at=self._world.clock.now(), what_ifs=())
        self._keep(tenant.tenant_id, ended, stored)
        return ended

    def _keep(self, tenant_id: TenantId, check: PolicyCheck, stored: Stored[PolicyCheck] | None) -> None:
        try:
            self._world.store.commit(tenant_id, [Replace(check, stored.etag) if stored else Insert(check)])
        except Conflict as error:  # another worker has this check too: one of them will go on
            raise Transient(error.problem) from error


class _Examination:
    """One pass over the tenant, which may be cut short."""

    def __init__(
        self, world: World, tenant: Tenant, operation: Operation, check: PolicyCheck, *, may_wait: bool
    ) -> None:
        self._world = world
        self._tenant = tenant
        self._operation = operation
        self._may_wait = may_wait
        self._known_before = check
        self._found = check
        self._access = ConditionalAccess(world, tenant, check.what_ifs)

    @property
    def check(self) -> PolicyCheck:
        """What is known so far."""
        return replace(self._found, what_ifs=self._access.what_ifs)

    def go_through(self, *, with_sign_in: bool) -> None:
        """Every row, in order; rows that are there already are not asked for again."""
        world, tenant, policies = self._world, self._tenant, self._world.policies
        tenant_id, account = tenant.tenant_id, tenant.account
        self._consent()
        self._row(Check.ADMIN_ROLE, self._admin_role)
        self._row(Check.SERVICE_ACCOUNT, self._account)
        self._row(Check.UNRECORDED_ACCOUNTS, self._unrecorded_accounts)
        self._row(Check.TENANT_FACTS, lambda: findings.tenant_facts(world.directory.organization(tenant_id)))
        self._row(Check.LICENCE, lambda: findings.licence(policies.has_premium(tenant_id)))
        self._row(Check.SECURITY_DEFAULTS, lambda: findings.security_defaults(policies.security_defaults(tenant_id)))
        self._of_account(
            Check.PER_USER_MFA,
            lambda: findings.per_user_mfa(policies.per_user_mfa(tenant_id, account.require_object_id())),
        )
        self._rows(_WHAT_IF, self._conditional_access)
        self._of_account(Check.NAMED_LOCATION, self._access.named_location)
        self._row(Check.UNRECORDED_POLICIES, self._unrecorded_policies)
        self._of_account(Check.ROLES, self._roles)
        self._of_account(Check.CREDENTIAL_AGE, lambda: findings.credential_age(account, world.clock.now()))
        self._of_account(
            Check.OTHER_SIGN_IN_METHODS,
            lambda: findings.other_methods(policies.other_methods(tenant_id, account.require_object_id())),
        )
        self._of_account(Check.SIGN_IN, self._sign_in if with_sign_in else _no_sign_in)

    def _add(self, *rows: Finding) -> None:
        self._found = replace(self._found, findings=(*self._found.findings, *rows))

    def _of_account(self, check: Check, look: Callable[[], Finding]) -> None:
        why_not = self._why_not_of_account()
        self._row(check, look if why_not is None else lambda: findings.skipped(check, why_not))

    def _why_not_of_account(self) -> str | None:
        found = self.check.found(Check.SERVICE_ACCOUNT)
        if self._tenant.account.object_id is None:
            return _NO_ACCOUNT
        return _ACCOUNT_FIRST if found is not None and found.is_obstacle else None

    def _row(self, check: Check, look: Callable[[], Finding]) -> None:
        self._rows((check,), lambda: (look(),))

    def _rows(self, checks: tuple[Check, ...], look: Callable[[], tuple[Finding, ...]]) -> None:
        if self.check.found(checks[0]) is not None:
            return
        consent = self.check.found(Check.CONSENT)
        if consent is not None and consent.is_obstacle:
            self._add(*(findings.skipped(check, "Not checked, because consent is missing.") for check in checks))
            return
        try:
            self._add(*look())
        except Transient as error:
            self._give_up(error)
            self._add(*(findings.unknown(check, error.problem) for check in checks))
        except ManagementSessionError as error:
            self._add(*(findings.unknown(check, error.problem) for check in checks))

    def _give_up(self, error: Transient) -> None:
        """Wait in the queue while that gets us on, and a few times when not; then unknown says more than no check."""
        gets_on = self.check != self._known_before
        if self._may_wait and (gets_on or self._operation.attempts < _PATIENCE):
            raise error

    def _consent(self) -> None:
        if self.check.found(Check.CONSENT) is not None:
            return
        try:
            held = self._world.sign_in.permissions(self._tenant.tenant_id)
            acting = self._world.onboarding
            self._add(findings.consent(held) if acting is None else self._consent_to_both(held, acting.sign_in))
        except Transient as error:
            self._give_up(error)
            self._add(findings.unknown(Check.CONSENT, error.problem))
        except Refused as error:
            name = self._world.registration.name if self._world.onboarding else ""
            self._add(findings.no_consent(error.problem, name))

    def _consent_to_both(self, held: frozenset[str], acting: SignIn) -> Finding:
        onboarding: frozenset[str] | Problem
        try:
            onboarding = acting.permissions(self._tenant.tenant_id)
        except Refused as error:
            onboarding = error.problem
        return findings.consent_to_both(held, onboarding, has_account=self._tenant.account.is_usable)

    def _admin_role(self) -> Finding:
        """The role that acting on role-holders takes; the application that does not act needs none."""
        world, tenant_id, acting = self._world, self._tenant.tenant_id, self._world.onboarding
        if acting is None:
            return findings.admin_role(world.policies.application_roles(tenant_id, world.application_id))
        try:
            held = world.policies.application_roles(tenant_id, acting.application_id)
        except Refused as error:
            if error.problem.code is not Code.CONSENT_MISSING:
                raise
            return findings.skipped(Check.ADMIN_ROLE, f"{ONBOARDING.name} is not in the tenant.")
        return findings.admin_role(held, ONBOARDING.name)

    def _conditional_access(self) -> tuple[Finding, ...]:
        why_not = _NO_PREMIUM if self._lacks_premium else self._why_not_of_account()
        if why_not is not None:
            return tuple(findings.skipped(check, why_not) for check in _WHAT_IF)
        return self._access.rows()

    @property
    def _lacks_premium(self) -> bool:
        licence = self.check.found(Check.LICENCE)
        return licence is not None and licence.verdict is Verdict.FAIL

    def _account(self) -> Finding:
        if self._tenant.account.object_id is None:
            return findings.skipped(Check.SERVICE_ACCOUNT, _NO_ACCOUNT)
        is_patient = self._may_wait and self._operation.attempts < _PATIENCE
        return look_at_account(self._world, self._tenant, is_patient=is_patient)

    def _unrecorded_accounts(self) -> Finding:
        account = self.check.found(Check.SERVICE_ACCOUNT)
        has_account = account is not None and account.verdict is Verdict.PASS
        found = unrecorded_accounts(self._world, self._tenant, has_account=has_account)
        return self._note(found, record_findings.unrecorded_accounts(found))

    def _unrecorded_policies(self) -> Finding:
        if self._lacks_premium:
            return findings.skipped(Check.UNRECORDED_POLICIES, _NO_PREMIUM)
        found = self._access.orphans()
        return found if isinstance(found, Finding) else self._note(found, record_findings.unrecorded_policies(found))

    def _note(self, orphans: tuple[Orphan, ...], row: Finding) -> Finding:
        self._found = replace(self._found, orphans=(*self._found.orphans, *orphans))
        return row

    def _roles(self) -> Finding:
        user_id = self._tenant.account.require_object_id()
        assignments = self._world.directory.role_assignments(self._tenant.tenant_id, user_id)
        held = {role.role_template_id for role in assignments}
        ordered = tuple(sorted(held, key=lambda role: (role not in ROLE_NAMES, str(role))))
        self._found = replace(self._found, held_roles=ordered)
        return findings.roles(self._tenant, frozenset(held))

    def _sign_in(self) -> Finding:
        """The last word; not tried where it is known to fail, for nothing may lock the account out by repetition."""
        obstacle = self.check.stops_turn_on()
        if obstacle is not None:
            return findings.skipped(Check.SIGN_IN, f"Not tried, because the check {obstacle.check.value} failed.")
        if self._operation.requested_by.kind is ActorKind.SERVICE:
            refused = _refused_before(self._tenant)
            if refused is not None:
                return refused
        try:
            sign_in_account(self._world, self._tenant)
        except Refused as error:
            if may_be_too_new(self._tenant.account, error, self._world.clock.now()):
                raise Transient(error.problem) from error
            return findings.sign_in_refused(error.problem)
        return findings.passed(Check.SIGN_IN)


def noted(check: PolicyCheck, operation: Operation) -> Change:
    """How the tenant's row changes by a check that has ended: its summary, and how it saw account and allowed IPs."""

    def problem_of(finding: Finding) -> Problem | None:
        if finding.verdict is Verdict.PASS:
            return None
        return replace(finding.as_problem(), correlation_id=operation.correlation_id)

    summary, place, seen = (
        summary_of_check(check),
        check.found(Check.NAMED_LOCATION),
        check.found(Check.SERVICE_ACCOUNT),
    )

    def note(tenant: Tenant) -> Tenant:
        roles, ips = tenant.account.roles if check.held_roles is None else check.held_roles, tenant.allowed_ips
        if place is not None and place.verdict in (Verdict.PASS, Verdict.FAIL):
            ips = ips.seen(problem_of(place))
        account = replace(tenant.account, roles=roles)
        if seen is not None and seen.verdict in (Verdict.PASS, Verdict.FAIL):
            account = account.seen(problem_of(seen))
        session = tenant.session.accepted() if summary.has_signed_in else tenant.session
        return replace(tenant, policy_check=summary, account=account, allowed_ips=ips, session=session)

    return note


def _refused_before(tenant: Tenant) -> Finding | None:
    """The last sign-in's refusal, when it still stands; not when another row stood in the way and no longer does.

    While the session is on, one try a day is what ends a refusal whose cause was mended without a word to us.
    """
    stopped_by, refusal = tenant.policy_check.stopped_by, standing_refusal(tenant)
    if refusal is None or tenant.session.refused_at is not None:
        return None
    if stopped_by is not None and stopped_by.check is not Check.SIGN_IN:
        return None
    return findings.sign_in_refused(refusal)


def _no_sign_in() -> Finding:
    return findings.skipped(Check.SIGN_IN, "This check was made on the way to something else, without a sign-in.")
