"""How figures are made of measurements, and when they are good enough."""

from __future__ import annotations

import pytest

from bench.auto_enable import critical_path
from bench.figures import Figure, at_least, at_most, counted, exactly, ratio, table, timed
from bench.measuring import Rounds, in_turns, percentile
from bench.traffic import Service, Span


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1), (0.1, 1), (0.5, 5), (0.51, 6), (0.99, 10), (1.0, 10)])
def test_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile([3, 1, 2, 10, 9, 8, 7, 6, 5, 4], share) == expected


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_one_spoiled_round_moves_neither_the_typical_value_nor_the_ratio() -> None:
    rounds = Rounds({"ours": [[2.0], [2.2], [90.0]], "theirs": [[1.0], [1.0], [3.0]]})

    assert rounds.typical("ours", 0.5) == 2.2
    assert rounds.ratio("ours", "theirs", 0.5) == 2.2


def test_acts_take_turns_in_every_round() -> None:
    done: list[str] = []

    found = in_turns({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, rounds=2, times=3)

    assert done == ["a", "b"] * 6
    assert [len(times) for times in found.seconds["a"]] == [3, 3]


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (ratio(1, "", 1.3, at_most(1.3)), "met"),
        (ratio(1, "", 1.31, at_most(1.3)), "MISSED"),
        (ratio(1, "", 0.8, at_least(0.8)), "met"),
        (ratio(1, "", 0.79, at_least(0.8)), "MISSED"),
        (counted(1, "", 100, "", exactly(100)), "met"),
        (counted(1, "", 101, "", exactly(100)), "MISSED"),
        (timed(1, "", 5, "ms"), ""),
    ],
)
def test_figure_is_held_against_its_limit(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_only_what_is_counted_is_a_promise() -> None:
    assert counted(1, "", 1, "", exactly(1)).is_promise
    assert not counted(1, "", 1, "").is_promise
    assert not ratio(1, "", 1, at_most(1)).is_promise


def test_table_shows_figure_limit_and_verdict() -> None:
    figures = [ratio(1, "slow", 1.256, at_most(1.3)), counted(3, "many", 12345, "rows", at_most(3))]

    lines = table(figures).splitlines()

    assert [line.split() for line in lines[1:]] == [
        ["1", "slow", "1.26", "x", "≤", "1.3", "met"],
        ["3", "many", "12,345", "rows", "≤", "3", "MISSED"],
    ]


def test_requests_side_by_side_count_once_on_the_critical_path() -> None:
    tables, vault = Service.TABLES, Service.VAULT
    spans = [Span(tables, 0, 2), Span(tables, 2, 4), Span(tables, 2.1, 4.2), Span(vault, 4.1, 6), Span(tables, 6, 8)]

    assert critical_path(spans) == {tables: 3, vault: 1}
    assert critical_path(spans[::-1]) == {tables: 3, vault: 1}
