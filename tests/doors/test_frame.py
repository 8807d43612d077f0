"""Whatever happens behind a door, the answer has the one shape, says when to come back, and gives nothing away."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.host import FunctionHost
from shared import wiring
from shared.config import read_settings
from shared.domain.errors import Transient, unavailable
from tests.contract import answers
from tests.contract.test_contract_files import PLATFORM_NAMES
from tests.doors.doors import DOORS, Door, knock, named
from tests.doors.people import ADMINISTRATOR, EXECUTOR, NOBODY, OPERATOR, READER, STRANGER, Place
from tests.doors.service import Json, Service, content_of, refusal_of

OWN = f"/v1/tenants/{Place.OWN.value}"
SECRET = "only-for-tests-secret"
GUARDED = [door for door in DOORS.values() if door.rights]


@pytest.mark.parametrize("door", GUARDED, ids=named)
def test_what_nobody_foresaw_is_500_and_tells_neither_caller_nor_log_what_it_was(
    unchanged: Service, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    unchanged.log.fail(len(unchanged.log) + 1, RuntimeError(SECRET))

    answer = knock(unchanged, door)

    assert refusal_of(answer) == (500, "internalError", None)
    assert SECRET not in answer.text
    assert SECRET not in caplog.text
    assert '"kind": "RuntimeError"' in caplog.text
    assert answer.headers["x-correlation-id"] in caplog.text


@pytest.mark.parametrize("door", GUARDED, ids=named)
def test_what_time_may_mend_is_503_and_says_when(unchanged: Service, door: Door) -> None:
    for wait, told in ((None, "2"), (timedelta(seconds=7), "7"), (timedelta(milliseconds=1), "1")):
        unchanged.log.fail(len(unchanged.log) + 1, unavailable("Storage", wait))

        answer = knock(unchanged, door)

        assert refusal_of(answer) == (503, "upstreamUnavailable", None)
        assert answer.headers["retry-after"] == told


@pytest.mark.parametrize("trouble", [RuntimeError(SECRET), unavailable("Storage")], ids=["unforeseen", "transient"])
def test_a_refusal_that_cannot_be_recorded_is_a_refusal_all_the_same(open_service: Service, trouble: Exception) -> None:
    calls = len(open_service.log)
    assert knock(open_service, DOORS["setSession"], READER).status == 403
    taken = len(open_service.log) - calls
    open_service.log.fail(len(open_service.log) + taken, trouble)

    answer = knock(open_service, DOORS["setSession"], READER)

    assert refusal_of(answer) == (403, "callerNotAllowed", None)


def test_a_refused_write_is_in_the_trail_with_who_wanted_what_and_a_refused_read_is_not(open_service: Service) -> None:
    knock(open_service, DOORS["setSession"], READER)
    knock(open_service, DOORS["listOperators"], READER)

    entries = [e for e in open_service.read(f"{OWN}/activity")["value"] if e["kind"] == "requestRefused"]

    assert [(entry["actor"]["objectId"], entry["facts"]["code"]) for entry in entries] == [
        (READER.object_id, "callerNotAllowed")
    ]


def test_who_does_not_call_by_name_leaves_no_trace(open_service: Service) -> None:
    kept, logged = open_service.kept(), len(open_service.log)

    for door in GUARDED:
        knock(open_service, door, NOBODY)

    assert (open_service.kept(), len(open_service.log)) == (kept, logged)


@pytest.mark.parametrize("name", ["SessionStorage", "KEY_VAULT_URL", "API_AUDIENCE", "API_ISSUER", "APP_CLIENT_ID"])
def test_without_its_settings_the_service_is_not_available_and_does_not_say_why(
    host: FunctionHost, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def broken() -> wiring.Services:
        read_settings({**COMPLETE, name: ""})
        raise AssertionError(f"{name} may be missing")

    service = Service(host, monkeypatch)
    monkeypatch.setattr(wiring, "services", broken)

    for path in (OWN, "/health/ready"):
        answer = service.call("GET", path, READER)

        assert refusal_of(answer) == (503, "serviceUnavailable", None)
        assert name not in answer.text
    assert service.call("GET", "/health/live", NOBODY).json() == {"status": "ok"}


COMPLETE = {
    "SessionStorage": "UseDevelopmentStorage=true",
    "KEY_VAULT_URL": "https://vault.example",
    "API_AUDIENCE": Place.OWN.value,
    "API_ISSUER": f"https://login.example/{Place.OWN.value}/v2.0",
    "APP_CLIENT_ID": Place.OWN.value,
}


@pytest.mark.parametrize("trouble", [RuntimeError(SECRET), unavailable("Storage")], ids=["unforeseen", "transient"])
def test_the_service_is_ready_when_its_tables_answer_and_whatever_else_happens_it_is_not(
    service: Service, caplog: pytest.LogCaptureFixture, trouble: Exception
) -> None:
    ready = service.call("GET", "/health/ready", NOBODY)
    service.log.fail(len(service.log) + 1, trouble)
    away = service.call("GET", "/health/ready", NOBODY)

    assert ready.json() == {"status": "ok"}
    assert refusal_of(away) == (503, "serviceUnavailable", None)
    assert f'"event": "notReady", "correlationId": "{away.headers["x-correlation-id"]}"' in caplog.text
    assert SECRET not in caplog.text


def test_the_callers_correlation_id_is_used_everywhere(open_service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    mine = {"x-correlation-id": "Only-for.tests_1"}

    accepted = open_service.call("PUT", f"{OWN}/session", OPERATOR, {"state": "off"}, headers=mine)
    open_service.work()

    assert accepted.headers["x-correlation-id"] == "Only-for.tests_1"
    assert content_of(accepted)["correlationId"] == "Only-for.tests_1"
    told = {e["kind"]: e["correlationId"] for e in open_service.read(f"{OWN}/activity")["value"]}
    assert (told["sessionTurningOff"], told["sessionTurnedOff"]) == ("Only-for.tests_1", "Only-for.tests_1")
    assert '"event": "sessionTurnedOff", "correlationId": "Only-for.tests_1"' in caplog.text


@pytest.mark.parametrize("asked", ["", "a b", "a" * 65, "a\nb", "ä", "a,b", "{}", '"', "<script>"])
def test_a_correlation_id_that_is_none_is_replaced(service: Service, asked: str) -> None:
    given = service.call("GET", OWN, READER, headers={"x-correlation-id": asked}).headers["x-correlation-id"]

    assert given != asked
    assert len(given) == 36


def test_pages_show_everything_once_and_in_order(open_service: Service) -> None:
    for kind in ("activity", ""):
        path = f"{OWN}/activity" if kind else "/v1/tenants"
        whole = open_service.read(f"{path}?top=200")["value"]

        pages = list(walk(open_service, f"{path}?top=1"))

        assert [row for page in pages for row in page["value"]] == whole
        assert {len(page["value"]) for page in pages} == {1}
        assert len(whole) > 1


def test_the_next_page_has_the_same_filter(open_service: Service) -> None:
    open_service.done("PUT", f"/v1/tenants/{Place.UNKNOWN.value}", ADMINISTRATOR, {})

    pages = list(walk(open_service, "/v1/tenants?state=on&top=1"))

    assert [row["session"]["state"] for page in pages for row in page["value"]] == ["on", "on"]


def test_a_search_goes_on_as_the_same_search(open_service: Service) -> None:
    open_service.done("PUT", f"/v1/tenants/{Place.UNKNOWN.value}", ADMINISTRATOR, {"displayName": "A&B = C"})

    found = [
        [row["displayName"] for page in walk(open_service, f"/v1/tenants?top=1&{query}") for row in page["value"]]
        for query in ("search=a%26b%20%3D", f"search={Place.UNKNOWN.value.upper()}", "search=nobody&hasProblem=false")
    ]
    problems = [
        row["tenantId"]
        for answer in ("true", "false")
        for page in walk(open_service, f"/v1/tenants?top=1&hasProblem={answer}")
        for row in page["value"]
    ]

    assert found == [["A&B = C"], ["A&B = C"], []]
    assert sorted(problems) == sorted(row["tenantId"] for row in open_service.read("/v1/tenants?top=200")["value"])


def walk(service: Service, path: str) -> Any:
    """Every page, from the first on, as `nextLink` leads."""
    following: str | None = path
    while following:
        page = service.read(following, READER)
        yield page
        following = None
        if "nextLink" in page:
            link = urlsplit(page["nextLink"])
            assert (link.scheme, link.netloc) == ("http", "localhost")
            following = f"{link.path.removeprefix(answers.PREFIX)}?{link.query}"


def test_guids_are_read_in_any_case_and_answered_in_lower_case(open_service: Service) -> None:
    tenant_id = "ABCDEF01-2345-4678-89AB-CDEF01234567"

    made = open_service.done("PUT", f"/v1/tenants/{tenant_id}", ADMINISTRATOR, {})
    found = open_service.read(f"/v1/tenants/{tenant_id.lower()}")

    assert made["tenantId"] == found["tenantId"] == tenant_id.lower()


@pytest.mark.parametrize("resource", ["graph", "exchange", "sharePoint", "teams", "compliance"])
def test_a_token_is_of_the_resource_and_ends_before_its_lease_does(open_service: Service, resource: str) -> None:
    lease_id = open_service.lease(Place.OWN)
    path = f"{OWN}/leases/{lease_id}"
    lease = content_of(open_service.call("POST", f"{path}/renew", EXECUTOR, {}))

    token = content_of(open_service.call("POST", f"{path}/token", EXECUTOR, {"resource": resource}))

    assert token["resource"] == resource
    assert token["accessToken"].startswith("only-for-tests-access-token-for-")
    assert token["expiresAt"] <= lease["expiresAt"]


def test_a_token_reaches_nobody_but_its_executor(open_service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    path = f"{OWN}/leases/{open_service.lease(Place.OWN)}/token"

    token = content_of(open_service.call("POST", path, EXECUTOR, {"resource": "graph"}))["accessToken"]

    assert token not in "\n".join(open_service.kept())
    assert token not in caplog.text
    assert token not in open_service.call("GET", f"{OWN}/activity", OPERATOR).text


def test_nothing_a_caller_is_told_is_named_like_the_platforms_metadata_at_the_top(open_service: Service) -> None:
    sent = [json.loads(message.text) for message in open_service.messages.sent]

    assert sent
    assert all(PLATFORM_NAMES.isdisjoint(message) for message in sent)


def test_the_timer_looks_after_what_is_due_and_its_failure_tells_nothing(open_service: Service) -> None:
    open_service.clock.advance(timedelta(hours=9))

    done = open_service.host.tick("upkeep")
    open_service.work()
    open_service.log.fail(len(open_service.log) + 1, Transient(unavailable(SECRET).problem))
    failed = open_service.host.tick("upkeep")

    assert done.succeeded
    assert open_service.read(f"{OWN}/session")["state"] == "off"
    assert (failed.succeeded, failed.error) == (False, "MessageFailed: upkeep: upstreamUnavailable")
    assert SECRET not in failed.stack_trace


def test_the_contract_is_served_to_anybody_in_one_piece(service: Service) -> None:
    document: Json = content_of(service.call("GET", "/openapi.json", NOBODY))
    page = service.call("GET", "/docs", STRANGER)

    served = {operation["operationId"] for item in document["paths"].values() for operation in _operations(item)}
    assert served == set(DOORS)
    assert ".json" not in json.dumps(_references(document))
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text


def _operations(item: Json) -> list[Json]:
    return [operation for operation in item.values() if isinstance(operation, dict)]


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _references(value)]
    return [ref for value in node for ref in _references(value)] if isinstance(node, list) else []
