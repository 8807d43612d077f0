"""The frame round every queue door: what never can succeed is recorded and done with; what may is delivered again."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import azure.functions as func
from azure.functions.queue import QueueMessageInConverter

from functions import bodies, reading
from shared import telemetry, wiring
from shared.domain.errors import Invalid, ManagementSessionError

T = TypeVar("T")


def _nothing(*_: object, **__: object) -> None:
    """Whatever is asked for, it is not there."""


# A message's own top-level keys take the place of the trigger's metadata of that name (azure-functions-host,
# Utility.ApplyBindingData), and what is no number or no date there made the library raise, quoting it, before any code
# of ours could record the message. Nothing of ours reads that metadata, so the library does not read it either.
QueueMessageInConverter._decode_trigger_metadata_field = classmethod(_nothing)  # type: ignore[method-assign, assignment]


class MessageFailed(Exception):
    """Tells the platform to deliver the message again; its text is logged, so it names only the kind of trouble."""


def handle(msg: func.QueueMessage, queue: str, into: type[T], work: Callable[[T], None]) -> None:
    """Read the message and do the work. A message that is not what the contract says is recorded, and that is all.

    Raises:
        MessageFailed: try again later.
    """
    raw = msg.get_body()
    try:
        message: T = reading.read(raw, into, limit=bodies.MAX_MESSAGE)
    except Invalid as error:
        with telemetry.correlated(), trouble(queue):
            wiring.services().refusals.record(queue, error.problem, _claimed_tenant(raw))
        return
    with telemetry.correlated(), trouble(queue):
        try:
            work(message)
        except Invalid as error:
            wiring.services().refusals.record(queue, error.problem, _claimed_tenant(raw))


@contextmanager
def trouble(where: str) -> Iterator[None]:
    """Let nothing out but MessageFailed: the platform logs an exception's text and traceback.

    Raises:
        MessageFailed: whatever happened inside.
    """
    try:
        yield
    except Exception as error:
        kind = error.problem.code if isinstance(error, ManagementSessionError) else type(error).__name__
        telemetry.event("messageFailed", level=logging.WARNING, where=where, kind=kind)
        raise MessageFailed(f"{where}: {kind}") from None


def _claimed_tenant(raw: bytes) -> str | None:
    """The tenant a malformed message says it is about; only to file the refusal where somebody will look for it."""
    try:
        claimed = json.loads(raw)["tenantId"]
        return str(reading.guid(claimed, "tenantId"))
    except (ValueError, TypeError, KeyError, RecursionError, Invalid):
        return None
