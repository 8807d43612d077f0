"""Whatever is wrong with a request, the answer says which part and why, and nothing comes of the request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.contract.test_contract_files import BAD, GOOD, operations, schema_names
from tests.doors.doors import CONDITIONAL, DOORS, LISTS, WITH_BODY, WRITES, Door, caller_of, named
from tests.doors.people import ADMINISTRATOR, NOBODY, READER, Person, Place
from tests.doors.service import Service, content_of, refusal_of

TYPED = {"Content-Type": "application/json"}
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
NO_KEYS = {"empty": "", "a blank": "a b", "too long": "k" * 256, "a line break": "a\n", "no ASCII": "schlüssel"}
NO_OBJECTS = (b"[]", b"null", b'"on"', b"1", b"true", b'[{"state": "on"}]')
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


@pytest.mark.parametrize(
    ("door", "parameter"),
    [pytest.param(door, name, id=f"{door.name}-{name}") for door in DOORS.values() for name in door.path_parameters],
)
def test_what_is_no_guid_is_refused_by_its_name(unchanged: Service, door: Door, parameter: str) -> None:
    by = caller_of(door)
    known = dict.fromkeys(door.path_parameters, Place.OWN.value)
    paths = {what: door.at(**known | {parameter: quote(text, safe="")}) for what, text in NO_GUIDS.items()}

    told = {what: refusal_of(unchanged.call(door.method, path, by, door.body)) for what, path in paths.items()}
    nobody = unchanged.call(door.method, paths["a word"], NOBODY, door.body)

    assert told == dict.fromkeys(NO_GUIDS, (400, "invalidValue", parameter))
    assert refusal_of(nobody) == (401, "unauthenticated", None)


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_that_is_no_json_is_refused(unchanged: Service, door: Door) -> None:
    told = {what: send(unchanged, door, headers=TYPED, body=body) for what, body in NO_JSON.items()}

    assert told == dict.fromkeys(NO_JSON, (400, "invalidJson", None))


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_that_is_no_object_is_refused(unchanged: Service, door: Door) -> None:
    told = {body: send(unchanged, door, headers=TYPED, body=body) for body in NO_OBJECTS}

    assert told == dict.fromkeys(NO_OBJECTS, (400, "notAnObject", None))


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_name_that_occurs_twice_is_refused(unchanged: Service, door: Door) -> None:
    whole = json.dumps({"state": "on"} | door.body)
    body = f'{whole[:-1]}, "state": "on"}}'.encode()

    assert send(unchanged, door, headers=TYPED, body=body) == (400, "duplicateKey", "state")


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_field_the_contract_does_not_know_is_refused_by_its_name(unchanged: Service, door: Door) -> None:
    surplus = ("surplus", "id", "Display Name", "naïve", "`", "a.b", "$where", "x" * 64)
    bodies = {name: json.dumps(door.body | {name: 1}).encode() for name in surplus}

    told = {name: send(unchanged, door, headers=TYPED, body=body) for name, body in bodies.items()}

    assert told == {name: (400, "unknownField", name) for name in surplus}


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_above_64_kib_is_refused_before_it_is_read(unchanged: Service, door: Door) -> None:
    longest = b'{"x": "' + b"y" * (64 * 1024 - 9) + b'"}'

    assert send(unchanged, door, headers=TYPED, body=longest) == (400, "unknownField", "x")
    assert send(unchanged, door, headers=TYPED, body=longest + b" ") == (413, "bodyTooLarge", None)
    assert send(unchanged, door, headers=TYPED, body=b"\xff" * 1_000_000) == (413, "bodyTooLarge", None)


@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_a_body_that_is_not_called_json_is_refused(unchanged: Service, door: Door) -> None:
    kinds = ("text/plain", "application/xml", "application/x-www-form-urlencoded", "json", "*/*")

    told = {kind: send(unchanged, door, headers={"Content-Type": kind}, body=b"{}") for kind in kinds}

    assert told == dict.fromkeys(kinds, (415, "unsupportedMediaType", "Content-Type"))
    assert send(unchanged, door, body=b"{}") == (415, "unsupportedMediaType", "Content-Type")


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


@pytest.mark.parametrize("door", WRITES, ids=named)
def test_an_idempotency_key_that_is_none_is_refused(unchanged: Service, door: Door) -> None:
    told = {what: send(unchanged, door, headers={"Idempotency-Key": key}) for what, key in NO_KEYS.items()}

    assert told == dict.fromkeys(NO_KEYS, (400, "invalidValue", "Idempotency-Key"))


@pytest.mark.parametrize("door", CONDITIONAL, ids=named)
def test_an_if_match_that_does_not_match_changes_nothing(unchanged: Service, door: Door) -> None:
    etags = ('"stale"', "W/", "W/\"datetime'2026-01-01'\"", "* ", "garbage", '"a", "b"', "")

    told = {etag: send(unchanged, door, headers={"If-Match": etag}) for etag in etags}

    assert told == dict.fromkeys(etags, (412, "preconditionFailed", None))


@pytest.mark.parametrize("door", LISTS, ids=named)
def test_a_page_size_that_is_none_is_refused(unchanged: Service, door: Door) -> None:
    path = door.place(unchanged, Place.OWN, READER)
    sizes = ("0", "201", "-1", "1.5", "1e2", "ten", "%31%30%00", "\u0663", "1,2", "9" * 5000, "1&top=2")

    told = {size: refusal_of(unchanged.call("GET", f"{path}?top={size}", READER)) for size in sizes}

    assert told == dict.fromkeys(sizes, (400, "invalidValue", "top"))


@pytest.mark.parametrize("door", LISTS, ids=named)
def test_a_skip_token_that_is_not_ours_is_refused(unchanged: Service, door: Door) -> None:
    path = door.place(unchanged, Place.OWN, READER)
    tokens = ("x", "!!!!", "%FF", "AAAA", "MC10ZW5hbnQ", "b2ZmL3g", "\u0661", "a" * 3000, "eyJhIjoxfQ==")

    told = {token: refusal_of(unchanged.call("GET", f"{path}?skipToken={token}", READER)) for token in tokens}

    assert told == dict.fromkeys(tokens, (400, "invalidValue", "skipToken"))


@pytest.mark.parametrize("state", ["ON", "enabled", "on,off", "o%00n", "0"])
def test_a_state_that_is_none_is_refused(unchanged: Service, state: str) -> None:
    assert refusal_of(unchanged.call("GET", f"/v1/tenants?state={state}", READER)) == (400, "invalidValue", "state")


@pytest.mark.parametrize(
    ("query", "target"),
    [("hasProblem=1", "hasProblem"), ("hasProblem=True", "hasProblem"), (f"search={'x' * 257}", "search")],
)
def test_a_question_about_the_fleet_that_is_none_is_refused(unchanged: Service, query: str, target: str) -> None:
    assert refusal_of(unchanged.call("GET", f"/v1/tenants?{query}", READER)) == (400, "invalidValue", target)


@pytest.mark.parametrize("door", [door for door in DOORS.values() if door.rights], ids=named)
def test_of_somebody_unknown_nothing_is_read_but_the_token(unchanged: Service, door: Door) -> None:
    headers = TYPED | {"Idempotency-Key": "", "If-Match": '"stale"'}

    assert send(unchanged, door, NOBODY, headers, b"{") == (401, "unauthenticated", None)
