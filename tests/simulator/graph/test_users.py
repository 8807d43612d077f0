"""Creating, reading, changing and deleting users, with every refusal the real directory is known for."""

from __future__ import annotations

import pytest

from tests.simulator.graph.directory import (
    DOMAIN,
    NEW_PASSWORD,
    PASSWORD,
    Directory,
    as_user,
    document,
    message,
    new_user,
    refusal,
    values,
)

DEFAULT_PROPERTIES = {
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
}


def test_created_user_is_answered_with_the_default_properties_and_no_password(directory: Directory) -> None:
    created = directory.made("/v1.0/users", new_user())

    assert created.keys() == DEFAULT_PROPERTIES | {"@odata.context"}
    assert directory.tenant.users[created["id"]].password == PASSWORD
    assert PASSWORD not in str(created)


def test_user_is_found_by_object_id_and_by_name_in_any_case(directory: Directory) -> None:
    created = directory.made("/v1.0/users", new_user())

    for key in (created["id"], f"svc@{DOMAIN}", f"SVC@{DOMAIN.upper()}"):
        found = document(directory.call("GET", f"/v1.0/users/{key}?$select=id,accountEnabled,employeeId"))
        assert found["id"] == created["id"]
        assert found["accountEnabled"] is True
        assert found["employeeId"] == "only-for-tests"


def test_new_user_cannot_be_seen_before_it_has_been_replicated(directory: Directory) -> None:
    directory.world.replication = 60
    created = directory.made("/v1.0/users", new_user())

    early = directory.call("GET", f"/v1.0/users/{created['id']}")
    early_list = values(directory.call("GET", "/v1.0/users"))
    directory.clock.advance(61)
    late = directory.call("GET", f"/v1.0/users/{created['id']}")

    assert refusal(early) == (404, "Request_ResourceNotFound")
    assert "does not exist or one of its queried reference-property objects are not present" in message(early)
    assert early_list == []
    assert late.status == 200


@pytest.mark.parametrize(
    "absent", ["accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"]
)
def test_user_without_a_required_property_is_refused(directory: Directory, absent: str) -> None:
    response = directory.call("POST", "/v1.0/users", new_user(**{absent: None}))

    assert refusal(response) == (400, "Request_BadRequest")
    assert message(response) == f"Property {absent} value is required but is empty or missing."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accountEnabled", "true"),
        ("displayname", "wrong case"),
        ("id", "read-only"),
        ("mailNickname", "with space"),
        ("mailNickname", "x" * 65),
        ("passwordProfile", {"password": PASSWORD, "forceChange": False}),
        ("usageLocation", "Netherlands"),
        ("userPrincipalName", "no-at-sign"),
        ("userPrincipalName", f"umläut@{DOMAIN}"),
        ("userPrincipalName", "svc@elsewhere.example"),
        ("userPrincipalName", "svc@contoso.com"),  # a federated domain
        ("userType", "Robot"),
    ],
)
def test_user_with_an_invalid_property_is_refused(directory: Directory, name: str, value: object) -> None:
    response = directory.call("POST", "/v1.0/users", new_user(**{name: value}))

    assert refusal(response) == (400, "Request_BadRequest")
    assert document(response)["error"]["details"][0]["target"] == name
    assert directory.tenant.users == {}


@pytest.mark.parametrize("password", ["Sh0rt!", "onlylowercaseletters", "lower1234567", "Aa1" + "x" * 254])
def test_weak_password_is_refused(directory: Directory, password: str) -> None:
    response = directory.call("POST", "/v1.0/users", new_user(passwordProfile={"password": password}))

    assert refusal(response) == (400, "Request_BadRequest")
    assert message(response).startswith("The specified password does not comply with password complexity requirements.")
    assert password not in message(response)


def test_taken_name_is_an_object_conflict_even_before_its_holder_is_replicated(directory: Directory) -> None:
    directory.world.replication = 60
    directory.made("/v1.0/users", new_user())

    response = directory.call("POST", "/v1.0/users", new_user(userPrincipalName=f"SVC@{DOMAIN}"))

    assert refusal(response) == (400, "Request_BadRequest")
    assert message(response) == "Another object with the same value for property userPrincipalName already exists."
    detail = document(response)["error"]["details"][0]
    assert (detail["code"], detail["target"]) == ("ObjectConflict", "userPrincipalName")


@pytest.mark.parametrize(("profile", "must_change"), [({}, True), ({"forceChangePasswordNextSignIn": False}, False)])
def test_password_must_be_changed_at_the_next_sign_in_unless_the_profile_says_otherwise(
    directory: Directory, profile: dict[str, bool], must_change: bool
) -> None:
    created = directory.made("/v1.0/users", new_user(passwordProfile={"password": PASSWORD, **profile}))

    assert directory.tenant.users[created["id"]].must_change_password is must_change


def test_disabling_an_ordinary_user_takes_a_permission_only(directory: Directory) -> None:
    user = directory.add_user()
    directory.permissions = frozenset({"User.EnableDisableAccount.All"})

    response = directory.call("PATCH", f"/v1.0/users/{user.id}", {"accountEnabled": False})

    assert (response.status, response.document) == (204, None)
    assert user.document["accountEnabled"] is False


@pytest.mark.parametrize(
    ("permission", "change"),
    [
        ("User.EnableDisableAccount.All", {"displayName": "New"}),
        ("User.EnableDisableAccount.All", {"passwordProfile": {"password": NEW_PASSWORD}}),
        ("User-PasswordProfile.ReadWrite.All", {"accountEnabled": False}),
        ("User-PasswordProfile.ReadWrite.All", {"passwordProfile": {"password": NEW_PASSWORD}, "displayName": "New"}),
    ],
)
def test_one_property_beyond_the_callers_permission_fails_the_whole_change(
    directory: Directory, permission: str, change: dict[str, object]
) -> None:
    user = directory.add_user()
    directory.hold("Privileged Authentication Administrator")
    directory.permissions = frozenset({permission})

    response = directory.call("PATCH", f"/v1.0/users/{user.id}", change)

    assert refusal(response) == (403, "Authorization_RequestDenied")
    assert (user.password, user.document["displayName"]) == (PASSWORD, "Adele")


@pytest.mark.parametrize("held_by_target", [(), ("Global Reader",), ("Exchange Administrator",)])
@pytest.mark.parametrize(
    "held_by_caller",
    [(), ("User Administrator",), ("Privileged Authentication Administrator",), ("Global Administrator",)],
)
@pytest.mark.parametrize(
    ("method", "change", "takes_a_role"),
    [
        ("PATCH", {"passwordProfile": {"password": NEW_PASSWORD, "forceChangePasswordNextSignIn": False}}, True),
        ("PATCH", {"accountEnabled": False}, False),
        ("DELETE", None, False),
    ],
)
def test_what_an_application_may_do_to_whom(
    directory: Directory,
    held_by_target: tuple[str, ...],
    held_by_caller: tuple[str, ...],
    method: str,
    change: dict[str, object] | None,
    takes_a_role: bool,
) -> None:
    user = directory.add_user("adele", *held_by_target)
    directory.hold(*held_by_caller)

    response = directory.call(method, f"/v1.0/users/{user.id}", change)

    is_powerful = bool(held_by_caller) and held_by_caller != ("User Administrator",)
    may = is_powerful if held_by_target else bool(held_by_caller) or not takes_a_role
    assert response.status == (204 if may else 403)
    if not may:
        assert refusal(response) == (403, "Authorization_RequestDenied")
        assert (user.password, user.document["accountEnabled"], user.deleted_at) == (PASSWORD, True, None)


def test_users_without_an_administrator_role_may_not_write_whatever_their_scopes(directory: Directory) -> None:
    adele, other = directory.add_user(), directory.add_user("other")
    scopes = sorted(directory.permissions)

    responses = [
        directory.call("POST", "/v1.0/users", new_user(), claims=as_user(adele, *scopes)),
        directory.call("PATCH", f"/v1.0/users/{other.id}", {"displayName": "X"}, claims=as_user(adele, *scopes)),
        directory.call("DELETE", f"/v1.0/users/{other.id}", claims=as_user(adele, *scopes)),
    ]

    assert [refusal(response) for response in responses] == [(403, "Authorization_RequestDenied")] * 3


def test_user_token_without_the_scope_may_not_read(directory: Directory) -> None:
    admin = directory.add_user("admin", "Global Administrator")

    refused = directory.call("GET", f"/v1.0/users/{admin.id}", claims=as_user(admin, "Mail.Read"))
    allowed = directory.call("GET", f"/v1.0/users/{admin.id}", claims=as_user(admin, "User.Read.All"))

    assert refusal(refused) == (403, "Authorization_RequestDenied")
    assert allowed.status == 200


def test_setting_a_password_moves_its_date_and_spares_refresh_tokens(directory: Directory) -> None:
    user = directory.add_user()
    before = user.document["lastPasswordChangeDateTime"]
    directory.hold("User Administrator")
    directory.clock.advance(5)

    response = directory.call(
        "PATCH",
        f"/v1.0/users/{user.id}",
        {"passwordProfile": {"password": NEW_PASSWORD, "forceChangePasswordNextSignIn": False}},
    )

    assert response.status == 204
    assert user.password == NEW_PASSWORD
    assert user.document["lastPasswordChangeDateTime"] > before


def test_renaming_to_a_taken_name_is_refused_and_to_ones_own_is_not(directory: Directory) -> None:
    ada, bea = directory.add_user("ada"), directory.add_user("bea")

    taken = directory.call("PATCH", f"/v1.0/users/{ada.id}", {"userPrincipalName": f"bea@{DOMAIN}"})
    own = directory.call("PATCH", f"/v1.0/users/{bea.id}", {"userPrincipalName": f"bea@{DOMAIN}"})

    assert refusal(taken) == (400, "Request_BadRequest")
    assert own.status == 204


@pytest.mark.parametrize("body", [b"{", b"[]", b'"text"', b"\xff"])
def test_body_that_is_no_json_object_is_refused(directory: Directory, body: bytes) -> None:
    response = directory.call("POST", "/v1.0/users", raw=body)

    assert refusal(response) == (400, "BadRequest")
