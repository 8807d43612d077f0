"""What the platform would refuse to load is refused here, with the reason, and nothing of an app outlives its host."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from local.host import FunctionHost, IndexingFailed
from local.host.options import SettingMissing
from local.host.routes import TemplateInvalid
from local.host.triggers import TriggerRefused
from tests.local.conftest import APP

HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"


def load(directory: Path, functions: str, settings: dict[str, str] | None = None) -> None:
    """Loads an app that consists of these functions."""
    (directory / "host.json").write_text('{"version": "2.0"}')
    (directory / "function_app.py").write_text(HEAD + functions)
    with FunctionHost(directory, settings or {}):
        pass


@pytest.mark.parametrize(
    ("functions", "reason"),
    [
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("", "no function"),
        ("@app.route('a')\ndef f(request: func.HttpRequest) -> func.HttpResponse: ...", "request"),
        ("@app.route('a')\ndef f(req: func.HttpRequest, extra=None) -> func.HttpResponse: ...", "extra"),
        ("@app.route('a')\ndef f(req: func.HttpRequest) -> dict: ...", "dict"),
        (
            "@app.route('a')\ndef f(req: func.HttpRequest) -> func.HttpResponse: ...\nother_name = app",
            "More than one",
        ),
    ],
)
def test_what_microsofts_runtime_refuses_names_the_reason(tmp_path: Path, functions: str, reason: str) -> None:
    with pytest.raises(IndexingFailed, match=reason):
        load(tmp_path, functions)


@pytest.mark.parametrize(
    ("functions", "error", "reason"),
    [
        ("@app.route('administrators')\ndef f(req): ...", TriggerRefused, "administrators"),
        ("@app.function_name('1 bad name!')\n@app.route('a')\ndef f(req): ...", TriggerRefused, "1 bad name!"),
        ("@app.route('a')\ndef f(req): ...\n@app.route('A')\ndef g(req): ...", TriggerRefused, "g: f answers"),
        (
            "@app.route('a')\n@app.queue_output(arg_name='out', queue_name='q', connection='C')\ndef f(req, out): ...",
            TriggerRefused,
            "'queue'",
        ),
        ("@app.route('a/{b:datetime}')\ndef f(req): ...", TemplateInvalid, "datetime"),
        ("@app.route('a/{b}.json')\ndef f(req): ...", TemplateInvalid, "b"),
        ("@app.route('a/{b?}/c')\ndef f(req): ...", TemplateInvalid, "last segment"),
        (
            "@app.queue_trigger(arg_name='msg', queue_name='%NOT_SET%', connection='C')\ndef f(msg): ...",
            SettingMissing,
            "NOT_SET",
        ),
    ],
)
def test_what_the_host_refuses_names_the_reason(
    tmp_path: Path, functions: str, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        load(tmp_path, functions)


def test_an_app_without_host_json_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FunctionHost(tmp_path, {})


def test_a_disabled_function_is_not_there(settings: dict[str, str]) -> None:
    with FunctionHost(APP, settings | {"AzureWebJobs.Behave.Disabled": "true"}) as host:
        assert host.get("/api/behave/well").status == 404
        assert host.get("/api/files/a").status == 200


def test_after_a_host_the_process_is_as_it_was(settings: dict[str, str]) -> None:
    modules = {name: module for name, module in sys.modules.items() if name.startswith("azure_functions_runtime")}
    path, environment = list(sys.path), dict(os.environ)

    with FunctionHost(APP, settings):
        assert os.environ["WORK_QUEUE"] == settings["WORK_QUEUE"]
        assert "function_app" in sys.modules

    assert "function_app" not in sys.modules
    assert {name: sys.modules.get(name) for name in modules} == modules
    assert (sys.path, dict(os.environ)) == (path, environment)


def test_two_hosts_after_each_other_do_not_know_of_each_other(settings: dict[str, str]) -> None:
    with FunctionHost(APP, settings) as first:
        first.tick("Tick")
        ticked = sys.modules["function_app"]

    with FunctionHost(APP, settings) as second:
        assert sys.modules["function_app"] is not ticked
        assert [function.name for function in second.functions] == [function.name for function in first.functions]
        assert not second.tick("Tick").succeeded  # its first tick, again
