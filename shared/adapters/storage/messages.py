"""What our messages say: the shapes of contracts/schemas/operationMessageV1.json and actionResultV1.json, as JSON text.

No top-level key may be one of the queue trigger's metadata names, for it would hide the trigger's own value.
"""

from __future__ import annotations

from datetime import UTC
from typing import Final

import msgspec

from shared.domain.action import ActionKind, Decision
from shared.domain.errors import Problem
from shared.domain.ids import OperationId, TenantId

SCHEMA_VERSION: Final = 1
LARGEST: Final = 48 * 1024
"""Bytes: 64 KiB in Base64 (https://learn.microsoft.com/rest/api/storageservices/put-message)."""
OPERATIONS: Final = "operations"
REQUESTS: Final = ("action-requests", "action-completions")
"""Executors write to these; we only ever put back what they sent."""
RESULTS: Final[dict[ActionKind, str]] = {
    ActionKind.PLAYBOOK_REMEDIATION: "action-results-playbook-remediation",
    ActionKind.MANAGEMENT_ACTION: "action-results-management-action",
    ActionKind.CUSTOM_ACTION: "action-results-custom-action",
    ActionKind.WORKFLOW: "action-results-workflow",
}
"""The queue that answers each kind of action."""


def operation_text(tenant_id: TenantId, operation_id: OperationId) -> str:
    """The message that asks a worker to go on with an operation."""
    return _text(schemaVersion=SCHEMA_VERSION, tenantId=tenant_id, operationId=operation_id)


def decision_text(decision: Decision) -> str:
    """The message that answers an executor.

    Raises:
        ValueError: it is too large, as no sentence of ours is.
    """
    return _text(
        schemaVersion=SCHEMA_VERSION,
        actionId=decision.action_id,
        tenantId=decision.tenant_id,
        decision=decision.verdict,
        leaseId=decision.lease_id,
        expiresAt=decision.expires_at.astimezone(UTC) if decision.expires_at else None,
        error=_error(decision.problem) if decision.problem else None,
    )


def _error(problem: Problem) -> dict[str, object]:
    step = problem.next_step
    return _present(
        code=problem.code,
        message=problem.message,
        target=problem.target,
        details=[_error(detail) for detail in problem.details] or None,
        nextStep=_present(text=step.text, link=step.link) if step else None,
    )


def _text(**fields: object) -> str:
    text = msgspec.json.encode(_present(**fields))
    if len(text) > LARGEST:
        raise ValueError(f"a message of {len(text)} bytes is larger than {LARGEST} bytes")
    return text.decode()


def _present(**fields: object) -> dict[str, object]:
    """The fields that are there: the contract knows no null."""
    return {name: value for name, value in fields.items() if value is not None}
