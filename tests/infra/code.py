"""What the code says of itself: its triggers, tables, settings and events, read from its syntax without running it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from shared.domain.activity import Event
from tests.infra.environments import PROJECT

_SETTING: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|SessionStorage(__\w+)?")
_RECORDED_ONLY: Final = ("act.py", "answer_parked.py", "hold_lease.py")
"""What single actions and leases go through is in the activity trail only: it is as much as all the rest together."""
_PLACEHOLDER: Final = re.compile(r"%(\w+)%")


def trigger_queues() -> set[str]:
    """The queues that functions are triggered by."""
    return {text for call in _bindings("queue_trigger") if isinstance(text := _keyword(call, "queue_name"), str)}


def connections() -> set[str]:
    """The connections that triggers name."""
    return {text for call in _bindings("queue_trigger") if isinstance(text := _keyword(call, "connection"), str)}


def placeholders() -> set[str]:
    """The settings that bindings name as %NAME%; without one of them the host loads no function."""
    calls = [node for tree in _trees("functions") for node in ast.walk(tree) if isinstance(node, ast.Call)]
    texts = [node.value for call in calls for node in ast.walk(call) if isinstance(node, ast.Constant)]
    return {name for text in texts if isinstance(text, str) for name in _PLACEHOLDER.findall(text)}


def settings_read() -> set[str]:
    """The names of settings in shared/config.py, the only reader of the environment."""
    tree = ast.parse((PROJECT / "shared" / "config.py").read_text("utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if _SETTING.fullmatch(text)}


@cache
def events_logged() -> set[str]:
    """The names of the log's events: those spelled out, and those of entries that are logged as they are recorded."""
    calls = [call for tree in _trees("shared", "functions") for call in _telemetry(tree)]
    spelled = {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}
    services = PROJECT / "shared" / "services"
    logging = [file for file in sorted(services.glob("*.py")) if file.name not in _RECORDED_ONLY]
    return spelled.union(*(_event_members(ast.parse(file.read_text("utf-8"))) for file in logging))


@cache
def fields_logged() -> set[str]:
    """The names of the fields that events carry."""
    calls = [call for tree in _trees("shared", "functions") for call in _telemetry(tree)]
    return {"event", "correlationId"} | {word.arg for call in calls for word in call.keywords if word.arg} - {"level"}


def _telemetry(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "telemetry.event":
            yield node


def _event_members(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Event":
            yield Event[node.attr].value


def _bindings(kind: str) -> Iterator[ast.Call]:
    for tree in _trees("functions"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == kind:
                yield node


def _keyword(call: ast.Call, name: str) -> object:
    (value,) = [word.value for word in call.keywords if word.arg == name]
    return ast.literal_eval(value)


@cache
def _trees(*rooms: str) -> tuple[ast.Module, ...]:
    files = sorted(file for room in rooms for file in (PROJECT / room).rglob("*.py"))
    return tuple(ast.parse(Path(file).read_text("utf-8")) for file in files)
