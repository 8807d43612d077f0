"""A tenant with allowed IPs: how they are asked for, and what of them is in the tenant afterwards."""

from __future__ import annotations

from collections.abc import Callable

from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME, AllowedIpsState, Outside
from shared.domain.operation import Operation, Status
from shared.domain.policies import NamedLocation
from shared.services.accept import Asking
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.people import ADMINISTRATOR
from tests.stage import Stage

RANGES = ("192.0.2.0/24",)
SOMEBODY = "5b0f2c1e-3d4a-4f6b-8c7d-9e0f1a2b3c4d"


def wish(
    stage: Stage,
    wanted: AllowedIpsState = AllowedIpsState.REPORT_ONLY,
    *,
    outside: Outside = Outside.BLOCK,
    apply_exclusions: bool = False,
) -> Callable[[], Operation]:
    """A request for allowed IPs, taken in now; called, it gives the operation as it stands then."""
    accepted = stage.services.policies.set_allowed_ips(
        stage.tenant_id,
        Asking(ADMINISTRATOR),
        ranges=RANGES,
        outside=outside,
        wanted=wanted,
        apply_exclusions=apply_exclusions,
    )
    return lambda: stage.operation(accepted)


def set_to(stage: Stage, host: Host, wanted: AllowedIpsState, *, apply_exclusions: bool = False) -> None:
    """Allowed IPs are asked for and set."""
    operation = wish(stage, wanted, apply_exclusions=apply_exclusions)
    host.settle()
    assert operation().status is Status.SUCCEEDED, operation().problem


def ours(stage: Stage) -> FakePolicy:
    """Our one policy, as the tenant has it."""
    (policy,) = (policy for policy in stage.rules.policies.values() if policy.display_name == POLICY_NAME)
    return policy


def place(stage: Stage) -> NamedLocation:
    """Our one location, as the tenant has it."""
    (found,) = (place for place in stage.rules.locations.values() if place.display_name == LOCATION_NAME)
    return found


def demanding(stage: Stage, *excluded: str) -> FakePolicy:
    """A policy of the customer's that asks everybody for MFA."""
    return stage.rules.add(FakePolicy("MFA for everybody", excluded_users=excluded))


def excluded_in(stage: Stage, policy: FakePolicy) -> tuple[str, ...]:
    return stage.rules.policies[policy.policy_id].excluded_users
