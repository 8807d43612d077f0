"""An answer is one that contracts/openapi.yaml allows, or the test that received it fails."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from jsonschema_rs import Draft202012Validator

from tests.contract.test_contract_files import BESIDE, CODES, OPENAPI, operations

PREFIX: Final = str(OPENAPI["servers"][0]["url"])
STATUS_OF: Final[dict[str, int]] = {code["const"]: code["x-http-status"] for code in CODES if "x-http-status" in code}
"""The status of an HTTP answer with that code; a code that is missing here may be in no answer's `error`."""

_EVERYWHERE: Final = frozenset(
    {"content-type", "content-length", "date", "server", "connection"}  # HTTP's own
    | {"x-correlation-id", "cache-control"}  # ours
    | {"content-security-policy", "x-content-type-options"}  # of a page
    | {"access-control-expose-headers"}  # for a console of another origin
)


def operation_of(method: str, target: str) -> tuple[str, dict[str, Any]]:
    """The path template and the operation a request is for; a fixed segment goes before a parameter.

    Raises:
        AssertionError: the contract knows no such request.
    """
    path = urlsplit(target).path.removeprefix(PREFIX)
    found = [
        (template, operation)
        for verb, template, operation in operations()
        if verb == method.lower() and re.fullmatch(_pattern(template), path)
    ]
    assert found, f"{method} {path} is not in the contract"
    return min(found, key=lambda each: each[0].count("{"))


def check(method: str, target: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Hold an answer against the contract; header names are lower case.

    Raises:
        AssertionError: its status, a header or its body is not what the operation promises.
    """
    _, operation = operation_of(method, target)
    name = operation["operationId"]
    assert str(status) in operation["responses"], f"{name} does not know the status {status}: {body[:300]!r}"
    promised = _resolved(operation["responses"][str(status)])
    _check_headers(name, promised, headers)
    content = promised.get("content")
    if content is None:
        assert body == b"", f"{name} has a body where none is promised"
        return
    kind = headers["content-type"].partition(";")[0]
    assert kind in content, f"{name} answers {status} in {kind}"
    if kind != "application/json":
        return
    document = json.loads(body)
    wrong = [f"{error.instance_path}: {error.message}" for error in _body_of(name, str(status)).iter_errors(document)]
    assert wrong == [], f"{name} answers {status} with a body the contract does not know: {wrong}"
    if status >= 400:
        _check_error(status, headers, document["error"])
    if status == 202:
        _check_accepted(target, headers, document)


def _check_headers(name: str, promised: Mapping[str, Any], headers: Mapping[str, str]) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", headers.get("x-correlation-id", "")), f"{name}: no x-correlation-id"
    assert headers.get("cache-control") == "no-store", f"{name}: an answer may be stored"
    known = {header.lower(): _resolved(said) for header, said in promised.get("headers", {}).items()}
    for header, said in known.items():
        assert header in headers or not said.get("required"), f"{name}: {header} is missing"
        if header in headers:
            value: object = headers[header]
            if said["schema"].get("type") == "integer":
                assert re.fullmatch("[0-9]+", headers[header]), f"{name}: {header} is {headers[header]!r}"
                value = int(headers[header])
            _validator(json.dumps(said["schema"])).validate(value)
    surplus = headers.keys() - known.keys() - _EVERYWHERE
    assert not surplus, f"{name}: the contract does not know the header {', '.join(surplus)}"


def _check_error(status: int, headers: Mapping[str, str], error: Mapping[str, Any]) -> None:
    assert headers["x-ms-error-code"] == error["code"]
    assert STATUS_OF.get(error["code"]) == status, f"{error['code']} is no {status}"


def _check_accepted(target: str, headers: Mapping[str, str], operation: Mapping[str, Any]) -> None:
    where = urlsplit(headers["operation-location"])
    assert where.scheme in ("http", "https"), "Operation-Location is not absolute"
    assert where.netloc, "Operation-Location is not absolute"
    tenant_id = urlsplit(target).path.removeprefix(f"{PREFIX}/v1/tenants/").partition("/")[0].lower()
    assert where.path == f"{PREFIX}/v1/tenants/{tenant_id}/operations/{operation['id']}"


def _pattern(template: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", template)


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = node
    while "$ref" in found:
        target: Any = OPENAPI
        for key in found["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        found = target
    return dict(found)


@cache
def _body_of(name: str, status: str) -> Draft202012Validator:
    (operation,) = (each for _, _, each in operations() if each["operationId"] == name)
    promised = _resolved(operation["responses"][status])
    return _validator(json.dumps(promised["content"]["application/json"]["schema"]))


@cache
def _validator(schema: str) -> Draft202012Validator:
    """A validator of a schema that stands in openapi.yaml itself."""
    base = "https://contracts.invalid/openapi.yaml"
    return Draft202012Validator(json.loads(schema), base_uri=base, registry=BESIDE, validate_formats=True)
