"""No forged, borrowed, stale or broken token gets in, and foreign ones cost no look at a key."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.callers import Reason
from tests.doors.tokens import (
    AUDIENCE,
    ISSUER,
    KEY_ID,
    NOW,
    OTHER_TENANT,
    TENANT,
    FakeSigningKeys,
    app_claims,
    base64url,
    bearer,
    private_key,
    reason_of,
    signed_octets,
    user_claims,
    verifier,
)

HEADER = json.dumps({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}).encode()
CLAIMS = json.dumps(user_claims()).encode()
OWN_JWK = {"kty": "RSA", "use": "sig", "kid": KEY_ID, "n": "sXch", "e": "AQAB"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, Reason.MISSING),
        ("", Reason.MISSING),
        ("Bearer", Reason.MALFORMED),
        ("Bearer ", Reason.MALFORMED),
        ("Basic b25seTpmb3ItdGVzdHM=", Reason.NOT_BEARER),
        ("Bearer\tx.y.z", Reason.NOT_BEARER),
        (bearer(user_claims()).removeprefix("Bearer "), Reason.NOT_BEARER),
        ("Bearer x.y", Reason.MALFORMED),
        ("Bearer x.y.z.w", Reason.MALFORMED),
        ("Bearer x..z", Reason.MALFORMED),
        ("Bearer e30.e30.", Reason.MALFORMED),
        ("Bearer e30=.e30.e30", Reason.MALFORMED),
        ("Bearer e+0.e/0.e30", Reason.MALFORMED),
        ("Bearer \u0665.\u0665.\u0665", Reason.MALFORMED),
        ("Bearer e.e.e", Reason.MALFORMED),
        (bearer(user_claims()) + "\n", Reason.MALFORMED),
        (bearer(user_claims()) + ", " + bearer(user_claims()), Reason.MALFORMED),
        (f"Bearer {'A' * 8192}", Reason.TOO_LONG),
        (bearer(user_claims(name="A" * 8192)), Reason.TOO_LONG),
    ],
)
def test_what_does_not_look_like_a_token_is_refused_before_anything_is_read(
    authorization: str | None, reason: Reason
) -> None:
    keys = FakeSigningKeys()

    assert reason_of(authorization, verifier(keys)) is reason
    assert keys.asked == []


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "", "HS256", "RS384", "PS256", "ES256", "rs256", None])
def test_no_algorithm_but_rs256_is_read(algorithm: str | None) -> None:
    assert reason_of(bearer(user_claims(), header={"alg": algorithm})) is Reason.ALGORITHM_NOT_ALLOWED


def test_the_public_key_is_no_hmac_secret() -> None:
    public = private_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = json.dumps({"alg": "HS256", "typ": "JWT", "kid": KEY_ID}).encode()
    signing_input = f"{base64url(header)}.{base64url(CLAIMS)}"
    signature = hmac.digest(public, signing_input.encode(), "sha256")

    assert reason_of(f"Bearer {signing_input}.{base64url(signature)}") is Reason.ALGORITHM_NOT_ALLOWED


@pytest.mark.parametrize(
    "field",
    [
        {"jwk": OWN_JWK},
        {"jku": "https://forger.example/keys"},
        {"x5u": "https://forger.example/certificate"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"nonce": "1"},
        {"typ": None},
        {"typ": "at+jwt"},
        {"typ": ["JWT"]},
        {"kid": None},
        {"kid": ""},
        {"kid": 1},
        {"kid": [KEY_ID]},
        {"kid": "../../keys"},
        {"kid": f"{KEY_ID}\n"},
        {"kid": "\u0665"},
        {"kid": "k" * 101},
    ],
)
def test_a_header_that_brings_its_own_key_or_rules_is_refused_before_a_key_is_asked_for(
    field: dict[str, object],
) -> None:
    keys = FakeSigningKeys()

    assert reason_of(bearer(user_claims(), header=field, key=private_key("forger")), verifier(keys)) is (
        Reason.HEADER_NOT_ALLOWED
    )
    assert keys.asked == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": f"https://login.example/{OTHER_TENANT}/v2.0"}, Reason.FOREIGN),
        ({"iss": f"https://sts.windows.net/{TENANT}/"}, Reason.FOREIGN),
        ({"iss": f"{ISSUER}/"}, Reason.FOREIGN),
        ({"iss": ISSUER.upper()}, Reason.FOREIGN),
        ({"iss": [ISSUER]}, Reason.FOREIGN),
        ({"iss": None}, Reason.FOREIGN),
        ({"tid": OTHER_TENANT}, Reason.FOREIGN),
        ({"tid": None}, Reason.FOREIGN),
        ({"ver": "1.0"}, Reason.FOREIGN),
        ({"ver": 2.0}, Reason.FOREIGN),
        ({"ver": None}, Reason.FOREIGN),
        ({"aud": OTHER_TENANT}, Reason.WRONG_AUDIENCE),
        ({"aud": f"api://{AUDIENCE}"}, Reason.WRONG_AUDIENCE),
        ({"aud": [AUDIENCE]}, Reason.WRONG_AUDIENCE),
        ({"aud": {AUDIENCE: True}}, Reason.WRONG_AUDIENCE),
        ({"aud": None}, Reason.WRONG_AUDIENCE),
    ],
)
def test_somebody_elses_token_is_refused_before_a_key_is_asked_for(changes: dict[str, object], reason: Reason) -> None:
    keys = FakeSigningKeys()

    assert reason_of(bearer(user_claims(**changes), header={"kid": "strange"}), verifier(keys)) is reason
    assert keys.asked == []


def test_another_key_than_the_tenants_signs_nothing() -> None:
    assert reason_of(bearer(user_claims(), key=private_key("forger"))) is Reason.NOT_PROVEN
    assert reason_of(bearer(user_claims(), header={"kid": "strange"})) is Reason.UNKNOWN_KEY


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat", "oid", "azp", "idtyp"])
def test_a_claim_we_need_cannot_be_left_out(claim: str) -> None:
    assert reason_of(bearer(user_claims(**{claim: None}))) is Reason.INVALID_CLAIM


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "moment",
    [0, -1, True, 1e9, float(NOW.timestamp()), 253_402_300_800, 10**400, str(int(NOW.timestamp())), "\u0661", [1], {}],
)
def test_a_moment_is_a_whole_number_of_seconds_that_a_calendar_knows(claim: str, moment: object) -> None:
    assert reason_of(bearer(user_claims(**{claim: moment}))) is Reason.INVALID_CLAIM


@pytest.mark.parametrize("claim", ["oid", "azp"])
@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "ada",
        f"{{{TENANT}}}",
        f"urn:uuid:{TENANT}",
        TENANT.replace("-", ""),
        f"{TENANT}\n",
        "\u0661" + TENANT[1:],
        1,
        [],
    ],
)
def test_an_identifier_is_a_guid_in_its_usual_form(claim: str, identifier: object) -> None:
    assert reason_of(bearer(user_claims(**{claim: identifier}))) is Reason.INVALID_CLAIM


@pytest.mark.parametrize(
    "roles", ["Tenants.Manage.All", {"Tenants.Manage.All": 1}, [["Tenants.Manage.All"]], [1], [None], 1, True]
)
def test_roles_are_a_list_of_names(roles: object) -> None:
    assert reason_of(bearer(user_claims(roles=roles))) is Reason.INVALID_CLAIM


@pytest.mark.parametrize("kind", ["", "User", "device", ["user"], True])
def test_a_token_is_a_persons_or_a_programs(kind: object) -> None:
    assert reason_of(bearer(user_claims(idtyp=kind))) is Reason.INVALID_CLAIM


@pytest.mark.parametrize(
    "scopes", [None, "", "sessions.access", "Sessions.AccessAll", ["Sessions.Access"], "a,Sessions.Access"]
)
def test_a_person_needs_the_scope_that_lets_the_console_act(scopes: object) -> None:
    assert reason_of(bearer(user_claims(scp=scopes))) is Reason.WRONG_SCOPE


@pytest.mark.parametrize("scopes", ["Sessions.Access", "", []])
def test_a_programs_token_has_no_scope_at_all(scopes: object) -> None:
    assert reason_of(bearer(app_claims(scp=scopes))) is Reason.WRONG_SCOPE


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b"null",
        b"1",
        CLAIMS + b"{}",
        CLAIMS[:-1],
        b"\xef\xbb\xbf" + CLAIMS,
        CLAIMS.decode().encode("utf-16"),
        CLAIMS[:-1] + b', "roles": ["Tenants.Manage.All"]}',
        CLAIMS[:-1] + b', "more": {"a": 1, "a": 2}}',
        CLAIMS[:-1] + b', "\\u0065xp": 1}',
        CLAIMS[:-1] + b', "more": NaN}',
        CLAIMS[:-1] + b', "more": -Infinity}',
        CLAIMS[:-1] + b', "more": ' + b"9" * 4301 + b"}",
        CLAIMS[:-1] + b', "more": ' + b"[" * 4500,
        CLAIMS[:-1] + b', "more": "\x00"}',
    ],
)
def test_claims_are_one_plain_json_object(payload: bytes) -> None:
    keys = FakeSigningKeys()

    assert reason_of(signed_octets(HEADER, payload), verifier(keys)) is Reason.MALFORMED
    assert keys.asked == []


@pytest.mark.parametrize("header", [b"[]", b"RS256", HEADER[:-1] + b', "alg": "none"}', HEADER[:-1] + b', "b64": NaN}'])
def test_a_header_is_one_plain_json_object(header: bytes) -> None:
    assert reason_of(signed_octets(header, CLAIMS)) is Reason.MALFORMED


def test_an_unencoded_payload_is_not_read_past_its_signature() -> None:
    assert reason_of(signed_octets(HEADER[:-1] + b', "b64": false}', CLAIMS)) is Reason.NOT_PROVEN


@settings(deadline=None)
@given(data=st.data())
def test_no_letter_of_a_token_can_be_changed(data: st.DataObject) -> None:
    token = bearer(user_claims()).removeprefix("Bearer ")
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCXYZabcxyz0189-_.=").filter(lambda other: other != token[at]))

    assert reason_of(f"Bearer {token[:at]}{letter}{token[at + 1 :]}") is not None


@settings(deadline=None)
@given(claim=st.sampled_from(sorted({*user_claims(), "crit", "cnf"})), value=JSON_VALUES)
def test_a_well_signed_token_with_any_value_in_any_claim_is_accepted_or_refused_and_nothing_else(
    claim: str, value: object
) -> None:
    refused = reason_of(bearer(user_claims() | {claim: value})) is not None

    assert refused or claim not in ("iss", "aud", "tid", "ver", "idtyp") or value == user_claims()[claim]


@settings(deadline=None)
@given(header=st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "cty"]), JSON_VALUES))
def test_a_well_signed_token_with_any_header_is_refused_or_is_our_own(header: dict[str, object]) -> None:
    token = bearer(user_claims(), header=header)
    read = json.loads(urlsafe_b64decode(token.removeprefix("Bearer ").partition(".")[0] + "=="))

    accepted = reason_of(token) is None

    assert not accepted or (read["alg"], read["typ"], read["kid"]) == ("RS256", "JWT", KEY_ID)
