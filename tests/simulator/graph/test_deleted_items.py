"""The recycle bin keeps deleted users for thirty days under another name."""

from __future__ import annotations

import pytest

from local.simulator.state import User
from tests.simulator.graph.directory import (
    ASSIGNMENTS,
    BIN,
    DOMAIN,
    Directory,
    as_user,
    document,
    message,
    new_user,
    refusal,
    values,
)

DAY = 24 * 3600
EVENTUAL = {"consistencylevel": "eventual"}


@pytest.fixture
def deleted(directory: Directory) -> User:
    """Adele, in the bin."""
    user = directory.add_user()
    assert directory.call("DELETE", f"/v1.0/users/{user.id}").status == 204
    return user


def test_deleted_user_is_gone_and_its_name_is_free(directory: Directory, deleted: User) -> None:
    again = directory.call("DELETE", f"/v1.0/users/{deleted.id}")
    successor = directory.call("POST", "/v1.0/users", new_user("adele"))

    assert refusal(again) == (404, "Request_ResourceNotFound")
    assert successor.status == 201


def test_deleted_user_carries_its_object_id_before_its_name(directory: Directory, deleted: User) -> None:
    found = document(directory.call("GET", f"{BIN}/{deleted.id}?$select=userPrincipalName,deletedDateTime"))

    assert found["@odata.type"] == "#microsoft.graph.user"
    assert found["userPrincipalName"] == deleted.id.replace("-", "") + f"adele@{DOMAIN}"
    assert found["deletedDateTime"] is not None


def test_deleted_user_is_found_by_the_end_of_its_name(directory: Directory, deleted: User) -> None:
    query = f"$select=id,userPrincipalName,deletedDateTime&$filter=endsWith(userPrincipalName,'adele@{DOMAIN}')"

    found = values(directory.call("GET", f"{BIN}/microsoft.graph.user?{query}&$count=true", headers=EVENTUAL))
    refused = directory.call("GET", f"{BIN}/microsoft.graph.user?{query}")

    assert [row["id"] for row in found] == [deleted.id]
    assert refusal(refused) == (400, "Request_UnsupportedQuery")
    assert "ConsistencyLevel:eventual" in message(refused)


def test_restored_user_has_its_name_and_its_roles_again(directory: Directory) -> None:
    directory.hold("Privileged Authentication Administrator")
    user = directory.add_user("adele", "Exchange Administrator")
    directory.call("DELETE", f"/v1.0/users/{user.id}")
    while_deleted = values(directory.call("GET", f"{ASSIGNMENTS}?$filter=principalId eq '{user.id}'"))

    restored = directory.call("POST", f"{BIN}/{user.id}/restore", {})

    assert restored.status == 200
    assert document(restored)["userPrincipalName"] == f"adele@{DOMAIN}"
    assert while_deleted == []
    assert len(values(directory.call("GET", f"{ASSIGNMENTS}?$filter=principalId eq '{user.id}'"))) == 1
    assert values(directory.call("GET", f"{BIN}/microsoft.graph.user")) == []


def test_restoring_someone_who_was_an_administrator_takes_a_role(directory: Directory) -> None:
    directory.hold("Privileged Authentication Administrator")
    user = directory.add_user("adele", "Exchange Administrator")
    directory.call("DELETE", f"/v1.0/users/{user.id}")
    directory.tenant.consents.popitem()[1].directory_roles.clear()

    response = directory.call("POST", f"{BIN}/{user.id}/restore")

    assert refusal(response) == (403, "Authorization_RequestDenied")
    assert user.deleted_at is not None


def test_name_that_was_taken_meanwhile_needs_a_new_one(directory: Directory, deleted: User) -> None:
    directory.add_user("adele")

    conflict = directory.call("POST", f"{BIN}/{deleted.id}/restore")
    renamed = directory.call("POST", f"{BIN}/{deleted.id}/restore", {"newUserPrincipalName": f"adele2@{DOMAIN}"})

    assert refusal(conflict) == (400, "Request_BadRequest")
    assert document(conflict)["error"]["details"][0]["code"] == "ObjectConflict"
    assert document(renamed)["userPrincipalName"] == f"adele2@{DOMAIN}"


@pytest.mark.parametrize(
    "body", [{"newName": "x"}, {"newUserPrincipalName": 1}, {"newUserPrincipalName": "x@y.example"}]
)
def test_restoring_to_an_impossible_name_is_refused(
    directory: Directory, deleted: User, body: dict[str, object]
) -> None:
    response = directory.call("POST", f"{BIN}/{deleted.id}/restore", body)

    assert refusal(response) == (400, "Request_BadRequest")
    assert deleted.deleted_at is not None


def test_after_thirty_days_nothing_is_left(directory: Directory, deleted: User) -> None:
    directory.clock.advance(30 * DAY + 1)

    assert refusal(directory.call("GET", f"{BIN}/{deleted.id}")) == (404, "Request_ResourceNotFound")
    assert refusal(directory.call("POST", f"{BIN}/{deleted.id}/restore")) == (404, "Request_ResourceNotFound")
    assert values(directory.call("GET", f"{BIN}/microsoft.graph.user")) == []


def test_application_cannot_purge_a_user_whatever_it_holds(directory: Directory, deleted: User) -> None:
    directory.hold("Global Administrator")

    response = directory.call("DELETE", f"{BIN}/{deleted.id}")

    assert refusal(response) == (403, "Authorization_RequestDenied")
    assert deleted.id in directory.tenant.users


def test_signed_in_administrator_can_purge_a_user(directory: Directory, deleted: User) -> None:
    admin = directory.add_user("admin", "Global Administrator")

    response = directory.call("DELETE", f"{BIN}/{deleted.id}", claims=as_user(admin, "User.DeleteRestore.All"))

    assert response.status == 204
    assert deleted.id not in directory.tenant.users
