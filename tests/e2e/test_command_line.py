"""`python -m local` gives tokens of its callers and settings for others' tools, and says so when no stack is up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local import demo
from local.addresses import PROJECT, StackNotUp
from local.client import Client
from local.stack import Stack
from local.stage import StepFailed
from local.tokens import ROLES, claims_of
from tests.e2e.customer import Customer

NOT_UP = "The local stack is not up. Start it with `make run`, in another terminal.\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory that looks like this project, without a stack."""
    for name in ("local", "infra", "shared", "functions", "function_app.py", "host.json"):
        (tmp_path / name).symlink_to(PROJECT / name)
    return tmp_path


@pytest.fixture
def running(project: Path, stack: Stack) -> Path:
    """The same, with the stack of this suite up."""
    (project / ".local").symlink_to(stack.addresses.ca_bundle.parents[1])
    return project


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments], cwd=directory, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_token_opens_the_doors_of_its_role_in_every_tenant(running: Path, client: Client, role: str) -> None:
    printed = run(running, "token", "--role", role)

    token = printed.stdout.strip()
    assert (printed.returncode, printed.stderr) == (0, "")
    assert claims_of(token)["idtyp"] == ("app" if role == "executor" else "user")
    listed = client.api("GET", "/v1/tenants", token=token).status
    assert listed == (403 if role == "executor" else 200)


def test_a_token_for_one_tenant_opens_doors_there_and_nowhere_else(running: Path, client: Client) -> None:
    here, elsewhere = Customer.onboarded(client), Customer.onboarded(client)

    printed = run(running, "token", "--role", "operator", "--tenant", here.tenant_id)

    token = printed.stdout.strip()
    statuses = [client.api("GET", f"/v1/tenants/{each.tenant_id}", token=token).status for each in (here, elsewhere)]
    assert statuses == [200, 404]
    assert client.api("GET", "/v1/tenants", token=token).status == 403


def test_a_token_for_a_tenant_nobody_knows_is_refused_with_what_to_do(running: Path) -> None:
    printed = run(running, "token", "--role", "reader", "--tenant", "00000000-0000-4000-8000-000000000009")

    assert printed.returncode == 1
    assert printed.stdout == ""
    assert "Onboard the tenant first" in printed.stderr


def test_the_settings_are_those_the_app_runs_on_and_are_for_this_user_alone(running: Path, stack: Stack) -> None:
    printed = run(running, "settings")

    written = running / "local.settings.json"
    content = json.loads(written.read_text("utf-8"))
    assert printed.returncode == 0
    assert content == {"IsEncrypted": False, "Values": dict(stack.addresses.settings)}
    assert written.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "trouble", [StepFailed("it is 2 instead of 1"), StackNotUp(), KeyError("leaseId"), OSError("gone")]
)
def test_a_demo_that_fails_names_the_step_and_is_no_success(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], trouble: Exception
) -> None:
    def fails() -> str:
        raise trouble

    steps = (("Onboard the tenant", lambda: "201"), ("Grant consent", fails), ("Turn the session on", lambda: "on"))
    monkeypatch.setattr(demo.Story, "steps", lambda _: steps)

    status = demo.run(stack)

    printed = capsys.readouterr().out.splitlines()
    assert status == 1
    assert printed[0] == "  1  Onboard the tenant: 201"
    assert printed[1] == f"  2  FAILED  Grant consent: {type(trouble).__name__}: {trouble}"
    assert len(printed) == 2


@pytest.mark.parametrize("command", [("token", "--role", "reader"), ("settings",)])
def test_without_a_stack_the_commands_say_how_to_get_one(project: Path, command: tuple[str, ...]) -> None:
    printed = run(project, *command)

    assert (printed.returncode, printed.stdout, printed.stderr) == (1, "", NOT_UP)
    assert not (project / "local.settings.json").exists()


def test_with_a_stack_whose_simulator_is_gone_the_token_command_says_the_same(project: Path, stack: Stack) -> None:
    described = json.loads((stack.addresses.ca_bundle.parents[1] / "stack.json").read_text("utf-8"))
    (project / ".local").mkdir()
    gone = {**described, "simulator": "https://127.0.0.1:9"}
    (project / ".local" / "stack.json").write_text(json.dumps(gone), "utf-8")

    printed = run(project, "token", "--role", "reader")

    assert (printed.returncode, printed.stderr) == (1, NOT_UP)


def test_a_second_stack_on_the_same_directory_is_refused(running: Path) -> None:
    printed = run(running, "up")

    assert printed.returncode == 1
    assert "up already" in printed.stderr
