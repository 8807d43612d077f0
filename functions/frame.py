"""The frame of every door: the platform loads it at each cold start, and what stands behind it at the first request.

An instance imports `function_app` before it takes its first request, whichever that will be. So doors import nothing
but this module and what is as light; the names below stand for modules of ours that are loaded when they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import azure.functions as func
from azure.functions.queue import QueueMessageInConverter

from functions.answer import Answer

if TYPE_CHECKING:
    from functions import bodies, contract, envelope, policy_views, reading, views, wire, words
    from functions.wire import Call
    from shared import telemetry, wiring
    from shared.domain import actors, errors
    from shared.services import record_refusal
else:

    class _Later:
        """A module, loaded when something in it is first asked for."""

        def __init__(self, name: str) -> None:
            self._name = name

        def __getattr__(self, attribute: str) -> object:
            return getattr(import_module(self._name), attribute)

    bodies, contract, envelope, policy_views, reading, views, wire, words = (
        _Later(f"functions.{name}")
        for name in ("bodies", "contract", "envelope", "policy_views", "reading", "views", "wire", "words")
    )
    telemetry, wiring = _Later("shared.telemetry"), _Later("shared.wiring")
    actors, errors = _Later("shared.domain.actors"), _Later("shared.domain.errors")
    record_refusal = _Later("shared.services.record_refusal")
    Call = object  # of the doors' annotations, which nobody evaluates

__all__ = [
    "Answer",
    "Call",
    "actors",
    "bodies",
    "contract",
    "door",
    "envelope",
    "errors",
    "policy_views",
    "reading",
    "record_refusal",
    "telemetry",
    "views",
    "wire",
    "wiring",
    "words",
]


def door(handle: Callable[[Call], Answer]) -> Callable[[func.HttpRequest], func.HttpResponse]:
    """Make a platform function of a handler. Nothing but what this returns ever reaches a caller."""

    def handler(req: func.HttpRequest) -> func.HttpResponse:
        return wire.respond(handle, req)

    handler.__name__ = handle.__name__
    handler.__doc__ = handle.__doc__
    return handler


def _nothing(*_: object, **__: object) -> None:
    """Whatever is asked for, it is not there."""


# The top-level keys of a message that was not encoded take the place of the trigger's metadata of that name
# (azure-functions-host, Utility.ApplyBindingData), and what is no number or no date there made the library raise,
# quoting it, before any code of ours could record the message. Nothing of ours reads that metadata, so the library does
# not read it either.
QueueMessageInConverter._decode_trigger_metadata_field = classmethod(_nothing)  # type: ignore[method-assign, assignment]
