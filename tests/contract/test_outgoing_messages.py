"""What we send is what the contract says: every message is valid by its schema, and harmless to a queue trigger."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from jsonschema_rs import Draft202012Validator, Registry, ValidationError

from shared.adapters.storage.messages import RESULTS, decision_text, operation_text
from shared.domain.action import ActionKind, Decision, Verdict
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.ids import ActionId, OperationId, TenantId, lease_id_for

SCHEMAS: Final = Path(__file__).parents[2] / "contracts" / "schemas"
BASE: Final = "https://contracts.invalid/schemas/"
BESIDE: Final = Registry([(BASE + path.name, json.loads(path.read_text("utf-8"))) for path in SCHEMAS.iterdir()])
PLATFORM_NAMES: Final = {"id", "dequeuecount", "insertiontime", "expirationtime", "nextvisibletime", "popreceipt"}
NOW: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)
TENANT: Final = TenantId(uuid4())
ACTION: Final = ActionId(uuid4())
READY: Final = Decision(ACTION, TENANT, Verdict.READY, lease_id_for(TENANT, ACTION), NOW)


def refusal(problem: Problem, verdict: Verdict = Verdict.DENIED) -> Decision:
    """A decision that says no."""
    return Decision(ACTION, TENANT, verdict, problem=problem)


def check(text: str, schema: str) -> dict[str, Any]:
    """The message, which its schema allows. Raises ValidationError when it does not."""
    message: dict[str, Any] = json.loads(text)
    contract = Draft202012Validator(
        {"$ref": f"{schema}.json"}, base_uri=f"{BASE}here.json", registry=BESIDE, validate_formats=True
    )
    contract.validate(message)
    return message


def test_an_operation_message_is_valid() -> None:
    message = check(operation_text(TENANT, OperationId(uuid4())), "operationMessageV1")

    assert not {key.lower() for key in message} & PLATFORM_NAMES


@pytest.mark.parametrize(
    "ends",
    [
        NOW,
        NOW + timedelta(microseconds=1),
        NOW.astimezone(timezone(timedelta(hours=5, minutes=45))),
    ],
)
def test_a_lease_is_announced_validly_whenever_it_ends(ends: datetime) -> None:
    message = check(decision_text(replace(READY, expires_at=ends)), "actionResultV1")

    assert datetime.fromisoformat(message["expiresAt"]) == ends
    assert not {key.lower() for key in message} & PLATFORM_NAMES


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("verdict", [Verdict.DENIED, Verdict.FAILED])
def test_a_refusal_is_valid_whatever_its_reason(code: Code, verdict: Verdict) -> None:
    message = check(decision_text(refusal(Problem(code, "No."), verdict)), "actionResultV1")

    assert (message["decision"], message["error"]) == (verdict.value, {"code": code.value, "message": "No."})


def test_a_refusal_with_all_that_can_be_said_is_valid() -> None:
    step = NextStep("Exclude the account.", "https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess")
    detail = Problem(Code.ROLE_MISSING, "A role is missing.", "roles", step)

    problem = Problem(Code.SIGN_IN_BLOCKED, "No.", "session", step, (detail,))

    message = check(decision_text(refusal(problem)), "actionResultV1")

    assert set(message["error"]) == {"code", "message", "target", "nextStep", "details"}


def test_a_decision_that_contradicts_itself_is_not_valid() -> None:
    with pytest.raises(ValidationError):
        check(decision_text(replace(READY, problem=Problem(Code.INTERNAL_ERROR, "No."))), "actionResultV1")


def test_each_kind_of_action_has_its_queue_named_after_it() -> None:
    kebab = {kind: "".join(f"-{c.lower()}" if c.isupper() else c for c in kind.value) for kind in ActionKind}

    assert {kind: f"action-results-{name}" for kind, name in kebab.items()} == RESULTS
