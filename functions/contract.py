"""The contract as it is served: contracts/openapi.yaml with every schema it refers to, in one document."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from functions.contract_page import POLICY, contract_page

_CONTRACTS: Final = Path(__file__).parents[1] / "contracts"
PAGE_HEADERS: Final = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}
_REFERENCE: Final = re.compile(r"(?:\./schemas/)?([A-Za-z0-9]+)\.json")


@cache
def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document; every reference is of the form `#/components/…`."""
    import yaml  # at first use: a cold start needs neither it nor the contract

    found = _bundled(yaml.safe_load((_CONTRACTS / "openapi.yaml").read_text("utf-8")))
    files = sorted((_CONTRACTS / "schemas").glob("*.json"))
    schemas = {file.stem: _bundled(json.loads(file.read_text("utf-8"))) for file in files}
    components: dict[str, Any] = found["components"]
    components["schemas"] = schemas
    return dict(found)


@cache
def page() -> bytes:
    """The document as a page for people."""
    return contract_page(document()).encode()


def _bundled(node: Any) -> Any:
    """The same, with references to schema files turned into references to components."""
    if isinstance(node, dict):
        return {
            key: _REFERENCE.sub(r"#/components/schemas/\1", value) if key == "$ref" else _bundled(value)
            for key, value in node.items()
            if key != "$schema"
        }
    return [_bundled(each) for each in node] if isinstance(node, list) else node
