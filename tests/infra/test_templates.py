"""The Bicep is written as the house writes it, and read by tests that refuse what they do not understand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.bicep_syntax import BicepUnreadable, Declaration, Node, read
from tests.infra.bicep_template import deploy
from tests.infra.environments import INFRA

FILES = sorted(INFRA.rglob("*.bicep"))


def described(declaration: Declaration) -> str:
    """What @description says; "" when there is none."""
    found = [each.parts[0].value for each in declaration.decorators if each.text == "description"]
    return str(found[0]) if found else ""


def statements(file: Path, kind: str) -> list[Declaration]:
    return [each for each in read(file.read_text("utf-8")) if each.kind == kind]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_parameter_says_whether_it_is_required_and_is_that(file: Path) -> None:
    for param in statements(file, "param"):
        word = "Optional. " if param.body else "Required. "
        assert described(param).startswith(word), param.name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_output_is_described_and_every_file_begins_with_what_it_is_for(file: Path) -> None:
    assert all(described(output) for output in statements(file, "output"))
    assert file.read_text("utf-8").startswith("// ")


def test_a_type_has_one_version_everywhere_and_no_preview_but_the_one_without_a_successor() -> None:
    versions: dict[str, set[str]] = {}
    for file in FILES:
        for resource in statements(file, "resource"):
            type_, _, version = resource.text.partition("@")
            versions.setdefault(type_, set()).add(version)

    assert {type_ for type_, found in versions.items() if len(found) > 1} == set()
    previews = {type_ for type_, found in versions.items() if any("preview" in version for version in found)}
    assert previews == {"Microsoft.Insights/diagnosticSettings"}


def test_every_module_is_deployed() -> None:
    used = {(file.parent / each.text).resolve() for file in FILES for each in statements(file, "module")}

    assert used == {file.resolve() for file in (INFRA / "modules").iterdir()}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("provider 'x'", 1),
        ("var a = ", 1),
        ("var a = [\n  1\n", 3),
        ("var a = { b 1 }", 1),
        ("var a = {\n  b: 1\n  b: 2\n}", 3),
        ("var a = 'b\nvar c = 1", 1),
        ("var a = 1 + 1", 1),
    ],
)
def test_what_is_no_bicep_of_ours_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(BicepUnreadable, match=f"line {line}:"):
        read(text)


def test_strings_are_read_with_what_is_inside_of_them() -> None:
    (declaration,) = read(r"var a = 'it\'s ${join(['x', 'y'], '-')}\n'")

    assert declaration.body is not None
    assert [part.kind for part in declaration.body.parts] == ["literal", "call", "literal"]
    assert declaration.body.parts[0] == Node("literal", value="it's ")


def test_values_are_worked_out_as_the_compiler_would(tmp_path: Path) -> None:
    (tmp_path / "main.bicep").write_text(
        """
        param names array
        param isLoud bool = false
        var greetings = [for (name, i) in names: isLoud ? '${name}!' : '${name}${i}']
        resource plan 'Some/plans@2025-01-01' = { name: 'p' }
        resource site 'Some/sites@2025-01-01' = if (contains(names, 'b')) {
          name: 's'
          properties: { plan: plan.id, key: plan.properties.key, first: greetings[0], none: { x: 1 }[?'y'] ?? 'no' }
          resource inner 'parts' = [for name in names: { name: name }]
        }
        output all array = greetings
        """,
        "utf-8",
    )
    (tmp_path / "main.bicepparam").write_text("using 'main.bicep'\nparam names = ['a', 'b']\n", "utf-8")

    found = deploy(tmp_path / "main.bicepparam", {})

    assert found.outputs == {"all": ["a0", "b1"]}
    assert [each.name for each in found.of("Some/sites/parts")] == ["s/a", "s/b"]
    assert found.of("Some/sites")[0]["properties"] == {
        "plan": "/Some/plans/p",
        "key": "<p.properties.key>",
        "first": "a0",
        "none": "no",
    }


def test_a_parameter_that_was_not_given_is_named(tmp_path: Path) -> None:
    (tmp_path / "main.bicep").write_text("param a string\noutput b string = a\n", "utf-8")
    (tmp_path / "main.bicepparam").write_text("using 'main.bicep'\n", "utf-8")

    with pytest.raises(BicepUnreadable, match="the parameter a was not given"):
        deploy(tmp_path / "main.bicepparam", {})
