"""Queries and alerts ask for events, codes and fields that the code logs, and stand where people look for them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.domain.errors import Code
from tests.infra import code
from tests.infra.bicep_template import Deployment
from tests.infra.environments import INFRA
from tests.infra.promises import RULE

EVENTS = (INFRA / "queries" / "events.kql").read_text("utf-8")
QUERIES = {
    path.stem: path.read_text("utf-8") for path in sorted((INFRA / "queries").glob("*.kql")) if path.stem != "events"
}

_LIST = r"\s*(?:==|in)\s*(\([^)]*\)|\"\w+\")"


def asked(query: str, column: str) -> set[str]:
    """The values that a query compares the column with."""
    return {value for found in re.findall(rf"\b{column}\b{_LIST}", query) for value in re.findall(r'"(\w+)"', found)}


def fields(query: str) -> set[str]:
    """The fields that a query takes out of the logged line."""
    return set(re.findall(r"\bline\.(\w+)", query))


def searches(deployment: Deployment) -> dict[str, str]:
    """The saved queries, by name."""
    found = deployment.of("Microsoft.OperationalInsights/workspaces/savedSearches")
    return {each.name.rpartition("/sessions-")[2]: each["properties.query"] for each in found}


def alerts(deployment: Deployment) -> dict[str, str]:
    """The alerts' queries, by name."""
    rules = deployment.of(RULE)
    return {
        re.sub(r"^alert-(.*)-\w+$", r"\1", rule.name): rule["properties.criteria.allOf"][0]["query"] for rule in rules
    }


def workbook(deployment: Deployment) -> str:
    (found,) = deployment.of("Microsoft.Insights/workbooks")
    return str(found["properties.serializedData"])


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_what_the_code_logs(name: str) -> None:
    query = QUERIES[name]

    assert asked(query, "event") != set() or name == "follow-request"
    assert asked(query, "event") - code.events_logged() == set()
    assert asked(query, "code") - set(Code) == set()
    assert fields(query + EVENTS) - code.fields_logged() == set()


def test_an_alert_asks_for_what_the_code_logs(prod: Deployment) -> None:
    for query in alerts(prod).values():
        assert asked(query, "event") - code.events_logged() == set()
        assert asked(query, "code") - set(Code) == set()


@pytest.mark.parametrize(
    ("query", "column", "values"),
    [
        ('Events | where event == "upkeepGone"', "event", {"upkeepGone"}),
        ('Events | where event in (\n "one", "two")', "event", {"one", "two"}),
        ('Events | where code in ("never")', "code", {"never"}),
    ],
)
def test_what_a_query_asks_for_is_found_however_it_is_written(query: str, column: str, values: set[str]) -> None:
    assert asked(query, column) == values
    assert values - code.events_logged() == values


def test_every_query_is_saved_in_the_workspace_and_shown_in_the_workbook(prod: Deployment) -> None:
    assert searches(prod) == {name: f"{EVENTS}\n{query}" for name, query in QUERIES.items()}
    assert all(f"'name': '{name}'" in workbook(prod) for name in QUERIES)


def test_the_workbook_fills_in_what_a_query_waits_for(prod: Deployment) -> None:
    assert 'let wanted = "";' not in workbook(prod)
    assert workbook(prod).count('let wanted = "{Correlation}";') == 1
    waiting = [name for name, query in QUERIES.items() if 'let wanted = "";' in query]
    assert workbook(prod).count('let wanted = "{Tenant}";') == len(waiting) - 1


def test_every_query_begins_with_the_question_it_answers() -> None:
    titles = re.findall(r"title: '([^']+)'", (INFRA / "modules" / "queries.bicep").read_text("utf-8"))

    questions = {query.splitlines()[0].removeprefix("// ").partition("?")[0] + "?" for query in QUERIES.values()}
    assert questions == set(titles)


def test_a_query_that_names_a_stranger_s_read_knows_the_app(prod: Deployment) -> None:
    client = "<id-sessions-u0123456789ab.properties.clientId>"

    assert client in alerts(prod)["secret-touched-by-another"]
    assert not any("{app}" in query for query in alerts(prod).values())


def test_kql_files_are_only_where_they_are_looked_for() -> None:
    assert {path.parent for path in Path(INFRA).rglob("*.kql")} == {INFRA / "queries"}
