"""Pages of other origins: the host's list decides, as the platform's does in front of the app."""

from __future__ import annotations

from local.host.cors import Cors
from local.host.http import Request, Response

CONSOLE = "http://127.0.0.1:7080"
CORS = Cors([CONSOLE])


def preflight(origin: str) -> Request:
    """What a browser asks before a PUT with a token."""
    wanted = {"access-control-request-method": "PUT", "access-control-request-headers": "authorization"}
    return Request("OPTIONS", "/api/v1/tenants", {"origin": origin} | wanted)


def test_preflight_of_a_listed_origin_is_granted_what_it_asks() -> None:
    answer = CORS.preflight(preflight(CONSOLE))

    assert answer is not None
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == CONSOLE
    assert answer.headers["access-control-allow-methods"] == "PUT"
    assert answer.headers["access-control-allow-headers"] == "authorization"


def test_preflight_of_a_foreign_origin_is_granted_nothing() -> None:
    answer = CORS.preflight(preflight("https://elsewhere.example"))

    assert answer is not None
    assert not answer.headers


def test_request_that_is_no_preflight_reaches_the_app() -> None:
    assert CORS.preflight(Request("OPTIONS", "/api/v1/tenants")) is None
    assert CORS.preflight(Request("GET", "/api/v1/tenants", {"origin": CONSOLE})) is None


def test_answer_may_be_read_by_a_listed_origin_only() -> None:
    answer = Response(200, {"etag": "1"})

    assert CORS.permit(Request("GET", "/", {"origin": CONSOLE}), answer).headers == {
        "etag": "1",
        "access-control-allow-origin": CONSOLE,
        "vary": "Origin",
    }
    assert CORS.permit(Request("GET", "/", {"origin": "https://elsewhere.example"}), answer) == answer
    assert CORS.permit(Request("GET", "/"), answer) == answer


def test_no_origin_is_listed_unless_somebody_says_so() -> None:
    assert Cors().permit(Request("GET", "/", {"origin": CONSOLE}), Response(200)) == Response(200)
