"""Every AADSTS code we know of is explained, and none that must not be tried again ever is."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from shared.domain.errors import Code, Refused, Transient
from shared.domain.sign_in_errors import Kind, classify

# Written down a second time, on purpose: by code here, by meaning in the table.
EXPECTED: dict[int, tuple[Kind, Code]] = {
    **dict.fromkeys(
        (50033, 90006, 90012, 90024, 90033, 90055, 90090, 80001, 80002, 80005, 80014),
        (Kind.TRANSIENT, Code.UPSTREAM_UNAVAILABLE),
    ),
    **dict.fromkeys(
        (50055, 50056, 50064, 50126, 50132, 50133, 50144, 50173, 70000, 70008, 70043, 700082),
        (Kind.CREDENTIAL, Code.CREDENTIAL_REJECTED),
    ),
    **dict.fromkeys(
        (50053, 50072, 50074, 50076, 50078, 50079, 50097, 50131, 50135, 50158, 53000, 53001, 53002, 53003, 53004),
        (Kind.POLICY, Code.SIGN_IN_BLOCKED),
    ),
    **dict.fromkeys(
        (53011, 530003, 530032, 530034, 530035, 80003, 80004, 80006, 80007, 80008, 80009, 80010, 80011, 80012, 80013),
        (Kind.POLICY, Code.SIGN_IN_BLOCKED),
    ),
    50057: (Kind.POLICY, Code.ACCOUNT_LOST),
    **dict.fromkeys(
        (65001, 90094, 90095, 90099, 700011, 700016, 700038, 7000112, 7000229),
        (Kind.APPLICATION, Code.CONSENT_MISSING),
    ),
    50105: (Kind.APPLICATION, Code.SIGN_IN_BLOCKED),
    **dict.fromkeys((500011, 650052), (Kind.APPLICATION, Code.TOKEN_UNAVAILABLE)),
    **dict.fromkeys(
        (50012, 70002, 700024, 700027, 700211, 700212, 700213, 7000215, 7000222),
        (Kind.APPLICATION, Code.INTERNAL_ERROR),
    ),
    50034: (Kind.CONFIGURATION, Code.ACCOUNT_LOST),
    **dict.fromkeys((50020, 90072, 700084), (Kind.CONFIGURATION, Code.CREDENTIAL_REJECTED)),
    90002: (Kind.CONFIGURATION, Code.TENANT_NOT_FOUND),
    **dict.fromkeys((16000, 16001, 16002, 16003, 160021), (Kind.CONFIGURATION, Code.SIGN_IN_BLOCKED)),
    **dict.fromkeys(
        (50196, 65002, 650057, 70003, 70011, 700022, 700025, 7000218, 90014, 90019, 1002012, 9001023),
        (Kind.CONFIGURATION, Code.INTERNAL_ERROR),
    ),
}
NEVER_AGAIN = (50126, 50055, 50057, 50076, 53003, 50053)
ENTRA_WORDS = "AADSTS{}: Words-of-Entra for user alice@contoso.example. Trace ID: 11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("number", EXPECTED)
def test_a_known_code_has_its_kind_and_our_code(number: int) -> None:
    explained = classify("invalid_grant", [number], "")

    assert (explained.kind, explained.code) == EXPECTED[number]
    assert explained.aadsts == number


@pytest.mark.parametrize("number", EXPECTED)
def test_a_known_code_is_raised_as_transient_exactly_when_time_mends_it(number: int) -> None:
    error = classify("invalid_grant", [number], "").as_error()

    assert type(error) is (Transient if EXPECTED[number][0] is Kind.TRANSIENT else Refused)


@pytest.mark.parametrize("number", EXPECTED)
def test_an_explanation_names_the_number_and_says_what_to_do_and_where(number: int) -> None:
    problem = classify("invalid_grant", [number], "").as_error().problem

    assert f"AADSTS{number}" in problem.message
    assert problem.next_step is not None
    assert problem.next_step.text.endswith(".")
    link = urlsplit(problem.next_step.link or "")
    assert (link.scheme, link.hostname in ("learn.microsoft.com", "entra.microsoft.com")) == ("https", True)


@pytest.mark.parametrize("number", [*EXPECTED, 12345])
def test_nothing_that_entra_wrote_is_in_the_explanation(number: int) -> None:
    explained = classify("invalid_grant", [number], ENTRA_WORDS.format(number))

    shown = f"{explained!r} {explained.as_error()} {explained.as_error().problem!r}"
    assert not [word for word in ("Words-of-Entra", "alice", "11111111") if word in shown]


@pytest.mark.parametrize("number", EXPECTED)
def test_only_a_transient_error_says_how_long_to_wait(number: int) -> None:
    explained = classify("invalid_grant", [number], "")

    assert explained.retry_after is None or explained.kind is Kind.TRANSIENT


@pytest.mark.parametrize("number", NEVER_AGAIN)
@pytest.mark.parametrize("error", ["invalid_grant", "temporarily_unavailable", "interaction_required", ""])
def test_an_error_that_locks_or_alarms_is_never_tried_again_whatever_the_oauth_error_says(
    number: int, error: str
) -> None:
    assert type(classify(error, [number], "try again").as_error()) is Refused


@pytest.mark.parametrize("number", [50034, 50126])
def test_a_new_account_that_is_not_known_everywhere_yet_is_tried_again_at_a_pace_that_cannot_lock_it(
    number: int,
) -> None:
    error = classify("invalid_grant", [number], "", account_is_new=True).as_error()

    assert isinstance(error, Transient)
    assert error.retry_after is not None
    assert error.retry_after * 10 > timedelta(minutes=1)  # ten wrong passwords within a minute lock an account


@pytest.mark.parametrize("number", [number for number in EXPECTED if number not in (50034, 50126)])
def test_that_the_account_is_new_changes_nothing_else(number: int) -> None:
    assert classify("invalid_grant", [number], "", account_is_new=True) == classify("invalid_grant", [number], "")


def test_a_throttled_tenant_is_left_alone_for_minutes() -> None:
    error = classify("temporarily_unavailable", [90055], "").as_error()

    assert isinstance(error, Transient)
    assert error.retry_after == timedelta(minutes=2)


def test_the_first_of_several_codes_decides() -> None:
    assert classify("invalid_grant", [50057, 90033], "AADSTS90033").code is Code.ACCOUNT_LOST


def test_without_codes_the_number_is_read_from_the_description() -> None:
    explained = classify("invalid_grant", [], "AADSTS53003: Access has been blocked. Trace ID: 90033")

    assert (explained.aadsts, explained.kind) == (53003, Kind.POLICY)


@pytest.mark.parametrize(
    "description", ["", "AADSTS", "AADSTS: 53003", "AADSTS\u0665\u0663\u0660\u0660\u0663", "aadsts53003"]
)
def test_a_description_without_a_number_leaves_it_to_the_oauth_error(description: str) -> None:
    assert classify("temporarily_unavailable", [], description).kind is Kind.TRANSIENT
    assert classify("invalid_grant", [], description).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ("temporarily_unavailable", Kind.TRANSIENT, Code.UPSTREAM_UNAVAILABLE),
        ("server_error", Kind.TRANSIENT, Code.UPSTREAM_UNAVAILABLE),
        ("invalid_client", Kind.APPLICATION, Code.INTERNAL_ERROR),
        ("unauthorized_client", Kind.APPLICATION, Code.CONSENT_MISSING),
        ("consent_required", Kind.APPLICATION, Code.CONSENT_MISSING),
        ("invalid_resource", Kind.APPLICATION, Code.TOKEN_UNAVAILABLE),
        ("interaction_required", Kind.POLICY, Code.SIGN_IN_BLOCKED),
        ("login_required", Kind.CONFIGURATION, Code.SIGN_IN_BLOCKED),
        ("invalid_request", Kind.CONFIGURATION, Code.INTERNAL_ERROR),
        ("invalid_scope", Kind.CONFIGURATION, Code.INTERNAL_ERROR),
        ("unsupported_grant_type", Kind.CONFIGURATION, Code.INTERNAL_ERROR),
        ("invalid_grant", Kind.UNKNOWN, Code.SIGN_IN_BLOCKED),
        ("", Kind.UNKNOWN, Code.SIGN_IN_BLOCKED),
    ],
)
def test_a_number_nobody_knows_leaves_it_to_the_oauth_error_and_is_still_named(
    error: str, kind: Kind, code: Code
) -> None:
    numbered, bare = classify(error, [12345], ""), classify(error, [], "")

    assert (numbered.kind, numbered.code, numbered.aadsts) == (kind, code, 12345)
    assert (bare.kind, bare.code, bare.aadsts) == (kind, code, None)
    assert "AADSTS12345" in numbered.as_error().problem.message
    assert "AADSTS" not in bare.as_error().problem.message


def test_an_unknown_error_is_refused() -> None:
    assert type(classify("", [12345], "").as_error()) is Refused
