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
from shared.domain.directory_roles import CREATE_PERMISSIONS, PROFILES, ROLE_NAMES
from shared.domain.errors import Code, Problem, Refused, Transient, refused
from shared.domain.operation import Operation, OperationKind
from shared.domain.ports import DirectoryUser, NewUser
from shared.domain.secret import Secret, new_password
from shared.domain.tenant import AccountState, ConsentState, Tenant, password_secret
from shared.services.carry_out import Change, Done, Ending, entry_of
from shared.services.consent import consent_of, missing_permission
from shared.services.world import World

_NAMES = 5

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
                return self._create_user(tenant)
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
            return tenant.at(now, account=account)

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
        """Nothing: whoever took over finds the account by its record."""

    def _check_consent(self, tenant: Tenant) -> Done:
        consent = consent_of(self._world, tenant.tenant_id)
        if consent.state is ConsentState.MISSING:
            raise missing_permission(CREATE_PERMISSIONS, consent.problem)
        if consent.problem is not None:
            raise Transient(consent.problem)
        lacking = [name for name in CREATE_PERMISSIONS if name in consent.missing]
        if lacking:
            raise missing_permission(lacking)
        return Done(lambda tenant: replace(tenant, consent=consent))

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
            account = replace(tenant.account, user_principal_name=name)
            return replace(tenant, initial_domain=found.initial_domain, account=account)

        return Done(intend)

    def _keep_password(self, tenant: Tenant) -> Done:
        if tenant.account.secret_version:
            return Done()
        name = password_secret(tenant.account.require_id())
        version = self._world.vault.put(name, new_password(), purpose="service account password")

        def kept(tenant: Tenant) -> Tenant:
            return replace(tenant, account=replace(tenant.account, secret_version=version))

        return Done(kept)

    def _create_user(self, tenant: Tenant) -> Done:
        directory, account = self._world.directory, tenant.account
        password = self._world.vault.get(password_secret(tenant.account.require_id()), account.secret_version)
        if account.object_id and directory.user(tenant.tenant_id, str(account.object_id)):
            return Done()
        for number in range(1, _NAMES + 1):
            name = _name(tenant, str(tenant.initial_domain), number)
            taken = self._take(tenant, name, password)
            if taken is not None:
                user, origin = taken
                change = _found(user, self._world.clock.now(), self._world.limits.rotate_every)
                return Done(change, {"origin": origin})
        raise refused(
            Code.ACCOUNT_CONFLICT,
            f"{_NAMES} names for the service account are taken in {tenant.initial_domain}, by accounts not ours.",
            step="Remove or rename them, then retry.",
            link="https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade",
        )

    def _take(self, tenant: Tenant, name: str, password: Secret) -> Taken | None:
        """The account under that name and where it comes from; None when the name is somebody else's."""
        directory, tenant_id = self._world.directory, tenant.tenant_id
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
            if user is None:
                return None  # taken by something a user look-up does not show: a group, or an account being purged
        if user.marker == ours:
            return user, "created"  # by an attempt whose record was lost: its password is the one we keep
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
    return _owner(tenant, application_id) + tenant.account.require_id().hex[:8]


def is_ours(user: DirectoryUser, tenant: Tenant, application_id: UUID) -> bool:
    """True for an account that this application made in this tenant, now or formerly. Nothing else is ever adopted."""
    marker = user.marker or ""
    return len(marker) == 16 and marker.startswith(_owner(tenant, application_id))


def _owner(tenant: Tenant, application_id: UUID) -> str:
    return uuid5(application_id, str(tenant.tenant_id)).hex[:8]


def _name(tenant: Tenant, domain: str, number: int) -> str:
    """The n-th name we try: the same for a tenant every time, so that a former account of ours is found again."""
    suffix = "" if number == 1 else f"-{number}"
    return f"management-{tenant.tenant_id.hex[:8]}{suffix}@{domain}"


def _found(user: DirectoryUser, now: datetime, cadence: timedelta) -> Change:
    def found(tenant: Tenant) -> Tenant:
        account = replace(
            tenant.account,
            user_principal_name=user.user_principal_name,
            object_id=user.object_id,
            rotated_at=now,
            next_rotation_at=now + cadence,
        )
        return replace(tenant, account=account)

    return found
