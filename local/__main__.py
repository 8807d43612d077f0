"""`python -m local` is the local stack: start it, get tokens of its callers, walk through the whole story."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence

from local.addresses import LOCAL, PROJECT, Addresses, StackNotUp
from local.children import ChildFailed
from local.client import Client
from local.node import InstallFailed
from local.tokens import ROLES, TokenRefused, bearer


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; the exit status is 0 when it did what it should."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")

    up = commands.add_parser("up", help="start Azurite, the simulated Microsoft 365 and the app, until Ctrl-C")
    up.add_argument("--ports", choices=("default", "free"), default="default", help="default: 7071, 8443, 8444, 1000x")
    up.add_argument("--two-registrations", action="store_true", help="one application onboards, another runs sessions")
    up.set_defaults(command=_up)

    demo = commands.add_parser("demo", help="start the stack on free ports, walk the whole story, stop it")
    demo.set_defaults(command=_demo)

    token = commands.add_parser("token", help="print a bearer token of a seeded caller")
    token.add_argument("--role", choices=ROLES, required=True)
    token.add_argument("--tenant", metavar="ID", help="only in this tenant; without it in all")
    token.set_defaults(command=_token)

    settings = commands.add_parser("settings", help="write local.settings.json for Azure Functions Core Tools")
    settings.set_defaults(command=_settings)

    chosen = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = chosen.command
    try:
        return command(chosen)
    except (StackNotUp, TokenRefused, ChildFailed, InstallFailed) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def stop_signals_interrupt() -> None:
    """Makes SIGTERM and SIGHUP end the process as Ctrl-C does, so that every `with` block is left in order.

    SIGINT too: a shell has what it starts in the background ignore it, and then Python leaves it ignored.
    """
    for stop in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, signal.default_int_handler)


def _up(chosen: argparse.Namespace) -> int:
    # Not at the top: `token` needs none of it and should be quick.
    from local.stack import TWO_REGISTRATIONS, Stack, StackPorts

    if _is_up():
        sys.stderr.write("The local stack is up already; .local/stack.json says where.\n")
        return 1
    stop_signals_interrupt()
    try:
        ports = StackPorts() if chosen.ports == "default" else StackPorts.free()
        with Stack(ports, settings=TWO_REGISTRATIONS if chosen.two_registrations else None) as stack:
            sys.stdout.write(_how_to_call(stack.addresses))
            sys.stdout.flush()
            stack.watch()
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped.\n")
    return 0


def _demo(_: argparse.Namespace) -> int:
    from local import demo
    from local.stack import Stack

    stop_signals_interrupt()
    directory = LOCAL / f"demo-{os.getpid()}"  # of its own, so that demos can run side by side
    with Stack(directory=directory) as stack:
        status = demo.run(stack)
    if status == 0:
        shutil.rmtree(directory)
    else:
        sys.stderr.write(f"The logs are in {directory / 'logs'}.\n")
    return status


def _token(chosen: argparse.Namespace) -> int:
    token = bearer(Client(Addresses.read()), chosen.role, tenant_id=chosen.tenant)
    sys.stdout.write(f"{token}\n")
    return 0


def _settings(_: argparse.Namespace) -> int:
    path = PROJECT / "local.settings.json"
    content = {"IsEncrypted": False, "Values": dict(Addresses.read().settings)}
    path.touch(mode=0o600)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(
        f"Wrote {path.name}. Stop the stack's own app or let func use another port: func start --port 7072\n"
    )
    return 0


def _is_up() -> bool:
    try:
        return Client(Addresses.read()).api("GET", "/health/live").status > 0
    except StackNotUp:
        return False


def _how_to_call(addresses: Addresses) -> str:
    console = addresses.console or "(not built: make console)"
    return f"""
The local stack is up.

  Console      {console}
  API          {addresses.api}
  Microsoft    {addresses.simulator}   (simulated; control under /_simulator)
  Key Vault    {addresses.key_vault}
  everything   .local/stack.json, logs in .local/logs

Call it from another terminal, in this directory:

  TOKEN=$(.venv/bin/python -m local token --role reader)
  curl -H "Authorization: Bearer $TOKEN" {addresses.api}/v1/tenants

  The contract, in a browser: {addresses.api}/docs

Ctrl-C stops everything.
"""


if __name__ == "__main__":
    sys.exit(main())
