"""docs/performance.md shows what the last full run has found."""

from __future__ import annotations

import json

from bench.results import BEGIN, END, PAGE, RESULTS, with_table


def test_the_table_of_figures_is_that_of_the_results() -> None:
    page = PAGE.read_text("utf-8")

    assert BEGIN in page
    assert END in page
    assert page == with_table(page, json.loads(RESULTS.read_text("utf-8"))), "run `make bench`"


def test_no_promise_is_kept_that_was_broken() -> None:
    figures = json.loads(RESULTS.read_text("utf-8"))["figures"]

    assert {figure["mark"] for figure in figures} == set(range(1, 10))
    assert [figure["what"] for figure in figures if figure["is_promise"] and not figure["isMet"]] == []
