"""The platform around the services, on a stopped clock: queues that deliver at least once, poison, and a timer.

It does what host.json asks of Azure Functions: a message whose function failed comes again after a while, after some
failures it goes to the poison door; what a killed process had in its hands comes again after ten minutes
(https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue-trigger).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from local.addresses import PROJECT
from local.host.options import read_options
from shared.adapters.storage.due_table import DueTable
from shared.domain.action import ActionRequest
from shared.domain.errors import Code, Conflict, ManagementSessionError, Problem, Transient
from tests.fakes.queues import SentOperation
from tests.mortal import Killed
from tests.stage import Stage

T = TypeVar("T")

_QUEUES: Final = read_options(PROJECT, {}).queues
AGAIN: Final = _QUEUES.visibility_timeout
AFTER_A_KILL: Final = timedelta(minutes=10)
_MINUTE: Final = timedelta(minutes=1)
_FAR: Final = timedelta(days=400)
_CALLER_ASKS: Final = 5
_CALLER_WAITS: Final = timedelta(seconds=5)
_GIVEN_UP: Final = Problem(Code.INTERNAL_ERROR, "This could not be done after several attempts.")


class NotAtRest(AssertionError):
    """Something is still under way that should have ended long ago."""


@dataclass(slots=True, eq=False)
class Delivery:
    """A message in a queue: what its door does, and what the poison door does when that keeps failing."""

    at: datetime
    door: Callable[[], None]
    poison: Callable[[], None] | None
    failures: int = 0


class Host:
    """Delivers, keeps time and restarts.

    Attributes:
        queue: what waits to be delivered.
        texts: every operation message there ever was, as it lay in the queue.
        surprises: what the services raised and never meant to.
        lost: messages that even the poison door could not close.
        on_arrival: sees every operation message as it comes into the queue; it may let it come late, or twice.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.queue: list[Delivery] = []
        self.texts: list[str] = []
        self.surprises: list[Exception] = []
        self.lost: list[Delivery] = []
        self.on_arrival: Callable[[int, Delivery], None] = lambda number, delivery: None
        self._arrived = 0
        self._last_upkeep = stage.clock.now() - _MINUTE

    # ── what comes in ────────────────────────────────────────────────────────────────────────────────────────────────

    def request(self, request: ActionRequest, *, at: datetime | None = None) -> None:
        """An executor's request lies in `action-requests`."""
        self.queue.append(
            Delivery(
                at or self.stage.clock.now(),
                lambda: self.stage.services.act.request(request),
                lambda: self.stage.services.act.give_up(request, _GIVEN_UP),
            )
        )

    def later(self, span: timedelta, act: Callable[[], None]) -> None:
        """Something that is done `span` from now, and again if it fails: a completion message, say."""
        self.queue.append(Delivery(self.stage.clock.now() + span, act, None))

    def http(self, call: Callable[[], T], *, asks: int = _CALLER_ASKS) -> T | None:
        """A caller asks, and asks the same again, some times, while the answer is 500, 503, 412 or none at all."""
        for _ in range(asks):
            try:
                return call()
            except Killed:
                self.stage.restart()
            except (Transient, Conflict):
                pass
            except ManagementSessionError:
                return None
            except Exception as error:
                self.surprises.append(error)
            self.run(_CALLER_WAITS)
        return None

    @property
    def number_of_next_message(self) -> int:
        """How many operation messages have been sent so far: the number that `on_arrival` gives the next one."""
        return self._arrived + len(self.stage.messages.operations)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, span: timedelta = timedelta()) -> None:
        """Let `span` pass; whatever falls due is delivered and looked at in its time."""
        end = self.stage.clock.now() + span
        while (at := self._next_event()) is not None and at <= end:
            self._advance_to(at)
            self._tick()
        self._advance_to(end)

    def settle(self, within: timedelta = timedelta(hours=30)) -> None:
        """Go on until nothing is under way.

        Raises:
            NotAtRest: it does not come to rest within that time.
        """
        end = self.stage.clock.now() + within
        while not self.is_at_rest():
            at = self._next_event()
            if at is None or at > end:
                raise NotAtRest(f"{self.stage.tenant.operation}, {len(self.stage.parked)} parked, next event at {at}")
            self._advance_to(at)
            self._tick()

    def is_at_rest(self) -> bool:
        """True when no message waits, no operation runs and nobody waits for an answer."""
        self._collect()
        if self.queue:
            return False
        if not self.stage.is_onboarded:
            return True
        return self.stage.tenant.operation is None and not self.stage.parked

    def deliver_now(self) -> None:
        """Another worker takes everything that waits, this moment."""
        self._collect()
        for delivery in list(self.queue):
            self._deliver(delivery)

    def _advance_to(self, at: datetime) -> None:
        self.stage.clock.advance(max(at - self.stage.clock.now(), timedelta()))

    def _next_event(self) -> datetime | None:
        self._collect()
        times = [delivery.at for delivery in self.queue]
        if (timer := self._timer()) is not None:
            times.append(timer)
        return min(times, default=None)

    def _timer(self) -> datetime | None:
        """The whole minute at which upkeep finds something to look at; those at which it would not are left out."""
        first = DueTable(self.stage.due.table).until(self._last_upkeep + _FAR, limit=1)
        if not first:
            return None
        at = max(first[0].at, self._last_upkeep + timedelta(seconds=1))
        whole = at.replace(second=0, microsecond=0)
        return whole if whole == at else whole + _MINUTE

    def _collect(self) -> None:
        messages = self.stage.messages
        for sent in messages.operations:
            messages.sent.remove(sent)
            self.texts.append(sent.text)
            delivery = Delivery(sent.deliver_at, self._carry_out(sent), self._close(sent))
            self.queue.append(delivery)
            self.on_arrival(self._arrived, delivery)
            self._arrived += 1

    def _carry_out(self, sent: SentOperation) -> Callable[[], None]:
        return lambda: self.stage.services.carry_out(sent.tenant_id, sent.operation_id)

    def _close(self, sent: SentOperation) -> Callable[[], None]:
        return lambda: self.stage.services.carry_out.close(sent.tenant_id, sent.operation_id, _GIVEN_UP)

    def _tick(self) -> None:
        now = self.stage.clock.now()
        timer = self._timer()
        for delivery in sorted((each for each in self.queue if each.at <= now), key=lambda each: each.at):
            self._deliver(delivery)
        if timer is not None and timer <= now:
            self._last_upkeep = now
            self._survive(self.stage.services.upkeep)

    def _deliver(self, delivery: Delivery) -> None:
        """Run the door. The message leaves the queue only when the door has returned."""
        if delivery not in self.queue:
            return
        self.queue.remove(delivery)
        outcome = self._survive(delivery.door)
        if outcome is None:
            return
        delivery.failures += 1
        delivery.at = self.stage.clock.now() + (AFTER_A_KILL if isinstance(outcome, Killed) else AGAIN)
        if delivery.failures < _QUEUES.max_dequeue_count:
            self.queue.append(delivery)
        elif delivery.poison is not None:
            self.queue.append(Delivery(delivery.at, delivery.poison, None))
        else:
            self.lost.append(delivery)

    def _survive(self, door: Callable[[], object]) -> BaseException | None:
        try:
            door()
        except Killed as killed:
            self.stage.restart()
            return killed
        except ManagementSessionError as error:
            return error
        except Exception as error:
            self.surprises.append(error)
            return error
        return None
