"""Turn a session on: sign in, keep the refresh token, prove the roles, open the gates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from shared.domain.activity import Event
from shared.domain.directory_roles import GLOBAL_ADMINISTRATOR, PROFILES, ROLE_NAMES
from shared.domain.errors import Code, Problem, Refused, Transient, refused
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import PolicyCheck, Verdict, summary_of_check
from shared.domain.session import Method
from shared.domain.store import SetGates
from shared.domain.tenant import Tenant, password_secret, session_secret_of
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.check_policies import CheckPolicies
from shared.services.world import World

_REPLICATION = timedelta(minutes=5)
_TRIES = 5


class TurnOn:
    """The flow behind `PUT …/session {"state":"on"}` and behind auto-enable."""

    kind = OperationKind.TURN_ON
    steps = ("checkPolicies", "signIn", "proveRoles")

    def __init__(self, world: World, check_policies: CheckPolicies) -> None:
        self._world = world
        self._checks = check_policies

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; signing in twice leaves one refresh token more, and only the recorded one is used."""
        match step:
            case "checkPolicies":
                return self._check_policies(tenant, operation)
            case "signIn":
                return self._sign_in(tenant, operation)
            case _:
                return self._prove_roles(tenant)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """On, and every gate open, in one transaction."""
        now = self._world.clock.now()
        on = tenant.session.turned_on(now)

        def turned_on(tenant: Tenant) -> Tenant:
            return tenant.at(now, session=on)

        gates = SetGates(GateState.OPEN, on.session_id, on.expires_at)
        entry = entry_of(operation, Event.SESSION_TURNED_ON, "The management session is on.", now, reason=on.reason)
        return Ending(turned_on, (gates,), entry, {"expiresAt": on.expires_at})

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """Failed, with the reason; nobody gets through."""
        now = self._world.clock.now()
        check = self._world.store.policy_check(tenant.tenant_id)
        ended = check.row if check and check.row.operation_id == operation.operation_id else None

        def failed(tenant: Tenant) -> Tenant:
            summary = summary_of_check(ended) if ended and ended.checked_at else tenant.policy_check
            return replace(tenant.at(now, session=tenant.session.failed(problem, now)), policy_check=summary)

        reason = tenant.session.reason
        entry = entry_of(operation, Event.SESSION_FAILED, problem.message, now, reason=reason, code=problem.code)
        return Ending(failed, (SetGates(GateState.CLOSED),), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """The refresh token that nobody will use is made unreadable."""
        version = operation.notes.get("secretVersion")
        if version:
            self._world.vault.retire(session_secret_of(tenant), version)

    def _check_policies(self, tenant: Tenant, operation: Operation) -> Done:
        """Look before signing in, unless a fresh check found nothing in the way."""
        latest, now = tenant.policy_check, self._world.clock.now()
        is_fresh = latest.checked_at is not None and now < latest.checked_at + self._world.limits.check_lasts
        if is_fresh and latest.stopped_by is None:
            return Done()
        check = self._checks.run(tenant, operation, with_sign_in=False)
        return _unless_stopped(check)

    def _sign_in(self, tenant: Tenant, operation: Operation) -> Done:
        account, vault = tenant.account, self._world.vault
        password = vault.get(password_secret(account.require_id()), account.secret_version)
        try:
            signed_in = self._world.sign_in.with_password(tenant.tenant_id, str(account.user_principal_name), password)
        except Refused as error:
            if self._may_be_too_new(tenant, operation, error):
                raise Transient(error.problem) from error
            raise self._explained(tenant, operation, error) from error
        if signed_in.object_id != account.object_id:
            raise refused(
                Code.ACCOUNT_LOST,
                "The account that signed in is not the one we created.",
                step="Retry the service account creation, so that the account is found or made again.",
            )
        name = session_secret_of(tenant)
        version = vault.put(name, signed_in.refresh_token, purpose="session refresh token")

        def kept(tenant: Tenant) -> Tenant:
            return replace(tenant, session=replace(tenant.session, secret_version=version))

        return Done(kept, {"secretVersion": version})

    def _may_be_too_new(self, tenant: Tenant, operation: Operation, error: Refused) -> bool:
        """True while Entra may not know the account or its password everywhere yet: minutes after it was made.

        The same password again counts once towards a lock-out
        (https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout).
        """
        made_at = tenant.account.rotated_at
        is_new = made_at is not None and self._world.clock.now() < made_at + _REPLICATION
        unknown_yet = error.problem.code in (Code.ACCOUNT_LOST, Code.CREDENTIAL_REJECTED)
        return is_new and unknown_yet and operation.attempts < _TRIES

    def _explained(self, tenant: Tenant, operation: Operation, error: Refused) -> Refused:
        """The refusal with the policies behind it, as far as a check finds them."""
        if error.problem.code is not Code.SIGN_IN_BLOCKED:
            return error
        check = self._checks.run(tenant, operation, with_sign_in=False)
        details = tuple(f.as_problem() for f in check.findings if f.verdict is Verdict.FAIL and f.is_obstacle)
        step = details[0].next_step if details else error.problem.next_step
        return Refused(replace(error.problem, details=details, next_step=step))

    def _prove_roles(self, tenant: Tenant) -> Done:
        user_id = tenant.session.user_id or tenant.account.require_object_id()
        held = {role.role_template_id for role in self._world.directory.role_assignments(tenant.tenant_id, user_id)}
        if tenant.session.method is Method.GLOBAL_ADMIN:
            return _proven_administrator(held)
        lacking = [role.name for role in PROFILES[tenant.role_profile] if role.template_id not in held]
        if lacking:
            raise refused(
                Code.ROLE_MISSING,
                f"The service account does not hold {', '.join(lacking)}.",
                step="Retry the service account creation to give the roles back, then turn the session on.",
                link="https://entra.microsoft.com/#view/Microsoft_AAD_IAM/RolesManagementMenuBlade",
            )
        roles = tuple(sorted(held, key=lambda role: (role not in ROLE_NAMES, str(role))))

        def proven(tenant: Tenant) -> Tenant:
            return replace(tenant, account=replace(tenant.account, roles=roles))

        return Done(proven)


def _proven_administrator(held: set[UUID]) -> Done:
    if GLOBAL_ADMINISTRATOR.template_id not in held:
        raise refused(
            Code.ROLE_MISSING,
            "The account that signed in is not a Global Administrator.",
            target="username",
            step="Use the credentials of a Global Administrator, or the service account.",
        )
    return Done()


def _unless_stopped(check: PolicyCheck) -> Done:
    """The check in the tenant's row; or its first obstacle as the reason why there is no turn-on."""
    obstacle = check.stops_turn_on()
    if obstacle is not None:
        raise Refused(obstacle.as_problem())
    summary = summary_of_check(check)
    return Done(lambda tenant: replace(tenant, policy_check=summary))
