"""Every method of the policies port, ready to be called, with what each takes of the tenant and of Graph."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from shared.domain.policies import SignInConditions
from tests.contract.ports.policy_stages import (
    GRAPH,
    OUR_IP,
    Drafted,
    PolicyStage,
    SimulatedPolicyStage,
    make_restriction,
    what_if,
)
from tests.contract.ports.stages import asked_of

Ask = Callable[[PolicyStage], object]

READ, WRITE = "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"

ASKS_OF_PREMIUM: dict[str, tuple[Ask, str]] = {
    "policies": (lambda on: on.policies.policies(on.tenant_id), READ),
    "policy": (lambda on: on.policies.policy(on.tenant_id, "a-policy"), READ),
    "what_if": (
        lambda on: on.policies.what_if(on.tenant_id, SignInConditions(on.user_id, GRAPH, OUR_IP, None)),
        READ,
    ),
    "named_locations": (lambda on: on.policies.named_locations(on.tenant_id), READ),
    "create_location": (lambda on: on.policies.create_location(on.tenant_id, "L", ("203.0.113.0/24",)), WRITE),
    "set_location": (lambda on: on.policies.set_location(on.tenant_id, "a-location", "L", ("203.0.113.0/24",)), WRITE),
    "delete_location": (lambda on: on.policies.delete_location(on.tenant_id, "a-location"), WRITE),
    "create_policy": (
        lambda on: on.policies.create_policy(
            on.tenant_id, "P", user_id=on.user_id, location_id="a-location", control="block"
        ),
        WRITE,
    ),
    "set_policy": (lambda on: on.policies.set_policy(on.tenant_id, "a-policy", state="enabled", control="mfa"), WRITE),
    "delete_policy": (lambda on: on.policies.delete_policy(on.tenant_id, "a-policy"), WRITE),
    "exclude_users": (lambda on: on.policies.exclude_users(on.tenant_id, "a-policy", ("a-user",)), WRITE),
}
ASKS: dict[str, tuple[Ask, str]] = {
    **ASKS_OF_PREMIUM,
    "has_premium": (lambda on: on.policies.has_premium(on.tenant_id), "Organization.Read.All"),
    "security_defaults": (lambda on: on.policies.security_defaults(on.tenant_id), READ),
    "per_user_mfa": (lambda on: on.policies.per_user_mfa(on.tenant_id, on.user_id), READ),
    "other_methods": (
        lambda on: on.policies.other_methods(on.tenant_id, on.user_id),
        "UserAuthenticationMethod.Read.All",
    ),
    "application_roles": (
        lambda on: on.policies.application_roles(on.tenant_id, on.application_id),
        "RoleManagement.ReadWrite.Directory",
    ),
}
"""Every method that asks something of Graph whatever there is in the tenant, and a permission it takes."""


class Scene:
    """Our restriction in force beside a policy of the customer's, with all tokens at hand and nothing asked lately."""

    def __init__(self, stage: SimulatedPolicyStage) -> None:
        self.on = stage
        self.policies = stage.policies
        self.tenant_id = stage.tenant_id
        self.theirs = stage.add_policy(Drafted())
        self.location_id, self.ours = make_restriction(stage)
        self.user_id = str(stage.user_id)
        self.forget()

    def forget(self) -> None:
        """Nothing has been asked."""
        self.on.rest()
        self.on.pauses.clear()
        self.on.simulator.journal.clear()

    @property
    def asked(self) -> list[str]:
        """What Graph was asked, method and path."""
        return asked_of(self.on.simulator, "graph")


Act = Callable[[Scene], object]

OTHERS: dict[str, tuple[Act, int]] = {
    "has_premium": (lambda at: at.policies.has_premium(at.tenant_id), 1),
    "security_defaults": (lambda at: at.policies.security_defaults(at.tenant_id), 1),
    "per_user_mfa": (lambda at: at.policies.per_user_mfa(at.tenant_id, at.on.user_id), 1),
    "other_methods": (lambda at: at.policies.other_methods(at.tenant_id, at.on.user_id), 1),
    "application_roles": (lambda at: at.policies.application_roles(at.tenant_id, at.on.application_id), 2),
}
READS: dict[str, tuple[Act, int]] = {
    "policies": (lambda at: at.policies.policies(at.tenant_id), 1),
    "policy": (lambda at: at.policies.policy(at.tenant_id, at.theirs), 1),
    "what_if": (lambda at: what_if(at.on), 1),
    "named_locations": (lambda at: at.policies.named_locations(at.tenant_id), 1),
}
WRITES: dict[str, tuple[Act, int]] = {
    "create_location": (lambda at: at.policies.create_location(at.tenant_id, "L", ("192.0.2.0/24",)), 1),
    "set_location": (lambda at: at.policies.set_location(at.tenant_id, at.location_id, "L", ("192.0.2.0/24",)), 1),
    "create_policy": (
        lambda at: at.policies.create_policy(
            at.tenant_id, "P", user_id=at.on.user_id, location_id=at.location_id, control="mfa"
        ),
        1,
    ),
    "set_policy": (lambda at: at.policies.set_policy(at.tenant_id, at.ours, state="enabled", control="block"), 1),
    "exclude_users": (lambda at: at.policies.exclude_users(at.tenant_id, at.theirs, (at.user_id,)), 2),
    "delete_policy": (lambda at: at.policies.delete_policy(at.tenant_id, at.ours), 1),
    "delete_location": (lambda at: at.policies.delete_location(at.tenant_id, str(uuid4())), 1),
}
PACED = READS | WRITES
"""Conditional access, with the number of requests that each method makes; `OTHERS` are the rest."""
