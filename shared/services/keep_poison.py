"""Keep what the platform gave up on, show it, and send it again when somebody says so."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid5

from shared import telemetry
from shared.domain.activity import Activity, Event
from shared.domain.actors import SERVICE, Actor, Caller, Right
from shared.domain.errors import AlreadyExists, Problem, WrittenLater
from shared.domain.ids import TenantId
from shared.domain.poison import PoisonMessage
from shared.domain.store import Insert, Put, Replace, Replay
from shared.services.accept import Asking, seen_before
from shared.services.record_refusal import NOBODY, filed_under, remember_nobodys
from shared.services.world import World, authorise, authorise_everywhere


class KeepPoison:
    """The services behind the `*-poison` queues and the doors `…/poison-messages`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def keep(self, queue: str, tenant_id: TenantId, text: str, problem: Problem) -> None:
        """Keep the message in its tenant, or with nobody's when there is no such tenant. Twice is once.

        Raises:
            Transient: our own tables are away; the platform shows the message again.
            Conflict: somebody else sends it again at this moment; likewise.
        """
        store, now = self._world.store, self._world.clock.now()
        where = filed_under(self._world, tenant_id)
        if where == NOBODY:
            remember_nobodys(self._world)
        message = PoisonMessage(uuid5(tenant_id, f"{queue}/{text}"), queue, text, now, problem)
        said = f"A message on {queue} failed every time; it is kept and can be sent again."
        entry = self._entry(where, message, Event.MESSAGE_POISONED, SERVICE, said, code=problem.code)
        try:
            store.commit(where, [Insert(message), Insert(entry)])
        except AlreadyExists:
            try:
                known = store.poison_message(where, message.message_id)
            except WrittenLater:  # it is kept; whether it was sent again is for that release to see
                return
            if known.row.replayed_at is None:
                return
            store.commit(where, [Replace(known.row.failed_again(now, problem), known.etag), Insert(entry)])
        telemetry.event(Event.MESSAGE_POISONED, tenant_id=where, queue=queue, message_id=message.message_id)

    def kept(self, caller: Caller, tenant_id: TenantId) -> tuple[PoisonMessage, ...]:
        """Every message kept for the tenant, in no order.

        Raises:
            NotFound, Refused: as `authorise`.
        """
        authorise(caller, self._world.store.tenant(tenant_id).row, Right.ADMINISTRATOR)
        return self._kept(tenant_id)

    def kept_of_nobody(self, caller: Caller) -> tuple[PoisonMessage, ...]:
        """Every message that is about no tenant we know, in no order.

        Raises:
            Refused: as `authorise_everywhere`.
        """
        authorise_everywhere(caller, Right.ADMINISTRATOR)
        return self._kept(NOBODY)

    def replay(self, asking: Asking, tenant_id: TenantId, message_id: UUID) -> PoisonMessage:
        """Send the message again, on the queue it came from. What was decided or ended since stays so.

        A key is remembered once the message lies in the queue: whoever dies before that sends it again.

        Raises:
            NotFound, Refused: as `authorise`; `notFound`; `idempotencyKeyReused`.
        """
        authorise(asking.caller, self._world.store.tenant(tenant_id).row, Right.ADMINISTRATOR)
        return self._replay(asking, tenant_id, message_id)

    def replay_of_nobody(self, asking: Asking, message_id: UUID) -> PoisonMessage:
        """As `replay`, of a message that is about no tenant we know.

        Raises:
            NotFound: `notFound`.
            Refused: as `authorise_everywhere`; `idempotencyKeyReused`.
        """
        authorise_everywhere(asking.caller, Right.ADMINISTRATOR)
        return self._replay(asking, NOBODY, message_id)

    def _kept(self, where: TenantId) -> tuple[PoisonMessage, ...]:
        return tuple(stored.row for stored in self._world.store.poison_messages(where))

    def _replay(self, asking: Asking, where: TenantId, message_id: UUID) -> PoisonMessage:
        store = self._world.store
        stored = store.poison_message(where, message_id)
        if seen_before(self._world, where, asking) is not None:
            return stored.row
        replayed = replace(stored.row, replayed_at=self._world.clock.now())
        said = f"A message on {replayed.queue} was sent again."
        entry = self._entry(where, replayed, Event.MESSAGE_REPLAYED, asking.caller.actor, said)
        store.commit(where, [Put(replayed), Insert(entry)])
        self._world.messages.send_again(replayed.queue, replayed.text)
        if asking.replay_key is not None:
            with suppress(AlreadyExists):  # the same request, sent twice at the same moment
                store.commit(where, [Insert(Replay(asking.replay_key, asking.fingerprint, None))])
        return replayed

    def _entry(
        self, where: TenantId, message: PoisonMessage, event: Event, by: Actor, summary: str, **facts: str
    ) -> Activity:
        return Activity(
            where,
            self._world.clock.now(),
            event,
            by,
            summary,
            telemetry.correlation_id(),
            facts={"queue": message.queue, "messageId": str(message.message_id), **facts},
        )
