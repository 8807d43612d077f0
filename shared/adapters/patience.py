"""How long an adapter waits for another system itself, before the work goes back to the queue and waits there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, TypeVar

from shared.domain.errors import ReplyLost, Transient

T = TypeVar("T")
Pause = Callable[[timedelta], None]

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 20
LONGEST_PAUSE: Final = timedelta(seconds=10)
"""A function that sleeps longer than this costs money and holds a worker; a queue message costs nothing."""

_UNASKED: Final = (timedelta(seconds=0.5), timedelta(seconds=2))


def patiently(ask: Callable[[], T], *, is_read: bool, pause: Pause, unasked: Sequence[timedelta] = _UNASKED) -> T:
    """What `ask` returns, asked again when another try is safe and near: once for each of the `unasked` pauses.

    It is safe when nothing was done: the other side turned the request away and said when to come back, or the request
    only reads. It is near when that is within `LONGEST_PAUSE`. Where the other side did not say when, the pause before
    that try is the one in `unasked`.

    Raises:
        Transient: the last one `ask` raised.
    """
    for span in unasked:
        try:
            return ask()
        except Transient as error:
            if not _is_worth_another_try(error, is_read=is_read):
                raise
            asked = error.retry_after
        pause(span if asked is None else asked)
    return ask()


def _is_worth_another_try(error: Transient, *, is_read: bool) -> bool:
    if isinstance(error, ReplyLost) or error.retry_after is None:
        return is_read
    return error.retry_after <= LONGEST_PAUSE


def asked_to_wait(headers: Mapping[str, str]) -> timedelta | None:
    """The span that `Retry-After` asks for, None when it asks for none that can be read.

    It is a number of seconds or a date (RFC 9110 §10.2.3); a date is measured against the answer's own `Date`, so that
    no clock of ours matters.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit() and len(asked) < 9:
        return timedelta(seconds=int(asked))
    until, since = _date(asked), _date(headers.get("Date", ""))
    if until is None or since is None:
        return None
    return max(until - since, timedelta())


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
