"""Queues `*-poison`: keep what the platform gave up on and close it with a reason, so that nobody waits for ever."""

from __future__ import annotations

from uuid import UUID

import azure.functions as func

from functions.frame import bodies, envelope, reading, telemetry, wiring
from shared.domain.ids import OperationId, TenantId

bp = func.Blueprint()


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
    with envelope.last_resort("operations-poison"):
        wiring.services().carry_out.close(tenant_id, operation_id, envelope.GIVEN_UP)


def _close_request(message: bodies.ActionRequestMessage) -> None:
    services = wiring.services()
    with telemetry.correlated(message.action_id):
        request = reading.action_request(message, services.world.clock.now(), services.world.limits)
        _keep("action-requests", message)
        with envelope.last_resort("action-requests-poison"):
            services.act.give_up(request, envelope.GIVEN_UP)


def _close_completion(message: bodies.ActionCompletionMessage) -> None:
    with telemetry.correlated(message.action_id):
        _keep("action-completions", message)


def _keep(queue: str, message: bodies.PoisonBody) -> None:
    wiring.services().poison.keep(queue, TenantId(UUID(message.tenant_id)), bodies.text_of(message), envelope.GIVEN_UP)
