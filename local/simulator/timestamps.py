"""Moments as Graph writes them: ISO 8601 in UTC with a fraction, so two changes in one second still differ."""

from __future__ import annotations

from datetime import datetime


def stamp(moment: datetime) -> str:
    """An Edm.DateTimeOffset such as "2026-11-23T01:02:03.000004Z"; `moment` must be aware and in UTC."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment_of(text: str) -> datetime:
    """The aware moment an Edm.DateTimeOffset names.

    Raises:
        ValueError: it is not one.
    """
    return datetime.fromisoformat(text)
