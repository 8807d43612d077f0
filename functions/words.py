"""The small words of every answer: times, durations, next steps and errors, as the contract writes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.domain.errors import NextStep, Problem

Json = dict[str, Any]


def present(**fields: Any) -> Json:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def time(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def span(duration: timedelta) -> str:
    """ISO 8601, in hours and minutes."""
    hours, minutes = divmod(int(duration / timedelta(minutes=1)), 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes or not hours else "")


def next_step(step: NextStep | None) -> Json | None:
    """contracts/schemas/nextStep.json."""
    return present(text=step.text, link=step.link) if step else None


def problem(found: Problem | None) -> Json:
    """contracts/schemas/errorDetail.json; an error that is kept says which request led to it."""
    if found is None:
        return {}
    return present(
        code=str(found.code),
        message=found.message,
        target=found.target,
        details=[problem(detail) for detail in found.details] or None,
        nextStep=next_step(found.next_step),
        correlationId=found.correlation_id,
    )
