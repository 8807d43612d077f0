"""A figure, the limit it is held against, and the table they are printed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Sign(StrEnum):
    """How a figure and its limit should lie to each other."""

    AT_MOST = "≤"
    AT_LEAST = "≥"
    EXACTLY = "="


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure must not pass."""

    sign: Sign
    value: float

    def holds_for(self, found: float) -> bool:
        """Whether the figure keeps to it."""
        match self.sign:
            case Sign.AT_MOST:
                return found <= self.value
            case Sign.AT_LEAST:
                return found >= self.value
            case Sign.EXACTLY:
                return found == self.value


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes:
        mark: the number of the mark it belongs to, 1 to 9.
        unit: `x` for a ratio, otherwise in words.
        limit: None for what is only told.
        is_promise: it was counted, so it holds on every machine, and a run in which it does not has failed. A figure
            that was timed is no promise: the machine has a part in it.
    """

    mark: int
    what: str
    value: float
    unit: str
    limit: Limit | None = None
    is_promise: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the limit, if there is one, is kept."""
        return self.limit is None or self.limit.holds_for(self.value)

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, or nothing where there is no limit."""
        return "" if self.limit is None else "met" if self.is_met else "MISSED"


def ratio(mark: int, what: str, value: float, limit: Limit | None = None) -> Figure:
    """Ours divided by what it is measured against, both timed in turns."""
    return Figure(mark, what, value, "x", limit)


def timed(mark: int, what: str, value: float, unit: str) -> Figure:
    """An absolute time or rate: true of this machine, in this minute."""
    return Figure(mark, what, value, unit)


def counted(mark: int, what: str, value: float, unit: str, limit: Limit | None = None) -> Figure:
    """A count, the same wherever it is taken; with a limit, a promise."""
    return Figure(mark, what, value, unit, limit, is_promise=limit is not None)


def at_most(value: float) -> Limit:
    """`≤ value`."""
    return Limit(Sign.AT_MOST, value)


def at_least(value: float) -> Limit:
    """`≥ value`."""
    return Limit(Sign.AT_LEAST, value)


def exactly(value: float) -> Limit:
    """`= value`."""
    return Limit(Sign.EXACTLY, value)


_HEADINGS: Final = ("#", "what", "figure", "limit", "")


def cells(figure: Figure) -> tuple[str, ...]:
    """A line of the table: mark, what, figure, limit, verdict."""
    limit = f"{figure.limit.sign} {_number(figure.limit.value)}" if figure.limit else ""
    return str(figure.mark), figure.what, f"{_number(figure.value)} {figure.unit}".rstrip(), limit, figure.verdict


def table(figures: Iterable[Figure]) -> str:
    """The figures in columns, for a terminal."""
    rows = [_HEADINGS, *map(cells, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    mark, what, figure, limit, verdict = row
    columns = (mark.rjust(widths[0]), what.ljust(widths[1]), figure.rjust(widths[2]), limit.ljust(widths[3]), verdict)
    return "  ".join(columns).rstrip() + "\n"


def _number(value: float) -> str:
    """Whole numbers whole, others to three digits that say something."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
