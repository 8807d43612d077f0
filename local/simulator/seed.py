"""The world as every run begins it: the vendor's tenant with its callers and applications, and three customers."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import fields as fields_of

from local.simulator.control_input import BadInput, Fields
from local.simulator.directory_roles import roles
from local.simulator.entra.admin_consent import grant
from local.simulator.entra.managed_identity import ManagedIdentity
from local.simulator.licences import subscribed_sku
from local.simulator.state import Application, Caller, JsonObject, Tenant, World
from local.simulator.tenant_changes import apply, verified_domain

HOME = "a0000000-0000-4000-8000-000000000000"  # the vendor
CONTOSO = "c0000000-0000-4000-8000-000000000001"  # healthy, P1, not consented yet
FABRIKAM = "f0000000-0000-4000-8000-000000000002"  # consented long ago: some permissions are missing
TAILSPIN = "d0000000-0000-4000-8000-000000000003"  # healthy and consented

API_AUDIENCE = "a0000000-0000-4000-8000-00000000a901"
APP_CLIENT_ID = "a0000000-0000-4000-8000-00000000a902"
CONSOLE_CLIENT_ID = "a0000000-0000-4000-8000-00000000a903"
APP_CLIENT_SECRET = "only-for-local-client-secret"  # noqa: S105 - of an application that exists nowhere
# The two that share its work in the other mode. They have no secret: the managed identity vouches for both.
RUNTIME_CLIENT_ID = "a0000000-0000-4000-8000-00000000a904"
ONBOARDING_CLIENT_ID = "a0000000-0000-4000-8000-00000000a905"

MANAGED_IDENTITY = ManagedIdentity(
    client_id="a0000000-0000-4000-8000-00000000b001",
    object_id="a0000000-0000-4000-8000-00000000b002",
    header="only-for-local-identity-header",
)

# The manifest: what a customer's administrator is asked to consent to.
APP_ROLES = frozenset(
    {
        "Application.Read.All",
        "Organization.Read.All",
        "Policy.Read.All",
        "Policy.ReadWrite.ConditionalAccess",
        "RoleManagement.ReadWrite.Directory",
        "User-PasswordProfile.ReadWrite.All",
        "User.DeleteRestore.All",
        "User.EnableDisableAccount.All",
        "User.ReadWrite.All",
        "User.RevokeSessions.All",
        "UserAuthenticationMethod.Read.All",
    }
)
RUNTIME_ROLES = frozenset(
    {
        "Application.Read.All",
        "Organization.Read.All",
        "Policy.Read.All",
        "RoleManagement.Read.Directory",
        "User.Read.All",
        "User.RevokeSessions.All",
        "UserAuthenticationMethod.Read.All",
    }
)
ONBOARDING_ROLES = frozenset(
    {
        "Application.Read.All",
        "Organization.Read.All",
        "Policy.Read.All",
        "Policy.ReadWrite.ConditionalAccess",
        "RoleManagement.ReadWrite.Directory",
        "User-PasswordProfile.ReadWrite.All",
        "User.DeleteRestore.All",
        "User.ReadWrite.All",
    }
)
DELEGATED = {
    "graph": frozenset({"User.Read.All", "Group.ReadWrite.All", "User-PasswordProfile.ReadWrite.All"}),
    "exchange": frozenset({"Exchange.Manage"}),
    "sharePoint": frozenset({"AllSites.FullControl"}),
    "teams": frozenset({"user_impersonation"}),
    "compliance": frozenset({"Exchange.Manage"}),
}
MISSING_AT_FABRIKAM = frozenset({"User.ReadWrite.All", "Policy.ReadWrite.ConditionalAccess"})


def _person(number: str, name: str, *roles: str) -> Caller:
    username = f"{name.lower().replace(' ', '.')}@vendor.onmicrosoft.com"
    return Caller(f"a0000000-0000-4000-8000-00000000c{number}", name, "user", roles, username, CONSOLE_CLIENT_ID)


def _executor(number: str, name: str, *roles: str) -> Caller:
    client_id = f"a0000000-0000-4000-8000-00000000d{number}"
    return Caller(f"a0000000-0000-4000-8000-00000000c{number}", name, "app", roles, client_id=client_id)


# Who calls our API. A role ending in `.All` reaches every tenant; one without reaches only the tenants where its holder
# was made an operator.
CALLERS = {
    "reader": _person("001", "Rita Reader", "Tenants.Read.All"),
    "operator": _person("002", "Olga Operator", "Sessions.Operate.All"),
    "administrator": _person("003", "Ada Administrator", "Tenants.Manage.All"),
    "limited-reader": _person("011", "Lars Reader", "Tenants.Read"),
    "limited-operator": _person("012", "Lena Operator", "Sessions.Operate"),
    "limited-administrator": _person("013", "Liam Administrator", "Tenants.Manage"),
    "stranger": _person("021", "Sam Stranger"),
    "executor": _executor("031", "Executor", "Actions.Execute.All"),
    "second-executor": _executor("032", "Second Executor", "Actions.Execute.All"),
    "limited-executor": _executor("033", "Limited Executor", "Actions.Execute"),
}

CUSTOMERS: list[JsonObject] = [
    {"tenantId": CONTOSO, "displayName": "Contoso", "initialDomain": "contoso.onmicrosoft.com"},
    {
        "tenantId": FABRIKAM,
        "displayName": "Fabrikam",
        "initialDomain": "fabrikam.onmicrosoft.com",
        "consented": True,
        "appRoles": sorted(APP_ROLES - MISSING_AT_FABRIKAM),
    },
    {
        "tenantId": TAILSPIN,
        "displayName": "Tailspin Toys",
        "initialDomain": "tailspin.onmicrosoft.com",
        "consented": True,
    },
]

_KEPT = frozenset({"lock", "clock", "signing_key", "origin", "key_vault_origin"})  # what a reset must not touch


def restore(world: World) -> None:
    """Puts the world back to its beginning, in real time."""
    with world.lock:
        world.clock.reset()
        fresh = World()
        for each in fields_of(World):
            if each.name not in _KEPT:
                setattr(world, each.name, getattr(fresh, each.name))
        world.home_tenant_id = HOME
        world.api_audience = API_AUDIENCE
        world.service_client_id = APP_CLIENT_ID
        world.callers = dict(CALLERS)
        world.applications = {application.client_id: application for application in _applications()}
        world.tenants[HOME] = Tenant(HOME, "Vendor", [verified_domain("vendor.onmicrosoft.com", initial=True)])
        add_tenants(world, [Fields.of(customer) for customer in CUSTOMERS])


def add_tenants(world: World, descriptions: Sequence[Fields]) -> list[str]:
    """Adds customers, all or none, and returns their ids.

    Raises:
        BadInput: a field is wrong, or an id or a domain is there already.
    """
    before = dict(world.tenants)
    try:
        for fields in descriptions:
            tenant = _customer(world, fields)
            world.tenants[tenant.id] = tenant
    except BadInput:
        world.tenants = before
        raise
    return [tenant_id for tenant_id in world.tenants if tenant_id not in before]


def _customer(world: World, fields: Fields) -> Tenant:
    """A customer: managed domain, P1, two users, and consent if `consented` says so.

    Besides what `tenant_changes.apply` reads there are `tenantId`, `initialDomain`, `consented` and `appRoles` (what is
    consented to; the whole manifest when absent).
    """
    tenant_id = fields.guid("tenantId")
    if tenant_id in world.tenants:
        raise BadInput(fields.path("tenantId"), "is there already")
    domain = fields.text("initialDomain", f"t{tenant_id.replace('-', '')}.onmicrosoft.com").lower()
    if any(domain == each["name"] for tenant in world.tenants.values() for each in tenant.domains):
        raise BadInput(fields.path("initialDomain"), "belongs to another tenant")
    consented = fields.boolean("consented", default=False)
    app_roles = set(fields.texts("appRoles", APP_ROLES))
    tenant = Tenant(
        tenant_id, fields.text("displayName", domain.partition(".")[0]), [verified_domain(domain, initial=True)]
    )
    tenant.skus = [subscribed_sku(tenant_id, tenant.display_name, "SPE_E3")]
    tenant.directory_roles = set(roles("Privileged Authentication Administrator"))
    now = world.clock.now()
    apply(tenant, Fields.of({"users": _users(domain)}), now=now)
    apply(tenant, fields, now=now)
    if consented:
        grant(tenant, world.applications[APP_CLIENT_ID]).app_roles = app_roles
    return tenant


def password_of(username: str) -> str:
    """The password of a seeded user."""
    return f"only-for-local-{username.partition('@')[0]}-Passw0rd"


def _users(domain: str) -> JsonObject:
    """A Global Administrator without MFA, and somebody with no role."""
    admin, adele = f"admin@{domain}", f"adele@{domain}"
    return {
        admin: {"displayName": "Admin", "password": password_of(admin), "roles": ["Global Administrator"]},
        adele: {"displayName": "Adele Vance", "password": password_of(adele)},
    }


def _applications() -> tuple[Application, ...]:
    def service(client_id: str, secret: str | None, name: str, app_roles: Set[str], delegated: bool) -> Application:
        scopes = {resource: set(names) for resource, names in DELEGATED.items()} if delegated else {}
        trusted = {MANAGED_IDENTITY.object_id}
        return Application(client_id, secret, set(app_roles), scopes, display_name=name, federated_subjects=trusted)

    return (
        Application(API_AUDIENCE, None, set(), {}, display_name="Management sessions API"),
        service(APP_CLIENT_ID, APP_CLIENT_SECRET, "Management sessions", APP_ROLES, delegated=True),
        service(RUNTIME_CLIENT_ID, None, "Management sessions", RUNTIME_ROLES, delegated=True),
        service(ONBOARDING_CLIENT_ID, None, "Management sessions onboarding", ONBOARDING_ROLES, delegated=False),
    )
