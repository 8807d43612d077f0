"""A process that can be killed at any call it makes of the world, and then has no effect any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.fakes.calls import Call, CallLog


class Killed(BaseException):
    """The process is gone: no handler of the services knows this."""


class MortalLog(CallLog):
    """A log that lets nothing through between a kill and the restart, not even what stands in a `finally`.

    Attributes:
        breakdown: called with every call before it has an effect; it raises while a system is broken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.breakdown: Callable[[Call], None] = lambda call: None
        self._awaited: dict[str, Callable[[], object]] = {}
        self._is_dead = False

    def at_next(self, name: str, happen: Callable[[], object]) -> None:
        """Let something happen, once, just before the next call of `Port.method` has its effect; it may raise."""
        self._awaited[name] = happen

    def restart(self) -> None:
        """Calls have effects again."""
        self._is_dead = False

    @contextmanager
    def call(self, port: str, method: str) -> Iterator[None]:
        if self._is_dead:
            raise Killed
        try:
            with super().call(port, method):
                self.breakdown(Call(port, method))
                if happen := self._awaited.pop(f"{port}.{method}", None):
                    happen()
                yield
        except Killed:
            self._is_dead = True
            raise
