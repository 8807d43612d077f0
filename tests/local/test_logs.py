"""The host's log shows what the platform would: level, function and message, as far as host.json wants them."""

from __future__ import annotations

import logging
from typing import Final

import pytest

from local.host.logs import HostLog

LEVELS: Final = {
    "default": "Warning",
    "Function": "Information",
    "Function.Quiet": "Error",
    "Function.Quiet.User": "Trace",
    "Function.Silent": "None",
}


def logged(capsys: pytest.CaptureFixture[str], function: str | None, logger: str, level: int) -> str:
    """What the log writes for one record, without its time; empty when it writes nothing."""
    log = HostLog(LEVELS, lambda: function)
    log.emit(logging.LogRecord(logger, level, __file__, 1, "said %s", ("so",), None))
    return capsys.readouterr().err.partition("] ")[2]


def test_what_a_function_logs_carries_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, "Echo", "any.logger", logging.INFO) == "Information Echo: said so\n"


def test_what_the_host_says_about_a_function_carries_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert logged(capsys, None, "Function.Echo", logging.ERROR) == "Error Echo: said so\n"


@pytest.mark.parametrize(
    ("function", "logger", "level", "is_written"),
    [
        (None, "any.logger", logging.INFO, False),
        (None, "any.logger", logging.WARNING, True),
        ("Echo", "any.logger", logging.DEBUG, False),
        ("Quiet", "any.logger", logging.DEBUG, True),
        (None, "Function.Quiet", logging.WARNING, False),
        (None, "Function.Quiet", logging.ERROR, True),
        ("Silent", "any.logger", logging.CRITICAL, False),
        ("Echo", "azure.functions", logging.INFO, False),
        ("Echo", "azure_functions_runtime.loader", logging.INFO, False),
        (None, "Host.Triggers.Queues", logging.WARNING, True),
    ],
)
def test_the_longest_category_of_host_json_that_fits_decides(
    capsys: pytest.CaptureFixture[str], function: str | None, logger: str, level: int, is_written: bool
) -> None:
    assert bool(logged(capsys, function, logger, level)) == is_written
