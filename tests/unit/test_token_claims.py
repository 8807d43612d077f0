"""What our own token says is read without trusting it, and without failing on it."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest

from shared.adapters.token_claims import claims_in, grants_in, permissions_in
from shared.domain.secret import Secret


def token(claims: object) -> Secret:
    """A token that says so; nobody signed it."""
    payload = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret(f"e30.{payload}.only-for-tests")


def test_permissions_are_the_roles_and_grants_the_directory_roles_too() -> None:
    claims = claims_in(token({"roles": ["User.Read.All"], "wids": ["7be44c8a"], "scp": "ignored"}))

    assert permissions_in(claims) == {"User.Read.All"}
    assert grants_in(claims) == {"User.Read.All", "7be44c8a"}


@pytest.mark.parametrize("length", range(4))
def test_payload_of_any_length_is_read(length: int) -> None:
    assert claims_in(token({"padding": "x" * length}))["padding"] == "x" * length


@pytest.mark.parametrize("roles", [None, "User.Read.All", 1, {}])
def test_roles_that_are_no_list_are_none(roles: object) -> None:
    assert permissions_in({"roles": roles}) == frozenset()


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "e30.W10.e30", "e30.____.e30", "e30.\u00e9.e30"])
def test_token_that_is_no_jwt_says_nothing(text: str) -> None:
    assert claims_in(Secret(text)) == {}
