"""Whatever is wrong with a request, the answer says which part and why, and nothing comes of the request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.test_contract_files import BAD, GOOD, operations, schema_names
from tests.doors.people import ADMINISTRATOR, EXECUTOR, NOBODY, OPERATOR, READER, Person, Place
from tests.doors.requests import DOORS, Door
from tests.doors.service import Service, content_of, refusal_of

TYPED = {"Content-Type": "application/json"}
WITH_BODY = [door for door in DOORS.values() if door.body is not None]
WRITES = [door for door in DOORS.values() if door.is_write and "idempotencyKey" in door.parameters]
CONDITIONAL = [door for door in DOORS.values() if "ifMatch" in door.parameters]
LISTS = [door for door in DOORS.values() if "top" in door.parameters]

NO_GUIDS = {
    "a word": "contoso",
    "a domain": "contoso.onmicrosoft.com",
    "digits alone": "11111111111141118111111111111111",
    "braces": "{11111111-1111-4111-8111-111111111111}",
    "one digit more": "11111111-1111-4111-8111-1111111111111",
    "a letter that is no digit": "g1111111-1111-4111-8111-111111111111",
    "digits of another script": "\u06611111111-1111-4111-8111-111111111111",
    "a line break at the end": "11111111-1111-4111-8111-111111111111\n",
    "a zero byte": "11111111-1111-4111-8111-11111111111\x00",
    "very long": "1" * 5000,
    "quotes": "' or '1'='1",
}
NO_JSON = {
    "a word": b"hello",
    "half an object": b'{"displayName": ',
    "a comma too many": b'{"displayName": "x",}',
    "single quotes": b"{'displayName': 'x'}",
    "not a number": b'{"displayName": NaN}',
    "no UTF-8": b'{"displayName": "\xff"}',
    "UTF-16": '{"displayName": "x"}'.encode("utf-16"),
    "half a surrogate pair": b'{"displayName": "\\ud800"}',
    "half a surrogate pair as a name": b'{"\\udc00": 1}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "nested too deep": b'{"a":' * 10_000,
    "a number too long": b'{"a": ' + b"9" * 5000 + b"}",
}
KEYS = {"empty": "", "a blank": "a b", "too long": "k" * 256, "a line break": "a\n", "no ASCII": "schlüssel"}


def caller_of(door: Door) -> Person:
    """Somebody who may come in at this door."""
    return next(by for by in (OPERATOR, ADMINISTRATOR, EXECUTOR) if door.rights & by.rights(Place.OWN))


TAKES = {
    schema: DOORS[operation["operationId"]]
    for _, _, operation in operations()
    for schema in schema_names(operation.get("requestBody"))
}
"""Schemas of request bodies, each with a door that takes it."""
GOOD_BODIES = [(path, TAKES[path.parent.name]) for path in GOOD if path.parent.name in TAKES]
BAD_BODIES = [(path, TAKES[path.parent.name]) for path in BAD if path.parent.name in TAKES]


def shown(found: tuple[Path, Door]) -> str:
    return f"{found[0].parent.name}/{found[0].stem}"


def named(door: object) -> str | None:
    return door.name if isinstance(door, Door) else None


@pytest.fixture
def unchanged(shared: Service) -> Iterator[Service]:
    """The service, which is to be afterwards as it was before."""
    before = shared.kept(), len(shared.messages.sent)
    yield shared
    assert (shared.kept(), len(shared.messages.sent)) == before


def send(
    service: Service,
    door: Door,
    by: Person | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> tuple[int, str, str | None]:
    """A good request to a door, but for what is given."""
    by = by or caller_of(door)
    content = None if body is not None else door.body
    path = door.place(service, Place.OWN, by)
    answer = service.call(door.method, path, by, content, body=body or b"", headers=headers)
    return refusal_of(answer)


@pytest.mark.parametrize("text", NO_GUIDS.values(), ids=NO_GUIDS)
@pytest.mark.parametrize(
    ("door", "parameter"),
    [pytest.param(door, name, id=f"{door.name}-{name}") for door in DOORS.values() for name in door.path_parameters],
)
def test_what_is_no_guid_is_refused_by_its_name(unchanged: Service, door: Door, parameter: str, text: str) -> None:
    by = caller_of(door)
    known = dict.fromkeys(door.path_parameters, Place.OWN.value)
    path = door.at(**known | {parameter: quote(text, safe="")})

    assert refusal_of(unchanged.call(door.method, path, by, door.body)) == (400, "invalidValue", parameter)
    assert refusal_of(unchanged.call(door.method, path, NOBODY, door.body)) == (401, "unauthenticated", None)


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_that_is_no_json_is_refused(unchanged: Service, door: Door, body: bytes) -> None:
    assert send(unchanged, door, headers=TYPED, body=body) == (400, "invalidJson", None)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"on"', b"1", b"true", b'[{"state": "on"}]'])
@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_that_is_no_object_is_refused(unchanged: Service, door: Door, body: bytes) -> None:
    assert send(unchanged, door, headers=TYPED, body=body) == (400, "notAnObject", None)


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_name_that_occurs_twice_is_refused(unchanged: Service, door: Door) -> None:
    whole = json.dumps({"state": "on"} | door.body)
    body = f'{whole[:-1]}, "state": "on"}}'.encode()

    assert send(unchanged, door, headers=TYPED, body=body) == (400, "duplicateKey", "state")


@pytest.mark.parametrize("name", ["surplus", "id", "Display Name", "naïve", "`", "a.b", "$where", "x" * 64])
@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_field_the_contract_does_not_know_is_refused_by_its_name(unchanged: Service, door: Door, name: str) -> None:
    body = json.dumps(door.body | {name: 1}).encode()

    assert send(unchanged, door, headers=TYPED, body=body) == (400, "unknownField", name)


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_above_64_kib_is_refused_before_it_is_read(unchanged: Service, door: Door) -> None:
    longest = b'{"x": "' + b"y" * (64 * 1024 - 9) + b'"}'

    assert send(unchanged, door, headers=TYPED, body=longest) == (400, "unknownField", "x")
    assert send(unchanged, door, headers=TYPED, body=longest + b" ") == (413, "bodyTooLarge", None)
    assert send(unchanged, door, headers=TYPED, body=b"\xff" * 1_000_000) == (413, "bodyTooLarge", None)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "json", "*/*", None]
)
@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_that_is_not_called_json_is_refused(unchanged: Service, door: Door, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}

    assert send(unchanged, door, headers=headers, body=b"{}") == (415, "unsupportedMediaType", "Content-Type")


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON;v=1"])
def test_json_is_json_whatever_is_said_of_it_besides(open_service: Service, kind: str) -> None:
    path = f"/v1/tenants/{Place.OWN.value}/auto-enable"

    answer = open_service.call("PUT", path, ADMINISTRATOR, body=b'{"enabled": true}', headers={"Content-Type": kind})

    assert content_of(answer)["enabled"] is True


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_in_chunks_is_refused_because_the_platform_loses_it(unchanged: Service, door: Door) -> None:
    chunked = TYPED | {"Transfer-Encoding": "chunked"}

    assert send(unchanged, door, headers=chunked, body=b"{}") == (411, "lengthRequired", None)


@pytest.mark.parametrize("found", BAD_BODIES, ids=shown)
def test_every_bad_example_of_the_contract_is_refused_as_it_says(unchanged: Service, found: tuple[Path, Door]) -> None:
    example = json.loads(found[0].read_text("utf-8"))
    body = json.dumps(example["instance"]).encode()

    assert send(unchanged, found[1], headers=TYPED, body=body) == (400, example["code"], example["target"])


@pytest.mark.parametrize("found", GOOD_BODIES, ids=shown)
def test_every_good_example_of_the_contract_is_taken(open_service: Service, found: tuple[Path, Door]) -> None:
    path, door = found
    by = caller_of(door)

    answer = open_service.call(
        door.method, door.place(open_service, Place.OWN, by), by, headers=TYPED, body=path.read_bytes()
    )

    assert answer.status in (200, 201, 202, 409), answer.text


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("door", WRITES, ids=named)
def test_an_idempotency_key_that_is_none_is_refused(unchanged: Service, door: Door, key: str) -> None:
    assert send(unchanged, door, headers={"Idempotency-Key": key}) == (400, "invalidValue", "Idempotency-Key")


@pytest.mark.parametrize("etag", ['"stale"', "W/", "W/\"datetime'2026-01-01'\"", "* ", "garbage", '"a", "b"', ""])
@pytest.mark.parametrize("door", CONDITIONAL, ids=named)
def test_an_if_match_that_does_not_match_changes_nothing(unchanged: Service, door: Door, etag: str) -> None:
    assert send(unchanged, door, headers={"If-Match": etag}) == (412, "preconditionFailed", None)


@pytest.mark.parametrize(
    "top", ["0", "201", "-1", "1.5", "1e2", "ten", "%31%30%00", "\u0663", "1,2", "9" * 5000, "1&top=2"]
)
@pytest.mark.parametrize("door", LISTS, ids=named)
def test_a_page_size_that_is_none_is_refused(unchanged: Service, door: Door, top: str) -> None:
    path = f"{door.place(unchanged, Place.OWN, READER)}?top={top}"

    assert refusal_of(unchanged.call("GET", path, READER)) == (400, "invalidValue", "top")


@pytest.mark.parametrize(
    "token", ["x", "!!!!", "%FF", "AAAA", "MC10ZW5hbnQ", "b2ZmL3g", "\u0661", "a" * 3000, "eyJhIjoxfQ=="]
)
@pytest.mark.parametrize("door", LISTS, ids=named)
def test_a_skip_token_that_is_not_ours_is_refused(unchanged: Service, door: Door, token: str) -> None:
    path = f"{door.place(unchanged, Place.OWN, READER)}?skipToken={token}"

    assert refusal_of(unchanged.call("GET", path, READER)) == (400, "invalidValue", "skipToken")


@pytest.mark.parametrize("state", ["ON", "enabled", "on,off", "o%00n", "0"])
def test_a_state_that_is_none_is_refused(unchanged: Service, state: str) -> None:
    assert refusal_of(unchanged.call("GET", f"/v1/tenants?state={state}", READER)) == (400, "invalidValue", "state")


@pytest.mark.parametrize("door", [door for door in DOORS.values() if door.rights], ids=named)
def test_of_somebody_unknown_nothing_is_read_but_the_token(unchanged: Service, door: Door) -> None:
    headers = TYPED | {"Idempotency-Key": "", "If-Match": '"stale"'}

    assert send(unchanged, door, NOBODY, headers, b"{") == (401, "unauthenticated", None)
