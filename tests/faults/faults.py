"""What goes wrong, each at one call of a flow's run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.errors import Code, Conflict, ManagementSessionError, Problem, ReplyLost, Transient, unavailable
from tests.fakes.calls import Call
from tests.host import Delivery, Host
from tests.mortal import Killed
from tests.stage import Stage

Strike = Callable[[Stage, Host, int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of trouble.

    Attributes:
        strike: enters it at a call's number.
        concerns: which calls it can happen at.
        is_foreseen: False for what no service was written to meet.
        every: in the short run it happens at one call in so many.
    """

    name: str
    strike: Strike
    concerns: Callable[[Call], bool] = lambda call: True
    is_foreseen: bool = True
    every: int = 1


def _is_commit(call: Call) -> bool:
    return call == Call("TenantStore", "commit")


def _wakes_a_worker(call: Call) -> bool:
    return call == Call("Messages", "send_operation")


def _raises(error: Callable[[], BaseException], *, after_effect: bool = False) -> Strike:
    return lambda stage, host, number: stage.log.fail(number, error(), after_effect=after_effect)


def _happens(event: Callable[[Stage, Host], object]) -> Strike:
    def strike(stage: Stage, host: Host, number: int) -> None:
        def happen() -> None:
            with suppress(ManagementSessionError):
                event(stage, host)

        stage.log.interrupt(number, happen)

    return strike


def _interrupted(by: Callable[[Stage], None]) -> Strike:
    return lambda stage, host, number: stage.log.interrupt(number, lambda: by(stage))


def _no_reply() -> ReplyLost:
    return ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, "No answer came."))


def _message(change: Callable[[Host, Delivery], None]) -> Strike:
    """The message that is sent by the call is treated as `change` says when it arrives."""

    def mark(stage: Stage, host: Host) -> None:
        marked = host.number_of_next_message
        host.on_arrival = lambda number, delivery: change(host, delivery) if number == marked else None

    return _happens(mark)


def _again(host: Host, delivery: Delivery) -> None:
    for after in (timedelta(), timedelta(seconds=1), timedelta(minutes=3)):
        host.queue.append(Delivery(delivery.at + after, delivery.door, delivery.poison))


def _late(host: Host, delivery: Delivery) -> None:
    delivery.at += timedelta(minutes=20)


def _is_theirs(call: Call) -> bool:
    """A call of somebody else's system; our own storage is where the messages come from, too."""
    return call.port in ("Vault", "Directory", "SignIn", "TenantPolicies", "TenantIndex")


def _broken_for_minutes(error: Callable[[], Exception]) -> Strike:
    """The system that is called fails from this call on, whatever is asked of it."""

    def break_down(stage: Stage, host: Host) -> None:
        broken, until = stage.log.calls[-1].port, stage.clock.now() + timedelta(minutes=3)

        def breakdown(call: Call) -> None:
            if call.port == broken and stage.clock.now() < until:
                raise error()

        stage.log.breakdown = breakdown
        raise error()

    return lambda stage, host, number: stage.log.interrupt(number, lambda: break_down(stage, host))


def _to_the_end(host: Host, ask: Callable[[], object]) -> None:
    """What is asked is carried out by others while the call under way takes longer than any call of ours may."""
    ask()
    host.run(timedelta(seconds=100))


def _stand_still(host: Host) -> None:
    """The worker is not heard of for so long that its claim ends, and then goes on as if nothing had been."""
    host.stage.clock.advance(timedelta(minutes=3))
    host.run(timedelta(minutes=2))


def _leave_for_long(stage: Stage) -> None:
    """The process is gone, and there is no other for so long that nothing due is looked at in its time."""
    stage.clock.advance(timedelta(minutes=15))
    raise Killed


FAULTS = (
    Fault("fails before effect", _raises(lambda: unavailable("It"))),
    Fault("reply lost after effect", _raises(_no_reply, after_effect=True)),
    Fault(
        "throttled",
        _raises(lambda: Transient(Problem(Code.UPSTREAM_UNAVAILABLE, "Slow."), timedelta(seconds=30))),
        every=3,
    ),
    Fault("killed before effect", _raises(Killed)),
    Fault("killed after effect", _raises(Killed, after_effect=True)),
    Fault("killed, and nobody there for 15 minutes", _interrupted(_leave_for_long)),
    Fault("away for minutes", _broken_for_minutes(lambda: unavailable("It")), _is_theirs, every=3),
    Fault(
        "defect for minutes",
        _broken_for_minutes(lambda: RuntimeError("defect")),
        _is_theirs,
        is_foreseen=False,
        every=3,
    ),
    Fault("race lost", _raises(Conflict), _is_commit),
    Fault("race lost to itself", _raises(Conflict, after_effect=True), _is_commit),
    Fault("a setting changes", _happens(lambda stage, host: stage.auto_enable()), _is_commit),
    Fault("message comes again", _message(_again), _wakes_a_worker),
    Fault("message comes late", _message(_late), _wakes_a_worker),
    Fault("clock past expiry", _happens(lambda stage, host: stage.clock.advance(timedelta(hours=9)))),
    Fault("another worker meanwhile", _happens(lambda stage, host: host.deliver_now()), every=3),
    Fault("stands still, and another goes on", _happens(lambda stage, host: _stand_still(host)), every=3),
    Fault("upkeep meanwhile", _happens(lambda stage, host: stage.services.upkeep()), every=3),
    Fault("turned off meanwhile", _happens(lambda stage, host: stage.turn_off()), every=3),
    Fault(
        "turned off and forgotten meanwhile", _happens(lambda stage, host: _to_the_end(host, stage.turn_off)), every=3
    ),
    Fault("removed meanwhile", _happens(lambda stage, host: stage.remove_account()), every=3),
    Fault(
        "removed and forgotten meanwhile",
        _happens(lambda stage, host: _to_the_end(host, stage.remove_account)),
        every=3,
    ),
)
