"""A secret cannot be seen by accident: not printed, not formatted, not pickled, not written as JSON."""

from __future__ import annotations

import copy
import json
import pickle
import string
import traceback
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.secret import AccessToken, Secret, new_password
from tests.fakes.clock import START

TEXT = "only-for-tests-Secr3t"
SECRET = Secret(TEXT)
TOKEN = AccessToken(SECRET, START)


@dataclass
class Holder:
    secret: Secret


@pytest.mark.parametrize("shown", [repr(SECRET), str(SECRET), f"{SECRET}", f"{SECRET!r:>40}", "%s" % SECRET])  # noqa: UP031
def test_however_it_is_printed_it_is_hidden(shown: str) -> None:
    assert shown.strip() == "****"


@pytest.mark.parametrize("holder", [[SECRET], {"a": SECRET}, Holder(SECRET), TOKEN, ValueError(SECRET)])
def test_what_holds_it_hides_it_too(holder: object) -> None:
    assert TEXT not in repr(holder)
    assert TEXT not in str(holder)


def test_exception_about_it_shows_nothing_in_its_traceback() -> None:
    with pytest.raises(ValueError, match=r"\*\*\*\*") as failure:
        raise ValueError(f"could not use {SECRET}")

    assert TEXT not in "".join(traceback.format_exception(failure.value))


def test_it_is_never_serialised() -> None:
    for serialise in (pickle.dumps, copy.deepcopy, copy.copy, json.dumps, msgspec.json.encode, msgspec.to_builtins):
        with pytest.raises(TypeError):
            serialise(SECRET)


def test_token_is_not_serialised_either() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(TOKEN)


def test_it_has_no_attribute_that_shows_it() -> None:
    assert not hasattr(SECRET, "__dict__")
    assert not [name for name in dir(SECRET) if not name.startswith("_") and name != "reveal"]


@given(st.text(), st.text())
def test_two_are_equal_exactly_when_their_values_are(one: str, other: str) -> None:
    assert (Secret(one) == Secret(other)) is (one == other)
    assert Secret(one) != one


@given(st.text())
def test_its_hash_tells_nothing_of_it(text: str) -> None:
    assert hash(Secret(text)) == hash(SECRET)


@given(st.integers(min_value=8, max_value=256))
def test_password_has_every_class_the_asked_length_and_no_white_space(length: int) -> None:
    password = new_password(length).reveal()

    assert len(password) == length
    assert not set(password) & set(string.whitespace)
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation):
        assert set(password) & set(kind)


def test_no_two_passwords_are_the_same() -> None:
    assert len({new_password().reveal() for _ in range(200)}) == 200


def test_token_lasts_until_its_end_and_not_longer() -> None:
    token = AccessToken(SECRET, START + timedelta(minutes=5))

    assert token.lasts(timedelta(minutes=5), START)
    assert not token.lasts(timedelta(minutes=5, microseconds=1), START)
