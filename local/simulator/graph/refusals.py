"""Graph's refusals, each worded as the real service words it."""

from __future__ import annotations

from collections.abc import Sequence

from local.simulator.state import JsonObject


class GraphRefusal(Exception):
    """Graph refuses a call: an HTTP status, an error code, a message, and which property is at fault."""

    def __init__(self, status: int, code: str, message: str, details: Sequence[JsonObject] = ()) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.details = tuple(details)


def denied(message: str = "Insufficient privileges to complete the operation.") -> GraphRefusal:
    """403: the caller lacks a permission or a directory role."""
    return GraphRefusal(403, "Authorization_RequestDenied", message)


def not_found(key: str) -> GraphRefusal:
    """404: there is no such directory object, or it has not been replicated to here yet."""
    return GraphRefusal(
        404,
        "Request_ResourceNotFound",
        f"Resource '{key}' does not exist or one of its queried reference-property objects are not present.",
    )


def invalid(message: str, *, target: str | None = None, code: str = "InvalidValue") -> GraphRefusal:
    """400 of the directory: a property is wrong; `target` names it."""
    details = [{"code": code, "message": message, "target": target}] if target else []
    return GraphRefusal(400, "Request_BadRequest", message, details)


def missing(name: str) -> GraphRefusal:
    """400 of the directory: a required property is absent or empty."""
    return invalid(f"Property {name} value is required but is empty or missing.", target=name, code="MissingValue")


def taken(name: str) -> GraphRefusal:
    """400 of the directory: another object has this value already."""
    message = f"Another object with the same value for property {name} already exists."
    return invalid(message, target=name, code="ObjectConflict")


def conflicting() -> GraphRefusal:
    """400 of the directory: this very object, e.g. a role assignment, exists already."""
    return invalid(
        "A conflicting object with one or more of the specified property values is present in the directory."
    )


def weak_password() -> GraphRefusal:
    """400 of the directory: the password breaks the tenant's rules."""
    return invalid(
        "The specified password does not comply with password complexity requirements. Please provide a different "
        "password.",
        target="password",
        code="PasswordComplexity",
    )


def bad_request(message: str) -> GraphRefusal:
    """400 of every service but the directory."""
    return GraphRefusal(400, "BadRequest", message)


def unreadable() -> GraphRefusal:
    """400: the body is not a JSON object."""
    return bad_request(
        "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON "
        "format."
    )
