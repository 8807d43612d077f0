"""The frame round every queue door: what never can succeed is recorded and done with; what may is delivered again."""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import azure.functions as func

from functions import bodies, reading
from shared import telemetry, wiring
from shared.domain.errors import Code, Conflict, Invalid, NextStep, Problem, Transient, kind_of

T = TypeVar("T")

GIVEN_UP: Final = Problem(
    Code.INTERNAL_ERROR,
    "This could not be done after several attempts.",
    next_step=NextStep("Ask again; if it fails again, give support the correlation id."),
)
"""Why a message's work ended that the platform has delivered five times."""


class MessageFailed(Exception):
    """Tells the platform to deliver the message again; its text is logged, so it names only the kind of trouble."""


def handle(msg: func.QueueMessage, queue: str, into: type[T], work: Callable[[T], None]) -> None:
    """Read the message and do the work. A message that is not what the contract says is recorded, and that is all.

    The host hands us what lies in the queue (host.json, `messageEncoding`), for what it cannot decode itself runs no
    function: not the queue's own, and not that of the poison queue either.

    Raises:
        MessageFailed: try again later.
    """
    raw = bytes(msg.get_body())
    try:
        raw = _decoded(raw)
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
        kind = kind_of(error)
        telemetry.event("messageFailed", level=logging.WARNING, where=where, kind=kind)
        raise MessageFailed(f"{where}: {kind}") from None


@contextmanager
def last_resort(where: str) -> Iterator[None]:
    """Let nothing out but what time will mend, for what is tried with a message that is kept: a poison queue has no
    poison queue, so a message that fails there comes every ten minutes for a week.

    Raises:
        Transient, Conflict: our own tables or queues are away, or somebody was faster.
    """
    try:
        yield
    except (Transient, Conflict):
        raise
    except Exception as error:
        telemetry.event("lastResortFailed", level=logging.ERROR, where=where, kind=kind_of(error))


def _decoded(content: bytes) -> bytes:
    """What was sent, out of the Base64 (RFC 4648 §4) it travels in; line breaks and blanks in it do not count.

    Raises:
        Invalid: `invalidJson`: it is none.
    """
    try:
        return b64decode(b"".join(content.split()), validate=True)
    except ValueError:
        raise Invalid(Problem(Code.INVALID_JSON, "The message is not Base64.")) from None


def _claimed_tenant(raw: bytes) -> str | None:
    """The tenant a malformed message says it is about; only to file the refusal where somebody will look for it."""
    try:
        claimed = json.loads(raw)["tenantId"]
        return str(reading.guid(claimed, "tenantId"))
    except (ValueError, TypeError, KeyError, RecursionError, Invalid):
        return None
