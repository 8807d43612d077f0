"""Keep what the platform gave up on, show it, and send it again when somebody says so."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from shared import telemetry
from shared.domain.activity import Activity, Event
from shared.domain.actors import SERVICE, Caller, Right
from shared.domain.errors import Code, NotFound, Problem, not_found
from shared.domain.ids import TenantId
from shared.domain.poison import PoisonMessage
from shared.domain.store import Insert, Put, Stored
from shared.services.record_refusal import NOBODY
from shared.services.world import World, authorise


class KeepPoison:
    """The services behind the `*-poison` queues and `…/poison-messages`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def keep(self, queue: str, tenant_id: TenantId, text: str, problem: Problem) -> None:
        """Keep the message in its tenant, or with nobody's when there is no such tenant. Twice is once.

        Raises:
            Transient: our own tables are away; the platform shows the message again.
        """
        where = tenant_id
        try:
            self._world.store.tenant(tenant_id)
        except NotFound:
            where = NOBODY
        now = self._world.clock.now()
        message_id = uuid5(tenant_id, f"{queue}/{text}")
        if any(known.row.message_id == message_id for known in self._world.store.poison_messages(where)):
            return
        entry = Activity(
            where,
            now,
            Event.MESSAGE_POISONED,
            SERVICE,
            f"A message on {queue} failed every time; it is kept and can be sent again.",
            telemetry.correlation_id(),
            facts={"queue": queue, "messageId": str(message_id), "code": str(problem.code)},
        )
        message = PoisonMessage(message_id, queue, text, now, problem)
        self._world.store.commit(where, [Put(message), Insert(entry)])
        telemetry.event(Event.MESSAGE_POISONED, tenant_id=where, queue=queue, message_id=message_id)

    def kept(self, caller: Caller, tenant_id: TenantId) -> tuple[PoisonMessage, ...]:
        """Every message kept for the tenant, in no order.

        Raises:
            NotFound, Refused: as `authorise`.
        """
        authorise(caller, self._world.store.tenant(tenant_id).row, Right.ADMINISTRATOR)
        return tuple(stored.row for stored in self._world.store.poison_messages(tenant_id))

    def replay(self, caller: Caller, tenant_id: TenantId, message_id: UUID) -> PoisonMessage:
        """Send the message again, on the queue it came from. What was decided or ended since stays so.

        Raises:
            NotFound, Refused: as `authorise`; `notFound`.
        """
        authorise(caller, self._world.store.tenant(tenant_id).row, Right.ADMINISTRATOR)
        stored = self._find(tenant_id, message_id)
        now = self._world.clock.now()
        entry = Activity(
            tenant_id,
            now,
            Event.MESSAGE_REPLAYED,
            caller.actor,
            f"A message on {stored.row.queue} was sent again.",
            telemetry.correlation_id(),
            facts={"queue": stored.row.queue, "messageId": str(message_id)},
        )
        replayed = replace(stored.row, replayed_at=now)
        self._world.store.commit(tenant_id, [Put(replayed), Insert(entry)])
        self._world.messages.send_again(stored.row.queue, stored.row.text)
        return replayed

    def _find(self, tenant_id: TenantId, message_id: UUID) -> Stored[PoisonMessage]:
        for stored in self._world.store.poison_messages(tenant_id):
            if stored.row.message_id == message_id:
                return stored
        raise not_found(Code.NOT_FOUND, "There is no such message.")
