"""Mark 8: what each thing that can happen to a tenant asks of storage, Key Vault, Entra and Graph, from end to end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from bench.counted import CountedPlace, Couriers
from bench.figures import Figure, counted, exactly
from bench.mailbox import COMPLETIONS, REQUESTS, Json, action_completion, action_request, encoded
from bench.traffic import Service
from local.simulator.seed import CALLERS
from local.tokens import bearer
from shared import wiring
from shared.domain.ids import ActionId, TenantId, lease_id_for

COLUMNS: Final = (Service.TABLES, Service.QUEUES, Service.VAULT, Service.ENTRA, Service.GRAPH)
"""Whom requests are counted of. The managed identity is asked once a day and process, so not for any of this."""

WARM: Final = "token, held by the process"

Counts = Counter[Service]
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


def lives(directory: Path) -> Mapping[str, Counts]:
    """By what happens, how many requests that takes; always the same."""
    with CountedPlace.opened(directory) as place, place.couriers() as couriers:
        return dict(_Tenant(place, couriers).lives())


def measure(directory: Path) -> Iterator[Figure]:
    """One figure for each, and the promise of mark 1."""
    found = lives(directory)
    yield counted(1, "table requests of a warm redemption", found[WARM][Service.TABLES], "", exactly(1))
    for what, counts in found.items():
        asked = ", ".join(f"{service} {counts[service]}" for service in COLUMNS if counts[service])
        yield counted(8, f"{what}: {asked}", counts.total(), "requests")


class _Tenant:
    """One customer without conditional access, and the app in a process that has turned its session on before."""

    def __init__(self, place: CountedPlace, couriers: Couriers) -> None:
        self._place = place
        self._couriers = couriers
        self._tokens = {role: bearer(place.client, role) for role in ("administrator", "operator", "executor")}
        (self._tenant_id,) = place.customers.with_accounts(1)
        place.customers.auto_enable([self._tenant_id])
        self._ask()
        self._turn("off")

    def lives(self) -> Iterator[tuple[str, Counts]]:
        """Everything, in an order in which it can happen."""
        yield "session turned on by an operator", self._counted(lambda: self._turn("on", method="serviceAccount"))
        action_id = self._ask()
        yield "token, the first of its session and workload", self._counted(lambda: self._redeem(action_id))
        yield WARM, self._counted(lambda: self._redeem(action_id))
        yield "action request, session on", self._counted(self._ask)
        yield "completion", self._counted(lambda: self._complete(action_id))
        yield "an action from request to completion", self._counted(self._act)
        yield "session turned off", self._counted(lambda: self._turn("off"))
        yield "action request that turns the session on", self._counted(self._ask)
        self._turn("off")
        yield "password rotated", self._counted(lambda: self._call("POST", "/service-account/rotate", "administrator"))
        yield "a day with the session off", self._day()

    def _counted(self, act: Callable[[], object]) -> Counts:
        with self._place.traffic.counting() as counts:
            act()
            self._couriers.wait()
        return counts

    def _ask(self) -> str:
        request = action_request(self._tenant_id, executor=str(CALLERS["executor"].client_id))
        self._deliver(REQUESTS, request)
        self._couriers.wait()
        return str(request["actionId"])

    def _act(self) -> None:
        """One action's whole life, as nearly all are: the session is on and the token at hand."""
        action_id = self._ask()
        self._redeem(action_id)
        self._complete(action_id)

    def _complete(self, action_id: str) -> None:
        self._deliver(COMPLETIONS, action_completion(self._tenant_id, action_id))

    def _redeem(self, action_id: str) -> None:
        lease_id = lease_id_for(TenantId(UUID(self._tenant_id)), ActionId(UUID(action_id)))
        self._call("POST", f"/leases/{lease_id}/token", "executor", {"resource": "graph"})

    def _turn(self, state: str, **how: str) -> None:
        self._call("PUT", "/session", "operator", {"state": state, **how})
        self._couriers.wait()

    def _call(self, method: str, path: str, role: str, content: object = None) -> None:
        where = f"/v1/tenants/{self._tenant_id}{path}"
        reply = self._place.client.api(method, where, token=self._tokens[role], content=content or {})
        if reply.status not in (200, 202):
            raise RuntimeError(f"{method} {path}: {reply.status} {reply.body.decode()[:300]}")

    def _deliver(self, queue: str, message: Json) -> None:
        if not self._place.host.deliver(queue, encoded(message)).succeeded:
            raise RuntimeError(f"a message of {queue} failed")

    def _day(self) -> Counts:
        """What upkeep does for the tenant.

        The timer's question what is due, which all tenants share, is not counted.
        """
        self._looks(_HOUR)  # at what the tenant did before
        return self._looks(_DAY)

    def _looks(self, span: timedelta) -> Counts:
        counts: Counts = Counter()
        end = self._place.clock.now() + span
        while self._skip_to_next_look(end) < end:
            counts += self._look()
        return counts

    def _look(self) -> Counts:
        counts = self._counted(lambda: self._place.host.tick("upkeep"))
        counts[Service.TABLES] -= 1
        return counts

    def _skip_to_next_look(self, end: datetime) -> datetime:
        """Let the time pass until something is due, or the end has come; the time that it is."""
        world = wiring.services().world
        times = [due.at for due in world.due.until(end, limit=1)]
        wait = max(min([*times, end]) - world.clock.now(), timedelta())
        self._place.clock.advance(wait)
        self._place.simulator.clock.advance(wait.total_seconds())
        return world.clock.now()
