"""What is wrong with a value is told in words, and a duration may be as long as the contract says and no longer."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from functions import reading
from shared.domain.errors import Invalid, Problem
from shared.domain.limits import Limits

GOOD = {"state": "on", "method": "globalAdmin", "username": "a@b", "password": "only-for-tests-password"}


def refusal_of(**changed: object) -> Problem | None:
    """Why the good body with these changes is refused; None when it is taken."""
    try:
        reading.read_session(json.dumps(GOOD | changed).encode())
    except Invalid as refusal:
        return refusal.problem
    return None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("duration", "PT9H", "A duration of 1 minute to 2 hours is expected here, such as PT1H30M."),
        ("duration", 60, "Text is expected here."),
        ("username", "admin", "A sign-in name is expected here, such as admin@contoso.onmicrosoft.com."),
        ("reason", "x" * 501, "At most 500 characters are expected here."),
        ("reason", "", "This must not be empty."),
        ("reason", "two\nlines", "A single line of text is expected here."),
    ],
)
def test_what_is_expected_is_told_in_words(name: str, value: object, told: str) -> None:
    problem = refusal_of(**{name: value})

    assert problem is not None
    assert (problem.message, problem.target) == (told, name)


def test_an_administrators_session_may_last_as_long_as_the_contract_says_and_no_longer() -> None:
    longest = Limits().global_admin_longest // timedelta(minutes=1)

    refused = [refusal_of(duration=f"PT{minutes}M") is not None for minutes in (1, longest, longest + 1)]

    assert refused == [False, False, True]
