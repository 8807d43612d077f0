"""Whatever a document names is there: paths, links and tests; and decisions have one form."""

from __future__ import annotations

import ast
import os
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.docs.pages import DOCS, DOCUMENTS, ROOT, inline_code, section, table, text_of

MADE: Final = {line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()}
"""What commands make: it need not be there."""

FILE: Final = re.compile(r"\.(?:bicep|bicepparam|json|kql|md|py|toml|txt|yaml)$")
TEST: Final = re.compile(r"(tests/[\w/]+\.py)::(\w+(?:::\w+)?)")
LINK: Final = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def is_path(name: str) -> bool:
    """Whether a name can only be meant as a path of this project: in one of its folders, or a file by its ending."""
    first, slash, _ = name.partition("/")
    if not first or first in MADE or not re.fullmatch(r"[\w./-]+", name):
        return False
    return bool(FILE.search(name)) or (bool(slash) and (ROOT / first).is_dir())


@cache
def file_names() -> frozenset[str]:
    """The project's files, each by its bare name: a text may name one so whose folder it has told."""
    found: set[str] = set()
    for _, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE and not name.startswith(".")]
        found.update(files)
    return frozenset(found)


def definitions_in(path: Path) -> dict[str, ast.FunctionDef]:
    """A test file's functions by name; methods as `Class::function`, those of a base class in the same file too."""
    found: dict[str, ast.FunctionDef] = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            inherited = {
                name.partition("::")[2]: each for name, each in found.items() if name.partition("::")[0] in bases
            }
            own = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
            found |= {f"{node.name}::{name}": each for name, each in (inherited | own).items()}
    return found


def named_tests(text: str) -> list[tuple[str, str]]:
    """Path and name of the tests a text names."""
    return [(found[1], found[2]) for name in inline_code(text) if (found := TEST.fullmatch(name))]


def is_expected_to_fail(path: str, name: str) -> bool:
    """Whether the test is marked so: what it shows is not there yet."""
    return any("xfail" in ast.unparse(mark) for mark in definitions_in(ROOT / path)[name].decorator_list)


documents = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@documents
def test_every_path_that_is_named_is_there(document: Path) -> None:
    named = [name for name in inline_code(document.read_text("utf-8")) if is_path(name)]

    missing = [name for name in named if name not in file_names() and not (ROOT / name).exists()]

    assert not missing


@documents
def test_every_link_inside_the_project_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text("utf-8"))

    assert not [link for link in links if not (document.parent / link).exists()]


@documents
def test_every_test_that_is_named_is_there(document: Path) -> None:
    named = named_tests(document.read_text("utf-8"))

    assert not [(path, name) for path, name in named if name not in definitions_in(ROOT / path)]


def test_every_wall_has_a_test_and_what_is_no_wall_yet_is_not_called_one() -> None:
    page = text_of("security.md")
    gaps = section(page, "Not defended against yet")
    walls = [
        row["Test"] for part in page.split("\n## ") if "| Wall | Test |" in part for row in table(part, "Wall", "Test")
    ]

    assert len(walls) > 20
    assert all(named_tests(wall) for wall in walls)
    assert not [test for test in named_tests(page.replace(gaps, "")) if is_expected_to_fail(*test)]
    assert not [test for test in named_tests(gaps) if not is_expected_to_fail(*test)]


def test_decisions_are_numbered_and_have_one_form_and_one_page() -> None:
    decisions = sorted((DOCS / "decisions").iterdir())

    numbers = [path.name[:4] for path in decisions]
    headings = [re.findall(r"^## (.*)$", path.read_text("utf-8"), re.MULTILINE) for path in decisions]
    lengths = [len(path.read_text("utf-8").split()) for path in decisions]

    assert numbers == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    assert all(each == ["Context", "Decision", "Consequences"] for each in headings)
    assert max(lengths) <= 500


def test_every_suite_is_described() -> None:
    described = {row["Suite"].strip("`") for row in table(text_of("contributing.md"), "Suite", "Shows")}
    suites = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}

    assert {path.partition("/")[2].partition("/")[0] for path in described} == suites


def test_every_make_target_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    named = {name for each in DOCUMENTS for name in re.findall(r"`make (\w+)`", each.read_text("utf-8"))}

    assert named
    assert not [name for name in sorted(named) if not re.search(rf"^{name}:", makefile, re.MULTILINE)]
