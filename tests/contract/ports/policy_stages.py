"""A tenant to try the policies port on: a user of ours, and administrators who make policies behind our back."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from local.simulator.licences import subscribed_sku
from local.simulator.seed import APP_CLIENT_ID
from local.simulator.server import Simulator
from shared.adapters.graph_pace import Pace
from shared.adapters.graph_policies import GraphPolicies
from shared.domain.ids import TenantId
from shared.domain.policies import Applied, NamedLocation, SignInConditions, TenantPolicies
from tests.contract.ports.stages import PASSWORD, SimulatedStage, create
from tests.fakes.clock import START
from tests.fakes.microsoft365 import FakeTenants
from tests.fakes.policies import FakePolicy, FakeTenantPolicies

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
OUR_IP, FOREIGN_IP = "203.0.113.10", "198.51.100.7"
PACE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A policy for everybody, as an administrator of the tenant would make it.

    Attributes:
        resource: the application id it is about, or All.
        for_country: the only country it is about, if it is about one.
    """

    display_name: str = "MFA for everybody"
    control: str = "mfa"
    state: str = "enabled"
    resource: str = "All"
    for_country: str | None = None


class PolicyStage(Protocol):
    """A tenant with Entra ID P1 that has consented to everything, and a user of ours in it."""

    @property
    def tenant_id(self) -> TenantId: ...

    @property
    def application_id(self) -> UUID: ...

    @property
    def user_id(self) -> UUID: ...

    @property
    def policies(self) -> TenantPolicies: ...

    def add_policy(self, drafted: Drafted) -> str:
        """An administrator makes a policy; its id."""

    def everything_but_exclusions(self, policy_id: str) -> object:
        """All there is to the policy, apart from the excluded users and the time of the last change."""

    def trust_location(self, location_id: str) -> None:
        """An administrator marks the location as trusted."""

    def hide_new_locations(self) -> None:
        """Policies cannot name locations made from now on."""

    def show_new_locations(self) -> None:
        """They can again."""

    def end_licence(self) -> None:
        """The tenant has no Entra ID P1 any more."""

    def turn_on_security_defaults(self) -> None: ...

    def demand_mfa(self, state: str) -> None:
        """Per-user MFA of our user is set to `state`."""

    def register_method(self, type_name: str) -> None:
        """Somebody registers another way to sign in as our user."""

    def take_directory_role(self) -> None:
        """The application loses its directory role."""

    def withdraw_permissions(self) -> None: ...

    def withdraw_consent(self) -> None: ...


def what_if(
    stage: PolicyStage, *, resource: str = GRAPH, ip: str = OUR_IP, country: str | None = None
) -> list[Applied]:
    """What would apply to a sign-in of our user, in the order of the policies' ids."""
    asked = SignInConditions(stage.user_id, resource, ip, country)
    return sorted(stage.policies.what_if(stage.tenant_id, asked), key=lambda applied: applied.policy_id)


def make_restriction(stage: PolicyStage, control: str = "block") -> tuple[str, str]:
    """A location with our address and a policy that spares it; their ids."""
    location_id = stage.policies.create_location(stage.tenant_id, "Egress", (f"{OUR_IP}/32",))
    policy_id = stage.policies.create_policy(
        stage.tenant_id, "Elsewhere", user_id=stage.user_id, location_id=location_id, control=control
    )
    return location_id, policy_id


class SimulatedPolicyStage(SimulatedStage):
    """The adapter, on a tenant of the simulated Microsoft 365 that keeps to one conditional access call a second."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        simulator.world.conditional_access_pacing = PACE.total_seconds()
        self.application_id = UUID(APP_CLIENT_ID)
        pace = Pace(simulator.clock, self.pause)
        self.policies = GraphPolicies(self.calls, self.sign_in.app_token, pace)
        self.user_id = create(self).object_id

    def pause(self, span: timedelta) -> None:
        """Let the simulated time pass instead of ours."""
        self.pauses.append(span)
        self.simulator.clock.advance(span.total_seconds())

    def rest(self) -> None:
        """So much time passes that nothing of before is too near."""
        self.simulator.clock.advance(PACE.total_seconds())

    def add_policy(self, drafted: Drafted) -> str:
        policy_id = str(uuid4())
        conditions: dict[str, Any] = {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": [drafted.resource]},
            "users": {"includeUsers": ["All"], "excludeUsers": [str(uuid4())]},
            # Graph tells "linux" only to those who ask for newer members: nobody else could write it back.
            "platforms": {"includePlatforms": ["linux"]},
            "authenticationFlows": {"transferMethods": "none"},
        }
        if drafted.for_country is not None:
            location_id = str(uuid4())
            self._tenant.named_locations[location_id] = {
                "id": location_id,
                "displayName": "A country",
                "countriesAndRegions": [drafted.for_country],
            }
            conditions["locations"] = {"includeLocations": [location_id], "excludeLocations": []}
        self._tenant.policies[policy_id] = {
            "id": policy_id,
            "displayName": drafted.display_name,
            "state": drafted.state,
            "createdDateTime": START.isoformat().replace("+00:00", "Z"),
            "conditions": conditions,
            "grantControls": {"operator": "OR", "builtInControls": [drafted.control]},
        }
        return policy_id

    def everything_but_exclusions(self, policy_id: str) -> object:
        shown = copy.deepcopy(self._tenant.policies[policy_id])
        shown.pop("modifiedDateTime", None)
        shown["conditions"]["users"].pop("excludeUsers", None)
        return _without_empty(shown)

    def trust_location(self, location_id: str) -> None:
        self._tenant.named_locations[location_id]["isTrusted"] = True

    def hide_new_locations(self) -> None:
        self.simulator.world.named_location_delay = timedelta(days=1).total_seconds()

    def show_new_locations(self) -> None:
        self.simulator.world.named_location_delay = 0

    def end_licence(self) -> None:
        self._tenant.skus = [subscribed_sku(self._tenant.id, "Tailspin Toys", "STANDARDPACK")]

    def turn_on_security_defaults(self) -> None:
        self._tenant.security_defaults = True

    def demand_mfa(self, state: str) -> None:
        self._tenant.users[str(self.user_id)].per_user_mfa = state

    def register_method(self, type_name: str) -> None:
        method = {"@odata.type": f"#microsoft.graph.{type_name}", "id": str(uuid4())}
        self._tenant.users[str(self.user_id)].methods.append(method)

    def change_policy(self, policy_id: str, **changes: object) -> None:
        """An administrator, or Microsoft, writes these of its properties anew."""
        self._tenant.policies[policy_id].update(changes)

    def keep_permissions(self, *permissions: str) -> None:
        """Of all permissions only these are left."""
        self.withdraw_permissions()
        self._consent.app_roles |= set(permissions)


def _without_empty(document: Any) -> Any:
    """The document as it means the same whether somebody wrote its defaults down or not."""
    if not isinstance(document, dict):
        return document
    kept = {name: _without_empty(content) for name, content in document.items()}
    return {name: content for name, content in kept.items() if content not in (None, [], {})}


class FakePolicyStage:
    """The fake, on a tenant of its own."""

    def __init__(self) -> None:
        self.tenant_id = TenantId(uuid4())
        self.application_id = uuid4()
        tenants = FakeTenants()
        self.policies = FakeTenantPolicies(tenants)
        self._tenant = tenants[self.tenant_id]
        self._rules = self.policies.rules[self.tenant_id]
        self.user_id = self._tenant.add_user("management@fake.onmicrosoft.com", PASSWORD).object_id

    def add_policy(self, drafted: Drafted) -> str:
        made = FakePolicy(
            drafted.display_name,
            (drafted.control,),
            drafted.state,
            resources=None if drafted.resource == "All" else frozenset({drafted.resource}),
            is_certain=drafted.for_country is None,
            excluded_users=(str(uuid4()),),
            created_at=START,
        )
        return self._rules.add(made).policy_id

    def everything_but_exclusions(self, policy_id: str) -> object:
        return replace(self._rules.policies[policy_id], excluded_users=())

    def trust_location(self, location_id: str) -> None:
        found = self._rules.locations[location_id]
        self._rules.locations[location_id] = NamedLocation(location_id, found.display_name, found.ranges, True)

    def hide_new_locations(self) -> None:
        self._rules.location_lag = 1000

    def show_new_locations(self) -> None:
        self._rules.location_lag = 0

    def end_licence(self) -> None:
        self._rules.has_premium = False

    def turn_on_security_defaults(self) -> None:
        self._rules.security_defaults = True

    def demand_mfa(self, state: str) -> None:
        self._rules.per_user_mfa[self.user_id] = state

    def register_method(self, type_name: str) -> None:
        self._rules.other_methods[self.user_id] = (type_name,)

    def take_directory_role(self) -> None:
        self._tenant.has_directory_role = False

    def withdraw_permissions(self) -> None:
        self._tenant.permissions = set()

    def withdraw_consent(self) -> None:
        self._tenant.permissions = None
