"""Queues `action-requests` and `action-completions`: executors ask to act, and say when they are done."""

from __future__ import annotations

from uuid import UUID

import azure.functions as func

from functions.frame import bodies, envelope, reading, telemetry, wiring
from shared.domain.ids import ActionId, TenantId

bp = func.Blueprint()


@bp.function_name("decideOnAction")
@bp.queue_trigger(arg_name="msg", queue_name="action-requests", connection="SessionStorage")
def decide_on_action(msg: func.QueueMessage) -> None:
    """May this executor act in this tenant now?"""
    envelope.handle(msg, "action-requests", bodies.ActionRequestMessage, _decide)


@bp.function_name("completeAction")
@bp.queue_trigger(arg_name="msg", queue_name="action-completions", connection="SessionStorage")
def complete_action(msg: func.QueueMessage) -> None:
    """An action has ended: its lease goes."""
    envelope.handle(msg, "action-completions", bodies.ActionCompletionMessage, _complete)


def _decide(message: bodies.ActionRequestMessage) -> None:
    services = wiring.services()
    with telemetry.correlated(message.action_id):
        services.act.request(reading.action_request(message, services.world.clock.now(), services.world.limits))


def _complete(message: bodies.ActionCompletionMessage) -> None:
    tenant_id, action_id = TenantId(UUID(message.tenant_id)), ActionId(UUID(message.action_id))
    with telemetry.correlated(message.action_id):
        wiring.services().act.complete(tenant_id, action_id, message.outcome)
