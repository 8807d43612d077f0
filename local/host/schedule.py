"""When a timer fires: NCRONTAB expressions of six fields, {second} {minute} {hour} {day} {month} {day of week}, in UTC.

As in the NCrontab library that the timer extension uses, a day must satisfy both day and day of week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# 29 February on a given weekday comes back within 40 years, whichever century is crossed.
_HORIZON = timedelta(days=40 * 366)


class ScheduleInvalid(ValueError):
    """An expression that is no NCRONTAB of six fields, or that never comes true; the message says where."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The values that each field of the expression admits."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday

    @classmethod
    def parse(cls, expression: str) -> Schedule:
        """Reads an expression: each field `*`, a value, a range, a list of these, any with a `/step`; English names for
        months and days of the week.

        Raises:
            ScheduleInvalid: a field is missing, is malformed or out of bounds.
        """
        fields = expression.split()
        if len(fields) != 6:
            raise ScheduleInvalid(f"{expression!r} has {len(fields)} fields; NCRONTAB for Azure Functions has six.")
        second, minute, hour, day, month, weekday = fields
        return cls(
            seconds=_admitted(second, 0, 59),
            minutes=_admitted(minute, 0, 59),
            hours=_admitted(hour, 0, 23),
            days=_admitted(day, 1, 31),
            months=_admitted(month, 1, 12, _MONTHS),
            weekdays=_admitted(weekday, 0, 6, _WEEKDAYS),
        )

    def next_after(self, moment: datetime) -> datetime:
        """The first occurrence after `moment`, to the second.

        Raises:
            ScheduleInvalid: there is none, as for 30 February.
        """
        candidate = moment.replace(microsecond=0) + timedelta(seconds=1)
        while candidate - moment < _HORIZON:
            if not self._admits_day(candidate):
                candidate = candidate.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif candidate.hour not in self.hours:
                candidate = candidate.replace(minute=0, second=0) + timedelta(hours=1)
            elif candidate.minute not in self.minutes:
                candidate = candidate.replace(second=0) + timedelta(minutes=1)
            elif candidate.second not in self.seconds:
                candidate += timedelta(seconds=1)
            else:
                return candidate
        raise ScheduleInvalid("The schedule never comes true.")

    def _admits_day(self, moment: datetime) -> bool:
        weekday = moment.isoweekday() % 7
        return moment.month in self.months and moment.day in self.days and weekday in self.weekdays


def _admitted(field: str, lowest: int, highest: int, names: Sequence[str] = ()) -> frozenset[int]:
    """The values that one field admits, from `lowest` to `highest`; `names` stand for the values from `lowest` on."""

    def number(text: str) -> int:
        value = names.index(text.lower()) + lowest if text.lower() in names else int(text) if text.isdecimal() else -1
        if not lowest <= value <= highest:
            raise ScheduleInvalid(f"{text!r} in {field!r} is not between {lowest} and {highest}.")
        return value

    admitted: set[int] = set()
    for part in field.split(","):
        span, has_step, step = part.partition("/")
        if has_step and (not step.isdecimal() or int(step) == 0):
            raise ScheduleInvalid(f"{step!r} in {field!r} is no step.")
        if span == "*":
            first, last = lowest, highest
        else:
            low, is_range, high = span.partition("-")
            first = number(low)
            # A single value with a step runs to the end of the field: 10/20 is 10,30,50.
            last = number(high) if is_range else highest if has_step else first
        if first > last:
            raise ScheduleInvalid(f"{span!r} in {field!r} runs backwards.")
        admitted.update(range(first, last + 1, int(step or 1)))
    return frozenset(admitted)
