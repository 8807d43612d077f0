"""`python -m tests.bench.requests_table` counts what everything asks for, and writes it into docs/operations.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.lives import COLUMNS, Counts, lives
from tests.docs.pages import DOCS

BEGIN: Final = "<!-- requests -->\n"
END: Final = "<!-- end of requests -->\n"


def requests_table(found: Mapping[str, Counts]) -> str:
    """The table, one row for everything that can happen; what is not asked stays empty."""
    rows = [[what, *(str(counts[service] or "") for service in COLUMNS)] for what, counts in found.items()]
    head = _line(["what happens", *COLUMNS]) + "|" + "---|" * (1 + len(COLUMNS)) + "\n"
    return head + "".join(map(_line, rows))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |\n"


def with_table(page: str, found: Mapping[str, Counts]) -> str:
    """The page with the table between its two marks, in place of what stood there."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + requests_table(found) + END + rest.partition(END)[2]


if __name__ == "__main__":
    operations = DOCS / "operations.md"
    with TemporaryDirectory() as directory:
        operations.write_text(with_table(operations.read_text("utf-8"), lives(Path(directory))), "utf-8")
