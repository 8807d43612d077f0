"""Every call a flow makes of the world, numbered in order, and what is to go wrong at which number.

A flow that made `len(log)` calls can be broken in that many places; nobody has to list them:

    for number in range(1, len(log) + 1):
        broken = CallLog()
        broken.fail(number, ReplyLost(...), after_effect=True)
        ...run the flow again, with fakes on `broken`, and see what it leaves behind
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import Lock
from typing import Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound="Logged")


class Call(NamedTuple):
    """One call: the port's name and the method's, as the Protocol spells them."""

    port: str
    method: str


class CallLog:
    """The calls that all fakes of one world received, in one order, counted from 1; and the faults among them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._before: defaultdict[int, list[Callable[[], object]]] = defaultdict(list)
        self._after: defaultdict[int, list[Callable[[], object]]] = defaultdict(list)
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self.calls)

    def fail(self, number: int, error: BaseException, *, after_effect: bool = False) -> None:
        """Raise `error` from call `number`: before it has an effect or, as when a reply is lost, after it had it."""

        def strike() -> None:
            raise error

        (self._after if after_effect else self._before)[number].append(strike)

    def interrupt(self, number: int, happen: Callable[[], object]) -> None:
        """Let something happen just before call `number` has its effect: the clock jumps, another worker is faster.

        What `happen` calls of the same fakes is logged too, and shifts the numbers of the calls that come later.
        """
        self._before[number].append(happen)

    @contextmanager
    def call(self, port: str, method: str) -> Iterator[None]:
        """Log one call, whose effect is the block, with the faults that await its number."""
        with self._lock:
            self.calls.append(Call(port, method))
            number = len(self.calls)
        for happen in self._before.get(number, ()):
            happen()
        yield
        for happen in self._after.get(number, ()):
            happen()


class Logged(Protocol):
    """A fake that has been given the log of its world."""

    @property
    def log(self) -> CallLog: ...


def logs(port: type) -> Callable[[type[C]], type[C]]:
    """Make a class log every method of a port, so that a method added to the port is logged the day it is written."""

    def decorate(fake: type[C]) -> type[C]:
        for method in (name for name, member in vars(port).items() if callable(member) and not name.startswith("_")):
            setattr(fake, method, _logged(port.__name__, getattr(fake, method)))
        return fake

    return decorate


def _logged(port: str, method: Callable[Concatenate[C, P], R]) -> Callable[Concatenate[C, P], R]:
    @wraps(method)
    def call(self: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.log.call(port, method.__name__):
            return method(self, *args, **kwargs)

    return call
