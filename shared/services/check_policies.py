"""Check a tenant's policies: find what blocks the session before a sign-in is wasted, and say what to do about it.

One engine for every occasion: on request, on a schedule, after the account was created, and before a turn-on. What it
has found is written down whenever it has to wait, so a check that is throttled goes on where it stopped and asks
nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared.domain import findings, policy_findings
from shared.domain.actors import ActorKind
from shared.domain.directory_roles import ROLE_NAMES
from shared.domain.errors import Code, Conflict, ManagementSessionError, Problem, Refused, Transient
from shared.domain.ids import TenantId
from shared.domain.operation import Operation
from shared.domain.policies import Policy, SignInConditions
from shared.domain.policy_check import FOREIGN_IP, Check, Finding, PolicyCheck, Verdict, WhatIf, summary_of_check
from shared.domain.resources import APPLICATION_IDS, Resource
from shared.domain.standing_refusal import standing_refusal
from shared.domain.store import Insert, Replace, Stored
from shared.domain.tenant import ServiceAccount, Tenant
from shared.services.sign_in_account import sign_in_account
from shared.services.work import Change
from shared.services.world import World

_PATIENCE = 3
"""How often a check that gets no further is put off before what it cannot find out is called unknown."""
_REPLICATION = timedelta(minutes=5)
_NOT_KNOWN = frozenset({Code.ACCOUNT_LOST, Code.CREDENTIAL_REJECTED})


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
    """One pass over the tenant; `check` is what is known so far, also when the pass is cut short."""

    def __init__(
        self, world: World, tenant: Tenant, operation: Operation, check: PolicyCheck, *, may_wait: bool
    ) -> None:
        self._world = world
        self._tenant = tenant
        self._operation = operation
        self._may_wait = may_wait
        self._known_before = check
        self._policies: tuple[Policy, ...] | None = None
        self.check = check

    def go_through(self, *, with_sign_in: bool) -> None:
        """Every row, in order; rows that are there already are not asked for again."""
        world, tenant, policies = self._world, self._tenant, self._world.policies
        tenant_id, user_id = tenant.tenant_id, tenant.account.object_id
        self._consent()
        self._row(
            Check.ADMIN_ROLE,
            lambda: findings.admin_role(policies.application_roles(tenant_id, world.application_id)),
        )
        self._row(Check.TENANT_FACTS, lambda: findings.tenant_facts(world.directory.organization(tenant_id)))
        self._row(Check.LICENCE, lambda: findings.licence(policies.has_premium(tenant_id)))
        self._row(Check.SECURITY_DEFAULTS, lambda: findings.security_defaults(policies.security_defaults(tenant_id)))
        if user_id is None:
            for check in list(Check)[list(Check).index(Check.PER_USER_MFA) :]:
                self._add(findings.skipped(check, "The tenant has no service account yet."))
            return
        self._row(Check.PER_USER_MFA, lambda: findings.per_user_mfa(policies.per_user_mfa(tenant_id, user_id)))
        self._conditional_access()
        self._row(Check.NAMED_LOCATION, self._named_location)
        self._row(Check.ROLES, self._roles)
        self._row(Check.CREDENTIAL_AGE, lambda: findings.credential_age(tenant.account, world.clock.now()))
        self._row(
            Check.OTHER_SIGN_IN_METHODS, lambda: findings.other_methods(policies.other_methods(tenant_id, user_id))
        )
        self._row(Check.SIGN_IN, self._sign_in if with_sign_in else _no_sign_in)

    def _add(self, *rows: Finding) -> None:
        self.check = replace(self.check, findings=(*self.check.findings, *rows))

    def _row(self, check: Check, look: Callable[[], Finding]) -> None:
        if self.check.found(check) is not None:
            return
        first = self.check.found(Check.CONSENT)
        if first is not None and first.is_obstacle:
            self._add(findings.skipped(check, "Not checked, because consent is missing."))
            return
        try:
            self._add(look())
        except Transient as error:
            self._give_up(error)
            self._add(findings.unknown(check, error.problem))
        except ManagementSessionError as error:
            self._add(findings.unknown(check, error.problem))

    def _give_up(self, error: Transient) -> None:
        """Wait in the queue while that gets us on, and a few times when not; then unknown says more than no check."""
        gets_on = self.check != self._known_before
        if self._may_wait and (gets_on or self._operation.attempts < _PATIENCE):
            raise error

    def _consent(self) -> None:
        if self.check.found(Check.CONSENT) is not None:
            return
        try:
            self._add(findings.consent(self._world.sign_in.permissions(self._tenant.tenant_id)))
        except Transient as error:
            self._give_up(error)
            self._add(findings.unknown(Check.CONSENT, error.problem))
        except Refused as error:
            self._add(findings.no_consent(error.problem))

    def _conditional_access(self) -> None:
        """The what-if matrix: every resource from every address of ours, and once from where nobody of ours is."""
        if self.check.found(Check.CONDITIONAL_ACCESS) is not None:
            return
        why_not = self._why_no_conditional_access()
        if why_not is not None:
            self._add(findings.skipped(Check.CONDITIONAL_ACCESS, why_not))
            self._add(findings.skipped(Check.COMING_POLICIES, why_not))
            return
        try:
            policies = self._all_policies()
            if policies:
                for resource, ip in self._matrix():
                    self._evaluate(resource, ip)
        except Transient as error:
            self._give_up(error)
            self._unknown_policies(error.problem)
        except ManagementSessionError as error:
            self._unknown_policies(error.problem)
        else:
            self._add(*policy_findings.conditional_access(self._tenant, policies, self.check.what_ifs))

    def _unknown_policies(self, problem: Problem) -> None:
        self._add(findings.unknown(Check.CONDITIONAL_ACCESS, problem), findings.unknown(Check.COMING_POLICIES, problem))

    def _why_no_conditional_access(self) -> str | None:
        consent, licence = self.check.found(Check.CONSENT), self.check.found(Check.LICENCE)
        if consent is not None and consent.is_obstacle:
            return "Not checked, because consent is missing."
        if licence is not None and licence.verdict is Verdict.FAIL:
            return "There is no conditional access without Entra ID P1."
        return None

    def _all_policies(self) -> tuple[Policy, ...]:
        if self._policies is None:
            self._policies = self._world.policies.policies(self._tenant.tenant_id)
        return self._policies

    def _matrix(self) -> list[tuple[Resource, str]]:
        addresses = [cidr.partition("/")[0] for cidr in self._world.egress_ips]
        pairs = [(resource, ip) for resource in APPLICATION_IDS for ip in addresses]
        return [*pairs, (Resource.GRAPH, FOREIGN_IP)]

    def _evaluate(self, resource: Resource, ip: str) -> None:
        if any(done.resource is resource and done.ip == ip for done in self.check.what_ifs):
            return
        country = self._world.egress_country if ip != FOREIGN_IP else None
        user_id = self._tenant.account.require_object_id()
        asked = SignInConditions(user_id, APPLICATION_IDS[resource], ip, country)
        found = self._world.policies.what_if(self._tenant.tenant_id, asked)
        applied = tuple(policy.policy_id for policy in found if policy.is_certain)
        uncertain = tuple(policy.policy_id for policy in found if not policy.is_certain)
        done = WhatIf(resource, ip, applied, uncertain)
        self.check = replace(self.check, what_ifs=(*self.check.what_ifs, done))

    def _named_location(self) -> Finding:
        wanted, tenant_id = self._tenant.allowed_ips, self._tenant.tenant_id
        nothing = policy_findings.no_named_location(wanted)
        if nothing is not None:
            return nothing
        locations = self._world.policies.named_locations(tenant_id)
        policy = next((policy for policy in self._all_policies() if policy.policy_id == wanted.policy_id), None)
        self._evaluate(Resource.GRAPH, FOREIGN_IP)
        what_ifs = self.check.what_ifs
        return policy_findings.named_location(wanted, self._world.egress_ips, locations, policy, what_ifs)

    def _roles(self) -> Finding:
        user_id = self._tenant.account.require_object_id()
        assignments = self._world.directory.role_assignments(self._tenant.tenant_id, user_id)
        held = {role.role_template_id for role in assignments}
        ordered = tuple(sorted(held, key=lambda role: (role not in ROLE_NAMES, str(role))))
        self.check = replace(self.check, held_roles=ordered)
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


def noted(check: PolicyCheck) -> Change:
    """How the tenant's row changes by a check that has ended: its summary, and how it saw account and allowed IPs."""
    summary, place = summary_of_check(check), check.found(Check.NAMED_LOCATION)

    def note(tenant: Tenant) -> Tenant:
        roles, ips = tenant.account.roles if check.held_roles is None else check.held_roles, tenant.allowed_ips
        if place is not None and place.verdict in (Verdict.PASS, Verdict.FAIL):
            ips = ips.seen(place.as_problem() if place.verdict is Verdict.FAIL else None)
        account = replace(tenant.account, roles=roles)
        return replace(tenant, policy_check=summary, account=account, allowed_ips=ips)

    return note


def may_be_too_new(account: ServiceAccount, error: Refused, now: datetime) -> bool:
    """True while Entra may not know the account or its password everywhere yet: minutes after it was made.

    The same password again counts once towards a lock-out
    (https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout).
    """
    made_at = account.rotated_at
    return made_at is not None and now < made_at + _REPLICATION and error.problem.code in _NOT_KNOWN


def _refused_before(tenant: Tenant) -> Finding | None:
    """The last sign-in's refusal, when it still stands; not when another row stood in the way and no longer does."""
    stopped_by, refusal = tenant.policy_check.stopped_by, standing_refusal(tenant)
    if refusal is None or (stopped_by is not None and stopped_by.check is not Check.SIGN_IN):
        return None
    return findings.sign_in_refused(refusal)


def _no_sign_in() -> Finding:
    return findings.skipped(Check.SIGN_IN, "This check was made on the way to something else, without a sign-in.")
