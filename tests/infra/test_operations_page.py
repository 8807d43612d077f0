"""docs/operations.md says what is so: its tables are those of the code, of host.json and of the Bicep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from shared.domain.ids import GATES
from shared.domain.lease import MAX_LEASES_A_GATE
from shared.domain.limits import Limits
from shared.domain.tenant import MAX_OPERATORS
from tests.infra import code
from tests.infra.bicep_template import Deployment
from tests.infra.environments import INFRA, PROJECT
from tests.infra.test_names import configured
from tests.infra.test_queries import QUERIES, alerts

PAGE = (PROJECT / "docs" / "operations.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    assert lines, f"there is no table under {heading}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every line of a JSON document: its path and its value as it is written."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value)


def test_every_setting_is_explained_and_no_other() -> None:
    explained = [name for row in table("Settings") for name in names(row[0])]

    assert len(explained) == len(set(explained))
    assert set(explained) == code.settings_read() | code.placeholders() | configured()


def test_every_line_of_host_json_is_explained_with_its_value() -> None:
    host = json.loads((PROJECT / "host.json").read_text("utf-8"))

    assert {row[0].strip("`"): row[1].strip("`") for row in table("host.json, line by line")} == dict(leaves(host))
    assert all(row[2] for row in table("host.json, line by line"))


def test_every_alert_has_a_meaning_and_a_first_action(prod: Deployment) -> None:
    metrics = [each.name.split("-", 1)[1].rpartition("-")[0] for each in prod.of("Microsoft.Insights/metricAlerts")]

    assert sorted(names(row[0])[0] for row in table("Alerts")) == sorted([*alerts(prod), *metrics])
    assert all(row[1] and row[2] for row in table("Alerts"))


def test_every_query_is_named_with_the_question_it_answers() -> None:
    told = {names(row[0])[0]: row[1] for row in table("Questions, and the queries that answer them")}

    assert told == {name: query.removeprefix("// ").partition("?")[0] + "?" for name, query in QUERIES.items()}


def test_every_role_is_named_with_who_has_it() -> None:
    told = {(row[0], row[1]) for row in table("Who may do what")}

    assert told == {("the app", role) for role in roles("access")} | {
        ("an executor", role) for role in roles("executors")
    }


def roles(module: str) -> list[str]:
    """The names of the roles that a module assigns, in Azure's spelling."""
    block = (INFRA / "modules" / f"{module}.bicep").read_text("utf-8").partition("var roles = {")[2].partition("}")[0]
    spelled = [re.sub(r"(?=[A-Z])", " ", name) for name in re.findall(r"(\w+): '", block)]
    return [name[0].upper() + name[1:] for name in spelled]


def test_every_app_role_is_named() -> None:
    manifest = json.loads((INFRA / "entra" / "api.json").read_text("utf-8"))
    told = [name for row in table("Deploy") for name in names(row[0])]

    assert sorted(told) == sorted(role["value"] for role in manifest["appRoles"])


def test_the_limits_are_those_of_the_code() -> None:
    limits = {row[0]: row[1] for row in table("Limits")}
    upkeep = (PROJECT / "shared" / "services" / "upkeep.py").read_text("utf-8")

    assert limits["leases of a tenant at once"] == f"{GATES} gates of {MAX_LEASES_A_GATE}"
    assert limits["operators of a tenant"] == str(MAX_OPERATORS)
    assert f"_AT_ONCE = {limits['tenants due in one run of upkeep']}\n" in upkeep
    assert f"rotate every {Limits().rotate_every.days} days" in PAGE


def test_every_file_that_the_page_names_exists() -> None:
    named = re.findall(r"(?<![\w/])((?:infra|shared|tests|\.github)/[\w./-]*\w)", PAGE)

    assert named
    assert [path for path in named if not (PROJECT / path).exists()] == []
