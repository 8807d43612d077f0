"""Python processes that begin anew, on byte code that was compiled before, as the deployed package's is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from local.addresses import PROJECT

_COLLECTED: Final = re.compile(r"Collected : (\d+)")


class Processes:
    """Runs them, in the project's directory, with these settings and little else in their environment."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        """The byte code is kept in `directory`."""
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **(settings or {}),
            "PYTHONPYCACHEPREFIX": str(directory / "bytecode"),
            "PYTHONHASHSEED": "0",  # the order of sets, and with it the count, is the same every time
        }

    def run(self, *arguments: str, text: str = "", under: Sequence[str] = ()) -> str:
        """What `python ARGUMENTS` writes, given that text to read.

        Raises:
            CalledProcessError: it fails.
        """
        command = [*under, sys.executable, *arguments]
        ran = subprocess.run(
            command, cwd=PROJECT, env=self._environment, input=text, capture_output=True, text=True, check=True
        )
        return ran.stderr if under else ran.stdout

    def instructions(self, *runs: Sequence[str], text: str = "") -> list[int]:
        """How many instructions the processor takes for each of these, two at a time."""
        for arguments in runs:
            self.run(*arguments, text=text)  # now everything is compiled
        count = ("valgrind", "--tool=callgrind", f"--callgrind-out-file={os.devnull}")
        with ThreadPoolExecutor(2) as pool:
            told = pool.map(lambda arguments: self.run(*arguments, text=text, under=count), runs)
            return [int(_COLLECTED.findall(each)[-1]) for each in told]


def can_count() -> bool:
    """Whether valgrind is here."""
    return shutil.which("valgrind") is not None
