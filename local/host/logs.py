"""The host's log: time, level, function and message on standard error, filtered by host.json's logLevel."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

# Names of Microsoft.Extensions.Logging.LogLevel, as host.json spells them.
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}
_SPELLED = {
    logging.DEBUG: "Debug",
    logging.INFO: "Information",
    logging.WARNING: "Warning",
    logging.ERROR: "Error",
    logging.CRITICAL: "Critical",
}
# The worker sends what these loggers say as system logs, which are not the app's.
_SYSTEM = ("azure.functions", "azure_functions_runtime", "azure_functions_worker")


class HostLog(logging.Handler):
    """Writes the app's records and the host's own; `current_function` names the function that the thread is running."""

    def __init__(self, levels: Mapping[str, str], current_function: Callable[[], str | None]) -> None:
        """`levels` is `logging.logLevel` of host.json: the longest category that fits a record decides."""
        super().__init__()
        self._levels = {category.lower(): _LEVELS[level.lower()] for category, level in levels.items()}
        self._current_function = current_function

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record unless its category's level forbids it."""
        function = self._current_function()
        category = _category(record, function)
        if record.levelno < self._threshold(category):
            return
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        source = function or category.removeprefix("Function.")
        level = _SPELLED.get(record.levelno, record.levelname)
        sys.stderr.write(f"[{time}] {level} {source}: {self.format(record)}\n")
        sys.stderr.flush()

    def _threshold(self, category: str) -> int:
        parts = category.lower().split(".")
        for length in range(len(parts), 0, -1):
            level = self._levels.get(".".join(parts[:length]))
            if level is not None:
                return level
        return self._levels.get("default", logging.INFO)


def _category(record: logging.LogRecord, function: str | None) -> str:
    """The platform's category: of a function's own lines, of the host's about a function, of the worker's."""
    if record.name.startswith(_SYSTEM):
        return "Worker"
    if record.name.startswith(("Function.", "Host.")):
        return record.name
    return f"Function.{function}.User" if function else record.name


def write_logs_to_stderr(log: HostLog) -> None:
    """Makes `log` the process's only log. The worker forces the root logger to INFO; so does this."""
    root = logging.getLogger()
    root.handlers[:] = [log]
    root.setLevel(logging.INFO)
