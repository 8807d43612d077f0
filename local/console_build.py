"""`python -m local.console_build` builds the console with npm, when its sources are newer than what was built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from infra.console_site import BUILT
from local.addresses import PROJECT
from local.node import InstallFailed, find_node

CONSOLE = PROJECT / "console"
CONTRACTS = PROJECT / "contracts"

_OLDEST_NODE = 20  # Vite asks for it
_SOURCES = ("src", "public", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


def is_current() -> bool:
    """Whether what was built is newer than everything it was built from."""
    index = BUILT / "index.html"
    return index.exists() and index.stat().st_mtime >= max(each.stat().st_mtime for each in _inputs())


def build() -> None:
    """Installs what package-lock.json names and builds; does nothing when the build is current.

    Raises:
        InstallFailed: there is no Node, or npm failed; the message ends with what npm said.
    """
    if is_current():
        return
    node = find_node(_OLDEST_NODE)
    # What npm runs finds its interpreter by the name `node`.
    path = f"{Path(node.node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    for arguments in _commands():
        done = subprocess.run(
            [*node.npm, *arguments], cwd=CONSOLE, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()[-20:]
            raise InstallFailed("\n".join(["The console could not be built:", *said]))


def _commands() -> list[tuple[str, ...]]:
    """What npm has to do: the build, and before it the installation unless that is as package-lock.json says."""
    installed, wanted = CONSOLE / "node_modules" / ".package-lock.json", CONSOLE / "package-lock.json"
    is_installed = installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime
    return [*([] if is_installed else [("ci", "--no-audit", "--no-fund")]), ("run", "build")]


def _inputs() -> list[Path]:
    inputs = [path for path in CONTRACTS.rglob("*") if path.suffix in (".yaml", ".json") and "schemas" in str(path)]
    inputs.append(CONTRACTS / "openapi.yaml")
    for name in _SOURCES:
        path = CONSOLE / name
        # src/contract.ts is made by the build itself.
        inputs += [p for p in (path.rglob("*") if path.is_dir() else [path]) if p.is_file() and p.name != "contract.ts"]
    return inputs


def main() -> int:
    """Builds; 1 and a sentence on standard error when that was not possible. The stack runs without it."""
    try:
        build()
    except InstallFailed as failure:
        sys.stderr.write(f"{failure}\nThe local stack starts without the console.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
