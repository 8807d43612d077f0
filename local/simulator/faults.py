"""Scripted faults: what goes wrong, for which calls, how often. None are scripted, none happen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock

from local.simulator.wire import Request


class FaultKind(StrEnum):
    """What goes wrong."""

    AADSTS = "aadsts"  # Entra refuses with `code`
    STATUS = "status"  # the service refuses with `status`, `error` and `message` in its own error shape
    THROTTLED = "429"  # with Retry-After when `retryAfter` is given
    UNAVAILABLE = "5xx"  # `status`, 503 unless given
    LATENCY = "latency"  # the answer comes `seconds` later
    REPLY_LOST = "replyLost"  # the effect happens, the connection closes without an answer
    LAG = "lag"  # a read answers 404 although the object is there


@dataclass(frozen=True, slots=True)
class Fault:
    """One scripted fault: which calls it meets, and what it does to them. The zero value meets no call."""

    kind: FaultKind = FaultKind.STATUS
    times: int = 0
    after: int = 0  # matching calls that pass unharmed first
    service: str | None = None  # of the request: entra | graph | keyVault | managedIdentity
    method: str | None = None
    path: re.Pattern[str] | None = None  # found anywhere in the path
    grant_type: str | None = None  # of a token request
    code: int = 0
    status: int = 0
    error: str = ""
    message: str = ""
    retry_after: int | None = None  # seconds
    seconds: float = 0.0

    def meets(self, request: Request) -> bool:
        """Whether this call is one it is meant for."""
        if request.service == "control":
            return False
        if self.kind is FaultKind.AADSTS and request.service != "entra":
            return False
        if self.kind is FaultKind.LAG and request.method != "GET":
            return False
        return (
            self.service in (None, request.service)
            and self.method in (None, request.method)
            and (self.path is None or self.path.search(request.path) is not None)
            and self.grant_type in (None, _grant_type(request))
        )


@dataclass(slots=True)
class _Scripted:
    fault: Fault
    to_pass: int
    to_meet: int


@dataclass(slots=True)
class Faults:
    """The script, in the order in which it was written."""

    _script: list[_Scripted] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def add(self, faults: Iterable[Fault]) -> None:
        """Appends to the script."""
        with self._lock:
            self._script.extend(_Scripted(fault, fault.after, fault.times) for fault in faults)

    def clear(self) -> None:
        """Ends all faults."""
        with self._lock:
            self._script.clear()

    def take(self, request: Request) -> tuple[float, Fault | None]:
        """What to do to this call: seconds of latency, and the first other fault that meets it; both are used up."""
        latency, chosen = 0.0, None
        with self._lock:
            for scripted in self._script:
                is_latency = scripted.fault.kind is FaultKind.LATENCY
                if scripted.to_meet <= 0 or not scripted.fault.meets(request) or (chosen and not is_latency):
                    continue
                if scripted.to_pass > 0:
                    scripted.to_pass -= 1
                    continue
                scripted.to_meet -= 1
                if is_latency:
                    latency += scripted.fault.seconds
                else:
                    chosen = scripted.fault
            self._script[:] = [scripted for scripted in self._script if scripted.to_meet > 0]
        return latency, chosen

    def __len__(self) -> int:
        """How many scripted faults are not used up."""
        return len(self._script)


def _grant_type(request: Request) -> str | None:
    if request.service != "entra" or request.method != "POST":
        return None
    try:
        return request.form().get("grant_type")
    except ValueError:
        return None
