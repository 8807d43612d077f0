"""The code is what the contract says: the same doors, the same codes with the same status, the same bodies accepted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from functions import bodies, contract, reading, wire
from local.addresses import PROJECT
from local.host import FunctionHost
from local.simulator.entra.errors import CATALOGUE
from local.stack import app_settings
from shared.domain.errors import Code, Invalid, ManagementSessionError, NotFound, Problem, Refused, Transient
from shared.domain.limits import Limits
from shared.domain.sign_in_errors import classify
from tests.contract.answers import STATUS_OF
from tests.contract.test_contract_files import BAD, CODES, GOOD, MESSAGES, OPENAPI, SCHEMAS, by_name, operations
from tests.contract.test_contract_files import bodies as contract_bodies

NOT_HTTP: Final = {
    "carryOutOperation": "operations",
    "decideOnAction": "action-requests",
    "completeAction": "action-completions",
    "closeOperation": "operations-poison",
    "closeActionRequest": "action-requests-poison",
    "closeActionCompletion": "action-completions-poison",
    "upkeep": "",
}
"""The functions that are no operation of the API, with the queue each listens on; the timer listens on none."""

NOW: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)
Read = Callable[[bytes], object]


def _allowed_ips(raw: bytes) -> object:
    return reading.ip_ranges(reading.read(raw, bodies.AllowedIpsBody, limit=bodies.MAX_BODY).ranges)


def _action_request(raw: bytes) -> object:
    message = reading.read(raw, bodies.ActionRequestMessage, limit=bodies.MAX_MESSAGE)
    return reading.action_request(message, NOW, Limits())


def _reads(into: type[object]) -> Read:
    return lambda raw: reading.read(raw, into, limit=bodies.MAX_BODY)


READS: Final[Mapping[str, Read]] = {
    "tenantRequest": _reads(bodies.TenantBody),
    "serviceAccountRequest": _reads(bodies.ServiceAccountBody),
    "emptyRequest": _reads(bodies.EmptyBody),
    "sessionRequest": reading.read_session,
    "emergencyStopRequest": _reads(bodies.EmergencyStopBody),
    "autoEnableRequest": _reads(bodies.AutoEnableBody),
    "allowedIpsRequest": _allowed_ips,
    "operatorGrantRequest": _reads(bodies.OperatorBody),
    "tokenRequest": _reads(bodies.TokenBody),
    "leaseRenewalRequest": _reads(bodies.RenewalBody),
    "actionRequestV1": _action_request,
    "actionCompletionV1": _reads(bodies.ActionCompletionMessage),
    "operationMessageV1": _reads(bodies.OperationMessage),
}
"""How the doors read each body and message that comes in, with all that can still be refused by its form."""

STRICTER: Final = frozenset({"allowedIpsRequest"})
"""What a pattern cannot say: the ranges are addresses that exist, and wide ones are refused."""


@pytest.fixture(scope="module")
def found() -> Iterator[Mapping[str, tuple[str, ...]]]:
    """The app's functions as Microsoft's runtime finds them: name, and method and route, queue, or nothing."""
    with FunctionHost(PROJECT, app_settings("https://127.0.0.1", "https://127.0.0.1", "", "")) as host:
        described = {}
        for function in host.functions:
            http, queue = function.trigger("httpTrigger"), function.trigger("queueTrigger")
            methods = http["methods"] if http else []
            assert isinstance(methods, list)
            where = (*methods, f"/{http['route']}") if http else (str(queue["queueName"]),) if queue else ("",)
            described[function.name] = where
        yield described


def test_every_operation_has_its_function_and_every_function_is_known(found: Mapping[str, tuple[str, ...]]) -> None:
    promised = {operation["operationId"]: (method.upper(), path) for method, path, operation in operations()}

    assert found == promised | {name: (queue,) for name, queue in NOT_HTTP.items()}


def test_every_queue_with_a_message_of_the_contract_is_listened_on() -> None:
    told = {name: SCHEMAS[name]["description"] for name in MESSAGES}

    assert {queue for queue in NOT_HTTP.values() if queue and not queue.endswith("-poison")} == {
        description.removeprefix("Queue ").partition(",")[0]
        for description in told.values()
        if description.startswith("Queue ")
    }


def test_every_code_is_in_the_contract_and_the_other_way_round() -> None:
    assert {code["const"] for code in CODES} == {code.value for code in Code}


@pytest.mark.parametrize(("code", "status"), STATUS_OF.items())
def test_a_code_has_the_status_the_contract_gives_it(code: str, status: int) -> None:
    raised: type[ManagementSessionError] = {400: Invalid, 404: NotFound, 429: Transient, 503: Transient}.get(
        status, Refused
    )

    assert wire.status_of(raised(Problem(Code(code), "only for tests"))) == status


def test_whatever_entra_refuses_a_token_for_has_a_status_in_the_contract() -> None:
    errors = [classify("invalid_grant", [code], "").as_error() for code in CATALOGUE]
    refusals = {error.problem.code for error in errors if isinstance(error, Refused)}
    (redeem,) = (each for _, _, each in operations() if each["operationId"] == "redeemLease")

    assert len(refusals) > 3
    assert {str(STATUS_OF.get(code)) for code in refusals} <= redeem["responses"].keys()


def test_every_body_and_message_that_comes_in_is_read_by_the_code() -> None:
    requests, _ = contract_bodies()
    incoming = {name for name in MESSAGES if name != "actionResultV1"}

    assert set(READS) == requests | incoming


@pytest.mark.parametrize(
    "path", [path for path in GOOD if path.parent.name in READS], ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_a_good_example_is_accepted(path: Path) -> None:
    READS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize(
    "path", [path for path in BAD if path.parent.name in READS], ids=lambda p: f"{p.parent.name}/{p.stem}"
)
def test_a_bad_example_is_refused_with_the_code_and_target_it_states(path: Path) -> None:
    example = json.loads(path.read_text("utf-8"))

    with pytest.raises(Invalid) as refusal:
        READS[path.parent.name](json.dumps(example["instance"]).encode())

    assert (refusal.value.problem.code, refusal.value.problem.target) == (example["code"], example["target"])


# ── whatever comes ───────────────────────────────────────────────────────────────────────────────────────────────────

_WORDS: Final = (
    "",
    " ",
    "on",
    "off",
    "ON",
    "graph",
    "reader",
    "workflow",
    "succeeded",
    "globalAdmin",
    "block",
    "enabled",
)
_DURATIONS: Final = (
    *(
        "PT1M",
        "PT0M",
        "PT4M",
        "PT5M",
        "PT480M",
        "PT481M",
        "PT8H",
        "PT120M",
        "PT121M",
        "PT2H1M",
        "PT8H1M",
        "PT7H59M",
        "PT7H60M",
        "PT24H",
        "PT1440M",
    ),
    *("PT1441M", "PT01H", "pt1h", "PT1H30M15S", "P1D", "PT1H\n", "\nPT1H", "PT\u0661H"),
)
_GUIDS: Final = (
    *("6f1c2e8a-3b5d-4c7e-9a10-2d4f6b8c0e12", "6F1C2E8A-3B5D-4C7E-9A10-2D4F6B8C0E12"),
    *("6f1c2e8a-3b5d-4c7e-9a10-2d4f6b8c0e12\n", "{6f1c2e8a-3b5d-4c7e-9a10-2d4f6b8c0e12}"),
    "6f1c2e8a3b5d4c7e9a102d4f6b8c0e12",
)
_MOMENTS: Final = (
    *(
        "2026-11-23T09:30:00Z",
        "2026-11-23T09:30:00.1234567Z",
        "2026-11-23T09:30:00.12345678Z",
        "2026-11-23T09:30:00Z\n",
    ),
    *("2026-02-29T00:00:00Z", "2028-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-23T24:00:00Z"),
    *("2026-11-23T09:30:60Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-11-23T09:30:00+00:00"),
    *("2026-11-23 09:30:00Z", "2026-11-23T09:30:00z"),
)
_TEXTS: Final = (
    *("x" * 256, "x" * 257, "x" * 500, "x" * 501, "🦔" * 256, "🦔" * 257),
    *("a\x7f", "a\x00", "a\n", "\u2028", "a\u0085", "a@b", "@", "a@b\n", "a b@c", "a@@b", "ab"),
    *("203.0.113.8/29", "203.0.113.9/29", "300.1.1.1/24", "2001:db8::/32", "0.0.0.0/0"),
)
_TRICKY: Final = st.sampled_from((*_WORDS, *_DURATIONS, *_GUIDS, *_MOMENTS, *_TEXTS))
_VALUES: Final = st.recursive(
    _TRICKY | st.none() | st.booleans() | st.sampled_from([0, 1, 1.0, 2, -1, 1.5, 1e300, 2**70]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def _changed(draw: st.DrawFn, good: Any) -> Any:
    """A good instance with something in it changed, taken away or added; or something else altogether."""
    if isinstance(good, dict) and draw(st.integers(0, 9)):
        changed = dict(good)
        for _ in range(draw(st.integers(0, 2))):
            name = draw(st.sampled_from([*good, "surplus", "state"]))
            match draw(st.sampled_from(["change", "put", "drop"])):
                case "change" if name in changed:
                    changed[name] = draw(_changed(changed[name]))
                case "drop":
                    changed.pop(name, None)
                case _:
                    changed[name] = draw(_VALUES)
        return changed
    if isinstance(good, list) and draw(st.booleans()):
        return draw(st.sampled_from([[], good * 2, [*good, draw(_VALUES)]]))
    return draw(_VALUES)


def refusal_of(read: Read, raw: bytes) -> Problem | None:
    """Why it is refused; None when it is taken."""
    try:
        read(raw)
    except Invalid as refusal:
        return refusal.problem
    return None


def _goods(name: str) -> list[Any]:
    return [json.loads(path.read_text("utf-8")) for path in GOOD if path.parent.name == name]


@pytest.mark.parametrize("name", READS)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_the_code_accepts_exactly_what_the_schema_accepts(name: str, data: st.DataObject) -> None:
    instance = data.draw(st.sampled_from(_goods(name)).flatmap(_changed))

    allowed = by_name(name).is_valid(instance)
    accepted = refusal_of(READS[name], json.dumps(instance).encode()) is None

    assert accepted == allowed or (name in STRICTER and allowed)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_no_bytes_whatever_raise_anything_but_a_refusal_that_does_not_quote_them(raw: bytes) -> None:
    problems = [problem for read in READS.values() if (problem := refusal_of(read, raw))]

    assert all(len(problem.target or "") <= 200 and len(problem.message) <= 200 for problem in problems)


# ── what is served ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_document_that_is_served_is_valid_and_whole() -> None:
    served = contract.document()

    validate(served)
    assert served["paths"].keys() == OPENAPI["paths"].keys()
    assert served["components"]["schemas"].keys() == SCHEMAS.keys()


def test_the_page_that_is_served_names_every_operation_and_every_schema() -> None:
    page = contract.page().decode()

    for _, path, operation in operations():
        assert escape(operation["summary"]) in page
        assert path in page
