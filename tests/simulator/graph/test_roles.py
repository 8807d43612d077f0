"""Role assignments: given, listed and taken away, to users, groups and service principals alike."""

from __future__ import annotations

from uuid import uuid4

import pytest

from local.simulator.directory_roles import roles
from tests.simulator.graph.directory import (
    APPLICATION,
    ASSIGNMENTS,
    SERVICE_PRINCIPAL,
    Directory,
    as_user,
    document,
    message,
    new_user,
    refusal,
    values,
)

(EXCHANGE_ADMINISTRATOR,) = roles("Exchange Administrator")
(PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,) = roles("Privileged Authentication Administrator")


def wanted(principal: str, role: str = EXCHANGE_ADMINISTRATOR, /, **changes: object) -> dict[str, object]:
    """The body of a tenant-wide assignment."""
    return {
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "principalId": principal,
        "roleDefinitionId": role,
        "directoryScopeId": "/",
        **changes,
    }


def test_role_that_was_given_is_listed_for_its_holder(directory: Directory) -> None:
    user, other = directory.add_user(), directory.add_user("other")

    created = directory.made(ASSIGNMENTS, wanted(user.id))

    listed = values(directory.call("GET", f"{ASSIGNMENTS}?$filter=principalId eq '{user.id}'"))
    assert [row["id"] for row in listed] == [created["id"]]
    assert listed[0]["roleDefinitionId"] == EXCHANGE_ADMINISTRATOR
    assert document(directory.call("GET", f"{ASSIGNMENTS}/{created['id']}"))["principalId"] == user.id
    assert values(directory.call("GET", f"{ASSIGNMENTS}?$filter=principalId eq '{other.id}'")) == []


def test_giving_a_role_twice_is_a_conflict(directory: Directory) -> None:
    user = directory.add_user()
    directory.made(ASSIGNMENTS, wanted(user.id))

    again = directory.call("POST", ASSIGNMENTS, wanted(user.id.upper()))

    assert refusal(again) == (400, "Request_BadRequest")
    assert message(again) == (
        "A conflicting object with one or more of the specified property values is present in the directory."
    )


def test_user_who_is_not_replicated_cannot_be_given_a_role_yet(directory: Directory) -> None:
    directory.world.replication = 30
    created = directory.made("/v1.0/users", new_user())

    early = directory.call("POST", ASSIGNMENTS, wanted(created["id"]))
    directory.clock.advance(31)
    late = directory.call("POST", ASSIGNMENTS, wanted(created["id"]))

    assert refusal(early) == (404, "Request_ResourceNotFound")
    assert message(early) == (
        f"Resource '{created['id']}' does not exist or one of its queried reference-property objects are not present."
    )
    assert late.status == 201


@pytest.mark.parametrize(
    "changes",
    [
        {"principalId": str(uuid4())},
        {"roleDefinitionId": str(uuid4())},
        {"directoryScopeId": f"/administrativeUnits/{uuid4()}"},
    ],
)
def test_what_does_not_exist_is_not_found(directory: Directory, changes: dict[str, object]) -> None:
    user = directory.add_user()

    response = directory.call("POST", ASSIGNMENTS, wanted(user.id, **changes))

    assert refusal(response) == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize("absent", ["principalId", "roleDefinitionId", "directoryScopeId"])
def test_incomplete_assignment_is_refused(directory: Directory, absent: str) -> None:
    body = wanted(directory.add_user().id)
    del body[absent]

    response = directory.call("POST", ASSIGNMENTS, body)

    assert refusal(response) == (400, "Request_BadRequest")
    assert absent in message(response)


def test_assignment_of_the_wrong_shape_is_refused(directory: Directory) -> None:
    response = directory.call("POST", ASSIGNMENTS, {"principalId": 1, "roleDefinitionId": 2})

    assert refusal(response) == (400, "Request_BadRequest")


def test_role_that_was_taken_away_is_gone(directory: Directory) -> None:
    user = directory.add_user("adele", "Exchange Administrator")
    (held,) = values(directory.call("GET", f"{ASSIGNMENTS}?$filter=principalId eq '{user.id}'"))

    first = directory.call("DELETE", f"{ASSIGNMENTS}/{held['id']}")
    second = directory.call("DELETE", f"{ASSIGNMENTS}/{held['id']}")

    assert first.status == 204
    assert refusal(second) == (404, "Request_ResourceNotFound")
    assert values(directory.call("GET", ASSIGNMENTS)) == []


def test_role_given_to_our_service_principal_makes_it_powerful_at_once(directory: Directory) -> None:
    administrator = directory.add_user("adele", "Exchange Administrator")
    disable = {"accountEnabled": False}
    before = directory.call("PATCH", f"/v1.0/users/{administrator.id}", disable)

    directory.made(ASSIGNMENTS, wanted(SERVICE_PRINCIPAL, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR))

    assert before.status == 403
    assert directory.call("PATCH", f"/v1.0/users/{administrator.id}", disable).status == 204


def test_role_given_with_consent_is_listed_and_can_be_taken_away(directory: Directory) -> None:
    directory.hold("Privileged Authentication Administrator")
    (held,) = values(directory.call("GET", f"{ASSIGNMENTS}?$filter=principalId eq '{SERVICE_PRINCIPAL}'"))

    deleted = directory.call("DELETE", f"{ASSIGNMENTS}/{held['id']}")

    assert held["roleDefinitionId"] == PRIVILEGED_AUTHENTICATION_ADMINISTRATOR
    assert deleted.status == 204
    assert directory.tenant.consents[APPLICATION].directory_roles == set()


def test_members_of_a_group_hold_the_groups_roles(directory: Directory) -> None:
    user, group = directory.add_user(), str(uuid4())
    directory.tenant.groups[group] = {user.id}
    directory.made(ASSIGNMENTS, wanted(group))

    response = directory.call("DELETE", f"/v1.0/users/{user.id}")

    assert refusal(response) == (403, "Authorization_RequestDenied")


@pytest.mark.parametrize(
    ("role", "status"),
    [("User Administrator", 403), ("Privileged Role Administrator", 201), ("Global Administrator", 201)],
)
def test_signed_in_user_gives_roles_only_with_the_right_one(directory: Directory, role: str, status: int) -> None:
    admin, user = directory.add_user("admin", role), directory.add_user()

    response = directory.call(
        "POST", ASSIGNMENTS, wanted(user.id), claims=as_user(admin, "RoleManagement.ReadWrite.Directory")
    )

    assert response.status == status
