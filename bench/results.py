"""What a full run has found is kept in bench/results.json, and shown in docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench.figures import Figure, Limit, Sign, cells
from local.addresses import PROJECT

RESULTS: Final = Path(__file__).with_name("results.json")
PAGE: Final = PROJECT / "docs" / "performance.md"
BEGIN: Final = "<!-- figures -->\n"
END: Final = "<!-- end of figures -->\n"


def keep(figures: Sequence[Figure], around: Mapping[str, object], *, seconds: int) -> None:
    """Write both files."""
    kept = {**around, "seconds": seconds, "figures": [asdict(figure) | {"isMet": figure.is_met} for figure in figures]}
    RESULTS.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(with_table(PAGE.read_text("utf-8"), kept), "utf-8")


def with_table(page: str, kept: Mapping[str, Any]) -> str:
    """The page with the kept figures between its two marks, in place of what stood there."""
    machine, versions = kept["machine"], kept["versions"]
    taken = (
        f"Taken in {kept['seconds']} seconds at commit `{kept['commit']}`, on {machine['cores']} cores of "
        f"{machine['processor']} under Python {versions['Python']}; the load before was {machine['loadBefore']}.\n\n"
    )
    rows = ["| mark | what | figure | limit | |", "|---|---|---|---|---|"]
    rows += ["| " + " | ".join(cells(_figure(each))) + " |" for each in kept["figures"]]
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + taken + "\n".join(rows) + "\n" + END + rest.partition(END)[2]


def _figure(kept: Mapping[str, Any]) -> Figure:
    limit = kept["limit"] and Limit(Sign(kept["limit"]["sign"]), kept["limit"]["value"])
    return Figure(kept["mark"], kept["what"], kept["value"], kept["unit"], limit, is_promise=kept["is_promise"])
