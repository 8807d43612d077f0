"""An account's methods, its per-user MFA, the end of its sessions and the change of its own password."""

from __future__ import annotations

import pytest

from local.simulator.state import RefreshToken
from local.simulator.timestamps import moment_of
from tests.simulator.graph.directory import (
    NEW_PASSWORD,
    PASSWORD,
    Directory,
    as_user,
    document,
    message,
    refusal,
    values,
)

CHANGE = "/v1.0/me/changePassword"
CHANGE_SCOPE = "User-PasswordProfile.ReadWrite.All"


def test_me_is_the_user_of_the_token(directory: Directory) -> None:
    user = directory.add_user()

    found = document(directory.call("GET", "/v1.0/me?$select=id", claims=as_user(user, "User.Read")))

    assert found["id"] == user.id


def test_me_means_nothing_to_an_application(directory: Directory) -> None:
    response = directory.call("GET", "/v1.0/me")

    assert refusal(response) == (400, "BadRequest")
    assert message(response) == "/me request is only valid with delegated authentication flow."


def test_me_needs_a_scope(directory: Directory) -> None:
    response = directory.call("GET", "/v1.0/me", claims=as_user(directory.add_user(), "Mail.Read"))

    assert refusal(response) == (403, "Authorization_RequestDenied")


def test_administrator_changes_its_own_password_without_any_further_role(directory: Directory) -> None:
    user = directory.add_user("svc", "Exchange Administrator")
    user.must_change_password = True
    body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}

    response = directory.call("POST", CHANGE, body, claims=as_user(user, CHANGE_SCOPE))

    assert (response.status, response.document) == (204, None)
    assert (user.password, user.must_change_password) == (NEW_PASSWORD, False)


def test_own_password_change_leaves_refresh_tokens_alone(directory: Directory) -> None:
    user = directory.add_user()
    token = RefreshToken(user.id, "client", directory.clock.now())
    directory.tenant.refresh_tokens["only-for-tests-token"] = token

    directory.call(
        "POST",
        CHANGE,
        {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD},
        claims=as_user(user, CHANGE_SCOPE),
    )

    assert token.revoked is False


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"currentPassword": "only-for-tests-wrong", "newPassword": NEW_PASSWORD}, (400, "Request_BadRequest")),
        ({"currentPassword": PASSWORD, "newPassword": "weak"}, (400, "Request_BadRequest")),
        ({"currentPassword": PASSWORD}, (400, "BadRequest")),
        ({"currentPassword": PASSWORD, "newPassword": 7}, (400, "BadRequest")),
    ],
)
def test_impossible_password_change_is_refused_without_repeating_a_password(
    directory: Directory, body: dict[str, object], expected: tuple[int, str]
) -> None:
    user = directory.add_user()

    response = directory.call("POST", CHANGE, body, claims=as_user(user, CHANGE_SCOPE))

    assert refusal(response) == expected
    assert user.password == PASSWORD
    assert "only-for-tests" not in str(response.document)


def test_own_password_change_needs_its_scope(directory: Directory) -> None:
    user = directory.add_user()
    body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}

    response = directory.call("POST", CHANGE, body, claims=as_user(user, "User.Read"))

    assert refusal(response) == (403, "Authorization_RequestDenied")


def test_revoking_voids_the_users_refresh_tokens_and_moves_the_moment_sessions_count_from(directory: Directory) -> None:
    user, other = directory.add_user("svc", "Exchange Administrator"), directory.add_user("other")
    mine, theirs = (RefreshToken(each.id, "client", directory.clock.now()) for each in (user, other))
    directory.tenant.refresh_tokens |= {"only-for-tests-1": mine, "only-for-tests-2": theirs}
    before = moment_of(user.document["signInSessionsValidFromDateTime"])

    response = directory.call("POST", f"/v1.0/users/{user.id}/revokeSignInSessions")

    assert response.status == 200
    assert document(response)["value"] is True
    assert (mine.revoked, theirs.revoked) == (True, False)
    assert moment_of(user.document["signInSessionsValidFromDateTime"]) > before


def test_signed_in_user_may_revoke_itself_but_nobody_else(directory: Directory) -> None:
    user, other = directory.add_user(), directory.add_user("other")
    claims = as_user(user, "User.RevokeSessions.All")

    itself = directory.call("POST", f"/v1.0/users/{user.id}/revokeSignInSessions", claims=claims)
    somebody = directory.call("POST", f"/v1.0/users/{other.id}/revokeSignInSessions", claims=claims)

    assert itself.status == 200
    assert refusal(somebody) == (403, "Authorization_RequestDenied")


def test_methods_are_the_password_and_whatever_was_registered(directory: Directory) -> None:
    user = directory.add_user()
    phone = {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "3179e48a-750b-4051-897c-87b9720928f7"}
    user.methods = [phone]

    methods = values(directory.call("GET", f"/v1.0/users/{user.id}/authentication/methods"))

    assert [method["@odata.type"] for method in methods] == [
        "#microsoft.graph.passwordAuthenticationMethod",
        "#microsoft.graph.phoneAuthenticationMethod",
    ]
    assert methods[0]["password"] is None


def test_per_user_mfa_is_read_and_set_in_beta_only(directory: Directory) -> None:
    user = directory.add_user()
    path = f"/beta/users/{user.id}/authentication/requirements"

    changed = directory.call("PATCH", path, {"perUserMfaState": "enforced"})

    assert changed.status == 204
    assert document(directory.call("GET", path))["perUserMfaState"] == "enforced"
    assert user.per_user_mfa == "enforced"


@pytest.mark.parametrize("body", [{}, {"perUserMfaState": "off"}, {"perUserMfaState": "enabled", "extra": 1}])
def test_impossible_per_user_mfa_state_is_refused(directory: Directory, body: dict[str, object]) -> None:
    user = directory.add_user()

    response = directory.call("PATCH", f"/beta/users/{user.id}/authentication/requirements", body)

    assert refusal(response) == (400, "BadRequest")
    assert user.per_user_mfa == "disabled"
