"""Turn a session on: sign in, keep the refresh token, prove the roles, open the gates."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.directory_roles import PROFILES, ROLE_NAMES
from shared.domain.errors import Code, Problem, refused
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.store import SetGates
from shared.domain.tenant import Tenant, password_secret, session_secret
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.world import World


class TurnOn:
    """The flow behind `PUT …/session {"state":"on"}` and behind auto-enable."""

    kind = OperationKind.TURN_ON
    steps = ("signIn", "proveRoles")

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; signing in twice leaves one refresh token more, and only the recorded one is used."""
        return self._sign_in(tenant) if step == "signIn" else self._prove_roles(tenant)

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

        def failed(tenant: Tenant) -> Tenant:
            return tenant.at(now, session=tenant.session.failed(problem, now))

        reason = tenant.session.reason
        entry = entry_of(operation, Event.SESSION_FAILED, problem.message, now, reason=reason, code=problem.code)
        return Ending(failed, (SetGates(GateState.CLOSED),), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """The refresh token that nobody will use is made unreadable."""
        version = operation.notes.get("secretVersion")
        if version:
            self._world.vault.retire(session_secret(tenant.tenant_id, tenant.account.account_id), version)

    def _sign_in(self, tenant: Tenant) -> Done:
        account, vault = tenant.account, self._world.vault
        password = vault.get(password_secret(account.require_id()), account.secret_version)
        signed_in = self._world.sign_in.with_password(tenant.tenant_id, str(account.user_principal_name), password)
        if signed_in.object_id != account.object_id:
            raise refused(
                Code.ACCOUNT_LOST,
                "The account that signed in is not the one we created.",
                step="Retry the service account creation, so that the account is found or made again.",
            )
        name = session_secret(tenant.tenant_id, account.account_id)
        version = vault.put(name, signed_in.refresh_token, purpose="session refresh token")

        def kept(tenant: Tenant) -> Tenant:
            return replace(tenant, session=replace(tenant.session, secret_version=version))

        return Done(kept, {"secretVersion": version})

    def _prove_roles(self, tenant: Tenant) -> Done:
        user_id = tenant.account.require_object_id()
        held = {role.role_template_id for role in self._world.directory.role_assignments(tenant.tenant_id, user_id)}
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
