"""What a deployment would send to Azure: every resource of a .bicepparam file, with all values that are known before.

What only Azure knows stays a text in angle brackets, such as `<id-sessions-….properties.principalId>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tests.infra.bicep_syntax import BicepUnreadable, Declaration, Node, read

Value = Any
Scope = dict[str, Value]

_CLOUD: Final[Value] = {
    "name": "AzureCloud",
    "suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
    "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource: its type without the version, its name with its parents' before it, and what is said of it.

    Attributes:
        scope: the full name of the resource it extends, such as a role assignment's.
        file: the .bicep file it stands in.
    """

    type: str
    version: str
    name: str
    body: Mapping[str, Value]
    file: str
    is_existing: bool = False
    scope: str = ""

    def __getitem__(self, path: str) -> Value:
        """A value by its path, e.g. `properties.networkAcls.defaultAction`; None when it is not stated."""
        value: Value = self.body
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def read(self, key: str) -> Value:
        """What another resource reads of this one."""
        if key == "id":
            return f"/{self.type}/{self.name}"
        if key == "name":
            return self.name.rpartition("/")[2]
        return f"<{self.name}.{key}>"


@dataclass(frozen=True, slots=True)
class Deployment:
    """Everything that one parameter file leads to.

    Attributes:
        outputs: of the main template.
    """

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Value]

    def of(self, type_: str) -> tuple[Resource, ...]:
        """The resources of that type that the deployment makes."""
        return tuple(each for each in self.resources if each.type == type_ and not each.is_existing)


def deploy(params: Path, environment: Mapping[str, str]) -> Deployment:
    """Work a parameter file out.

    Raises:
        BicepUnreadable: a file is not Bicep as this project writes it.
        KeyError: the environment lacks a variable that the file reads.
    """
    given: Scope = {}
    template = params
    for declaration in read(params.read_text("utf-8")):
        if declaration.kind == "using":
            template = params.parent / declaration.text
        elif declaration.body is not None:
            given[declaration.name] = _Template(params, {}, environment).value(declaration.body, {})
    main = _Template(template.resolve(), given, environment)
    return Deployment(tuple(main.resources()), main.outputs)


@dataclass
class _Template:
    """A .bicep file with the parameters it was given; values are worked out when asked for."""

    path: Path
    given: Scope
    environment: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def statements(self) -> tuple[Declaration, ...]:
        return read(self.path.read_text("utf-8"))

    @cached_property
    def declarations(self) -> dict[str, Declaration]:
        return {each.name: each for each in self.statements if each.kind != "output"}

    @cached_property
    def known(self) -> Scope:
        return {}

    @cached_property
    def outputs(self) -> Scope:
        return {each.name: self.value(each.body, {}) for each in self.statements if each.kind == "output" and each.body}

    def resources(self) -> Iterator[Resource]:
        """This file's, and those of the modules it deploys."""
        for declaration in self.declarations.values():
            if declaration.kind == "resource":
                yield from self.flat(declaration, None)
            if declaration.kind == "module" and (module := self.look_up(declaration.name)):
                yield from module.resources()

    def flat(self, declaration: Declaration, parent: Resource | None) -> Iterator[Resource]:
        made = self.made(declaration, parent)
        for each in made if isinstance(made, list) else [made] if made else []:
            yield each
            for inner in declaration.inner:
                yield from self.flat(inner, each)

    def look_up(self, name: str) -> Value:
        if name not in self.known:
            declaration = self.declarations.get(name) or self.nested(name)
            if declaration.kind == "param" and name in self.given:
                self.known[name] = self.given[name]
            elif name not in self.declarations:
                return f"<{name}>"  # a sibling inside of the same resource, named in dependsOn
            elif declaration.kind == "resource":
                self.known[name] = self.made(declaration, None)
            elif declaration.kind == "module":
                self.known[name] = self.module(declaration)
            elif declaration.body is None:
                raise BicepUnreadable(f"{self.path.name}: the parameter {name} was not given")
            else:
                self.known[name] = self.value(declaration.body, {})
        return self.known[name]

    def module(self, declaration: Declaration) -> _Template | None:
        body = self.value(declaration.body, {}) if declaration.body else None
        path = (self.path.parent / declaration.text).resolve()
        return _Template(path, body["params"], self.environment) if body else None

    def made(self, declaration: Declaration, parent: Resource | None) -> Value:
        """The resource, one for each turn of its loop, or None when its condition does not hold."""
        type_, _, version = declaration.text.partition("@")

        def one(body: Scope) -> Resource:
            above: Value = body.get("parent", parent)
            full = type_ if "/" in type_ else f"{above.type}/{type_}"
            name = f"{above.name}/{body['name']}" if above else body["name"]
            scope = body["scope"].name if "scope" in body else ""
            return Resource(full, version or above.version, name, body, self.path.name, declaration.is_existing, scope)

        body = self.value(declaration.body, {}) if declaration.body else None
        return [one(each) for each in body] if isinstance(body, list) else one(body) if body else None

    # ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def value(self, node: Node, scope: Scope) -> Value:
        parts = node.parts
        match node.kind:
            case "literal":
                return node.value
            case "text":
                return "".join(_text(self.value(part, scope)) for part in parts)
            case "name":
                return scope[node.text] if node.text in scope else self.look_up(node.text)
            case "array":
                return [self.value(part, scope) for part in parts]
            case "object":
                return {self.value(e.parts[0], scope): self.value(e.parts[1], scope) for e in parts}
            case "for":
                return list(self.turns(node, scope))
            case "if":
                return self.value(parts[1], scope) if self.value(parts[0], scope) else None
            case "ternary":
                return self.value(parts[1 if self.value(parts[0], scope) else 2], scope)
            case "lambda":
                return lambda argument: self.value(parts[0], {**scope, node.text: argument})
            case "member":
                return self.member(self.value(parts[0], scope), node.text)
            case "inner":
                return self.inner(parts[0], node.text, scope)
            case "index":
                return self.value(parts[0], scope)[self.value(parts[1], scope)]
            case "safeIndex":
                return self.value(parts[0], scope).get(self.value(parts[1], scope))
            case "call":
                return self.call(node.text, [self.value(part, scope) for part in parts])
            case "not":
                return not self.value(parts[0], scope)
            case "??":
                left = self.value(parts[0], scope)
                return self.value(parts[1], scope) if left is None else left
            case "==" | "!=":
                return (self.value(parts[0], scope) == self.value(parts[1], scope)) is (node.kind == "==")
            case ">":
                return bool(self.value(parts[0], scope) > self.value(parts[1], scope))
        raise BicepUnreadable(f"{self.path.name}: nobody here knows {node.kind}")

    def turns(self, node: Node, scope: Scope) -> Iterator[Value]:
        item, _, index = node.text.partition(" ")
        for number, each in enumerate(self.value(node.parts[0], scope)):
            yield self.value(node.parts[1], {**scope, item: each, **({index: number} if index else {})})

    def member(self, of: Value, name: str) -> Value:
        if isinstance(of, _Template):
            return of.outputs if name == "outputs" else of.outputs[name]
        if isinstance(of, Resource):
            return of.read(name)
        if isinstance(of, str) and of.startswith("<"):
            return f"{of[:-1]}.{name}>"
        return of[name]

    def inner(self, of: Node, name: str, scope: Scope) -> Value:
        return self.made(self.nested(name), self.value(of, scope))

    def nested(self, name: str) -> Declaration:
        for declaration in self.declarations.values():
            found = _inner_named(declaration, name)
            if found is not None:
                return found
        raise BicepUnreadable(f"{self.path.name}: there is no {name}")

    def call(self, name: str, given: list[Value]) -> Value:
        match name:
            case "environment":
                return _CLOUD
            case "loadTextContent":
                return (self.path.parent / given[0]).read_text("utf-8")
            case "readEnvironmentVariable":
                return self.environment[given[0]] if len(given) == 1 else self.environment.get(*given)
        if name not in _FUNCTIONS:
            raise BicepUnreadable(f"{self.path.name}: nobody here knows the function {name}")
        return _FUNCTIONS[name](*given)


def _union(*given: Value) -> Value:
    if isinstance(given[0], Mapping):
        return {key: value for each in given for key, value in each.items()}
    return list(dict.fromkeys(item for each in given for item in each))


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _inner_named(declaration: Declaration, name: str) -> Declaration | None:
    for each in declaration.inner:
        found = each if each.name == name else _inner_named(each, name)
        if found is not None:
            return found
    return None


_FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "concat": lambda *given: [item for each in given for item in each],
    "contains": lambda holder, item: item in holder,
    "empty": lambda value: not value,
    "guid": lambda *given: f"guid({', '.join(given)})",
    "join": lambda items, sign: sign.join(items),
    "map": lambda items, change: [change(item) for item in items],
    "replace": lambda text, old, new: text.replace(old, new),
    "string": lambda value: value if isinstance(value, str) else repr(value),
    "subscription": lambda: {"id": "<subscription>"},
    "subscriptionResourceId": lambda *given: "/".join(given),
    "tenant": lambda: {"tenantId": "00000000-0000-4000-8000-00000000feed"},
    "toLower": lambda text: text.lower(),
    "union": _union,
    "uniqueString": lambda *_: "u0123456789ab",
    "uri": lambda base, relative: f"{base.rstrip('/')}/{relative}",
}
