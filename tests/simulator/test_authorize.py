"""Interactive sign-in at the simulated Entra: the account picker, PKCE, and tokens for a page in a browser."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from local.simulator.seed import API_AUDIENCE, CALLERS, CONSOLE_CLIENT_ID, HOME, TAILSPIN
from tests.simulator.clients import Microsoft, codes

REDIRECT = "http://127.0.0.1:7080/"
ORIGIN = {"Origin": "http://127.0.0.1:7080"}
VERIFIER = "only-for-tests-verifier-of-forty-three-characters"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
SCOPE = f"api://{API_AUDIENCE}/Sessions.Access openid profile offline_access"
ASKED = {
    "client_id": CONSOLE_CLIENT_ID,
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "response_mode": "fragment",
    "scope": SCOPE,
    "state": "s1",
    "nonce": "n1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def authorize(
    microsoft: Microsoft, method: str = "GET", tenant: str = HOME, **changes: str | None
) -> requests.Response:
    """The authorize endpoint; a change to None leaves a parameter out."""
    given = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    url = f"{microsoft.simulator.url}/{tenant}/oauth2/v2.0/authorize"
    sent = {"params": given} if method == "GET" else {"data": given}
    return microsoft.session.request(method, url, allow_redirects=False, **sent)  # type: ignore[arg-type]


def picked(microsoft: Microsoft, person: str = "operator") -> str:
    """The code that comes back when somebody picks an account."""
    back = authorize(microsoft, "POST", login=CALLERS[person].username)
    return parse_qs(urlsplit(back.headers["Location"]).fragment)["code"][0]


def redeem(microsoft: Microsoft, *, from_page: bool = True, **changes: str) -> requests.Response:
    """The token endpoint as MSAL.js calls it."""
    form = {
        "client_id": CONSOLE_CLIENT_ID,
        "grant_type": "authorization_code",
        "redirect_uri": REDIRECT,
        "scope": SCOPE,
        "code_verifier": VERIFIER,
        **changes,
    }
    url = f"{microsoft.simulator.url}/{HOME}/oauth2/v2.0/token"
    return microsoft.session.post(url, data=form, headers=ORIGIN if from_page else {})


def claims(token: str) -> dict[str, Any]:
    """What a token says; the doors' tests verify signatures."""
    content: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return content


def test_picker_lists_the_vendors_people_and_none_of_its_programs(microsoft: Microsoft) -> None:
    page = authorize(microsoft)

    assert page.status_code == 200
    for caller in CALLERS.values():
        assert (caller.name in page.text) == (caller.idtyp == "user")


def test_pick_goes_back_to_the_page_with_code_and_state(microsoft: Microsoft) -> None:
    back = authorize(microsoft, "POST", login=CALLERS["reader"].username)

    assert back.status_code == 303
    target = urlsplit(back.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == REDIRECT
    assert parse_qs(target.fragment)["state"] == ["s1"]
    assert not target.query


def test_code_gives_tokens_that_say_who_was_picked(microsoft: Microsoft) -> None:
    answer = redeem(microsoft, code=picked(microsoft)).json()

    operator = CALLERS["operator"]
    access, identity = claims(answer["access_token"]), claims(answer["id_token"])
    assert (access["oid"], access["roles"], access["aud"]) == (operator.object_id, list(operator.roles), API_AUDIENCE)
    assert (identity["aud"], identity["nonce"], identity["name"]) == (CONSOLE_CLIENT_ID, "n1", operator.name)
    assert answer["client_info"]


def test_refresh_token_gives_new_tokens(microsoft: Microsoft) -> None:
    first = redeem(microsoft, code=picked(microsoft)).json()

    second = redeem(microsoft, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()

    assert claims(second["access_token"])["oid"] == CALLERS["operator"].object_id
    assert second["refresh_token"] != first["refresh_token"]


def test_refresh_token_of_a_page_ends_after_a_day(microsoft: Microsoft) -> None:
    first = redeem(microsoft, code=picked(microsoft)).json()
    microsoft.control("POST", "clock", {"advance": 24 * 3600 + 1})

    late = redeem(microsoft, grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert codes(late.json()) == [700084]


def test_code_is_good_once(microsoft: Microsoft) -> None:
    code = picked(microsoft)
    redeem(microsoft, code=code)

    assert codes(redeem(microsoft, code=code).json()) == [54005]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code_verifier": "only-for-tests-another-verifier"}, 501481),
        ({"redirect_uri": "http://127.0.0.1:1/"}, 50011),
        ({"code": "1.unknown"}, 70000),
        ({"scope": "https://graph.microsoft.com/User.Read"}, 70011),
        ({"grant_type": "password"}, 70003),
    ],
)
def test_code_is_not_redeemed_by_a_request_that_does_not_fit(
    microsoft: Microsoft, changes: dict[str, str], code: int
) -> None:
    form = {"code": picked(microsoft)} | changes

    answer = redeem(microsoft, **form)  # type: ignore[arg-type]

    assert codes(answer.json()) == [code]


def test_tokens_of_a_page_are_given_across_origins_only(microsoft: Microsoft) -> None:
    answer = redeem(microsoft, from_page=False, code=picked(microsoft))

    assert codes(answer.json()) == [9002327]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code_challenge": None}, 9002325),
        ({"code_challenge_method": "plain"}, 501481),
        ({"redirect_uri": "https://elsewhere.example/"}, 50011),
        ({"client_id": API_AUDIENCE}, 700016),
        ({"response_type": "token"}, 90014),
        ({"tenant": TAILSPIN}, 700016),
    ],
)
def test_request_that_must_not_be_redirected_is_refused_on_the_page(
    microsoft: Microsoft, changes: dict[str, str | None], code: int
) -> None:
    answer = authorize(microsoft, **changes)  # type: ignore[arg-type]

    assert codes(answer.json()) == [code]
    assert "Location" not in answer.headers


def test_silent_request_is_told_that_somebody_must_sign_in(microsoft: Microsoft) -> None:
    back = authorize(microsoft, prompt="none")

    assert parse_qs(urlsplit(back.headers["Location"]).fragment)["error"] == ["login_required"]


def test_pages_of_any_origin_may_read_discovery_keys_and_tokens(microsoft: Microsoft) -> None:
    for path in ("v2.0/.well-known/openid-configuration", "discovery/v2.0/keys"):
        answer = microsoft.session.get(f"{microsoft.simulator.url}/{HOME}/{path}", headers=ORIGIN)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"

    assert redeem(microsoft, code=picked(microsoft)).headers["Access-Control-Allow-Origin"] == "*"


def test_sign_out_returns_to_the_page(microsoft: Microsoft) -> None:
    url = f"{microsoft.simulator.url}/{HOME}/oauth2/v2.0/logout"

    back = microsoft.session.get(url, params={"post_logout_redirect_uri": REDIRECT}, allow_redirects=False)

    assert (back.status_code, back.headers["Location"]) == (303, REDIRECT)
