"""Which function a path means: ASP.NET Core's route templates, as far as Azure Functions documents them.

Literals are compared without regard to case, a slash at the end changes nothing, and a failed constraint is no match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_SEGMENT = re.compile(r"\{(?P<rest>\*{0,2})(?P<name>\w+)(?::(?P<constraint>\w+))?(?P<optional>\?)?\}")
# The forms D, N, B and P that .NET's Guid.TryParse, and so the constraint, accepts.
_GUID_DIGITS = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_GUID = re.compile(rf"{_GUID_DIGITS}|\{{{_GUID_DIGITS}\}}|\({_GUID_DIGITS}\)|[0-9a-f]{{32}}", re.IGNORECASE)
_INT = re.compile(r"[+-]?[0-9]{1,10}")


def _is_int32(text: str) -> bool:
    return _INT.fullmatch(text) is not None and -(2**31) <= int(text) < 2**31


_CONSTRAINTS: dict[str | None, Callable[[str], bool]] = {
    None: lambda text: True,
    "guid": lambda text: _GUID.fullmatch(text) is not None,
    "int": _is_int32,
}


class TemplateInvalid(ValueError):
    """A route template that the platform refuses or the stand-in does not know; the message names it."""


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    fits: Callable[[str], bool]
    is_optional: bool
    takes_rest: bool


class RouteTemplate:
    """A template such as `v1/tenants/{tenantId:guid}`; also `{n:int}`, `{name?}` and `{*rest}`."""

    def __init__(self, template: str) -> None:
        """Reads the template.

        Raises:
            TemplateInvalid: an unknown constraint, text beside a parameter, or something after an optional or rest one.
        """
        self._segments = [_read_segment(segment, template) for segment in template.strip("/").split("/") if segment]
        for segment in self._segments[:-1]:
            if isinstance(segment, _Parameter) and (segment.is_optional or segment.takes_rest):
                raise TemplateInvalid(f"Only the last segment of {template!r} may be optional or take the rest.")

    def match(self, path: str) -> Mapping[str, str] | None:
        """The values of the parameters in `path` (percent-encoded), or None when the path is not meant.

        An optional parameter that is absent is absent from the values too.
        """
        given = path.strip("/").split("/") if path.strip("/") else []
        values: dict[str, str] = {}
        for position, segment in enumerate(self._segments):
            if isinstance(segment, str):
                if position >= len(given) or _decode(given[position]).lower() != segment.lower():
                    return None
            elif segment.takes_rest:
                values[segment.name] = "/".join(_decode(part) for part in given[position:])
                return values
            elif position < len(given):
                value = _decode(given[position])
                if not value or not segment.fits(value):
                    return None
                values[segment.name] = value
            elif not segment.is_optional:
                return None
        return values if len(given) <= len(self._segments) else None


def _read_segment(segment: str, template: str) -> str | _Parameter:
    if "{" not in segment:
        return segment
    parts = _SEGMENT.fullmatch(segment)
    if parts is None or parts["constraint"] not in _CONSTRAINTS:
        raise TemplateInvalid(f"The local host does not know the segment {segment!r} of the route {template!r}.")
    return _Parameter(
        name=parts["name"],
        fits=_CONSTRAINTS[parts["constraint"]],
        is_optional=bool(parts["optional"]),
        takes_rest=bool(parts["rest"]),
    )


def _decode(segment: str) -> str:
    """Percent-decodes as Kestrel does: an encoded slash stays encoded, and what is no UTF-8 stays as it was sent."""
    kept = re.sub("%2f", "%252F", segment, flags=re.IGNORECASE)
    try:
        return unquote_to_bytes(kept).decode()
    except UnicodeDecodeError:
        return segment
