"""Create the tenant's management service account: intent first, then the secret, then the user, then its roles.

A crash between any two steps leaves something the next attempt recognises: the account's id, name and secret's name are
in the tenant's row before anything is made, the password is in Key Vault before the user exists, and the user carries
our mark in `employeeId`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from shared.domain.activity import Event
from shared.domain.directory_roles import PROFILES, ROLE_NAMES
from shared.domain.errors import Code, Problem, Refused, Transient, refused
from shared.domain.operation import Operation, OperationKind
from shared.domain.ports import DirectoryUser, NewUser
from shared.domain.secret import Secret
from shared.domain.tenant import AccountState, Tenant, password_secret
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.consent import require_creation
from shared.services.kept_secrets import delete_if_removed, keep_password, retire_unless_recorded
from shared.services.work import Change
from shared.services.world import World

_NAMES = 5
_PATIENCE = 8
"""How often a name that is taken and shows no user is looked at again: 2 + 4 + … + 60 seconds, four minutes in all."""

Taken = tuple[DirectoryUser, str]


class CreateAccount:
    """The flow behind `PUT …/service-account`."""

    kind = OperationKind.CREATE_SERVICE_ACCOUNT
    steps = ("checkConsent", "readTenant", "keepPassword", "createUser", "assignRoles", "verifyRoles")

    def __init__(self, world: World) -> None:
        self._world = world

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; each finds out for itself what was done before."""
        match step:
            case "checkConsent":
                return self._check_consent(tenant)
            case "readTenant":
                return self._read_tenant(tenant)
            case "keepPassword":
                return self._keep_password(tenant)
            case "createUser":
                return self._create_user(tenant, operation)
            case "assignRoles":
                return self._assign_roles(tenant)
            case _:
                return self._verify_roles(tenant)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """The account is there, with its roles: record it."""
        now = self._world.clock.now()
        name = str(tenant.account.user_principal_name)

        def created(tenant: Tenant) -> Tenant:
            first = tenant.account.created_at or now
            account = replace(tenant.account, state=AccountState.CREATED, created_at=first, problem=None)
            return replace(tenant.at(now, account=account), policy_check=tenant.policy_check.outdated())

        entry = entry_of(operation, Event.SERVICE_ACCOUNT_CREATED, f"The service account {name} was created.", now)
        result = {"userPrincipalName": name, "objectId": str(tenant.account.object_id)}
        return Ending(created, (), entry, result | {"origin": operation.notes.get("origin", "created")})

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """What there is stays recorded, so that the same call again goes on from it."""
        now = self._world.clock.now()

        def failed(tenant: Tenant) -> Tenant:
            state = AccountState.CREATED if tenant.account.created_at else AccountState.FAILED
            return tenant.at(now, account=replace(tenant.account, state=state, problem=problem))

        entry = entry_of(operation, Event.SERVICE_ACCOUNT_FAILED, problem.message, now, code=problem.code)
        return Ending(failed, (), entry)

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """When the account was removed while it was being made: what the removal could not see yet goes too."""
        object_id, name = operation.notes.get("objectId"), password_secret(tenant.account.require_id())
        retire_unless_recorded(self._world, tenant.tenant_id, name, operation.notes.get("keptVersion"))
        if delete_if_removed(self._world, tenant) and object_id:
            self._world.directory.delete_user(tenant.tenant_id, UUID(object_id))

    def _check_consent(self, tenant: Tenant) -> Done:
        return Done(require_creation(self._world, tenant.tenant_id))

    def _read_tenant(self, tenant: Tenant) -> Done:
        found = self._world.directory.organization(tenant.tenant_id)
        if not found.initial_domain_is_managed:
            raise refused(
                Code.ACCOUNT_CONFLICT,
                f"The domain {found.initial_domain} signs in elsewhere, so accounts there have no password.",
                step="Make the initial domain a managed one, then retry.",
                link="https://learn.microsoft.com/entra/identity/users/domains-manage",
            )
        name = tenant.account.user_principal_name or _name(tenant, found.initial_domain, 1)

        def intend(tenant: Tenant) -> Tenant:
            account = replace(tenant.account, user_principal_name=name, stock=())
            return replace(tenant, initial_domain=found.initial_domain, account=account)

        return Done(intend)

    def _keep_password(self, tenant: Tenant) -> Done:
        """A password for the account; where the recorded one was lost, one to replace it is staged as in a rotation."""
        is_first = tenant.account.secret_version is None and tenant.account.object_id is None
        if not is_first and self._password(tenant) is not None:
            return Done()
        version = keep_password(self._world, tenant)

        def kept(tenant: Tenant) -> Tenant:
            account = tenant.account
            if is_first:
                return replace(tenant, account=replace(account, secret_version=version))
            return replace(tenant, account=replace(account, staged_version=version))

        return Done(kept, {"keptVersion": version})

    def _password(self, tenant: Tenant) -> tuple[Secret, bool] | None:
        """The password, and whether it replaces one that was lost; None when there is none."""
        name, account = password_secret(tenant.account.require_id()), tenant.account
        for version, is_replacement in ((account.secret_version, False), (account.staged_version, True)):
            try:
                if version is not None:
                    return self._world.vault.get(name, version), is_replacement
            except Refused as error:
                if error.problem.code is not Code.SECRET_MISSING:
                    raise
        return None

    def _create_user(self, tenant: Tenant, operation: Operation) -> Done:
        account, now = tenant.account, self._world.clock.now()
        kept = self._password(tenant)
        if kept is None:
            raise Transient(Problem(Code.SECRET_MISSING, "The account's password was deleted this moment."))
        password, is_replacement = kept
        cadence = self._world.limits.rotate_every
        user = self._world.directory.user(tenant.tenant_id, str(account.object_id)) if account.object_id else None
        if user is not None and is_ours(user, tenant, self._world.application_id):
            self._mend(tenant, user, password if is_replacement else None)
            return Done(_found(user, now, cadence, is_replacement=is_replacement, is_known=True))
        for name in names_of(tenant):
            taken = self._take(tenant, name, kept, is_patient=operation.attempts < _PATIENCE)
            if taken is not None:
                user, origin = taken
                change = _found(user, now, cadence, is_replacement=is_replacement)
                return Done(change, {"origin": origin, "objectId": str(user.object_id)})
        raise refused(
            Code.ACCOUNT_CONFLICT,
            f"{_NAMES} names for the service account are taken in {tenant.initial_domain}, by accounts not ours.",
            step="Remove or rename them, then retry.",
            link="https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade",
        )

    def _mend(self, tenant: Tenant, user: DirectoryUser, password: Secret | None) -> None:
        """Enable an account of ours that somebody disabled, and give it the password that replaces a lost one."""
        if password is not None:
            self._world.directory.set_password(tenant.tenant_id, user.object_id, password)
        if not user.is_enabled:
            marker = marker_of(tenant, self._world.application_id)
            self._world.directory.adopt_user(tenant.tenant_id, user.object_id, marker)

    def _take(self, tenant: Tenant, name: str, kept: tuple[Secret, bool], *, is_patient: bool) -> Taken | None:
        """The account under that name and where it comes from; None when the name is somebody else's."""
        directory, tenant_id = self._world.directory, tenant.tenant_id
        password, is_replacement = kept
        ours = marker_of(tenant, self._world.application_id)
        user, origin = directory.user(tenant_id, name), "adopted"
        if user is None:
            user, origin = self._restore(tenant, name), "restored"
        if user is None:
            try:
                wanted = NewUser(name, "Management session service account", ours, password)
                return directory.create_user(tenant_id, wanted), "created"
            except Refused as error:
                if error.problem.code is not Code.ACCOUNT_CONFLICT:
                    raise
            user, origin = directory.user(tenant_id, name), "adopted"
            if user is None and is_patient:  # made by an attempt that died, perhaps, and not replicated yet
                raise Transient(Problem(Code.ACCOUNT_LOST, f"The name {name} is taken by something not visible yet."))
            if user is None:
                return None  # taken by something a user look-up does not show: a group, or an account being purged
        if user.marker == ours and origin == "adopted":  # by an attempt whose record was lost, with what we keep
            self._mend(tenant, user, password if is_replacement else None)
            return user, "created"
        if not is_ours(user, tenant, self._world.application_id):
            return None
        directory.set_password(tenant_id, user.object_id, password)
        directory.adopt_user(tenant_id, user.object_id, ours)
        return user, origin

    def _restore(self, tenant: Tenant, name: str) -> DirectoryUser | None:
        deleted = self._world.directory.deleted_user(tenant.tenant_id, name)
        if deleted is None or not is_ours(deleted, tenant, self._world.application_id):
            return None
        try:
            self._world.directory.restore_user(tenant.tenant_id, deleted.object_id, name)
        except Refused as error:
            if error.problem.code in (Code.ADMIN_ROLE_MISSING, Code.PERMISSION_MISSING):
                return None  # a new account beside the deleted one serves as well, and needs no such right
            raise
        return replace(deleted, user_principal_name=name)

    def _assign_roles(self, tenant: Tenant) -> Done:
        user_id = tenant.account.require_object_id()
        held = {role.role_template_id for role in self._world.directory.role_assignments(tenant.tenant_id, user_id)}
        for role in PROFILES[tenant.role_profile]:
            if role.template_id not in held:
                self._world.directory.assign_role(tenant.tenant_id, user_id, role.template_id)
        return Done()

    def _verify_roles(self, tenant: Tenant) -> Done:
        user_id = tenant.account.require_object_id()
        wanted = [role.template_id for role in PROFILES[tenant.role_profile]]
        held = {role.role_template_id for role in self._world.directory.role_assignments(tenant.tenant_id, user_id)}
        lacking = [ROLE_NAMES[role] for role in wanted if role not in held]
        if lacking:
            raise Transient(Problem(Code.ROLE_MISSING, f"Roles not visible in the tenant yet: {', '.join(lacking)}."))
        extra = tuple(sorted(held - set(wanted)))

        def proven(tenant: Tenant) -> Tenant:
            return replace(tenant, account=replace(tenant.account, roles=(*wanted, *extra)))

        return Done(proven)


def marker_of(tenant: Tenant, application_id: UUID) -> str:
    """What our account carries in `employeeId`, which takes 16 characters: whose it is, then which one it is.

    https://learn.microsoft.com/graph/api/resources/user
    """
    return owner_of(tenant, application_id) + tenant.account.require_id().hex[:8]


def is_ours(user: DirectoryUser, tenant: Tenant, application_id: UUID) -> bool:
    """True for an account that this application made in this tenant, now or formerly. Nothing else is ever adopted."""
    marker = user.marker or ""
    return len(marker) == 16 and marker.startswith(owner_of(tenant, application_id))


def require_ours(world: World, tenant: Tenant) -> DirectoryUser | None:
    """The recorded user, or None when there is no such user; nobody else is touched, whatever the record says.

    Raises:
        Refused: `accountConflict`: the recorded user is there and does not carry our mark.
    """
    object_id = tenant.account.object_id
    user = world.directory.user(tenant.tenant_id, str(object_id)) if object_id else None
    if user is not None and not is_ours(user, tenant, world.application_id):
        raise refused(
            Code.ACCOUNT_CONFLICT,
            f"The account {user.user_principal_name} does not carry our mark, so it is left alone.",
            step="Find out who took the mark out of its employee id; if the account is not needed, remove it by hand.",
            link="https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade",
        )
    return user


def owner_of(tenant: Tenant, application_id: UUID) -> str:
    """What the marks of all accounts begin with that this application made in this tenant, now or formerly."""
    return uuid5(application_id, str(tenant.tenant_id)).hex[:8]


def names_of(tenant: Tenant) -> list[str]:
    """The names we try, in order: the same for a tenant every time, so that a former account of ours is found again."""
    return [_name(tenant, str(tenant.initial_domain), number) for number in range(1, _NAMES + 1)]


def _name(tenant: Tenant, domain: str, number: int) -> str:
    suffix = "" if number == 1 else f"-{number}"
    return f"management-{tenant.tenant_id.hex[:8]}{suffix}@{domain}"


def _found(
    user: DirectoryUser, now: datetime, cadence: timedelta, *, is_replacement: bool, is_known: bool = False
) -> Change:
    """The record with the user as it was found or made; one that is known keeps the dates of its password."""

    def found(tenant: Tenant) -> Tenant:
        account = tenant.account.promoted(now, cadence) if is_replacement else tenant.account
        account = replace(account, user_principal_name=user.user_principal_name, object_id=user.object_id)
        if not is_known:
            account = replace(account, rotated_at=now, next_rotation_at=now + cadence)
        return replace(tenant, account=account)

    return found
