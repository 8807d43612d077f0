"""Rotate the service account's password in two phases: stage, change, verify by a sign-in, retire, promote.

The tenant's row says which Key Vault version is in use and which is staged, so a crash between any two steps leaves at
most two candidates, and a sign-in tells which one is true.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.activity import Event
from shared.domain.errors import Code, Problem, Refused, Transient
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import Check
from shared.domain.ports import Directory
from shared.domain.secret import Secret
from shared.domain.session import Method, SessionState
from shared.domain.tenant import Tenant, password_secret, session_secret_of
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.create_account import require_ours
from shared.services.kept_secrets import delete_if_removed, keep_password, keep_refresh_token, retire_unless_recorded
from shared.services.world import World

DRIFT = "drift"
"""The note of a rotation that was begun because Entra does not accept the password in use: nobody knows the right one,
so only our application can set another, and no sign-in is spent on finding that out."""

_SIGN_IN_TRIES = 4
_DISPROVED = frozenset(
    {
        Code.ACCOUNT_LOST,
        Code.ADMIN_ROLE_MISSING,
        Code.CREDENTIAL_REJECTED,
        Code.ONBOARDING_OFF,
        Code.PERMISSION_MISSING,
        Code.SECRET_MISSING,
        Code.SIGN_IN_BLOCKED,
    }
)
"""Problems of the account that a password set and proven by a sign-in shows to be over."""
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
                return self._change(tenant, operation)
            case "verifySignIn":
                return self._verify(tenant, operation)
            case _:
                return self._promote(tenant)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """The new password is the only one."""
        account = tenant.account
        text = "The service account's password was rotated."
        entry = entry_of(operation, Event.PASSWORD_ROTATED, text, self._world.clock.now())
        dates = {"rotatedAt": account.rotated_at, "nextRotationAt": account.next_rotation_at}

        def rotated(tenant: Tenant) -> Tenant:
            stopped_by, problem = tenant.policy_check.stopped_by, tenant.account.problem
            is_by_sign_in = stopped_by is not None and stopped_by.check is Check.SIGN_IN
            check = tenant.policy_check.outdated() if is_by_sign_in else tenant.policy_check
            left = None if problem is not None and problem.code in _DISPROVED else problem
            return replace(tenant, policy_check=check, account=replace(tenant.account, problem=left))

        return Ending(rotated, (), entry, dates)

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """Both candidates stay recorded: the next sign-in or rotation finds the true one.

        What was refused today is not tried again every few minutes: wrong passwords in a row lock an account out.
        """
        now = self._world.clock.now()
        entry = entry_of(operation, Event.ROTATION_FAILED, problem.message, now, code=problem.code)

        def failed(tenant: Tenant) -> Tenant:
            due = max(tenant.account.next_rotation_at or now, now + self._world.limits.rotate_again)
            is_told = DRIFT in operation.notes and problem.next_step is not None
            told = problem if is_told else tenant.account.problem
            return replace(tenant, account=replace(tenant.account, next_rotation_at=due, problem=told))

        return Ending(failed, (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """What was kept and could not be recorded is made unreadable; what is recorded stays."""
        password, session = password_secret(tenant.account.require_id()), session_secret_of(tenant)
        for name, note in ((password, "stagedVersion"), (session, "sessionVersion")):
            retire_unless_recorded(self._world, tenant.tenant_id, name, operation.notes.get(note))
        delete_if_removed(self._world, tenant)

    def _stage(self, tenant: Tenant) -> Done:
        """The staged password, which a former attempt may have set already; a new one where none can be read.

        A lost one may be the account's too. Then nobody knows the right one, and only an application can set another.
        """
        if self._has_staged(tenant):
            return Done()
        version = keep_password(self._world, tenant)
        if self._has_staged(tenant):  # its name came out of the recycle bin, with all it held
            self._world.vault.retire(password_secret(tenant.account.require_id()), version)
            return Done()

        def staged(tenant: Tenant) -> Tenant:
            return replace(tenant, account=replace(tenant.account, staged_version=version))

        return Done(staged, {"stagedVersion": version})

    def _change(self, tenant: Tenant, operation: Operation) -> Done:
        if DRIFT in operation.notes:
            require_ours(self._world, tenant)
            self._set(tenant, self._world.as_onboarding().directory)
            return Done()
        onboarding = self._world.onboarding
        if onboarding is not None:
            self._change_in_turn(tenant, onboarding.directory)
            return Done()
        try:
            self._set(tenant, self._world.directory)
        except Refused as error:
            if error.problem.code not in (Code.ADMIN_ROLE_MISSING, Code.PERMISSION_MISSING):
                raise
            self._change_by_itself(tenant, error)
        return Done()

    def _change_in_turn(self, tenant: Tenant, onboarding: Directory) -> None:
        """By the account itself, which needs nobody; where it cannot, by the application that may be switched off."""
        try:
            self._change_by_itself(tenant)
        except Refused as error:
            if error.problem.code not in (Code.CREDENTIAL_REJECTED, Code.SECRET_MISSING, Code.PERMISSION_MISSING):
                raise
            self._set(tenant, onboarding)

    def _set(self, tenant: Tenant, directory: Directory) -> None:
        directory.set_password(tenant.tenant_id, tenant.account.require_object_id(), self._staged(tenant))

    def _has_staged(self, tenant: Tenant) -> bool:
        if tenant.account.staged_version is None:
            return False
        try:
            self._staged(tenant)
        except Refused as error:
            if error.problem.code is not Code.SECRET_MISSING:
                raise
            return False
        return True

    def _staged(self, tenant: Tenant) -> Secret:
        return self._world.vault.get(password_secret(tenant.account.require_id()), tenant.account.staged_version)

    def _change_by_itself(self, tenant: Tenant, refusal: Refused | None = None) -> None:
        """The account changes its own password; `refusal` is why our application did not, and says more."""
        account, vault, sign_in = tenant.account, self._world.vault, self._world.sign_in
        name, user = password_secret(account.require_id()), str(account.user_principal_name)
        new = self._staged(tenant)
        try:
            old = vault.get(name, account.secret_version)
            sign_in.change_own_password(tenant.tenant_id, user, old, new)
        except Refused as error:
            if error.problem.code not in (Code.CREDENTIAL_REJECTED, Code.SECRET_MISSING):
                if refusal is None:
                    raise
                raise refusal from error
            sign_in.with_password(tenant.tenant_id, user, new)  # changed already, by an attempt whose record was lost

    def _verify(self, tenant: Tenant, operation: Operation) -> Done:
        account = tenant.account
        self._world.directory.revoke_sign_ins(tenant.tenant_id, account.require_object_id())
        new = self._staged(tenant)
        try:
            signed_in = self._world.sign_in.with_password(tenant.tenant_id, str(account.user_principal_name), new)
        except Refused as error:
            if error.problem.code is Code.CREDENTIAL_REJECTED and operation.attempts < _SIGN_IN_TRIES:
                raise Transient(error.problem) from error  # the same password again never locks an account out
            raise
        if tenant.session.method is not Method.SERVICE_ACCOUNT or tenant.session.state not in _LIVE:
            return Done()
        if tenant.session.secret_version:  # it was revoked, so nothing is lost
            self._world.vault.retire(session_secret_of(tenant), tenant.session.secret_version)
        version = keep_refresh_token(self._world, tenant, signed_in.refresh_token)

        def renewed(tenant: Tenant) -> Tenant:
            if tenant.session.state not in _LIVE:
                return tenant
            return replace(tenant, session=tenant.session.signed_in_again(version))

        return Done(renewed, {"sessionVersion": version})

    def _promote(self, tenant: Tenant) -> Done:
        """The old password goes before the record says so: until then both are recorded, and a sign-in tries both."""
        account, now = tenant.account, self._world.clock.now()
        if account.staged_version and account.secret_version:
            self._world.vault.retire(password_secret(account.require_id()), account.secret_version)

        def promoted(tenant: Tenant) -> Tenant:
            return tenant.at(now, account=tenant.account.promoted(now, self._world.limits.rotate_every))

        return Done(promoted)
