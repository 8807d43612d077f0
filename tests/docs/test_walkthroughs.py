"""The walk-throughs of docs/api.md do what they say, against a running stack."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from local.stack import Stack
from tests.docs.pages import ROOT, Block, blocks, section, text_of

END_OF_BLOCK: Final = "── end of block ──"
WITHIN: Final = 60.0  # seconds


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory as the reader has it after `make run`: `local`, `.venv`, and a stack that `.local` tells of.

    It is not the project itself, so that a stack that is up there, and its ports, are left alone.
    """
    directory = tmp_path_factory.mktemp("clone")
    (directory / "local").symlink_to(ROOT / "local")
    python = directory / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
    python.chmod(0o700)
    with Stack(directory=directory / ".local"):
        yield directory


def commands(title: str, language: str) -> list[tuple[str, str | None]]:
    """A section's blocks of that language, each with the output that is shown right after it."""
    shown: list[Block | None] = [*blocks(section(text_of("api.md"), title)), None]
    return [
        (block.text, following.text if following and following.language == "text" else None)
        for block, following in pairwise(shown)
        if block and block.language == language
    ]


def outputs(clone: Path, command: list[str], script: str) -> list[str]:
    """What each block of a script prints."""
    finished = subprocess.run(
        command,
        cwd=clone,
        env={"PATH": os.environ["PATH"], "HOME": str(clone)},
        input=script,
        capture_output=True,
        text=True,
        timeout=WITHIN,
    )
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr}"
    return finished.stdout.split(f"{END_OF_BLOCK}\n")[:-1]


@pytest.fixture(scope="module")
def console(clone: Path) -> list[tuple[str | None, str]]:
    """The console's walk-through: what each command shall print, and what it prints."""
    steps = commands("Walk-through: a console", "sh")
    script = "".join(f"{text}echo '{END_OF_BLOCK}'\n" for text, _ in steps)
    printed = outputs(clone, ["bash", "-euo", "pipefail"], script)
    return list(zip([expected for _, expected in steps], printed, strict=True))


def test_a_console_turns_a_session_on(console: list[tuple[str | None, str]]) -> None:
    assert [(expected or "", printed) for expected, printed in console if (expected or "") != printed] == []
    assert console[-1][1] == "succeeded\non\n"


@pytest.mark.usefixtures("console")
def test_an_executor_gets_a_token_and_says_that_it_is_done(clone: Path) -> None:
    steps = commands("Walk-through: an executor", "python")
    script = "".join(f"{text}\nprint('{END_OF_BLOCK}')\n" for text, _ in steps)

    printed = outputs(clone, [str(clone / ".venv" / "bin" / "python"), "-X", "utf8", "-"], script)

    assert printed == [expected or "" for _, expected in steps]
    assert re.search(r"^exchange Bearer$", "".join(printed), re.MULTILINE)
