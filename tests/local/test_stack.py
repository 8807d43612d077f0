"""The stack starts as one, tells where it is, and leaves no process behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.queue import QueueServiceClient

from local.addresses import PROJECT, Addresses, StackNotUp
from local.children import Child, ChildFailed
from local.client import Client
from local.host import FunctionHost
from local.stack import QUEUES, TABLES, Stack, app_settings
from local.storage import Azurite, StoragePorts
from local.tokens import TokenRefused, bearer, claims_of
from shared.adapters.storage import due_table, tenant_index_table, tenant_table
from shared.adapters.storage.messages import RESULTS
from tests.local.conftest import APP

SETTINGS = {"WORK_QUEUE": "work", "TICK_SCHEDULE": "0 0 0 1 1 *"}

START_AND_WATCH = """
import sys
from pathlib import Path
from local.__main__ import stop_signals_interrupt
from local.host import FunctionHost
from local.stack import QUEUES, TABLES, Stack, app_settings
from tests.local.test_stack import SETTINGS

stop_signals_interrupt()
with Stack(directory=Path(sys.argv[1]), app_directory=Path(sys.argv[2]), settings=SETTINGS) as stack:
    print("ready", flush=True)
    stack.watch()
"""


def start(directory: Path) -> subprocess.Popen[str]:
    """A process that has started a stack in `directory` and watches it."""
    process = subprocess.Popen(
        [sys.executable, "-c", START_AND_WATCH, str(directory), str(APP)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def listeners(addresses: Addresses) -> list[int]:
    """The ports of the stack on which somebody accepts connections."""
    storage = dict(part.split("=", 1) for part in addresses.storage_connection_string.split(";"))
    urls = [addresses.api, addresses.simulator, addresses.key_vault]
    urls += [storage[f"{service}Endpoint"] for service in ("Blob", "Queue", "Table")]
    open_ports = []
    for port in (urlsplit(url).port or 0 for url in urls):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                open_ports.append(port)
    return open_ports


def nobody_is_left(addresses: Addresses) -> bool:
    """Whether every service is gone, at once or within some seconds."""
    deadline = time.monotonic() + 5
    while listeners(addresses) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not listeners(addresses)


def test_a_stack_is_ready_says_where_it_is_and_is_gone_afterwards(tmp_path: Path) -> None:
    with Stack(directory=tmp_path, app_directory=APP, settings=SETTINGS) as stack:
        addresses = Addresses.read(tmp_path / "stack.json")
        client = Client(addresses)
        answered = client.api("GET", "/files/a").json
        listening = listeners(addresses)
        with TableServiceClient.from_connection_string(addresses.storage_connection_string) as tables:
            table_names = {table.name for table in tables.list_tables()}
        with QueueServiceClient.from_connection_string(addresses.storage_connection_string) as queues:
            queue_names = {queue.name for queue in queues.list_queues()}
        assert addresses == stack.addresses

    assert answered == {"path": "a"}
    assert len(listening) == 6
    assert table_names == set(TABLES)
    assert queue_names == set(QUEUES)
    assert (tmp_path / "logs" / "app.log").read_text().count("Executed 'Functions.Files' (Succeeded") == 1
    assert nobody_is_left(addresses)
    with pytest.raises(StackNotUp):
        Addresses.read(tmp_path / "stack.json")
    with pytest.raises(StackNotUp):
        client.api("GET", "/files/a")


def test_tokens_are_those_of_the_simulators_callers(tmp_path: Path) -> None:
    with Stack(directory=tmp_path, app_directory=APP, settings=SETTINGS) as stack:
        client = Client(stack.addresses)

        reader, executor = bearer(client, "reader"), bearer(client, "executor")
        with pytest.raises(TokenRefused, match="Onboard the tenant first"):
            bearer(client, "operator", tenant_id="00000000-0000-4000-8000-000000000000")
        with pytest.raises(TokenRefused, match="nobody"):
            bearer(client, "nobody")

    assert claims_of(reader)["roles"] == ["Tenants.Read.All"]
    assert claims_of(executor)["idtyp"] == "app"


def test_a_killed_app_comes_back_on_its_address(tmp_path: Path) -> None:
    with Stack(directory=tmp_path, app_directory=APP, settings=SETTINGS) as stack:
        client = Client(stack.addresses)
        first = stack.addresses.pids["app"]

        stack.kill_app()
        with pytest.raises(StackNotUp):
            client.api("GET", "/files/a")
        stack.start_app()

        assert client.api("GET", "/files/a").status == 200
        assert stack.addresses.pids["app"] != first


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_the_stacks_process_ends_none_of_its_children_is_left(tmp_path: Path, how: signal.Signals) -> None:
    with start(tmp_path) as process:
        addresses = Addresses.read(tmp_path / "stack.json")
        assert len(listeners(addresses)) == 6

        process.send_signal(how)
        process.communicate(timeout=20)

    assert nobody_is_left(addresses)


@pytest.mark.parametrize("name", ["azurite", "simulator", "app"])
def test_a_child_that_dies_ends_the_stack_and_is_named(tmp_path: Path, name: str) -> None:
    with start(tmp_path) as process:
        addresses = Addresses.read(tmp_path / "stack.json")

        os.kill(addresses.pids[name], signal.SIGKILL)
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert f"ChildFailed: {name} ended with status -9. The end of {tmp_path / 'logs' / name}.log:" in errors
    assert nobody_is_left(addresses)


def test_an_app_that_does_not_load_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{}")
    (tmp_path / "function_app.py").write_text("import nothing_of_this_name")

    with pytest.raises(ChildFailed, match="app did not get ready") as failure:
        with Stack(directory=tmp_path, app_directory=tmp_path):
            pass

    assert "nothing_of_this_name" in str(failure.value)


def test_a_taken_port_is_told_by_the_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = replace(StoragePorts.free(), table=taken.getsockname()[1])

        with pytest.raises(ChildFailed, match="EADDRINUSE"):
            with Azurite(ports, log=tmp_path / "azurite.log"):
                pass


def test_a_child_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    child = Child("silent", ["sleep", "60"], log=tmp_path / "silent.log")
    try:
        with pytest.raises(ChildFailed, match="silent did not get ready"):
            child.announcement(within=0.1)
    finally:
        child.stop()

    with pytest.raises(ChildFailed, match="ended with status -15"):
        child.require_alive()


def test_a_child_gets_nothing_of_this_machines_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/not/ours")
    show = "import json, os; print(json.dumps(dict(os.environ)))"

    child = Child("shows", [sys.executable, "-c", show], log=tmp_path / "shows.log", environment={"OURS": "yes"})
    environment = child.announcement(within=10)
    child.stop()

    assert environment["OURS"] == "yes"
    assert "REQUESTS_CA_BUNDLE" not in environment


def test_the_stack_makes_the_tables_and_queues_that_the_app_uses() -> None:
    with FunctionHost(PROJECT, app_settings("https://127.0.0.1", "https://127.0.0.1", "", "")) as host:
        triggers = [trigger for function in host.functions if (trigger := function.trigger("queueTrigger"))]

    listened_to = {str(trigger["queueName"]) for trigger in triggers}
    assert {name for name in listened_to if not name.endswith("-poison")} | set(RESULTS.values()) == set(QUEUES)
    assert set(TABLES) == {tenant_table.NAME, tenant_index_table.NAME, due_table.NAME}
