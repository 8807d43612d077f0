"""HTTP: messages the platform gave up on, and sending them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.frame import Answer, Call, door, words

if TYPE_CHECKING:
    from shared.domain.poison import PoisonMessage

bp = func.Blueprint()

_ROUTE = "v1/tenants/{tenantId}/poison-messages"
_OF_NOBODY = "v1/poison-messages"


@bp.function_name("listPoisonMessages")
@bp.route(route=_ROUTE, methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def list_poison_messages(call: Call) -> Answer:
    """Every message kept for the tenant."""
    return _list(call.services.poison.kept(call.caller, call.tenant_id))


@bp.function_name("replayPoisonMessage")
@bp.route(route=_ROUTE + "/{messageId}/replay", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def replay_poison_message(call: Call) -> Answer:
    """Put the message back on its queue."""
    asking, tenant_id = call.asking("replayPoisonMessage"), call.tenant_id
    return Answer(200, _shown(call.services.poison.replay(asking, tenant_id, call.guid("messageId"))))


@bp.function_name("listPoisonMessagesOfNobody")
@bp.route(route=_OF_NOBODY, methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def list_poison_messages_of_nobody(call: Call) -> Answer:
    """Every message kept that is about no tenant we know."""
    return _list(call.services.poison.kept_of_nobody(call.caller))


@bp.function_name("replayPoisonMessageOfNobody")
@bp.route(route=_OF_NOBODY + "/{messageId}/replay", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def replay_poison_message_of_nobody(call: Call) -> Answer:
    """Put such a message back on its queue: its tenant may have been onboarded since."""
    asking = call.asking("replayPoisonMessageOfNobody")
    return Answer(200, _shown(call.services.poison.replay_of_nobody(asking, call.guid("messageId"))))


def _list(kept: tuple[PoisonMessage, ...]) -> Answer:
    return Answer(200, {"value": [_shown(message) for message in kept]})


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
