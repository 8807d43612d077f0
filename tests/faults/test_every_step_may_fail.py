"""Every flow, broken in every way at every call it makes, comes to rest with nothing lost and nothing left over."""

from __future__ import annotations

import pytest

from shared.domain import policies, ports, store
from tests.faults.conftest import Tally
from tests.faults.engine import broken, calls_of
from tests.faults.faults import FAULTS, Fault
from tests.faults.flows import FLOWS, Flow

ON_REQUEST = {
    "TenantStore.activity",
    "TenantStore.poison_message",
    "TenantIndex.list",
    "TenantIndex.listed",
    "Messages.send_again",
}
"""What only shows something to a caller, or is done by one alone: no flow goes on from it."""


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_flow_survives(flow: Flow, fault: Fault, tally: Tally, at_every_step: bool) -> None:
    concerned = [number for number, call in enumerate(calls_of(flow), start=1) if fault.concerns(call)]
    if not at_every_step:
        concerned = concerned[FAULTS.index(fault) % fault.every :: fault.every]

    found = {f"{number} {calls_of(flow)[number - 1].method}": broken(flow, fault, number) for number in concerned}

    lost = {where: wrong for where, wrong in found.items() if wrong}
    tally.add(flow.name, steps=len(calls_of(flow)), tried=len(found), lost=len(lost))
    assert lost == {}


def test_every_way_into_the_world_is_broken_by_some_flow() -> None:
    called = {f"{call.port}.{call.method}" for flow in FLOWS for call in calls_of(flow)}

    theirs = _methods(ports.Vault, ports.Directory, ports.SignIn, policies.TenantPolicies)
    ours = _methods(ports.Messages, store.TenantStore, store.TenantIndex, store.DueList)
    assert (theirs | ours) - called == ON_REQUEST


def _methods(*protocols: type) -> set[str]:
    return {
        f"{protocol.__name__}.{name}"
        for protocol in protocols
        for name, member in vars(protocol).items()
        if callable(member) and not name.startswith("_")
    }
