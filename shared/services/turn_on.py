"""Turn a session on: sign in, keep the refresh token, prove the roles, open the gates."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from shared.domain.activity import Event
from shared.domain.directory_roles import GLOBAL_ADMINISTRATOR, PROFILES, ROLE_NAMES
from shared.domain.errors import Code, Problem, Refused, Transient, refused
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import PolicyCheck, Verdict
from shared.domain.session import Method
from shared.domain.store import SetGates
from shared.domain.tenant import Tenant, password_secret, session_secret_of
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.check_policies import CheckPolicies, noted
from shared.services.kept_secrets import delete_if_removed, keep_refresh_token, retire_unless_recorded
from shared.services.sign_in_account import may_be_too_new, sign_in_account
from shared.services.world import World

_MENDED_BY_CREATION = frozenset({Code.ACCOUNT_LOST, Code.ROLE_MISSING, Code.SECRET_MISSING})
_TRIES = 5


class TurnOn:
    """The flow behind `PUT …/session {"state":"on"}` and behind auto-enable."""

    kind = OperationKind.TURN_ON
    steps = ("checkPolicies", "signIn", "proveRoles")

    def __init__(self, world: World, check_policies: CheckPolicies) -> None:
        self._world = world
        self._checks = check_policies

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; signing in twice makes the first refresh token unreadable."""
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
        ours = check.row if check and check.row.operation_id == operation.operation_id else None

        def failed(tenant: Tenant) -> Tenant:
            known = noted(ours, operation)(tenant) if ours and ours.checked_at else tenant
            account = known.account
            if problem.code in _MENDED_BY_CREATION and tenant.session.method is Method.SERVICE_ACCOUNT:
                account = replace(account, problem=problem)
            return known.at(now, session=tenant.session.failed(problem, now), account=account)

        reason = tenant.session.reason
        entry = entry_of(operation, Event.SESSION_FAILED, problem.message, now, reason=reason, code=problem.code)
        return Ending(failed, (SetGates(GateState.CLOSED),), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """The refresh token that nobody will use is made unreadable."""
        version = operation.notes.get("secretVersion")
        retire_unless_recorded(self._world, tenant.tenant_id, session_secret_of(tenant), version)
        delete_if_removed(self._world, tenant)

    def _check_policies(self, tenant: Tenant, operation: Operation) -> Done:
        """Look before signing in, unless a fresh check found nothing in the way, from the addresses we have now."""
        if is_checked(self._world, tenant):
            return Done(is_quick=True)
        check = self._checks.run(tenant, operation, with_sign_in=False)
        return _unless_stopped(check, operation)

    def _sign_in(self, tenant: Tenant, operation: Operation) -> Done:
        account, now = tenant.account, self._world.clock.now()
        try:
            signed_in, password_version = sign_in_account(self._world, tenant)
        except Refused as error:
            if operation.attempts < _TRIES and may_be_too_new(account, error, now):
                raise Transient(error.problem) from error
            raise self._explained(tenant, operation, error) from error
        if signed_in.object_id != account.object_id:
            raise refused(
                Code.ACCOUNT_LOST,
                "The account that signed in is not the one we created.",
                step="Retry the service account creation, so that the account is found or made again.",
            )
        version = keep_refresh_token(self._world, tenant, signed_in.refresh_token)
        is_staged = password_version == account.staged_version
        if is_staged and account.secret_version:  # a rotation that stopped halfway is ended here
            self._world.vault.retire(password_secret(account.require_id()), account.secret_version)

        def kept(tenant: Tenant) -> Tenant:
            account = tenant.account.promoted(now, self._world.limits.rotate_every) if is_staged else tenant.account
            return replace(tenant, account=account, session=replace(tenant.session, secret_version=version))

        return Done(kept, {"secretVersion": version}, is_quick=True)

    def _explained(self, tenant: Tenant, operation: Operation, error: Refused) -> Refused:
        """The refusal with the policies behind it, as far as a check finds them at once.

        Were the check put off, it would be this step that comes again, and with it the sign-in.
        """
        if error.problem.code is not Code.SIGN_IN_BLOCKED:
            return error
        try:
            check = self._checks.run(tenant, operation, with_sign_in=False, may_wait=False)
        except Transient:
            return error
        details = tuple(f.as_problem() for f in check.findings if f.verdict is Verdict.FAIL and f.is_obstacle)
        step = details[0].next_step if details else error.problem.next_step
        return Refused(replace(error.problem, details=details, next_step=step))

    def _prove_roles(self, tenant: Tenant) -> Done:
        user_id = tenant.session.user_id or tenant.account.require_object_id()
        held = {role.role_template_id for role in self._world.directory.role_assignments(tenant.tenant_id, user_id)}
        if tenant.session.method is Method.GLOBAL_ADMIN:
            self._world.vault.get(session_secret_of(tenant), tenant.session.secret_version)  # it cannot be made anew
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


def is_checked(world: World, tenant: Tenant) -> bool:
    """True when a fresh policy check found nothing in the way, from the addresses that we have now."""
    latest, now = tenant.policy_check, world.clock.now()
    is_fresh = latest.checked_at is not None and now < latest.checked_at + world.limits.check_lasts
    return is_fresh and latest.stopped_by is None and not tenant.allowed_ips.is_behind(world.egress_ips)


def _proven_administrator(held: set[UUID]) -> Done:
    if GLOBAL_ADMINISTRATOR.template_id not in held:
        raise refused(
            Code.ROLE_MISSING,
            "The account that signed in is not a Global Administrator.",
            target="username",
            step="Use the credentials of a Global Administrator, or the service account.",
        )
    return Done()


def _unless_stopped(check: PolicyCheck, operation: Operation) -> Done:
    """The check in the tenant's row; or its first obstacle as the reason why there is no turn-on."""
    obstacle = check.stops_turn_on()
    if obstacle is not None:
        raise Refused(obstacle.as_problem())
    return Done(noted(check, operation))
