"""Turn a session on with a Global Administrator's credentials; the password lives in this one request only.

Microsoft demands MFA of administrators nearly everywhere, so this works only in tenants that have no such policy; it is
a way out for a day, not a way of working. The session is short and never turns itself on again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import uuid4

from shared.domain import findings
from shared.domain.activity import Event
from shared.domain.actors import Right
from shared.domain.errors import Code, ManagementSessionError, NextStep, Problem, Refused, refused
from shared.domain.ids import SessionId, TenantId
from shared.domain.lease import GateState
from shared.domain.operation import Operation
from shared.domain.policies import SignInConditions
from shared.domain.ports import Organization, SignedIn
from shared.domain.resources import APPLICATION_IDS, Resource
from shared.domain.secret import Secret
from shared.domain.session import Method
from shared.domain.store import Due, SetGates, Stored
from shared.domain.tenant import Tenant, session_secret
from shared.services.accept import Accept, Accepted, Asking, Plan, busy, new_operation, seen_before
from shared.services.carry_out import entry_of
from shared.services.kept_secrets import recorded
from shared.services.toggle_session import ToggleSession
from shared.services.turn_on import TurnOn
from shared.services.world import World, authorise

_SIGN_INS = "https://learn.microsoft.com/entra/identity/monitoring-health/concept-sign-ins"

WARNING = NextStep(
    "Microsoft enforces MFA for administrators through security defaults, managed policies and its portals, and is "
    "retiring password sign-ins: use the management service account, and keep this session short.",
    "https://learn.microsoft.com/entra/identity/authentication/concept-mandatory-multifactor-authentication",
)

_STEPS = {
    Code.CREDENTIAL_REJECTED: NextStep("Check the user name and the password, then try again.", _SIGN_INS),
    Code.ACCOUNT_LOST: NextStep("Check the user name, and that the account is enabled, then try again.", _SIGN_INS),
    Code.SIGN_IN_BLOCKED: NextStep("Use the management service account, which can be excluded from it.", WARNING.link),
}
"""What to do when the sign-in is an administrator's: the catalogue's sentences are about the service account."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the administrator typed. The password is a Secret: it prints as ****, and nothing here stores it."""

    username: str
    password: Secret = field(repr=False)


class TurnOnAsAdmin:
    """The service behind `PUT …/session {"method":"globalAdmin"}`."""

    def __init__(self, world: World, accept: Accept) -> None:
        self._world = world
        self._accept = accept
        self._toggle = ToggleSession(world, accept)

    def __call__(
        self, tenant_id: TenantId, asking: Asking, credentials: Credentials, *, lifetime: timedelta, reason: str | None
    ) -> Accepted:
        """Sign in now; what follows, an operation finishes without the password.

        Raises:
            NotFound, Refused: as `ToggleSession.turn_on`; `methodNotSupported` for federated and guest users, before
                the password goes anywhere; `credentialRejected`, `signInBlocked` when Entra refuses the sign-in.
            Transient: Graph, Entra or Key Vault are away.
        """
        tenant = self._world.store.tenant(tenant_id)
        authorise(asking.caller, tenant.row, Right.OPERATOR)
        is_on = tenant.row.session.is_on(self._world.clock.now())
        if is_on or tenant.row.is_busy or seen_before(self._world, tenant_id, asking) is not None:
            return self._accept(tenant_id, asking, Right.OPERATOR, self._already)
        self._toggle.require_not_expired(tenant.row)
        organization = self._world.directory.organization(tenant_id)
        _require_own_password(credentials.username, organization)
        signed_in = self._sign_in(tenant_id, credentials)
        world, name = self._world, session_secret(tenant_id, None)
        world.due.add(Due(tenant_id, world.clock.now() + world.limits.stuck_after))  # upkeep sweeps if we die here
        leftover = world.vault.newest(name)
        version = world.vault.put(name, signed_in.refresh_token, purpose="session refresh token")

        def decide(tenant: Stored[Tenant]) -> Plan | Operation | None:
            plan = self._plan(tenant.row, asking, signed_in, version, lifetime=lifetime, reason=reason)
            return replace(plan, tenant=replace(plan.tenant, initial_domain=organization.initial_domain))

        try:
            return self._accept(tenant_id, asking, Right.OPERATOR, decide)
        finally:
            in_use = recorded(world.store.tenant(tenant_id).row)
            if (name, version) not in in_use:
                world.vault.retire(name, version)
            elif leftover is not None:
                world.vault.retire(name, leftover)

    def _already(self, tenant: Stored[Tenant]) -> Operation | None:
        running = self._accept.running(tenant.row)
        if running is not None and running.kind is not TurnOn.kind:
            raise busy(running)
        return running

    def _sign_in(self, tenant_id: TenantId, credentials: Credentials) -> SignedIn:
        """The sign-in; a refusal names the policies behind it and says what an administrator can do about it."""
        try:
            return self._world.sign_in.with_password(tenant_id, credentials.username, credentials.password)
        except Refused as error:
            problem = error.problem
            step = _STEPS.get(problem.code, problem.next_step)
            if problem.code is Code.SIGN_IN_BLOCKED:
                problem = replace(problem, details=self._what_blocks(tenant_id, credentials.username))
            raise Refused(replace(problem, next_step=step)) from error

    def _what_blocks(self, tenant_id: TenantId, username: str) -> tuple[Problem, ...]:
        """What one what-if and a look at security defaults find at once; nothing when they cannot."""
        world, policies = self._world, self._world.policies
        try:
            if policies.security_defaults(tenant_id):
                return (findings.security_defaults(True).as_problem(),)
            user = world.directory.user(tenant_id, username)
            if user is None or not world.egress_ips:
                return ()
            ip, country = world.egress_ips[0].partition("/")[0], world.egress_country
            asked = SignInConditions(user.object_id, APPLICATION_IDS[Resource.GRAPH], ip, country)
            applied = {found.policy_id for found in policies.what_if(tenant_id, asked) if found.is_certain}
            known = policies.policies(tenant_id)
        except ManagementSessionError:
            return ()
        hits = [each for each in known if each.policy_id in applied and each.state == "enabled" and each.controls]
        sentences = (f"The policy “{hit.display_name}” demands {' and '.join(hit.controls)}." for hit in hits)
        return tuple(Problem(Code.SIGN_IN_BLOCKED, sentence) for sentence in sentences)

    def _plan(
        self,
        tenant: Tenant,
        asking: Asking,
        signed_in: SignedIn,
        version: str,
        *,
        lifetime: timedelta,
        reason: str | None,
    ) -> Plan:
        running = self._accept.running(tenant)
        if running is not None:
            raise busy(running)
        now, limits, by = self._world.clock.now(), self._world.limits, asking.caller.actor
        session = tenant.session.turning_on(
            SessionId(uuid4()),
            Method.GLOBAL_ADMIN,
            by,
            reason=reason,
            lifetime=min(lifetime, limits.global_admin_longest),
            now=now,
        )
        operation = new_operation(
            tenant.tenant_id,
            TurnOn.kind,
            ("proveRoles",),
            by,
            now=now,
            within=limits.turn_on_within,
            asking=asking,
            notes={"secretVersion": version, "method": Method.GLOBAL_ADMIN},
        )
        session = replace(session, user_id=signed_in.object_id, secret_version=version)
        text = "The management session is being turned on with a Global Administrator's credentials."
        entry = entry_of(operation, Event.SESSION_TURNING_ON, text, now, reason=reason)
        gates = SetGates(GateState.OPENING, session.session_id)
        return Plan(operation, tenant.at(now, session=session), entry, (gates,))


def _require_own_password(username: str, organization: Organization) -> None:
    """Refuse whoever signs in elsewhere: their password would go to another identity provider."""
    domain = username.rpartition("@")[2].lower()
    if "#ext#" in username.lower() or domain not in organization.managed_domains:
        raise refused(
            Code.METHOD_NOT_SUPPORTED,
            "Only an account with a password in this tenant can be used: no guest, no federated domain.",
            target="username",
            step="Use a cloud-only Global Administrator, or the management service account.",
        )
