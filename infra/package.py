"""The package that is deployed holds the app, its locked dependencies and byte code that stays valid, and nothing else.

Why not let Azure build it: the remote build of Flex Consumption has used another Python than the app's
(https://github.com/Azure/azure-dev/issues/8538), and byte code that it makes is stale once the package was zipped and
unzipped, for a zip keeps times to two seconds only. Imports then take about twice as long, at every cold start.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

PROJECT: Final = Path(__file__).parents[1]
SHIPPED: Final = ("function_app.py", "host.json", "contracts", "functions", "shared")
NOT_SHIPPED: Final = ("__pycache__", "examples")
DEPENDENCIES: Final = Path(".python_packages", "lib", "site-packages")
"""Where the Functions host looks for them (https://learn.microsoft.com/azure/azure-functions/python-build-options)."""

_PLATFORMS: Final = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
_UNCHECKED: Final = (0b01).to_bytes(4, "little")
"""Flags of byte code that is never compared with its source (PEP 552)."""
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can state: when a package was built is no part of it."""

Install = Callable[[Path], None]


class PackageUnfit(Exception):
    """The package would not run, or not as fast as it should."""


def install_locked(into: Path) -> None:
    """Install requirements.lock for Linux: wheels only, each with a hash that the lock knows.

    Raises:
        PackageUnfit: pip refused.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    platforms = [word for platform in _PLATFORMS for word in ("--platform", platform)]
    options = ["--require-hashes", "--only-binary", ":all:", "--python-version", version, *platforms, "--no-compile"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *options, "--target", str(into)]
    done = subprocess.run([*command, "--requirement", str(PROJECT / "requirements.lock")], check=False)  # noqa: S603
    if done.returncode:
        raise PackageUnfit("pip could not install requirements.lock; what it wrote above says why.")


def build(package: Path, *, project: Path = PROJECT, install: Install = install_locked) -> int:
    """Write the package; how many files it has.

    Raises:
        PackageUnfit: dependencies are missing, or byte code is.
    """
    with tempfile.TemporaryDirectory() as directory:
        stage = Path(directory)
        for name in SHIPPED:
            source = project / name
            if source.is_dir():
                shutil.copytree(source, stage / name, ignore=shutil.ignore_patterns(*NOT_SHIPPED))
            else:
                shutil.copy2(source, stage / name)
        install(stage / DEPENDENCIES)
        # Paths in tracebacks are then those of the app, not of this directory. Some packages carry code for other
        # versions of Python, which cannot be compiled; whether anything of ours is missing is seen below.
        compileall.compile_dir(
            stage, quiet=2, stripdir=directory, workers=0, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
        )
        return _write(package, stage, sorted(path for path in stage.rglob("*") if path.is_file()))


def verify(package: Path) -> None:
    """Look at a package as the platform will find it.

    Raises:
        PackageUnfit: says what is wrong.
    """
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())
        strangers = {name.partition("/")[0] for name in names} - {*SHIPPED, DEPENDENCIES.parts[0], "__pycache__"}
        if strangers:
            raise PackageUnfit(f"The package holds what is not ours to ship: {', '.join(sorted(strangers))}.")
        for name in sorted(names):
            if name.startswith(("functions/", "shared/")) and name.endswith(".py"):
                _verify_byte_code(archive, name, names)


def _verify_byte_code(archive: zipfile.ZipFile, source: str, names: set[str]) -> None:
    compiled = importlib.util.cache_from_source(source)
    if compiled not in names:
        raise PackageUnfit(f"{source} was not compiled.")
    head = archive.read(compiled)[:8]
    if head != importlib.util.MAGIC_NUMBER + _UNCHECKED:
        raise PackageUnfit(f"{compiled} would be compiled again at every cold start.")


def _write(package: Path, stage: Path, files: Iterable[Path]) -> int:
    package.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(stage).as_posix(), _FIRST_DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
        return len(archive.namelist())


def main() -> None:
    """Build the package and say where it is."""
    parser = argparse.ArgumentParser(description="Build the package that is deployed.")
    parser.add_argument("--python", default="3.13", help="the app's Python version, as in Bicep (default 3.13)")
    parser.add_argument("--output", type=Path, default=PROJECT / ".local" / "package.zip")
    arguments = parser.parse_args()
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if running != arguments.python:
        sys.exit(f"The app runs Python {arguments.python} and this is {running}: byte code is for one version only.")
    try:
        files = build(arguments.output)
        verify(arguments.output)
    except PackageUnfit as error:
        sys.exit(str(error))
    print(f"{arguments.output}: {files} files, {arguments.output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
