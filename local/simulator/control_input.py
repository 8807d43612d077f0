"""Reading a control request's body: every field has a type, unknown fields are errors, each error names its field."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

T = TypeVar("T")

TEN_YEARS = 10 * 366 * 24 * 3600.0  # seconds


class BadInput(ValueError):
    """A control request makes no sense; `field` is where, in dotted form."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(f"{field_name}: {message}")
        self.field = field_name
        self.message = message


@dataclass(slots=True)
class Fields:
    """A JSON object whose fields are taken one by one. An absent field, or null, gives the default."""

    document: dict[str, Any]
    where: str = ""
    _taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, document: object, where: str = "") -> Fields:
        """The fields of a body.

        Raises:
            BadInput: it is no object.
        """
        if not isinstance(document, dict):
            raise BadInput(where or "body", "must be an object")
        return cls(document, where)

    def __contains__(self, name: str) -> bool:
        """Whether the field is there, even as null."""
        return name in self.document

    def text(self, name: str, default: str | None = None) -> str:
        """A text; required when there is no default."""
        return self._take(name, str, "a text", default)

    def guid(self, name: str) -> str:
        """A GUID, in lower case."""
        try:
            return str(UUID(self.text(name)))
        except ValueError as error:
            raise BadInput(self.path(name), "must be a GUID") from error

    def choice(self, name: str, choices: Collection[str], default: str | None = None) -> str:
        """One of some words."""
        chosen = self.text(name, default)
        if chosen not in choices:
            raise BadInput(self.path(name), f"must be one of {', '.join(sorted(choices))}")
        return chosen

    def boolean(self, name: str, default: bool | None = None) -> bool:
        """True or false."""
        return self._take(name, bool, "true or false", default)

    def integer(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        return self._take(name, int, "a whole number", default)

    def number(self, name: str, default: float | None = None, *, least: float = 0.0, most: float = TEN_YEARS) -> float:
        """A number between `least` and `most`; nothing here needs more than ten years of seconds."""
        chosen = self._take(name, float, "a number", default)
        if not least <= chosen <= most:
            raise BadInput(self.path(name), f"must be between {least:g} and {most:g}")
        return chosen

    def pattern(self, name: str) -> re.Pattern[str] | None:
        """A regular expression that ignores case, or None when absent."""
        written = self.text(name, "")
        try:
            return re.compile(written, re.IGNORECASE) if written else None
        except re.error as error:
            raise BadInput(self.path(name), f"is no regular expression: {error}") from error

    def moment(self, name: str) -> datetime:
        """An aware ISO 8601 moment."""
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise BadInput(self.path(name), "must be an ISO 8601 moment") from error
        if moment.tzinfo is None:
            raise BadInput(self.path(name), "must say its time zone")
        if not 2000 <= moment.year < 2200:
            raise BadInput(self.path(name), "must lie between the years 2000 and 2200")
        return moment

    def texts(self, name: str, default: Collection[str] | None = None) -> list[str]:
        """A list of texts."""
        chosen = list(self._take(name, list, "a list", None if default is None else list(default)))
        if not all(isinstance(each, str) for each in chosen):
            raise BadInput(self.path(name), "must hold only texts")
        return chosen

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        chosen: list[object] = self._take(name, list, "a list", [])
        return [Fields.of(each, f"{self.path(name)}[{index}]") for index, each in enumerate(chosen)]

    def members(self, name: str) -> Iterator[tuple[str, Fields | None]]:
        """An object's members that are themselves objects; None for a null, which means "remove"."""
        for key, content in self.mapping(name).items():
            yield key, None if content is None else Fields.of(content, f"{self.path(name)}.{key}")

    def mapping(self, name: str) -> dict[str, Any]:
        """An object, unread; empty when absent."""
        return self._take(name, dict, "an object", {})

    def path(self, name: str) -> str:
        """The field's full name."""
        return f"{self.where}.{name}" if self.where else name

    def end(self) -> None:
        """Says that all fields are read.

        Raises:
            BadInput: there are more.
        """
        unknown = sorted(self.document.keys() - self._taken)
        if unknown:
            raise BadInput(self.path(unknown[0]), "is not a field this knows")

    def _take(self, name: str, kind: type[T], description: str, default: T | None) -> T:
        self._taken.add(name)
        content = self.document.get(name)
        if content is None:
            if default is None:
                raise BadInput(self.path(name), "is missing")
            return default
        if kind is float and isinstance(content, int) and not isinstance(content, bool):
            content = float(content)
        if not isinstance(content, kind) or (kind is int and isinstance(content, bool)):
            raise BadInput(self.path(name), f"must be {description}")
        return content
