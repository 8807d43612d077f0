"""docs/symbols.md lists what is where, and docs/architecture.md draws the states, as the code has them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from shared.domain.operation import TERMINAL, Status
from shared.domain.session import TRANSITIONS
from tests.docs.pages import ROOT, blocks, section, table, text_of

PAGE = text_of("architecture.md")
SYMBOLS = table(text_of("symbols.md"), "Symbols", "File")


def defined_in(path: Path) -> set[str]:
    """The names that a module itself defines."""
    found: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def arrows(title: str) -> list[tuple[str, str]]:
    """The arrows of the state diagram in a section."""
    (diagram,) = (block.text for block in blocks(section(PAGE, title)) if block.language == "mermaid")
    return re.findall(r"^ +(\S+) --> (\S+)$", diagram, re.MULTILINE)


def test_every_symbol_of_the_list_is_in_its_file() -> None:
    listed = [(row["File"].strip("`"), name) for row in SYMBOLS for name in re.findall(r"`(\w+)`", row["Symbols"])]

    missing = [(path, name) for path, name in listed if name not in defined_in(ROOT / path)]

    assert len(listed) > 200
    assert not missing


def test_every_file_of_the_app_is_in_the_list_once() -> None:
    files = [ROOT / "function_app.py", *(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    expected = [str(path.relative_to(ROOT)) for path in files if path.name != "__init__.py"]

    assert sorted(row["File"].strip("`") for row in SYMBOLS) == sorted(expected)


def test_the_session_is_drawn_as_it_moves() -> None:
    drawn = [arrow for arrow in arrows("The session") if "[*]" not in arrow]

    ways = [(state.value, following.value) for state, followers in TRANSITIONS.items() for following in followers]

    assert sorted(drawn) == sorted(ways)


def test_an_operation_is_drawn_with_its_ends() -> None:
    drawn = arrows("Operations")

    states = {state for arrow in drawn for state in arrow} - {"[*]"}
    ends = {state for state, following in drawn if following == "[*]"}

    assert states == set(Status)
    assert ends == set(TERMINAL)
    assert not [arrow for arrow in drawn if arrow[0] in TERMINAL and arrow[1] != "[*]"]
