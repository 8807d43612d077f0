"""Shapes of request bodies: what Graph's metadata admits, as predicates that compose."""

from __future__ import annotations

from collections.abc import Callable

Shape = Callable[[object], bool]


def text(value: object) -> bool:
    """An Edm.String."""
    return isinstance(value, str)


def flag(value: object) -> bool:
    """An Edm.Boolean."""
    return isinstance(value, bool)


def number(value: object) -> bool:
    """An Edm.Int32."""
    return isinstance(value, int) and not isinstance(value, bool) and -(2**31) <= value < 2**31


def one_of(*names: str) -> Shape:
    """A member of an enumeration; `unknownFutureValue` can be received, never sent."""
    return lambda value: isinstance(value, str) and value in names


def flags(*names: str) -> Shape:
    """Members of a flags enumeration, separated by commas."""
    return lambda value: isinstance(value, str) and all(part.strip() in names for part in value.split(","))


def each(shape: Shape) -> Shape:
    """A collection whose every element has this shape."""
    return lambda value: isinstance(value, list) and all(map(shape, value))


def nullable(shape: Shape) -> Shape:
    """A shape that may also be null."""
    return lambda value: value is None or shape(value)


def record(*needed: str, **properties: Shape) -> Shape:
    """An object with no property but these and annotations (`@odata.type` …), and with each of the `needed` ones."""

    def matches(value: object) -> bool:
        return (
            isinstance(value, dict)
            and all(name in value for name in needed)
            and all(
                "@" in name or (name in properties and properties[name](content)) for name, content in value.items()
            )
        )

    return matches
