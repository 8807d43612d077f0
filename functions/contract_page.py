"""The contract as one page of plain HTML: no script, nothing loaded from anywhere.

Reads a bundled OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), in the forms that contracts/ uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

Json = Mapping[str, Any]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy to send with the page."""

_STYLE = """
:root{color-scheme:light dark;--line:#8885;--soft:#8881}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem 1.5rem 6rem}
h1{margin-bottom:0}h2{border-bottom:1px solid var(--line);margin-top:2.5rem}h4{margin:1rem 0 .3rem}
code,pre{font:13px/1.5 ui-monospace,monospace;background:var(--soft);border-radius:3px;padding:.1em .3em}
pre{padding:.7rem;overflow:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0}
td p{margin:0}td code{white-space:nowrap}
td,th{border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top}
details{border:1px solid var(--line);border-radius:5px;margin:.4rem 0;padding:.4rem .8rem}
summary{cursor:pointer}summary b{display:inline-block;width:4.5rem}small{opacity:.75}
:target{outline:2px solid;outline-offset:3px}
"""
_METHODS = ("get", "put", "post", "patch", "delete")


def contract_page(document: Json) -> str:
    """The whole page, from a document whose references are all of the form `#/components/…`."""
    info = document["info"]
    tags = "".join(_tag(document, tag) for tag in document["tags"])
    schemas = "".join(_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<h1>{escape(info['title'])}</h1><p><small>Version {escape(info['version'])} · "
        f'OpenAPI {escape(document["openapi"])} · <a href="openapi.json">openapi.json</a></small></p>'
        f"{_text(info['description'])}{tags}<h2>Schemas</h2>{schemas}</html>"
    )


def _tag(document: Json, tag: Json) -> str:
    shown = [
        _operation(document, method, path, item)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item and tag["name"] in item[method]["tags"]
    ]
    return f"<h2>{escape(tag['name'])}</h2>{_text(tag['description'])}{''.join(shown)}"


def _operation(document: Json, method: str, path: str, item: Json) -> str:
    operation = item[method]
    listed = (*item.get("parameters", []), *operation.get("parameters", []))
    parameters = [_parameter(_resolved(document, part)) for part in listed]
    responses = [_response(status, _resolved(document, part)) for status, part in operation["responses"].items()]
    body = operation.get("requestBody")
    return (
        f"<details><summary><b>{method.upper()}</b><code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"{_text(operation.get('description', ''))}"
        f"<p>Open to: {' or '.join(operation.get('x-rights', [])) or 'anyone'}.</p>"
        + (_table(("Parameter", "In", "Form", ""), parameters) if parameters else "")
        + (_body(body) if body else "")
        + _table(("Status", "", "Body", "Headers"), responses)
        + "</details>"
    )


def _parameter(parameter: Json) -> tuple[str, ...]:
    name = f"<code>{escape(parameter['name'])}</code>{' *' if parameter.get('required') else ''}"
    return name, parameter["in"], _form(parameter["schema"]), _text(parameter["description"])


def _response(status: str, response: Json) -> tuple[str, ...]:
    headers = "<br>".join(_code(name) for name in response.get("headers", {}))
    return status, _text(response["description"]), _content(response), headers


def _content(part: Json) -> str:
    return "".join(
        f"{_form(content['schema'])} <small>{escape(media_type)}</small>"
        for media_type, content in part.get("content", {}).items()
    )


def _body(body: Json) -> str:
    shown = f"<h4>Body{'' if body.get('required') else ', optional'}</h4>{_content(body)}"
    for content in body["content"].values():
        named = [example["value"] for example in content.get("examples", {}).values()]
        for value in [content["example"]] if "example" in content else named:
            shown += f"<pre>{escape(json.dumps(value, indent=2))}</pre>"
    return shown


def _schema(name: str, schema: Json) -> str:
    rows: list[tuple[str, ...]] = [(_form(schema),)]
    if "properties" in schema:
        rows = list(_properties(schema, ""))
    elif "const" in schema.get("oneOf", [{}])[0]:
        rows = [
            (_code(each["const"]), str(each.get("x-http-status", "")), escape(each["description"]))
            for each in schema["oneOf"]
        ]
    return (
        f"<details><summary><code>{name}</code></summary>"
        f'<div id="schema-{name}">{_text(schema["description"])}{_table((), rows)}</div></details>'
    )


def _properties(schema: Json, prefix: str) -> Iterable[tuple[str, ...]]:
    for name, part in schema["properties"].items():
        star = " *" if name in schema.get("required", ()) else ""
        yield f"<code>{escape(prefix + name)}</code>{star}", _form(part), _text(part.get("description", ""))
        inner = part.get("items", part)
        if "properties" in inner:
            yield from _properties(inner, f"{prefix}{name}{'[]' if inner is not part else ''}.")


def _form(schema: Json) -> str:
    """A schema in a few words, a link where it has a name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if "oneOf" in schema:
        return " or ".join(map(_form, schema["oneOf"]))
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return " ".join(map(_code, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_form(schema['items'])}"
    limits = [f"{word} {schema[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in schema]
    return " ".join([schema.get("type", "any"), *limits, _code(schema["pattern"]) if "pattern" in schema else ""])


def _resolved(document: Json, part: Json) -> Json:
    found = part
    if "$ref" in part:
        found = document
        for key in part["$ref"].split("/")[1:]:
            found = found[key]
    return found


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    top = "<tr>" + "".join(f"<th>{cell}" for cell in head) if head else ""
    return f"<table>{top}{''.join('<tr>' + ''.join(f'<td>{cell}' for cell in row) for row in rows)}</table>"


def _code(value: object) -> str:
    return f"<code>{escape(value if isinstance(value, str) else json.dumps(value))}</code>"


def _text(text: str) -> str:
    """CommonMark as far as the contract uses it: paragraphs, tables, `code`, **strong**."""
    shown = ""
    for block in re.split(r"\n\s*\n", text.strip()):
        if block.startswith("|"):
            lines = [line.strip("| ").split("|") for line in block.splitlines() if not line.startswith("|-")]
            cells = [tuple(_inline(cell.strip()) for cell in line) for line in lines]
            shown += _table(cells[0], cells[1:])
        elif block:
            shown += f"<p>{_inline(block)}</p>"
    return shown


def _inline(text: str) -> str:
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", marked)
