"""HTTP: messages the platform gave up on, and sending them again."""

import azure.functions as func

from functions import words
from functions.wire import Answer, Call, door
from shared.domain.poison import PoisonMessage

bp = func.Blueprint()

_ROUTE = "v1/tenants/{tenantId}/poison-messages"


@bp.function_name("listPoisonMessages")
@bp.route(route=_ROUTE, methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def list_poison_messages(call: Call) -> Answer:
    """Every message kept for the tenant."""
    kept = call.services.poison.kept(call.caller, call.tenant_id)
    return Answer(200, {"value": [_shown(message) for message in kept]})


@bp.function_name("replayPoisonMessage")
@bp.route(route=_ROUTE + "/{messageId}/replay", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def replay_poison_message(call: Call) -> Answer:
    """Put the message back on its queue."""
    asking, tenant_id = call.asking("replayPoisonMessage"), call.tenant_id
    return Answer(200, _shown(call.services.poison.replay(asking.caller, tenant_id, call.guid("messageId"))))


def _shown(message: PoisonMessage) -> words.Json:
    """contracts/schemas/poisonMessage.json."""
    return words.present(
        messageId=str(message.message_id),
        queue=message.queue,
        text=message.text,
        at=words.time(message.at),
        error=words.problem(message.problem),
        replayedAt=words.time(message.replayed_at),
    )
