"""Microsoft 365 in memory: tenants whose directory and sign-in know the same users, and keep what the ports promise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

from shared.domain.directory_roles import ONBOARDING, PERMISSIONS, SINGLE, Registration
from shared.domain.errors import Code, ManagementSessionError, Problem, Transient, refused
from shared.domain.ids import TenantId
from shared.domain.ports import Clock, Directory, DirectoryUser, NewUser, Organization, RoleAssignment, SignedIn, SignIn
from shared.domain.secret import AccessToken, Secret
from shared.domain.sign_in_errors import classify
from tests.fakes.calls import CallLog, logs

TOKEN_LIFE = timedelta(minutes=75)
READ_ROLES, READ_WRITE_ROLES = "RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"


@dataclass(slots=True)
class FakeUser:
    """A user of a fake tenant."""

    object_id: UUID
    user_principal_name: str
    marker: str | None
    password: Secret
    is_enabled: bool = True
    is_deleted: bool = False
    reads_until_visible: int = 0
    roles: dict[str, UUID] = field(default_factory=dict)

    def shown(self) -> DirectoryUser:
        """The user as the port tells it."""
        return DirectoryUser(self.object_id, self.user_principal_name, self.marker, self.is_enabled)


def _an_organization() -> Organization:
    domain = "fake.onmicrosoft.com"
    return Organization("Fake Tenant", domain, initial_domain_is_managed=True, managed_domains=frozenset({domain}))


@dataclass(slots=True)
class FakeTenant:
    """A tenant as its administrators and its history left it: a test changes it at will.

    Attributes:
        permissions: what the tenant consents to; None when our application is not in the tenant at all.
        onboarding_permissions: the same for the application that makes accounts, where that is another one.
        has_directory_role: whether our application may act on role-holders.
        sign_in_code: the AADSTS code with which a policy refuses every user's sign-in; None when none does.
        replication_lag: for how many reads, role assignments included, a new user is not there yet.
    """

    organization: Organization = field(default_factory=_an_organization)
    permissions: set[str] | None = field(default_factory=lambda: set(PERMISSIONS))
    onboarding_permissions: set[str] | None = field(default_factory=lambda: set(ONBOARDING.permissions))
    has_directory_role: bool = True
    sign_in_code: int | None = None
    replication_lag: int = 0
    users: list[FakeUser] = field(default_factory=list)
    refresh_tokens: dict[str, UUID] = field(default_factory=dict)

    def add_user(self, user_principal_name: str, password: Secret, *, marker: str | None = None) -> FakeUser:
        """A user who was there before us."""
        user = FakeUser(uuid4(), user_principal_name, marker, password)
        self.users.append(user)
        return user

    def find(self, matches: Callable[[FakeUser], bool], *, is_deleted: bool = False) -> FakeUser | None:
        """The last such user, replicated or not."""
        found = [user for user in self.users if user.is_deleted is is_deleted and matches(user)]
        return found[-1] if found else None


class FakeTenants(dict[TenantId, FakeTenant]):
    """The tenants that the fakes of one world share; each comes into being when it is first looked at."""

    def __missing__(self, tenant_id: TenantId) -> FakeTenant:
        return self.setdefault(tenant_id, FakeTenant())


def _sign_in_error(aadsts: int) -> ManagementSessionError:
    return classify("invalid_grant", [aadsts], "").as_error()


def admitted(tenant: FakeTenant, asked: Registration, permission: str, *, or_lesser: str = "") -> FakeTenant:
    """The tenant, if it has consented to that, or to a lesser permission that serves as well.

    Raises:
        Refused: `consentMissing`, `onboardingOff`, `permissionMissing`.
    """
    if not {permission, or_lesser} & _require_consent(tenant, asked):
        raise refused(
            Code.PERMISSION_MISSING,
            f"{asked.name} doesn't have permission to {PERMISSIONS[permission]} in this tenant.",
            step=f"Grant admin consent for {permission}.",
            link="https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent",
        )
    return tenant


def _require_consent(tenant: FakeTenant, asked: Registration) -> set[str]:
    held = tenant.onboarding_permissions if asked is ONBOARDING else tenant.permissions
    if held is None and asked.may_be_off:
        raise refused(
            Code.ONBOARDING_OFF,
            f"{asked.name} is switched off.",
            step=f"Switch {asked.name} on.",
            link="https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent",
        )
    if held is None:
        raise _sign_in_error(7000229)
    return held


@logs(Directory)
class FakeDirectory:
    """Directories of tenants (Directory port), as one of our applications knows them."""

    def __init__(self, tenants: FakeTenants, log: CallLog | None = None, asked: Registration = SINGLE) -> None:
        self.log = CallLog() if log is None else log
        self.tenants = tenants
        self._asked = asked

    def organization(self, tenant_id: TenantId) -> Organization:
        return self._admitted(tenant_id, "Organization.Read.All").organization

    def user(self, tenant_id: TenantId, key: str) -> DirectoryUser | None:
        tenant = self._admitted(tenant_id, "User.ReadWrite.All", or_lesser="User.Read.All")
        wanted = key.lower()
        user = tenant.find(lambda user: wanted in (str(user.object_id), user.user_principal_name.lower()))
        return user.shown() if user and _is_visible(user) else None

    def marked_users(self, tenant_id: TenantId, beginning: str) -> tuple[DirectoryUser, ...]:
        users = self._admitted(tenant_id, "User.ReadWrite.All", or_lesser="User.Read.All").users
        marked = [user for user in users if not user.is_deleted and (user.marker or "").startswith(beginning)]
        return tuple(user.shown() for user in marked if _is_visible(user))

    def deleted_user(self, tenant_id: TenantId, user_principal_name: str) -> DirectoryUser | None:
        tenant = self._admitted(tenant_id, "User.ReadWrite.All", or_lesser="User.Read.All")
        user = tenant.find(lambda user: user.user_principal_name == user_principal_name, is_deleted=True)
        return user.shown() if user else None

    def create_user(self, tenant_id: TenantId, user: NewUser) -> DirectoryUser:
        tenant = self._admitted(tenant_id, "User.ReadWrite.All")
        _require_free(tenant, user.user_principal_name)
        created = tenant.add_user(user.user_principal_name, user.password, marker=user.marker)
        created.reads_until_visible = tenant.replication_lag
        return created.shown()

    def restore_user(self, tenant_id: TenantId, object_id: UUID, user_principal_name: str) -> None:
        tenant = self._admitted(tenant_id, "User.DeleteRestore.All")
        user = tenant.find(lambda user: user.object_id == object_id, is_deleted=True)
        if user is None:
            raise refused(Code.ACCOUNT_LOST, "The deleted account is no longer in the recycle bin.")
        _require_role(tenant, user)
        _require_free(tenant, user_principal_name)
        user.is_deleted, user.user_principal_name = False, user_principal_name

    def adopt_user(self, tenant_id: TenantId, object_id: UUID, marker: str) -> None:
        user = self._in_our_power(tenant_id, object_id, "User.ReadWrite.All")
        user.is_enabled, user.marker = True, marker

    def set_password(self, tenant_id: TenantId, object_id: UUID, password: Secret) -> None:
        self._in_our_power(tenant_id, object_id, "User-PasswordProfile.ReadWrite.All").password = password

    def delete_user(self, tenant_id: TenantId, object_id: UUID) -> None:
        tenant = self._admitted(tenant_id, "User.DeleteRestore.All")
        user = tenant.find(lambda user: user.object_id == object_id)
        if user is not None:
            _require_role(tenant, user)
            # The last deleted is the one the recycle bin tells of.
            tenant.users.remove(user)
            tenant.users.append(user)
            user.is_deleted = True

    def revoke_sign_ins(self, tenant_id: TenantId, object_id: UUID) -> None:
        tenant = self._admitted(tenant_id, "User.RevokeSessions.All")
        tenant.refresh_tokens = {token: user for token, user in tenant.refresh_tokens.items() if user != object_id}

    def role_assignments(self, tenant_id: TenantId, object_id: UUID) -> tuple[RoleAssignment, ...]:
        tenant = self._admitted(tenant_id, READ_WRITE_ROLES, or_lesser=READ_ROLES)
        user = tenant.find(lambda user: user.object_id == object_id)
        return tuple(RoleAssignment(name, role) for name, role in user.roles.items()) if user else ()

    def assign_role(self, tenant_id: TenantId, object_id: UUID, role_template_id: UUID) -> None:
        tenant = self._admitted(tenant_id, READ_WRITE_ROLES)
        user = tenant.find(lambda user: user.object_id == object_id)
        if user is None or not _is_visible(user):
            raise _not_there_yet()
        if role_template_id not in user.roles.values():
            user.roles[str(uuid4())] = role_template_id

    def remove_role(self, tenant_id: TenantId, assignment_id: str) -> None:
        for user in self._admitted(tenant_id, READ_WRITE_ROLES).users:
            user.roles.pop(assignment_id, None)

    def _admitted(self, tenant_id: TenantId, permission: str, *, or_lesser: str = "") -> FakeTenant:
        return admitted(self.tenants[tenant_id], self._asked, permission, or_lesser=or_lesser)

    def _in_our_power(self, tenant_id: TenantId, object_id: UUID, permission: str) -> FakeUser:
        tenant = self._admitted(tenant_id, permission)
        user = tenant.find(lambda user: user.object_id == object_id)
        if user is None or not _is_visible(user):
            raise _not_there_yet()
        _require_role(tenant, user)
        return user


def _is_visible(user: FakeUser) -> bool:
    if user.reads_until_visible == 0:
        return True
    user.reads_until_visible -= 1
    return False


def _require_free(tenant: FakeTenant, user_principal_name: str) -> None:
    if tenant.find(lambda user: user.user_principal_name.lower() == user_principal_name.lower()):
        raise refused(Code.ACCOUNT_CONFLICT, f"The name {user_principal_name} is taken.")


def _require_role(tenant: FakeTenant, user: FakeUser) -> None:
    if user.roles and not tenant.has_directory_role:
        raise refused(
            Code.ADMIN_ROLE_MISSING,
            "Management Sessions lacks the directory role it takes to act on a role-holder.",
            step="Assign the role Privileged Authentication Administrator to this application.",
            link="https://learn.microsoft.com/entra/identity/role-based-access-control/manage-roles-portal",
        )


def _not_there_yet() -> Transient:
    return Transient(Problem(Code.ACCOUNT_LOST, "The account is not there yet."))


@logs(SignIn)
class FakeSignIn:
    """Sign-ins at tenants (SignIn port); it takes the passwords that the directory of the same tenants holds.

    Users sign in to the application that runs sessions, and to no other.
    """

    def __init__(
        self, tenants: FakeTenants, clock: Clock, log: CallLog | None = None, asked: Registration = SINGLE
    ) -> None:
        self.log = CallLog() if log is None else log
        self.tenants = tenants
        self._clock = clock
        self._asked = asked

    def permissions(self, tenant_id: TenantId) -> frozenset[str]:
        return frozenset(_require_consent(self.tenants[tenant_id], self._asked))

    def with_password(self, tenant_id: TenantId, user_principal_name: str, password: Secret) -> SignedIn:
        tenant = self.tenants[tenant_id]
        user = _authenticated(tenant, user_principal_name, password)
        token = f"only-for-tests-refresh-token-{uuid4()}"
        tenant.refresh_tokens[token] = user.object_id
        return SignedIn(user.object_id, tenant_id, Secret(token))

    def redeem(self, tenant_id: TenantId, refresh_token: Secret, scope: str) -> AccessToken:
        tenant = self.tenants[tenant_id]
        _require_consent(tenant, SINGLE)
        object_id = tenant.refresh_tokens.get(refresh_token.reveal())
        if object_id is None:
            raise _sign_in_error(50173)
        _require_fit(tenant, tenant.find(lambda user: user.object_id == object_id))
        token = Secret(f"only-for-tests-access-token-for-{scope}-{uuid4()}")
        return AccessToken(token, self._clock.now() + TOKEN_LIFE)

    def change_own_password(self, tenant_id: TenantId, user_principal_name: str, old: Secret, new: Secret) -> None:
        _authenticated(self.tenants[tenant_id], user_principal_name, old).password = new


def _authenticated(tenant: FakeTenant, user_principal_name: str, password: Secret) -> FakeUser:
    _require_consent(tenant, SINGLE)
    user = tenant.find(lambda user: user.user_principal_name.lower() == user_principal_name.lower())
    if user is not None and user.password != password:
        raise _sign_in_error(50126)
    return _require_fit(tenant, user)


def _require_fit(tenant: FakeTenant, user: FakeUser | None) -> FakeUser:
    if user is None:
        raise _sign_in_error(50034)
    if not user.is_enabled:
        raise _sign_in_error(50057)
    if tenant.sign_in_code is not None:
        raise _sign_in_error(tenant.sign_in_code)
    return user
