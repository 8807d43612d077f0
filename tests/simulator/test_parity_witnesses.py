"""Every row of PARITY.md says one of three words and names a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARITY = ROOT / "local" / "simulator" / "PARITY.md"
ROW = re.compile(r"^\| (?P<behaviour>.+?) \| (?P<parity>.+?) \| (?P<witness>.+?) \|$")


def rows() -> list[re.Match[str]]:
    """The rows of all tables, without their heads."""
    lines = PARITY.read_text(encoding="utf-8").splitlines()
    return [row for line in lines if (row := ROW.match(line)) and row["behaviour"] != "Behaviour"]


def names_of_tests(path: Path) -> set[str]:
    """The names of a test file's functions, `Class::function` for methods."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


def test_page_opens_with_a_warning() -> None:
    assert PARITY.read_text(encoding="utf-8").startswith("> [!WARNING]\n")


def test_every_line_of_a_table_is_understood() -> None:
    lines = [line for line in PARITY.read_text(encoding="utf-8").splitlines() if line.startswith("|")]

    heads = [line for line in lines if line.startswith(("| Behaviour ", "|---"))]

    assert len(rows()) == len(lines) - len(heads)
    assert len(rows()) > 50


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["behaviour"])
def test_row_has_a_parity_and_a_witness_that_exists(row: re.Match[str]) -> None:
    path, _, name = row["witness"].strip("`").partition("::")

    assert row["parity"] in ("real", "emulated", "absent")
    assert name.rpartition("::")[2].startswith("test_")
    assert name in names_of_tests(ROOT / path)
