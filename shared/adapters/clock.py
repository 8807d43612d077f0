"""The system's clock: the only place that reads the time, and the only one that lets it pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from threading import Event, Thread


class SystemClock:
    """The time of this machine, which the platform keeps right (TickingClock port)."""

    def now(self) -> datetime:
        """Now, aware and in UTC."""
        return datetime.now(UTC)

    def pause(self, span: timedelta) -> None:
        """Return after `span`; adapters pause for seconds only, the queue waits longer."""
        time.sleep(span.total_seconds())

    @contextmanager
    def every(self, span: timedelta, act: Callable[[], None]) -> Iterator[None]:
        """Do `act` in a thread of its own, which dies with the process and is gone when the block is left."""
        left = Event()

        def tick() -> None:
            while not left.wait(span.total_seconds()):
                act()

        thread = Thread(target=tick, name="ticking", daemon=True)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()

    @contextmanager
    def beside(self, act: Callable[[], None]) -> Iterator[None]:
        """Do `act` in a thread of its own, with the same correlation id; what the block raises comes first."""
        done: Future[None] = Future()

        def run() -> None:
            try:
                act()
                done.set_result(None)
            except BaseException as error:
                done.set_exception(error)

        Thread(target=copy_context().run, args=(run,), name="beside", daemon=True).start()
        try:
            yield
        finally:
            failure = done.exception()
        if failure is not None:
            raise failure
