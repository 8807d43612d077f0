"""The operations that the contract's examples show are such as the service carries out: their steps are the flows'."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import pytest

from shared.domain.actors import SERVICE
from shared.domain.ids import OperationId, TenantId
from shared.domain.operation import Operation, OperationKind, Status, Step
from shared.services.create_account import CreateAccount
from shared.services.delete_account import DeleteAccount
from shared.services.remove_allowed_ips import RemoveAllowedIps
from shared.services.rotate_password import RotatePassword
from shared.services.run_policy_check import RunPolicyCheck
from shared.services.set_allowed_ips import SetAllowedIps
from shared.services.turn_off import DRAIN, TurnOff
from shared.services.turn_on import TurnOn
from tests.contract.test_contract_files import GOOD, walk

NOW: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)
FLOWS: Final[Mapping[OperationKind, tuple[tuple[str, ...], ...]]] = {
    CreateAccount.kind: (CreateAccount.steps,),
    RotatePassword.kind: (RotatePassword.steps,),
    DeleteAccount.kind: (DeleteAccount.steps,),
    RunPolicyCheck.kind: (RunPolicyCheck.steps, RunPolicyCheck.daily_steps),
    SetAllowedIps.kind: (SetAllowedIps.steps,),
    RemoveAllowedIps.kind: (RemoveAllowedIps.steps,),
    TurnOn.kind: (TurnOn.steps, TurnOn.steps[2:]),
    TurnOff.kind: (TurnOff.steps, (DRAIN, *TurnOff.steps)),
}
"""The steps that an operation of each kind can have."""

SHOWN: Final = [
    pytest.param(part, id=f"{path.parent.name}/{path.stem}")
    for path in GOOD
    for part in walk(json.loads(path.read_text("utf-8")))
    if "steps" in part
]
"""Every operation that an example shows."""


@pytest.mark.parametrize("shown", SHOWN)
def test_an_example_shows_an_operation_as_it_can_be(shown: dict[str, Any]) -> None:
    """Its steps are those of its flow, done in their order, and its progress is what they come to."""
    names, statuses = zip(*((step["name"], step["status"]) for step in shown["steps"]), strict=True)
    done = statuses.count("succeeded")
    operation = Operation(
        OperationId(UUID(shown["id"])),
        TenantId(UUID(int=1)),
        OperationKind(shown["kind"]),
        SERVICE,
        "only-for-tests",
        created_at=NOW,
        deadline=NOW,
        steps=tuple(Step(name, Status(status)) for name, status in zip(names, statuses, strict=True)),
        status=Status(shown["status"]),
    )

    assert names in FLOWS[operation.kind]
    assert statuses[:done] == ("succeeded",) * done
    assert set(statuses[done + 1 :]) <= {"notStarted"}
    assert statuses[done:][:1] in ((), ("notStarted",), (shown["status"],))
    assert shown["percentComplete"] == operation.percent_complete


def test_every_kind_of_operation_has_its_steps() -> None:
    assert FLOWS.keys() == set(OperationKind)
