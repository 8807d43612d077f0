"""Queues `*-poison`: close what the platform gave up on, with a reason, so that nobody waits for ever."""

from uuid import UUID

import azure.functions as func
import msgspec

from functions import bodies, envelope, reading
from shared import telemetry, wiring
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.ids import OperationId, TenantId

bp = func.Blueprint()

_GIVEN_UP = Problem(
    Code.INTERNAL_ERROR,
    "This could not be done after several attempts.",
    next_step=NextStep("Ask again; if it fails again, give support the correlation id."),
)


@bp.function_name("closeOperation")
@bp.queue_trigger(arg_name="msg", queue_name="operations-poison", connection="SessionStorage")
def close_operation(msg: func.QueueMessage) -> None:
    """End the operation as failed."""
    envelope.handle(msg, "operations-poison", bodies.OperationMessage, _close_operation)


@bp.function_name("closeActionRequest")
@bp.queue_trigger(arg_name="msg", queue_name="action-requests-poison", connection="SessionStorage")
def close_action_request(msg: func.QueueMessage) -> None:
    """Answer the executor that it failed, if it was not answered before."""
    envelope.handle(msg, "action-requests-poison", bodies.ActionRequestMessage, _close_request)


@bp.function_name("closeActionCompletion")
@bp.queue_trigger(arg_name="msg", queue_name="action-completions-poison", connection="SessionStorage")
def close_action_completion(msg: func.QueueMessage) -> None:
    """Record it; the lease ends by itself."""
    envelope.handle(msg, "action-completions-poison", bodies.ActionCompletionMessage, _close_completion)


def _close_operation(message: bodies.OperationMessage) -> None:
    tenant_id, operation_id = TenantId(UUID(message.tenant_id)), OperationId(UUID(message.operation_id))
    _keep("operations", message)
    wiring.services().carry_out.close(tenant_id, operation_id, _GIVEN_UP)


def _close_request(message: bodies.ActionRequestMessage) -> None:
    services = wiring.services()
    with telemetry.correlated(message.action_id):
        _keep("action-requests", message)
        request = reading.action_request(message, services.world.clock.now(), services.world.limits)
        services.act.give_up(request, _GIVEN_UP)


def _close_completion(message: bodies.ActionCompletionMessage) -> None:
    with telemetry.correlated(message.action_id):
        _keep("action-completions", message)


def _keep(queue: str, message: bodies.PoisonBody) -> None:
    text = msgspec.json.encode(message).decode()
    wiring.services().poison.keep(queue, TenantId(UUID(message.tenant_id)), text, _GIVEN_UP)
