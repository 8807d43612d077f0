"""A tenant to try the ports on, and what its administrators do there behind our back."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Protocol
from uuid import UUID, uuid4

from local.simulator.control_input import Fields
from local.simulator.entra.admin_consent import revoke
from local.simulator.seed import APP_CLIENT_ID, APP_CLIENT_SECRET, TAILSPIN
from local.simulator.server import Simulator
from local.simulator.state import Consent, Tenant
from local.simulator.tenant_changes import apply
from shared.adapters.entra import Credential, EntraSignIn
from shared.adapters.graph import GraphDirectory
from shared.adapters.graph_calls import GraphCalls
from shared.domain.directory_roles import PERMISSIONS
from shared.domain.ids import TenantId
from shared.domain.ports import Directory, DirectoryUser, NewUser, SignIn
from shared.domain.secret import Secret
from tests.fakes.clock import FakeClock
from tests.fakes.microsoft365 import FakeDirectory, FakeSignIn, FakeTenants

GRAPH_SCOPE = "https://graph.microsoft.com/.default"
EXCHANGE_SCOPE = "https://outlook.office365.com/.default"
MARKER = "ms-0123456789abc"
PASSWORD = Secret("only-for-tests-Passw0rd")

_BLOCK_EVERYBODY = {
    "state": "enabled",
    "conditions": {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["block"]},
}


class Stage(Protocol):
    """A tenant that has consented to everything, whose administrator gave our application the role it needs."""

    @property
    def tenant_id(self) -> TenantId: ...

    @property
    def directory(self) -> Directory: ...

    @property
    def sign_in(self) -> SignIn: ...

    def disable(self, object_id: UUID) -> None:
        """An administrator disables the user."""

    def block_sign_ins(self) -> None:
        """A conditional access policy blocks everybody from now on."""

    def withdraw_permissions(self) -> None:
        """The application stays, but all it may do is taken back, and tokens of before have ended."""

    def grant_permissions(self) -> None:
        """All that was taken back is given again."""

    def withdraw_consent(self) -> None:
        """The application is removed from the tenant, and tokens of before have ended."""

    def take_directory_role(self) -> None:
        """The application loses the role that acting on role-holders takes."""

    def hide_new_users(self) -> None:
        """Users created from now on are not replicated."""

    def show_new_users(self) -> None:
        """Replication has caught up."""


def name_in(stage: Stage, alias: str = "management") -> str:
    """A user principal name in the stage's tenant."""
    return f"{alias}@{stage.directory.organization(stage.tenant_id).initial_domain}"


def create(stage: Stage, alias: str = "management", *, marker: str = MARKER) -> DirectoryUser:
    """A user of ours with `PASSWORD`."""
    wanted = NewUser(name_in(stage, alias), "Management session service account", marker, PASSWORD)
    return stage.directory.create_user(stage.tenant_id, wanted)


def asked_of(simulator: Simulator, service: str) -> list[str]:
    """What a simulated service was asked, in order: method and path."""
    calls = map(json.loads, simulator.journal.lines(service=service).splitlines())
    return [f"{call['method']} {call['path']}" for call in calls]


class SimulatedStage:
    """The adapters, on a tenant of the simulated Microsoft 365.

    Attributes:
        pauses: how long the adapters would have slept.
    """

    def __init__(self, simulator: Simulator, credential: Credential | None = None) -> None:
        self.simulator = simulator
        self.tenant_id = TenantId(UUID(TAILSPIN))
        self.pauses: list[timedelta] = []
        self.calls = GraphCalls(simulator.url, pause=self.pauses.append)
        self.sign_in = EntraSignIn(
            authority_host=simulator.url,
            client_id=APP_CLIENT_ID,
            credential=credential or Secret(APP_CLIENT_SECRET),
            graph_scope=GRAPH_SCOPE,
            graph=self.calls,
            clock=simulator.clock,
        )
        self.directory = GraphDirectory(self.calls, self.sign_in.app_token)

    def disable(self, object_id: UUID) -> None:
        self._tenant.users[str(object_id)].document["accountEnabled"] = False

    def block_sign_ins(self) -> None:
        change = {"policies": {"only-for-tests-policy": _BLOCK_EVERYBODY}}
        apply(self._tenant, Fields.of(change), now=self.simulator.clock.now() - timedelta(hours=1))

    def withdraw_permissions(self) -> None:
        self._withdrawn = set(self._consent.app_roles)
        self._consent.app_roles.clear()
        self._end_tokens()

    def grant_permissions(self) -> None:
        self._consent.app_roles |= self._withdrawn

    def withdraw_consent(self) -> None:
        revoke(self._tenant, self.simulator.world.applications[APP_CLIENT_ID])
        self._end_tokens()

    def add_domain(self, name: str, *, kind: str) -> None:
        """The tenant verifies one more domain; `kind` is Managed or Federated."""
        apply(self._tenant, Fields.of({"domains": [{"name": name, "type": kind}]}), now=self.simulator.clock.now())

    def withdraw_delegated(self, permission: str) -> None:
        """Users of the application may no longer do this at Graph."""
        self._consent.delegated["graph"].discard(permission)

    def take_directory_role(self) -> None:
        self._consent.directory_roles.clear()

    def hide_new_users(self) -> None:
        self.simulator.world.replication = timedelta(days=1).total_seconds()

    def show_new_users(self) -> None:
        for user in self._tenant.users.values():
            user.visible_at = self.simulator.clock.now()

    def _end_tokens(self) -> None:
        self.simulator.clock.advance(timedelta(hours=2).total_seconds())

    @property
    def _tenant(self) -> Tenant:
        return self.simulator.world.tenants[TAILSPIN]

    @property
    def _consent(self) -> Consent:
        return self._tenant.consents[APP_CLIENT_ID]


class FakeStage:
    """The fakes, on a tenant of their own."""

    def __init__(self) -> None:
        self.tenant_id = TenantId(uuid4())
        tenants = FakeTenants()
        self.directory = FakeDirectory(tenants)
        self.sign_in = FakeSignIn(tenants, FakeClock())
        self._tenant = tenants[self.tenant_id]

    def disable(self, object_id: UUID) -> None:
        for user in self._tenant.users:
            user.is_enabled &= user.object_id != object_id

    def block_sign_ins(self) -> None:
        self._tenant.sign_in_code = 53003

    def withdraw_permissions(self) -> None:
        self._tenant.permissions = set()

    def grant_permissions(self) -> None:
        self._tenant.permissions = set(PERMISSIONS)

    def withdraw_consent(self) -> None:
        self._tenant.permissions = None

    def take_directory_role(self) -> None:
        self._tenant.has_directory_role = False

    def hide_new_users(self) -> None:
        self._tenant.replication_lag = 1000

    def show_new_users(self) -> None:
        for user in self._tenant.users:
            user.reads_until_visible = 0
