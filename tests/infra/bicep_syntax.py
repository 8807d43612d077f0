"""Bicep as this project writes it, read into a tree; whatever else it has is refused, never skipped.

The grammar: https://learn.microsoft.com/azure/azure-resource-manager/bicep/file. This is not the compiler: it knows no
types, and a file it reads may still not build.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_NUMBER: Final = re.compile(r"\d+")
_BLANK: Final = re.compile(r"(?:\s|//[^\n]*)*")
_ESCAPES: Final = {"n": "\n", "t": "\t", "'": "'", "\\": "\\", "$": "$"}
_OPERATORS: Final = (("??",), ("==", "!="), (">",))
"""From the loosest to the tightest."""
_CONSTANTS: Final = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Node:
    """An expression; `text` is its name, `parts` what it is made of, `value` that of a literal.

    `kind`: literal, text, name, member, index, safeIndex, inner, call, array, object (of entry), for, if, lambda,
    ternary, not, or a binary operator.
    """

    kind: str
    text: str = ""
    parts: tuple[Node, ...] = ()
    value: object = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """A statement. `kind` is one of: param, var, resource, module, output, type, import, using, targetScope.

    Attributes:
        text: a resource's type and version, a module's path, the declared type of a param or output.
        inner: the resources declared inside of a resource.
    """

    kind: str
    name: str
    text: str = ""
    body: Node | None = None
    decorators: tuple[Node, ...] = ()
    is_existing: bool = False
    inner: tuple[Declaration, ...] = ()


class BicepUnreadable(Exception):
    """The text is not Bicep, or Bicep that this project does not use."""


def read(text: str) -> tuple[Declaration, ...]:
    """The statements of a .bicep or .bicepparam file.

    Raises:
        BicepUnreadable: with the line.
    """
    return _Reader(text).statements()


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    inner: list[list[Declaration]] = field(default_factory=list)

    # ── statements ───────────────────────────────────────────────────────────────────────────────────────────────────

    def statements(self) -> tuple[Declaration, ...]:
        found = []
        while self.blank() < len(self.text):
            found.append(self.statement())
        return tuple(found)

    def statement(self) -> Declaration:
        decorators = []
        while self.accept("@"):
            decorators.append(self.expression())
            self.blank()
        kind = self.word()
        match kind:
            case "targetScope":
                self.expect("=")
                return Declaration(kind, kind, body=self.expression())
            case "using":
                return Declaration(kind, kind, self.plain_string())
            case "import":
                self.expect("{")
                names = self.word()
                self.expect("}")
                self.expect("from")
                return Declaration(kind, names, self.plain_string())
            case "type":
                name = self.word()
                self.expect("=")
                return Declaration(kind, name, self.type_text(), decorators=tuple(decorators))
            case "resource" | "module":
                return self.deployed(kind, decorators)
            case "param" | "var" | "output":
                name = self.word()
                text = "" if kind == "var" else self.type_text()
                body = self.expression() if self.accept("=") else None
                return Declaration(kind, name, text, body, tuple(decorators))
        raise self.instead_of(f"a statement, not {kind!r},")

    def deployed(self, kind: str, decorators: list[Node]) -> Declaration:
        name, text = self.word(), self.plain_string()
        is_existing = bool(re.compile(r"\s*existing\b").match(self.text, self.at)) and self.accept("existing")
        self.expect("=")
        self.inner.append([])
        body = self.expression()
        return Declaration(kind, name, text, body, tuple(decorators), is_existing, tuple(self.inner.pop()))

    def type_text(self) -> str:
        """A type, uninterpreted: to the end of the line or to `=`, with what braces hold."""
        start, depth = self.blank(), 0
        while self.at < len(self.text):
            sign = self.text[self.at]
            if depth == 0 and sign in "=\n":
                break
            depth += {"{": 1, "}": -1}.get(sign, 0)
            self.at += 1
        return self.text[start : self.at].strip()

    # ── expressions ──────────────────────────────────────────────────────────────────────────────────────────────────

    def expression(self) -> Node:
        condition = self.binary(0)
        if not self.accept("?"):
            return condition
        then = self.expression()
        self.expect(":")
        return Node("ternary", parts=(condition, then, self.expression()))

    def binary(self, level: int) -> Node:
        if level == len(_OPERATORS):
            return self.unary()
        left = self.binary(level + 1)
        while operator := next((sign for sign in _OPERATORS[level] if self.accept(sign)), None):
            left = Node(operator, parts=(left, self.binary(level + 1)))
        return left

    def unary(self) -> Node:
        if self.accept("!"):
            return Node("not", parts=(self.unary(),))
        return self.postfix(self.primary())

    def postfix(self, node: Node) -> Node:
        """What follows a value without a blank in between."""
        while self.at < len(self.text):
            if self.text.startswith("::", self.at):
                self.at += 2
                node = Node("inner", self.word(), (node,))
            elif self.text.startswith((".", "!."), self.at):  # "!": this is not null, which says nothing to us
                self.at = self.text.index(".", self.at) + 1
                node = Node("member", self.word(), (node,))
            elif self.text[self.at] == "[":
                self.at += 1
                kind = "safeIndex" if self.accept("?") else "index"
                node = Node(kind, parts=(node, self.expression()))
                self.expect("]")
            else:
                break
        return node

    def primary(self) -> Node:
        match self.text[self.blank() :][:1]:
            case "'":
                return self.string()
            case "[":
                return self.bracketed()
            case "{":
                return self.object()
            case "(":
                self.expect("(")
                node = self.expression()
                self.expect(")")
                return node
        if number := _NUMBER.match(self.text, self.at):
            self.at = number.end()
            return Node("literal", value=int(number[0]))
        name = self.word()
        if name in _CONSTANTS:
            return Node("literal", value=_CONSTANTS[name])
        if name == "if":
            return Node("if", parts=(self.primary(), self.primary()))
        if self.text.startswith("(", self.at):
            self.at += 1
            return Node("call", name, self.items(")"))
        if self.accept("=>"):
            return Node("lambda", name, (self.expression(),))
        return Node("name", name)

    def bracketed(self) -> Node:
        self.expect("[")
        if not re.compile(r"\s*for\b").match(self.text, self.at):
            return Node("array", parts=self.items("]"))
        self.expect("for")
        is_counted = self.accept("(")
        names = self.word()
        if is_counted:
            self.expect(",")
            names += f" {self.word()}"
            self.expect(")")
        self.expect("in")
        source = self.expression()
        self.expect(":")
        body = self.expression()
        self.expect("]")
        return Node("for", names, (source, body))

    def object(self) -> Node:
        """Entries are nodes of kind `entry`, with the key and the value; resources among them are set apart."""
        self.expect("{")
        entries: list[Node] = []
        while not self.accept("}"):
            if re.compile(r"(@|resource\s+\w+\s+')").match(self.text, self.blank()):
                self.inner[-1].append(self.statement())
            else:
                key = self.string() if self.text[self.at] == "'" else Node("literal", value=self.word())
                if any(entry.parts[0] == key for entry in entries):
                    raise self.instead_of(f"{key.value} once")
                self.expect(":")
                entries.append(Node("entry", parts=(key, self.expression())))
            self.accept(",")
        return Node("object", parts=tuple(entries))

    def items(self, end: str) -> tuple[Node, ...]:
        found = []
        while not self.accept(end):
            found.append(self.expression())
            self.accept(",")
        return tuple(found)

    def string(self) -> Node:
        if self.text.startswith("'''", self.at):
            end = self.text.index("'''", self.at + 3)
            literal = self.text[self.at + 3 : end].removeprefix("\n")
            self.at = end + 3
            return Node("literal", value=literal)
        self.expect("'")
        parts: list[Node] = []
        plain = ""
        while (sign := self.text[self.at]) != "'":
            if sign == "\\":
                plain += _ESCAPES[self.text[self.at + 1]]
                self.at += 2
            elif self.text.startswith("${", self.at):
                parts.append(Node("literal", value=plain))
                plain, self.at = "", self.at + 2
                parts.append(self.expression())
                self.expect("}")
            elif sign == "\n":
                raise self.instead_of("the end of a string")
            else:
                plain, self.at = plain + sign, self.at + 1
        self.at += 1
        if not parts:
            return Node("literal", value=plain)
        return Node("text", parts=(*parts, Node("literal", value=plain)))

    # ── signs ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def blank(self) -> int:
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def accept(self, sign: str) -> bool:
        found = self.text.startswith(sign, self.blank())
        if found:
            self.at += len(sign)
        return found

    def expect(self, sign: str) -> None:
        if not self.accept(sign):
            raise self.instead_of(repr(sign))

    def word(self) -> str:
        found = _NAME.match(self.text, self.blank())
        if found is None:
            raise self.instead_of("a name")
        self.at = found.end()
        return found[0]

    def plain_string(self) -> str:
        self.blank()
        node = self.string()
        if not isinstance(node.value, str):
            raise self.instead_of("a string without ${}")
        return node.value

    def instead_of(self, wanted: str) -> BicepUnreadable:
        return BicepUnreadable(f"line {self.text.count(chr(10), 0, self.at) + 1}: {wanted} was expected")
