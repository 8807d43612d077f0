"""Record what was refused, a message or a request, where the tenant's people and support will find it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from shared import telemetry
from shared.domain.activity import Activity, Event
from shared.domain.actors import SERVICE, Caller
from shared.domain.errors import NotFound, Problem, Refused
from shared.domain.ids import TenantId
from shared.domain.store import Due, Insert
from shared.services.world import World

NOBODY = TenantId(UUID(int=0))
"""The partition of what belongs to no tenant we know."""


def filed_under(world: World, tenant_id: TenantId) -> TenantId:
    """The tenant itself when it is one we know, whichever release wrote its row; else NOBODY.

    Raises:
        Transient: our own tables are away.
    """
    try:
        with suppress(Refused):  # `unsupportedSchemaVersion`: it is there, though nobody here can read it
            world.store.tenant(tenant_id)
    except NotFound:
        return NOBODY
    return tenant_id


def remember_nobodys(world: World) -> None:
    """Have upkeep look at NOBODY's rows tomorrow; entering that again today is entering it once.

    Raises:
        Transient: our own tables are away.
    """
    midnight = world.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    world.due.add(Due(NOBODY, midnight + timedelta(days=1)))


class RecordRefusal:
    """Called by the doors; what was refused is not kept itself, for nobody knows what is in it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def record(self, queue: str, problem: Problem, claimed_tenant: str | None) -> None:
        """One entry in the trail of the tenant the message claims to be about, or of nobody.

        Raises:
            Transient: our own tables are away.
        """
        tenant_id = filed_under(self._world, TenantId(UUID(claimed_tenant))) if claimed_tenant else NOBODY
        if tenant_id == NOBODY:
            remember_nobodys(self._world)
        facts = {"queue": queue, "code": str(problem.code)}
        if problem.target:
            facts["target"] = problem.target
        entry = Activity(
            tenant_id,
            self._world.clock.now(),
            Event.MESSAGE_REFUSED,
            SERVICE,
            f"A message on {queue} was refused: {problem.message}",
            telemetry.correlation_id(),
            facts=facts,
        )
        self._world.store.commit(tenant_id, [Insert(entry)])
        telemetry.event(Event.MESSAGE_REFUSED, tenant_id=tenant_id, queue=queue, code=problem.code)

    def request(self, tenant_id: TenantId, caller: Caller, what: str, problem: Problem) -> None:
        """One entry for a caller with a right in the tenant who was told no; strangers fill nobody's trail.

        Raises:
            Transient: our own tables are away.
        """
        try:
            tenant = self._world.store.tenant(tenant_id).row
        except (NotFound, Refused):  # there is none, or none that this release can read
            return
        if not caller.rights(tenant.grants):
            return
        entry = Activity(
            tenant_id,
            self._world.clock.now(),
            Event.REQUEST_REFUSED,
            caller.actor,
            f"A request was refused: {problem.message}",
            telemetry.correlation_id(),
            facts={"code": str(problem.code), "request": what},
        )
        self._world.store.commit(tenant_id, [Insert(entry)])
