"""Queue `operations`: carry one out, as far as it goes."""

from __future__ import annotations

from uuid import UUID

import azure.functions as func

from functions.frame import bodies, envelope, wiring
from shared.domain.ids import OperationId, TenantId

bp = func.Blueprint()


@bp.function_name("carryOutOperation")
@bp.queue_trigger(arg_name="msg", queue_name="operations", connection="SessionStorage")
def carry_out_operation(msg: func.QueueMessage) -> None:
    """Go on with an operation."""
    envelope.handle(msg, "operations", bodies.OperationMessage, _carry_out)


def _carry_out(message: bodies.OperationMessage) -> None:
    wiring.services().carry_out(TenantId(UUID(message.tenant_id)), OperationId(UUID(message.operation_id)))
