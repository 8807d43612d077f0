"""Structured logs: one JSON line an event, with a static name and identifiers as fields.

The platform carries only the formatted text of a log record, so the fields are in the text
(https://learn.microsoft.com/azure/azure-functions/functions-reference-python#logging).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import uuid4

_LOG = logging.getLogger("management_sessions")
_CORRELATION: ContextVar[str] = ContextVar("correlation_id", default="")

for _chatty in ("azure", "msal", "urllib3", "requests"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)  # they log URLs, headers and user names at INFO


def correlation_id() -> str:
    """The id of the request or message being worked on; a new one outside of any."""
    return _CORRELATION.get() or str(uuid4())


@contextmanager
def correlated(identifier: str | None = None) -> Iterator[str]:
    """Everything logged and recorded inside carries `identifier`, or a new one."""
    token = _CORRELATION.set(identifier or str(uuid4()))
    try:
        yield _CORRELATION.get()
    finally:
        _CORRELATION.reset(token)


def event(name: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log one event. Fields are identifiers, codes and numbers; never bodies, headers or tokens."""
    line: dict[str, object] = {"event": str(name), "correlationId": _CORRELATION.get() or None, **fields}
    plain = {
        key: value if isinstance(value, int | float) else str(value) for key, value in line.items() if value is not None
    }
    _LOG.log(level, json.dumps(plain))
