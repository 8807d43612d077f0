"""What is deployed: the app and its locked dependencies, compiled for good, and nothing of the workshop."""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import pathspec
import pytest
import yaml

from infra import package
from infra.package import SHIPPED, PackageUnfit
from tests.infra.bicep_syntax import read
from tests.infra.environments import INFRA, PROJECT

NAME_AND_VERSION = re.compile(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small app of the same shape."""
    root = tmp_path / "project"
    for room in ("functions", "shared", "contracts", "contracts/examples", "tests", "local"):
        (root / room).mkdir(parents=True)
        (root / room / "thing.py").write_text("THING = 1\n", "utf-8")
    for name in ("function_app.py", "host.json", "local.settings.json"):
        (root / name).write_text("{}", "utf-8")
    return root


def install_one(into: Path) -> None:
    into.mkdir(parents=True)
    (into / "dependency.py").write_text("X = 1\n", "utf-8")


def test_the_package_holds_the_app_and_its_dependencies_and_nothing_else(project: Path, tmp_path: Path) -> None:
    built = tmp_path / "package.zip"

    package.build(built, project=project, install=install_one)

    package.verify(built)
    with zipfile.ZipFile(built) as archive:
        sources = {name for name in archive.namelist() if "__pycache__" not in name}
    assert sources == {
        "function_app.py",
        "host.json",
        "contracts/thing.py",
        "functions/thing.py",
        "shared/thing.py",
        ".python_packages/lib/site-packages/dependency.py",
    }


def test_byte_code_stays_valid_when_the_package_is_unpacked_at_another_time(project: Path, tmp_path: Path) -> None:
    built, unpacked = tmp_path / "package.zip", tmp_path / "unpacked"
    package.build(built, project=project, install=install_one)

    with zipfile.ZipFile(built) as archive:
        archive.extractall(unpacked)

    tag = sys.implementation.cache_tag
    for room, name in (("functions", "thing"), (".python_packages/lib/site-packages", "dependency")):
        head = (unpacked / room / "__pycache__" / f"{name}.{tag}.pyc").read_bytes()[:8]
        assert head[4:] == b"\x01\x00\x00\x00"  # by hash, and never checked (PEP 552)


def test_a_package_whose_byte_code_would_be_stale_is_refused(project: Path, tmp_path: Path) -> None:
    built = tmp_path / "package.zip"
    package.build(built, project=project, install=install_one)
    stale = tmp_path / "stale.zip"
    with zipfile.ZipFile(built) as old, zipfile.ZipFile(stale, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            is_ours = name.startswith("shared/__pycache__")
            new.writestr(name, content[:4] + bytes(4) + content[8:] if is_ours else content)

    with pytest.raises(PackageUnfit, match=r"shared/__pycache__/thing.*compiled again at every cold start"):
        package.verify(stale)


def test_a_package_that_was_not_compiled_is_refused(project: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.zip"
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("functions/thing.py", "THING = 1\n")

    with pytest.raises(PackageUnfit, match=r"functions/thing\.py was not compiled"):
        package.verify(plain)


def test_a_package_with_a_stranger_in_it_is_refused(tmp_path: Path) -> None:
    strange = tmp_path / "strange.zip"
    with zipfile.ZipFile(strange, "w") as archive:
        archive.writestr("local/simulator.py", "")

    with pytest.raises(PackageUnfit, match="holds what is not ours to ship: local"):
        package.verify(strange)


def test_core_tools_would_ship_the_same_and_the_requirements() -> None:
    ignored = pathspec.GitIgnoreSpec.from_lines((PROJECT / ".funcignore").read_text("utf-8").splitlines())
    tops = {
        path.name
        for path in PROJECT.iterdir()
        if not ignored.match_file(f"{path.name}/" if path.is_dir() else path.name)
    }

    assert tops == {*SHIPPED, "requirements.txt", "constraints.txt"}
    assert ignored.match_file("contracts/examples/good/x.json")


def pins(name: str) -> set[tuple[str, str]]:
    """Names and versions; names as PEP 503 compares them."""
    found = NAME_AND_VERSION.findall((PROJECT / name).read_text("utf-8"))
    return {(re.sub(r"[-_.]+", "-", package).lower(), version) for package, version in found}


def test_the_lock_pins_what_the_requirements_pin_and_what_those_bring_along() -> None:
    locked, wanted = pins("requirements.lock"), pins("requirements.txt")

    assert wanted <= locked
    assert locked - wanted <= pins("constraints.txt")


def test_every_locked_package_has_hashes_and_a_version_for_each_python() -> None:
    entries = re.split(r"\n(?=[a-z])", (PROJECT / "requirements.lock").read_text("utf-8").partition("\n\n")[0])
    pins = [entry for entry in entries if not entry.startswith("#")]

    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in pins)
    functions = [entry.splitlines()[0] for entry in pins if entry.startswith("azure-functions==")]
    assert [line.partition(";")[2].strip(" \\") for line in functions] == [
        "python_full_version < '3.13'",
        "python_full_version >= '3.13'",
    ]


def test_azd_publishes_the_package_as_it_is() -> None:
    project = yaml.safe_load((PROJECT / "azure.yaml").read_text("utf-8"))
    api = project["services"]["api"]

    assert (api["host"], api["language"], api["remoteBuild"]) == ("function", "custom", False)
    assert PROJECT / api["dist"] == PROJECT / ".local" / "package.zip"
    assert (PROJECT / project["infra"]["path"] / f"{project['infra']['module']}.bicepparam").exists()


def test_the_app_runs_the_python_that_packages_are_built_for() -> None:
    declared = {each.name: each for each in read((INFRA / "main.bicep").read_text("utf-8"))}["pythonVersion"]
    allowed = [part.value for each in declared.decorators if each.text == "allowed" for part in each.parts[0].parts]
    supported = re.findall(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (PROJECT / "pyproject.toml").read_text("utf-8"))

    ((low, high),) = supported
    assert allowed == [f"3.{minor}" for minor in range(int(low), int(high))]
    assert declared.body is not None
    assert f'"--python", default="{declared.body.value}"' in (INFRA / "package.py").read_text("utf-8")
