"""The contract is sound by itself: its files agree with each other, and every example shows what it says it shows."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema_rs import Draft202012Validator, Registry, ValidationError, ValidationErrorKind, meta
from openapi_spec_validator import validate

CONTRACTS: Final = Path(__file__).parents[2] / "contracts"
BASE: Final = "https://contracts.invalid/schemas/"
PLATFORM_NAMES: Final = {"id", "dequeueCount", "insertionTime", "expirationTime", "nextVisibleTime", "popReceipt"}
"""Metadata of a queue trigger; a message's own key of that name would hide it or be hidden by it."""
METHODS: Final = {"get", "put", "post", "patch", "delete"}
WRITES: Final = METHODS - {"get"}

# A contract is JSON: any shape is possible in it, so `Any` is what it is until a test has looked.
OPENAPI: Final[dict[str, Any]] = yaml.safe_load((CONTRACTS / "openapi.yaml").read_text("utf-8"))
SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((CONTRACTS / "schemas").iterdir())
}
BESIDE: Final = Registry([(f"{BASE}{name}.json", content) for name, content in SCHEMAS.items()])
GOOD: Final = sorted((CONTRACTS / "examples" / "good").glob("*/*.json"))
BAD: Final = sorted((CONTRACTS / "examples" / "bad").glob("*/*.json"))
CODES: Final[list[dict[str, Any]]] = SCHEMAS["errorCode"]["oneOf"]
MESSAGES: Final = sorted(name for name in SCHEMAS if re.search(r"V[0-9]+$", name))


def named(paths: list[Path]) -> list[Any]:
    """The example files as parameters of a test, each shown as `schema/name`."""
    return [pytest.param(path, id=f"{path.parent.name}/{path.stem}") for path in paths]


def walk(node: object) -> Iterator[dict[str, Any]]:
    """Every object in a document, the outermost first."""
    children: Iterable[object] = node if isinstance(node, list) else ()
    if isinstance(node, dict):
        yield node
        children = node.values()
    for child in children:
        yield from walk(child)


def schema_names(node: object) -> set[str]:
    """The schemas a document refers to, those behind its own `#/…` references not counted."""
    refs = {str(part["$ref"]) for part in walk(node) if isinstance(part.get("$ref"), str)}
    return {ref.removeprefix("./schemas/").removesuffix(".json") for ref in refs if ref.endswith(".json")}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation as method, path and what the contract says of it, the path's own parameters included."""
    for path, item in OPENAPI["paths"].items():
        for method in sorted(METHODS & item.keys()):
            shared = item.get("parameters", [])
            yield method, path, {**item[method], "parameters": shared + item[method].get("parameters", [])}


def bodies() -> tuple[set[str], set[str]]:
    """The schemas of whole request bodies and of whole answers."""
    requests = {name for _, _, operation in operations() for name in schema_names(operation.get("requestBody"))}
    answers = schema_names([operation["responses"] for _, _, operation in operations()])
    return requests, answers | schema_names(OPENAPI["components"]["responses"]) - {"errorCode"}


def by_name(name: str) -> Draft202012Validator:
    """A validator of one schema file, formats included."""
    return validator({"$ref": f"{name}.json"})


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator of a schema as it would be in a file beside the others."""
    return Draft202012Validator(schema, base_uri=f"{BASE}here.json", registry=BESIDE, validate_formats=True)


def refusals(errors: Iterable[ValidationError]) -> Iterator[tuple[str, str | None]]:
    """What the API answers to each of a validator's errors: the error code and the field it names."""
    for error in errors:
        at = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in error.instance_path).lstrip(".")
        inside = f"{at}." if at else ""
        match error.kind:
            case ValidationErrorKind.OneOfNotValid(context=branches) if not at:
                yield from (refusal for branch in branches for refusal in refusals(branch))
            case ValidationErrorKind.Required(property=name):
                yield "missingField", inside + name
            case ValidationErrorKind.AdditionalProperties(unexpected=names):
                yield from (("unknownField", inside + name) for name in names)
            case ValidationErrorKind.Not():  # a field that does not go with the others
                yield "unknownField", at
            case _ if not at:
                yield "notAnObject", None
            case _:
                yield "unsupportedSchemaVersion" if at == "schemaVersion" else "invalidValue", at


def test_openapi_file_is_valid() -> None:
    path = CONTRACTS / "openapi.yaml"

    validate(OPENAPI, base_uri=path.as_uri())


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_valid_json_schema(name: str) -> None:
    meta.validate(SCHEMAS[name])

    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert re.fullmatch(r"[a-z][A-Za-z0-9]*", name), "a file's name is its component's name"


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_refer_to_each_other_by_file_name_only(name: str) -> None:
    """One rule turns every reference into `#/components/schemas/…` when the contract is served as one document."""
    refs = [part["$ref"] for part in walk(SCHEMAS[name]) if "$ref" in part]

    assert [ref for ref in refs if ref.removesuffix(".json") not in SCHEMAS] == []
    assert not any(key in part for part in walk(SCHEMAS[name]) for key in ("$id", "$defs", "$anchor"))


def test_every_reference_in_the_openapi_file_resolves() -> None:
    for part in walk(OPENAPI):
        ref = part.get("$ref", "#")
        target: Any = OPENAPI
        if not ref.startswith("#"):
            assert ref in {f"./schemas/{name}.json" for name in SCHEMAS}
            continue
        for key in ref.removeprefix("#").split("/")[1:]:
            assert key in target, ref
            target = target[key]


def test_no_schema_is_left_over() -> None:
    reached = set(MESSAGES) | schema_names(OPENAPI)
    while grown := {name for known in reached for name in schema_names(SCHEMAS[known])} - reached:
        reached |= grown

    assert reached == set(SCHEMAS)


def test_every_component_is_used() -> None:
    used = {part["$ref"] for part in walk(OPENAPI) if "$ref" in part}

    for section in ("parameters", "headers", "responses"):
        for name in OPENAPI["components"][section]:
            assert f"#/components/{section}/{name}" in used


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_property_is_described(name: str) -> None:
    for part in walk(SCHEMAS[name]):
        for prop, schema in part["properties"].items() if part.get("properties") and "type" in part else ():
            assert "description" in schema or "$ref" in schema, prop
    assert SCHEMAS[name]["description"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_objects_are_closed(name: str) -> None:
    for part in walk(SCHEMAS[name]):
        if part.get("type") == "object" and "oneOf" not in part:
            assert part["additionalProperties"] is False or "properties" not in part


def test_operation_ids_are_unique() -> None:
    counted = Counter(operation["operationId"] for _, _, operation in operations())

    assert {name for name, count in counted.items() if count > 1} == set()
    assert len(counted) > 0


def test_every_error_code_is_listed_once() -> None:
    counted = Counter(code["const"] for code in CODES)

    assert {name for name, count in counted.items() if count > 1} == set()
    assert all(re.fullmatch(r"[a-z][A-Za-z]*", name) for name in counted)
    assert all(code["description"] for code in CODES)


def test_each_error_answer_names_the_codes_of_its_status() -> None:
    answers = {
        (status, response["$ref"].rpartition("/")[2])
        for _, _, operation in operations()
        for status, response in operation["responses"].items()
        if "$ref" in response
    } - {("202", "accepted")}

    for status, name in answers:
        told = re.findall(r"`([a-zA-Z]+)`", OPENAPI["components"]["responses"][name]["description"])
        assert sorted(told) == sorted(code["const"] for code in CODES if code.get("x-http-status") == int(status))
    assert {int(status) for status, _ in answers} == {c["x-http-status"] for c in CODES if "x-http-status" in c}


@pytest.mark.parametrize(
    ("method", "path", "operation"), [pytest.param(*found, id=found[2]["operationId"]) for found in operations()]
)
def test_operation_lists_every_refusal_it_can_meet(method: str, path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"].keys()
    parameters = {parameter.get("$ref", "").rpartition("/")[2] for parameter in operation["parameters"]}

    assert "503" in answers
    assert ("security" in operation) == ("x-rights" not in operation), "open to anyone, or to the rights it names"
    assert set(operation.get("x-rights", [])) <= set(SCHEMAS["right"]["enum"])
    if "x-rights" in operation:
        assert {"400", "401", "403", "429", "500"} <= answers
        assert ("404" in answers) == ("{" in path)
        assert ("idempotencyKey" in parameters) == (method in WRITES and operation["operationId"] != "redeemLease")
        assert ("409" in answers) == (method in WRITES)
        assert ("412" in answers) == ("ifMatch" in parameters)
        assert ({"411", "413", "415"} <= answers) == ("requestBody" in operation)


def test_every_body_and_message_has_good_examples_and_every_input_bad_ones() -> None:
    requests, answers = bodies()

    assert {path.parent.name for path in GOOD} == requests | answers | set(MESSAGES)
    assert {path.parent.name for path in BAD} == requests | set(MESSAGES)


@pytest.mark.parametrize("path", named(GOOD))
def test_good_example_is_valid(path: Path) -> None:
    instance = json.loads(path.read_text("utf-8"))

    assert [error.message for error in by_name(path.parent.name).iter_errors(instance)] == []


@pytest.mark.parametrize("path", named(BAD))
def test_bad_example_is_refused_for_the_reason_it_states(path: Path) -> None:
    example = json.loads(path.read_text("utf-8"))
    refused = set(refusals(by_name(path.parent.name).iter_errors(example["instance"])))

    assert list(example) == ["because", "code", "target", "instance"]
    assert (example["code"], example["target"]) in refused
    if example["code"] != "unsupportedSchemaVersion" and "oneOf" not in SCHEMAS[path.parent.name]:
        assert len(refused) == 1, "an example shows one mistake"


def test_examples_inside_the_openapi_file_are_valid() -> None:
    seen = 0
    for part in walk(OPENAPI):
        values = [part["example"]] if "example" in part else [e["value"] for e in part.get("examples", {}).values()]
        for value in values:
            by_name(Path(part["schema"]["$ref"]).stem).validate(value)
            seen += 1

    assert seen > 0


@pytest.mark.parametrize("name", SCHEMAS)
def test_examples_inside_schemas_are_valid(name: str) -> None:
    for part in walk(SCHEMAS[name]):
        for value in part["examples"] if isinstance(part.get("examples"), list) else ():
            validator(part).validate(value)


@pytest.mark.parametrize("name", MESSAGES)
def test_no_message_has_a_key_that_the_platform_uses_itself(name: str) -> None:
    assert PLATFORM_NAMES.isdisjoint(SCHEMAS[name]["properties"])
    assert SCHEMAS[name]["properties"]["schemaVersion"]["const"] == int(name.rpartition("V")[2])


@pytest.mark.parametrize("path", [p for p in sorted(CONTRACTS.rglob("*.*")) if p.is_file()], ids=lambda p: p.stem)
def test_no_file_holds_what_looks_like_a_secret(path: Path) -> None:
    text = path.read_text("utf-8")
    told = re.findall(r'"(?:accessToken|refreshToken|password|secret)":\s*"([^"]*)"', text)

    assert [value for value in told if not value.startswith("only-for-tests-")] == []
    assert not re.search(r"eyJ[\w-]{8}|-----BEGIN|AccountKey=|[?&]sig=|client_secret", text)
    assert [run for run in re.findall(r"[A-Za-z0-9+/]{40,}", text) if re.search(r"[0-9]", run)] == []
