"""The admin API is the platform's: liveness for everybody, the rest for who holds the master key."""

from __future__ import annotations

import time
from types import ModuleType

import pytest

from local.host import FunctionHost


@pytest.fixture
def key(host: FunctionHost) -> dict[str, str]:
    return {"x-functions-key": host.master_key}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_needs_no_key(host: FunctionHost, method: str) -> None:
    response = host.call(method, "/admin/host/ping")

    assert (response.status, response.body) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/host/status"),
        ("GET", "/admin/functions"),
        ("POST", "/admin/functions/Tick"),
        ("GET", "/admin/x"),
    ],
)
def test_everything_else_needs_the_master_key(host: FunctionHost, method: str, path: str) -> None:
    assert host.call(method, path).status == 401
    assert host.call(method, path, headers={"x-functions-key": "only-for-tests-wrong-é"}).status == 401
    assert host.call(method, f"{path}?code=only-for-tests-wrong").status == 401


def test_the_key_may_come_in_the_query(host: FunctionHost) -> None:
    assert host.get(f"/admin/host/status?code={host.master_key}").status == 200


def test_status_says_that_the_host_runs(host: FunctionHost, key: dict[str, str]) -> None:
    status = host.get("/admin/host/status", headers=key).json()

    assert isinstance(status, dict)
    assert status["state"] == "Running"


def test_functions_are_listed_with_their_bindings(host: FunctionHost, key: dict[str, str]) -> None:
    functions = host.get("/admin/functions", headers=key).json()

    assert isinstance(functions, list)
    assert [function["name"] for function in functions] == [function.name for function in host.functions]
    (record,) = (function for function in functions if function["name"] == "Record")
    assert record["config"]["bindings"][0]["queueName"] == "%WORK_QUEUE%"
    assert host.get("/admin/functions/record", headers=key).json() == record


def test_a_queue_function_runs_by_hand(host: FunctionHost, key: dict[str, str], app: ModuleType) -> None:
    response = host.call("POST", "/admin/functions/Record", headers=key, json={"input": "by hand"})

    assert response.status == 202
    deadline = time.monotonic() + 10
    while not app.messages and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [message.get_body() for message in app.messages] == [b"by hand"]


def test_a_timer_function_runs_by_hand(host: FunctionHost, key: dict[str, str], app: ModuleType) -> None:
    response = host.call("POST", "/admin/functions/Tick", headers=key)

    assert response.status == 202
    deadline = time.monotonic() + 10
    while not app.ticks and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(app.ticks) == 1


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("Nothing", "{}", 404),
        ("Echo", "{}", 400),
        ("Record", "no json", 400),
        ("Record", "[]", 400),
        ("Record", '{"input": 1}', 400),
    ],
)
def test_what_cannot_run_by_hand_is_refused(
    host: FunctionHost, key: dict[str, str], name: str, body: str, status: int
) -> None:
    assert host.call("POST", f"/admin/functions/{name}", headers=key, body=body).status == status
