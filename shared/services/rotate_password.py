"""Rotate the service account's password in two phases: stage, change, verify by a sign-in, promote, retire.

The tenant's row says which Key Vault version is in use and which is staged, so a crash between any two steps leaves at
most two candidates, and a sign-in tells which one is true.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.errors import Code, Problem, Refused, Transient
from shared.domain.operation import Operation, OperationKind
from shared.domain.secret import new_password
from shared.domain.session import Method, SessionState
from shared.domain.tenant import Tenant, password_secret, session_secret
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.world import World

_SIGN_IN_TRIES = 4
_LIVE = (SessionState.ON, SessionState.DRAINING)


class RotatePassword:
    """The flow behind `POST …/service-account/rotate` and the rotation cadence."""

    kind = OperationKind.ROTATE_PASSWORD
    steps = ("stagePassword", "changePassword", "verifySignIn", "retireOldPassword")

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; the staged version in the tenant's row carries from one to the next."""
        match step:
            case "stagePassword":
                return self._stage(tenant)
            case "changePassword":
                return self._change(tenant)
            case "verifySignIn":
                return self._verify(tenant, operation)
            case _:
                return self._retire(tenant, operation)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """The new password is the only one."""
        account = tenant.account
        text = "The service account's password was rotated."
        entry = entry_of(operation, Event.PASSWORD_ROTATED, text, self._world.clock.now())
        dates = {"rotatedAt": account.rotated_at, "nextRotationAt": account.next_rotation_at}
        return Ending(lambda tenant: tenant, (), entry, dates)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """Both candidates stay recorded: the next sign-in or rotation finds the true one."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ROTATION_FAILED, problem.message, now, code=problem.code)
        return Ending(lambda tenant: tenant, (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: the staged version is in the tenant's row."""

    def _stage(self, tenant: Tenant) -> Done:
        if tenant.account.staged_version:
            return Done()
        name = password_secret(tenant.account.require_id())
        version = self._world.vault.put(name, new_password(), purpose="service account password")

        def staged(tenant: Tenant) -> Tenant:
            return replace(tenant, account=replace(tenant.account, staged_version=version))

        return Done(staged)

    def _change(self, tenant: Tenant) -> Done:
        account, vault = tenant.account, self._world.vault
        name = password_secret(account.require_id())
        new = vault.get(name, account.staged_version)
        try:
            self._world.directory.set_password(tenant.tenant_id, account.require_object_id(), new)
        except Refused as error:
            if error.problem.code not in (Code.ADMIN_ROLE_MISSING, Code.PERMISSION_MISSING):
                raise
            self._change_by_itself(tenant, error)
        return Done()

    def _change_by_itself(self, tenant: Tenant, refusal: Refused) -> None:
        """The account changes its own password: what is left when our application may not."""
        account, vault, sign_in = tenant.account, self._world.vault, self._world.sign_in
        name, user = password_secret(account.require_id()), str(account.user_principal_name)
        old, new = vault.get(name, account.secret_version), vault.get(name, account.staged_version)
        try:
            sign_in.change_own_password(tenant.tenant_id, user, old, new)
        except Refused as error:
            if error.problem.code is not Code.CREDENTIAL_REJECTED:
                raise refusal from error
            sign_in.with_password(tenant.tenant_id, user, new)  # changed already, by an attempt whose record was lost

    def _verify(self, tenant: Tenant, operation: Operation) -> Done:
        account, now = tenant.account, self._world.clock.now()
        self._world.directory.revoke_sign_ins(tenant.tenant_id, account.require_object_id())
        new = self._world.vault.get(password_secret(account.require_id()), account.staged_version)
        try:
            signed_in = self._world.sign_in.with_password(tenant.tenant_id, str(account.user_principal_name), new)
        except Refused as error:
            if error.problem.code is Code.CREDENTIAL_REJECTED and operation.attempts < _SIGN_IN_TRIES:
                raise Transient(error.problem) from error  # the same password again never locks an account out
            raise
        session_version = None
        if tenant.session.method is Method.SERVICE_ACCOUNT and tenant.session.state in _LIVE:
            name = session_secret(tenant.tenant_id, account.account_id)
            session_version = self._world.vault.put(name, signed_in.refresh_token, purpose="session refresh token")

        def promoted(tenant: Tenant) -> Tenant:
            account = replace(
                tenant.account,
                secret_version=tenant.account.staged_version,
                staged_version=None,
                rotated_at=now,
                next_rotation_at=now + self._world.limits.rotate_every,
            )
            session = tenant.session
            if session_version and session.state in _LIVE:
                session = replace(session, secret_version=session_version)
            return tenant.at(now, account=account, session=session)

        return Done(promoted, {"oldVersion": account.secret_version or ""})

    def _retire(self, tenant: Tenant, operation: Operation) -> Done:
        old = operation.notes.get("oldVersion")
        if old:
            self._world.vault.retire(password_secret(tenant.account.require_id()), old)
        return Done()
