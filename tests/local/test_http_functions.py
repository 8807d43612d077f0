"""What a function sees of a request and what a client sees of its answer follow the platform's rules."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest

from local.host import FunctionHost
from tests.local.conftest import APP

THING = "/api/things/0f8fad5b-d9cb-469f-a165-70867728950e"


def seen(host: FunctionHost, method: str, path: str, **details: Any) -> dict[str, Any]:
    """What the Echo function says it was given."""
    response = host.call(method, path, **details)
    assert response.status == 200
    content = response.json()
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (THING, {"thing": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        (f"{THING}/7", {"thing": "0f8fad5b-d9cb-469f-a165-70867728950e", "number": "7"}),
        (f"{THING}/", {"thing": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        (
            "/API/Things/0F8FAD5BD9CB469FA16570867728950E/-7",
            {"thing": "0F8FAD5BD9CB469FA16570867728950E", "number": "-7"},
        ),
    ],
)
def test_route_values_arrive_as_text_and_absent_optional_ones_are_absent(
    host: FunctionHost, path: str, route: dict[str, str]
) -> None:
    assert seen(host, "GET", path)["route"] == route


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nothing"),
        ("GET", "/api/things"),
        ("GET", "/things/0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("GET", "/api/things/not-a-guid"),
        ("GET", f"{THING}/seven"),
        ("GET", f"{THING}/2147483648"),
        ("GET", f"{THING}/7/8"),
        ("DELETE", THING),
        ("HEAD", THING),
    ],
)
def test_no_route_wrong_method_and_failed_constraint_are_all_404(host: FunctionHost, method: str, path: str) -> None:
    response = host.call(method, path)

    assert (response.status, response.body) == (404, b"")


@pytest.mark.parametrize(
    ("path", "rest"),
    [
        ("/api/files/a/b.txt", "a/b.txt"),
        ("/api/files", ""),
        ("/api/files/a%20b/c%2Fd", "a b/c%2Fd"),
        ("/api/files/%ff", "%ff"),
    ],
)
def test_a_rest_parameter_takes_what_is_left_of_the_path(host: FunctionHost, path: str, rest: str) -> None:
    assert host.get(path).json() == {"path": rest}


def test_header_names_arrive_in_lower_case(host: FunctionHost) -> None:
    headers = seen(host, "GET", THING, headers={"X-Ms-Test": "Value"})["headers"]

    assert headers["x-ms-test"] == "Value"


def test_empty_query_parameters_are_dropped_and_repeated_ones_joined(host: FunctionHost) -> None:
    query = seen(host, "GET", f"{THING}?a=1&empty=&a=2&b=%C3%A9")["query"]

    assert query == {"a": "1,2", "b": "é"}


def test_a_body_arrives_as_it_was_sent(host: FunctionHost) -> None:
    assert json.loads(seen(host, "POST", THING, json={"a": [1]})["body"]) == {"a": [1]}


def test_a_chunked_body_arrives_empty(host: FunctionHost) -> None:
    given = seen(host, "POST", THING, headers={"Transfer-Encoding": "chunked"}, body="lost")

    assert given["body"] == ""
    assert given["headers"]["transfer-encoding"] == "chunked"


@pytest.mark.parametrize("how", ["raise", "text", "inject"])
def test_a_function_that_raises_or_answers_wrongly_is_500_without_a_body(host: FunctionHost, how: str) -> None:
    response = host.get(f"/api/behave/{how}")

    assert (response.status, response.body) == (500, b"")


def test_a_guarded_function_asks_for_the_master_key(host: FunctionHost) -> None:
    assert host.get("/api/guarded").status == 401
    assert host.get("/api/guarded", headers={"x-functions-key": "only-for-tests-wrong"}).status == 401
    assert host.get("/api/guarded", headers={"x-functions-key": host.master_key}).text == "let in"


def test_two_requests_run_at_the_same_time(host: FunctionHost, app: ModuleType) -> None:
    with ThreadPoolExecutor() as pool:
        responses = list(pool.map(host.get, ["/api/behave/meet"] * 2))

    assert [response.status for response in responses] == [200, 200]
    assert not app.meeting.broken


def test_a_connection_is_kept_alive_over_good_bad_and_chunked_requests(host: FunctionHost) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", host.listen(), timeout=10)
    connection.connect()
    socket = connection.sock

    answers = []
    requests: list[tuple[str, str, bytes | Iterable[bytes] | None]] = [
        ("POST", THING, b"text"),
        ("POST", THING, iter([b"one", b"two"])),  # no length, so http.client sends chunks
        ("GET", "/api/behave/raise", None),
        ("GET", "/api/behave/no-content", None),
        ("BREW", "/api/nothing", None),
        ("GET", THING, None),
    ]
    for method, path, body in requests:
        connection.request(method, path, body=body)
        response = connection.getresponse()
        answers.append((response.status, response.read()))

    assert [status for status, _ in answers] == [200, 200, 500, 204, 404, 200]
    assert [json.loads(answers[position][1])["body"] for position in (0, 1)] == ["text", ""]
    assert connection.sock is socket
    connection.close()


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 11", 413),
        (b"Content-Length: -1", 400),
        (b"Content-Length: 1\r\nContent-Length: 2", 400),
        (b"Transfer-Encoding: chunked\r\n\r\nB\r\n", 413),
        (b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    ],
)
def test_a_body_that_is_too_large_or_makes_no_sense_never_reaches_a_function(
    settings: dict[str, str], head: bytes, status: int
) -> None:
    with FunctionHost(APP, settings | {"FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "10"}) as host:
        connection = http.client.HTTPConnection("127.0.0.1", host.listen(), timeout=10)
        connection.connect()
        connection.sock.sendall(f"POST {THING} HTTP/1.1\r\nHost: localhost\r\n".encode() + head + b"\r\n\r\n")
        response = http.client.HTTPResponse(connection.sock)
        response.begin()

        assert response.status == status
        assert response.getheader("Connection") == "close"
        connection.close()


def test_half_a_body_never_reaches_a_function(host: FunctionHost, app: ModuleType) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", host.listen(), timeout=10)
    connection.connect()
    connection.sock.sendall(f"POST {THING} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf".encode())
    connection.sock.shutdown(1)

    answer = connection.sock.recv(100)

    assert answer == b""
    connection.close()
