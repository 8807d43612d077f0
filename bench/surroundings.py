"""Where and of what the figures were taken: without it they say nothing a month later."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from local.addresses import PROJECT

_PACKAGES: Final = (
    "azure-functions",
    "azure-functions-runtime",
    "azure-data-tables",
    "azure-storage-queue",
    "azure-identity",
    "azure-keyvault-secrets",
    "msal",
    "msgspec",
    "PyJWT",
)


def surroundings() -> Mapping[str, object]:
    """The time, the commit, the machine and the versions."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "system": platform.system(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "memoryGiB": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "loadBefore": round(os.getloadavg()[0], 1),
        },
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}},
    }


def _commit() -> str:
    """The commit, with `+` when something is not committed; `unknown` outside of a repository."""
    try:
        head = _git("rev-parse", "--short=12", "HEAD")
        return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, text=True, check=True)  # noqa: S607
    return ran.stdout.strip()


def _processor() -> str:
    """The processor's name as Linux knows it."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text("utf-8").splitlines() if names.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
