"""The whole service over fakes: one tenant, everybody who asks something of it, and its rows to look into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from shared.adapters.storage.rows import document_row
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.action import Action, ActionKind, ActionRequest, Decision, Operator, Outcome, ParkedAction
from shared.domain.activity import Activity, Event
from shared.domain.allowed_ips import AllowedIpsState, Outside
from shared.domain.directory_roles import GLOBAL_ADMINISTRATOR, ONBOARDING, RUNTIME
from shared.domain.errors import Code as ErrorCode
from shared.domain.errors import NotFound, not_found
from shared.domain.ids import ActionId, LeaseId, TenantId, lease_id_for
from shared.domain.lease import Gate
from shared.domain.operation import Operation
from shared.domain.resources import Resource
from shared.domain.secret import AccessToken, Secret
from shared.domain.store import TenantSummary
from shared.domain.tenant import Tenant
from shared.services.accept import Accepted, Asking
from shared.services.turn_on_as_admin import Credentials
from shared.services.world import Application, World
from shared.wiring import CallerRules, Services, assemble
from tests.fakes.clock import FakeClock
from tests.fakes.microsoft365 import FakeDirectory, FakeSignIn, FakeTenant, FakeTenants, FakeUser
from tests.fakes.policies import FakeRules, FakeTenantPolicies
from tests.fakes.queues import FakeMessages
from tests.fakes.storage import FakeDueList, FakeTenantIndex, FakeTenantStore
from tests.fakes.vault import FakeVault
from tests.mortal import MortalLog
from tests.people import ADMIN_NAME, ADMIN_PASSWORD, ADMINISTRATOR, EXECUTOR, OPERATOR

EGRESS: Final = "203.0.113.0/28"
APPLICATION: Final = UUID("0c1b0a52-7e05-4a0a-9d0c-6f4d7f1f3a01")


class NoKeys:
    """The stage calls the services behind the doors, so no token is ever verified (SigningKeys port)."""

    def key(self, key_id: str) -> object:
        raise not_found(ErrorCode.NOT_FOUND, "There is no such key.")


class Stage:
    """A tenant, not yet onboarded, in a world of fakes.

    Attributes:
        log: every call of a port, in order; faults are entered here.
        records: the tenant's rows, read past the log.
        requests: every action request that was made.
        tokens: every access token that was handed out.
    """

    def __init__(self) -> None:
        self.log = MortalLog()
        self.clock = FakeClock()
        self.tenant_id = TenantId(uuid4())
        self.tenants = FakeTenants()
        self.store = FakeTenantStore(self.log, self.clock)
        self.index = FakeTenantIndex(self.log)
        self.due = FakeDueList(self.log)
        self.messages = FakeMessages(self.log, self.clock)
        self.vault = FakeVault(self.log, self.clock)
        self.directory = FakeDirectory(self.tenants, self.log)
        self.sign_in = FakeSignIn(self.tenants, self.clock, self.log)
        self.policies = FakeTenantPolicies(self.tenants, self.log)
        self.records = TenantTable(self.store.table)
        self.requests: list[ActionRequest] = []
        self.tokens: list[AccessToken] = []
        self.world = World(
            clock=self.clock,
            store=self.store,
            index=self.index,
            due=self.due,
            messages=self.messages,
            vault=self.vault,
            directory=self.directory,
            sign_in=self.sign_in,
            policies=self.policies,
            application_id=APPLICATION,
            egress_ips=(EGRESS,),
        )
        self.services = self._process()

    def register_onboarding(self) -> None:
        """From now on another application makes accounts, roles and policies, and the one of before may do no more."""
        self.microsoft365.permissions = set(RUNTIME.permissions)
        directory = FakeDirectory(self.tenants, self.log, ONBOARDING)
        sign_in = FakeSignIn(self.tenants, self.clock, self.log, ONBOARDING)
        policies = FakeTenantPolicies(self.tenants, self.log, ONBOARDING, self.policies.rules)
        self.world = replace(self.world, onboarding=Application(uuid4(), directory, sign_in, policies))
        self.services = self._process()

    def restart(self) -> None:
        """A new process takes over: whatever was only remembered is gone."""
        self.log.restart()
        self.services = self._process()

    def _process(self) -> Services:
        rules = CallerRules("https://login.example/v2.0", "audience", NoKeys(), self.clock)
        return assemble(self.world, rules, "https://login.example", None)

    # ── what people ask ──────────────────────────────────────────────────────────────────────────────────────────────

    def onboard(self, key: str | None = None) -> Tenant:
        asking = Asking(ADMINISTRATOR, key)
        return self.services.onboard.onboard(self.tenant_id, asking, display_name="Contoso", profile=None).tenant.row

    def create_account(self, key: str | None = None) -> Accepted:
        return self.services.accounts.create(self.tenant_id, Asking(ADMINISTRATOR, key), profile=None)

    def rotate(self, key: str | None = None) -> Accepted:
        return self.services.accounts.rotate(self.tenant_id, Asking(ADMINISTRATOR, key))

    def remove_account(self, key: str | None = None) -> Accepted:
        return self.services.accounts.remove(self.tenant_id, Asking(ADMINISTRATOR, key))

    def check_policies(self, key: str | None = None) -> Accepted:
        return self.services.policies.check(self.tenant_id, Asking(OPERATOR, key))

    def set_allowed_ips(self, key: str | None = None, *, wanted: AllowedIpsState = AllowedIpsState.ENABLED) -> Accepted:
        return self.services.policies.set_allowed_ips(
            self.tenant_id,
            Asking(ADMINISTRATOR, key),
            ranges=("198.51.100.0/24",),
            outside=Outside.BLOCK,
            wanted=wanted,
            apply_exclusions=True,
        )

    def remove_allowed_ips(self, key: str | None = None) -> Accepted:
        return self.services.policies.remove_allowed_ips(self.tenant_id, Asking(ADMINISTRATOR, key))

    def turn_on_as_admin(self, key: str | None = None, *, password: str = ADMIN_PASSWORD) -> Accepted:
        """With the credentials of the tenant's Global Administrator."""
        return self.services.admin_sessions(
            self.tenant_id,
            Asking(OPERATOR, key),
            Credentials(ADMIN_NAME, Secret(password)),
            lifetime=timedelta(hours=1),
            reason=None,
        )

    def turn_on(self, key: str | None = None, *, lifetime: timedelta | None = None) -> Accepted:
        return self.services.sessions.turn_on(self.tenant_id, Asking(OPERATOR, key), lifetime=lifetime, reason=None)

    def turn_off(self, key: str | None = None, *, drain: bool = False) -> Accepted:
        return self.services.sessions.turn_off(self.tenant_id, Asking(OPERATOR, key), drain=drain, reason=None)

    def auto_enable(self, *kinds: ActionKind, idle_timeout: timedelta | None = None, key: str | None = None) -> None:
        self.services.onboard.set_auto_enable(
            self.tenant_id,
            Asking(ADMINISTRATOR, key),
            enabled=True,
            kinds=kinds or tuple(ActionKind),
            idle_timeout=idle_timeout,
        )

    # ── what executors ask ───────────────────────────────────────────────────────────────────────────────────────────

    def a_request(
        self,
        kind: ActionKind = ActionKind.CUSTOM_ACTION,
        *,
        deadline: timedelta = timedelta(minutes=15),
        duration: timedelta = timedelta(hours=1),
        executor: UUID = EXECUTOR.application_id,
        resources: tuple[Resource, ...] = (Resource.GRAPH, Resource.EXCHANGE),
    ) -> ActionRequest:
        """A request nobody has made before; `deadline` counts from now."""
        request = ActionRequest(
            ActionId(uuid4()),
            self.tenant_id,
            kind,
            executor,
            Operator(uuid4(), "Otto Operator"),
            self.clock.now() + deadline,
            duration,
            resources,
        )
        self.requests.append(request)
        return request

    def ask(
        self, kind: ActionKind = ActionKind.CUSTOM_ACTION, *, deadline: timedelta = timedelta(minutes=15)
    ) -> ActionRequest:
        """A request, made at once."""
        request = self.a_request(kind, deadline=deadline)
        self.services.act.request(request)
        return request

    def complete(self, request: ActionRequest, outcome: Outcome = Outcome.SUCCEEDED) -> None:
        self.services.act.complete(request.tenant_id, request.action_id, outcome)

    def redeem(self, request: ActionRequest, resource: Resource = Resource.GRAPH) -> AccessToken:
        lease_id = self.lease_id(request)
        token = self.services.leases.redeem(EXECUTOR, self.tenant_id, lease_id, resource)
        self.tokens.append(token)
        return token

    def lease_id(self, request: ActionRequest) -> LeaseId:
        return lease_id_for(request.tenant_id, request.action_id)

    # ── what there is ────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def tenant(self) -> Tenant:
        return self.records.tenant(self.tenant_id).row

    @property
    def is_onboarded(self) -> bool:
        return bool(self.store.table.between(str(self.tenant_id), "0-tenant", "0-tenant~"))

    @property
    def microsoft365(self) -> FakeTenant:
        """The tenant itself, as its own administrators know it."""
        return self.tenants[self.tenant_id]

    @property
    def rules(self) -> FakeRules:
        """What governs sign-ins in the tenant."""
        return self.policies.rules[self.tenant_id]

    def add_global_administrator(self) -> FakeUser:
        """The customer's own, whose credentials the customer may give us."""
        user = self.microsoft365.add_user(ADMIN_NAME, Secret(ADMIN_PASSWORD))
        user.roles[str(uuid4())] = GLOBAL_ADMINISTRATOR.template_id
        return user

    @property
    def gates(self) -> tuple[Gate, ...]:
        return tuple(gate.row for gate in self.records.overview(self.tenant_id).gates)

    @property
    def parked(self) -> tuple[ParkedAction, ...]:
        return tuple(stored.row for stored in self.records.parked(self.tenant_id))

    @property
    def operations(self) -> list[Operation]:
        """Every operation there ever was, in no order."""
        found = self.store.table.between(str(self.tenant_id), "operation-", "operation.")
        return [document_row(each.entity, Operation) for each in found]

    def operation(self, accepted: Accepted) -> Operation:
        """The accepted operation as it stands now."""
        assert accepted.operation is not None
        return self.records.operation(self.tenant_id, accepted.operation.operation_id).row

    def action(self, request: ActionRequest) -> Action | None:
        """The record of a request, or None when there is none."""
        try:
            return self.records.action(self.tenant_id, request.action_id).row
        except NotFound:
            return None

    def decisions(self, request: ActionRequest) -> list[Decision]:
        """Every answer that was sent on a request, repetitions included."""
        sent = (sent.decision for sent in self.messages.decisions)
        return [decision for decision in sent if decision.action_id == request.action_id]

    def decision(self, request: ActionRequest) -> Decision:
        """The one answer that was sent, once, on a request."""
        (decision,) = self.decisions(request)
        return decision

    @property
    def trail(self) -> list[Activity]:
        """The activity trail, oldest first."""
        entries: list[Activity] = []
        continuation: str | None = None
        while True:
            page = self.records.activity(self.tenant_id, limit=200, continuation=continuation)
            entries += page.items
            continuation = page.continuation
            if continuation is None:
                return entries[::-1]

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.trail]

    @property
    def listed(self) -> tuple[TenantSummary, ...]:
        """The tenant's lines in the list of tenants."""
        return TenantIndexTable(self.index.table).list(state=None, limit=50, continuation=None).items

    def calls(self, act: Callable[[], object]) -> list[str]:
        """The ports' calls that `act` makes, as `Port.method`."""
        first = len(self.log)
        act()
        return [f"{call.port}.{call.method}" for call in self.log.calls[first:]]
