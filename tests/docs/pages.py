"""The project's documents taken apart: the code they show, their tables, and the names they use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
DOCUMENTS: Final = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])

_BLOCK: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, "" for none, and its text."""

    language: str
    text: str


def text_of(name: str) -> str:
    """A document of docs/."""
    return (DOCS / name).read_text("utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading of the second level.

    Raises:
        LookupError: there is no such heading.
    """
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        if part.partition("\n")[0] == title:
            return part.partition("\n")[2]
    raise LookupError(title)


def blocks(text: str) -> list[Block]:
    """The fenced blocks, in order."""
    return [Block(*found.groups()) for found in _BLOCK.finditer(text)]


def inline_code(text: str) -> list[str]:
    """What stands between backticks, fenced blocks left out."""
    return _INLINE.findall(_BLOCK.sub("", text))


def table(text: str, *head: str) -> list[dict[str, str]]:
    """The rows of the table with that head, by column.

    Raises:
        LookupError: there is no such table.
    """
    lines = iter(text.splitlines())
    for line in lines:
        if tuple(_cells(line)) == head:
            next(lines)  # the line of dashes
            return [dict(zip(head, cells, strict=True)) for cells in _until_the_end(lines)]
    raise LookupError(head)


def _until_the_end(lines: Iterator[str]) -> Iterator[list[str]]:
    for line in lines:
        if not line.lstrip().startswith("|"):
            return
        yield _cells(line)


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
