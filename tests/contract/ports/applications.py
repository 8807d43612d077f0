"""Two applications in one tenant, each with its own consent: one makes accounts, the other runs sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from local.simulator.directory_roles import BUILT_IN_ROLES
from local.simulator.entra.admin_consent import grant, revoke
from local.simulator.seed import MANAGED_IDENTITY, ONBOARDING_CLIENT_ID, RUNTIME_CLIENT_ID, TAILSPIN
from local.simulator.server import Simulator
from local.simulator.state import Application as Registered
from local.simulator.state import Consent
from shared.adapters.entra import EntraSignIn
from shared.adapters.graph import GraphDirectory
from shared.adapters.graph_calls import GraphCalls
from shared.adapters.graph_pace import Pace
from shared.adapters.graph_policies import GraphPolicies
from shared.adapters.managed_identity import ManagedIdentity
from shared.domain.directory_roles import GLOBAL_READER, ONBOARDING, RUNTIME, TEAMS_ADMINISTRATOR, Registration
from shared.domain.ids import TenantId
from shared.domain.policies import SignInConditions
from shared.domain.ports import NewUser, SignedIn
from shared.services.world import Application
from tests.contract.ports.policy_stages import GRAPH, OUR_IP
from tests.contract.ports.scenes import NEW_PASSWORD
from tests.contract.ports.stages import EXCHANGE_SCOPE, GRAPH_SCOPE, MARKER, PASSWORD

CLIENT_IDS: Final = {RUNTIME.name: RUNTIME_CLIENT_ID, ONBOARDING.name: ONBOARDING_CLIENT_ID}
_ROLE: Final = next(role for role, name in BUILT_IN_ROLES.items() if name == "Privileged Authentication Administrator")


class Pair:
    """Both applications as production makes them, in a tenant that has consented to what each asks for.

    Only the one that makes accounts holds the directory role that acting on role-holders takes.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.tenant_id = TenantId(UUID(TAILSPIN))
        self.pauses: list[timedelta] = []
        self._calls = GraphCalls(simulator.url, pause=self.pause)
        self._pace = Pace(simulator.clock, self.pause)
        for asked in (RUNTIME, ONBOARDING):
            self.give_consent(asked)
        self.runtime, self.onboarding = self._speaking_as(RUNTIME), self._speaking_as(ONBOARDING)

    def pause(self, span: timedelta) -> None:
        """Let the simulated time pass instead of ours."""
        self.pauses.append(span)
        self.simulator.clock.advance(span.total_seconds())

    def speaking_as(self, asked: Registration) -> Application:
        """The one of the two."""
        return self.runtime if asked is RUNTIME else self.onboarding

    def registered(self, asked: Registration) -> Registered:
        """Its registration in our own tenant."""
        return self.simulator.world.applications[CLIENT_IDS[asked.name]]

    def consent(self, asked: Registration) -> Consent:
        """What the tenant has consented to for it."""
        return self.simulator.world.tenants[TAILSPIN].consents[CLIENT_IDS[asked.name]]

    def give_consent(self, asked: Registration) -> None:
        """The tenant's administrator consents to all it asks for."""
        consent = grant(self.simulator.world.tenants[TAILSPIN], self.registered(asked))
        consent.app_roles = set(asked.permissions)
        consent.directory_roles = {_ROLE} if asked is ONBOARDING else set()

    def take(self, asked: Registration, permission: str) -> None:
        """The tenant's administrator takes back this permission; the tokens of before have ended."""
        self.consent(asked).app_roles.discard(permission)
        self._end_tokens()

    def throw_out(self, asked: Registration) -> None:
        """The tenant's administrator deletes the enterprise application; the tokens of before have ended."""
        revoke(self.simulator.world.tenants[TAILSPIN], self.registered(asked))
        self._end_tokens()

    def _end_tokens(self) -> None:
        self.simulator.clock.advance(timedelta(hours=2).total_seconds())

    def _speaking_as(self, asked: Registration) -> Application:
        client_id = CLIENT_IDS[asked.name]
        sign_in = EntraSignIn(
            authority_host=self.simulator.url,
            client_id=client_id,
            credential=ManagedIdentity(MANAGED_IDENTITY.client_id).assertion,
            graph_scope=GRAPH_SCOPE,
            graph=self._calls,
            clock=self.simulator.clock,
            asked=asked,
        )
        policies = GraphPolicies(self._calls, sign_in.app_token, self._pace, asked)
        return Application(UUID(client_id), GraphDirectory(self._calls, sign_in.app_token, asked), sign_in, policies)


@dataclass(frozen=True, slots=True)
class Scene:
    """An account that holds a role and is signed in, a former one in the recycle bin, and our restriction in force."""

    pair: Pair
    tenant_id: TenantId
    user: UUID
    name: str
    former: UUID
    assignment_id: str
    location_id: str
    policy_id: str
    signed_in: SignedIn

    @property
    def domain(self) -> str:
        """The tenant's initial domain."""
        return self.name.partition("@")[2]

    @property
    def conditions(self) -> SignInConditions:
        """A sign-in to ask about."""
        return SignInConditions(self.user, GRAPH, OUR_IP, None)


def set_up(pair: Pair) -> Scene:
    """The scene, made by the one application and signed in by the other."""
    directory, policies, tenant_id = pair.onboarding.directory, pair.onboarding.policies, pair.tenant_id
    domain = directory.organization(tenant_id).initial_domain
    former = directory.create_user(tenant_id, NewUser(f"former@{domain}", "Former", MARKER, PASSWORD)).object_id
    directory.delete_user(tenant_id, former)
    user = directory.create_user(tenant_id, NewUser(f"management@{domain}", "Management", MARKER, PASSWORD))
    directory.assign_role(tenant_id, user.object_id, GLOBAL_READER.template_id)
    (held,) = directory.role_assignments(tenant_id, user.object_id)
    location_id = policies.create_location(tenant_id, "Egress", (f"{OUR_IP}/32",))
    policy_id = policies.create_policy(
        tenant_id, "Elsewhere", user_id=user.object_id, location_id=location_id, control="block"
    )
    signed_in = pair.runtime.sign_in.with_password(tenant_id, user.user_principal_name, PASSWORD)
    name = user.user_principal_name
    scene = Scene(pair, tenant_id, user.object_id, name, former, held.assignment_id, location_id, policy_id, signed_in)
    pair.simulator.journal.clear()
    return scene


Act = Callable[[Scene, Application], object]

_READS: Final[dict[str, Act]] = {
    "organization": lambda at, by: by.directory.organization(at.tenant_id),
    "user": lambda at, by: by.directory.user(at.tenant_id, at.name),
    "marked_users": lambda at, by: by.directory.marked_users(at.tenant_id, MARKER[:8]),
    "role_assignments": lambda at, by: by.directory.role_assignments(at.tenant_id, at.user),
    "policies": lambda at, by: by.policies.policies(at.tenant_id),
    "policy": lambda at, by: by.policies.policy(at.tenant_id, at.policy_id),
    "what_if": lambda at, by: by.policies.what_if(at.tenant_id, at.conditions),
    "named_locations": lambda at, by: by.policies.named_locations(at.tenant_id),
}
RUNS_SESSIONS: Final[dict[str, Act]] = {
    **_READS,
    "has_premium": lambda at, by: by.policies.has_premium(at.tenant_id),
    "security_defaults": lambda at, by: by.policies.security_defaults(at.tenant_id),
    "per_user_mfa": lambda at, by: by.policies.per_user_mfa(at.tenant_id, at.user),
    "other_methods": lambda at, by: by.policies.other_methods(at.tenant_id, at.user),
    "application_roles": lambda at, by: by.policies.application_roles(at.tenant_id, UUID(ONBOARDING_CLIENT_ID)),
    "revoke_sign_ins": lambda at, by: by.directory.revoke_sign_ins(at.tenant_id, at.user),
    "with_password": lambda at, by: by.sign_in.with_password(at.tenant_id, at.name, PASSWORD),
    "redeem": lambda at, by: by.sign_in.redeem(at.tenant_id, at.signed_in.refresh_token, EXCHANGE_SCOPE),
    "change_own_password": lambda at, by: by.sign_in.change_own_password(at.tenant_id, at.name, PASSWORD, NEW_PASSWORD),
}
"""What is asked of the world by turning on and off, redeeming, checking policies and rotating."""

MAKES_AND_REMOVES: Final[dict[str, Act]] = {
    "create_user": lambda at, by: by.directory.create_user(
        at.tenant_id, NewUser(f"another@{at.domain}", "Another", MARKER, PASSWORD)
    ),
    "restore_user": lambda at, by: by.directory.restore_user(at.tenant_id, at.former, f"restored@{at.domain}"),
    "adopt_user": lambda at, by: by.directory.adopt_user(at.tenant_id, at.user, MARKER),
    "set_password": lambda at, by: by.directory.set_password(at.tenant_id, at.user, NEW_PASSWORD),
    "delete_user": lambda at, by: by.directory.delete_user(at.tenant_id, at.user),
    "assign_role": lambda at, by: by.directory.assign_role(at.tenant_id, at.user, TEAMS_ADMINISTRATOR.template_id),
    "remove_role": lambda at, by: by.directory.remove_role(at.tenant_id, at.assignment_id),
    "create_location": lambda at, by: by.policies.create_location(at.tenant_id, "L", ("192.0.2.0/24",)),
    "set_location": lambda at, by: by.policies.set_location(at.tenant_id, at.location_id, "L", ("192.0.2.0/24",)),
    "delete_location": lambda at, by: by.policies.delete_location(at.tenant_id, "no-location"),
    "create_policy": lambda at, by: by.policies.create_policy(
        at.tenant_id, "P", user_id=at.user, location_id=at.location_id, control="mfa"
    ),
    "set_policy": lambda at, by: by.policies.set_policy(at.tenant_id, at.policy_id, state="enabled", control="block"),
    "exclude_users": lambda at, by: by.policies.exclude_users(at.tenant_id, at.policy_id, (str(at.user),)),
    "delete_policy": lambda at, by: by.policies.delete_policy(at.tenant_id, at.policy_id),
}
"""What changes something in the tenant that stays."""

ONBOARDS: Final[dict[str, Act]] = {
    **_READS,
    "deleted_user": lambda at, by: by.directory.deleted_user(at.tenant_id, f"former@{at.domain}"),
    **MAKES_AND_REMOVES,
}
"""What is asked of the world by making and removing accounts and by setting allowed IPs."""
