"""Conditional access policies: what the service accepts, and what it refuses with which words."""

from __future__ import annotations

from uuid import uuid4

import pytest

from local.simulator.licences import subscribed_sku
from local.simulator.state import JsonObject
from tests.simulator.graph.directory import (
    CONDITIONAL_ACCESS,
    LOCATIONS,
    POLICIES,
    TENANT,
    Directory,
    document,
    ip_location,
    message,
    policy,
    refusal,
    values,
    what_if,
)


def conditions(**changes: object) -> JsonObject:
    """The conditions of `policy()`, changed; a part changed to None is left out."""
    changed: JsonObject = {**policy()["conditions"], **changes}
    return {name: value for name, value in changed.items() if value is not None}


def without_nulls(value: object) -> object:
    """A document as a careful client sends it back."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return value


def microsoft_managed(directory: Directory) -> str:
    """The id of a policy that Microsoft has put into the tenant."""
    managed = {**policy(state="enabledForReportingButNotEnforced"), "id": str(uuid4()), "templateId": str(uuid4())}
    directory.tenant.policies[managed["id"]] = managed
    return str(managed["id"])


def test_policy_is_made_and_shown_with_every_property(directory: Directory) -> None:
    created = directory.made(POLICIES, policy())

    found = document(directory.call("GET", f"{POLICIES}/{created['id']}"))
    assert found["conditions"]["users"]["excludeUsers"] == []
    assert found["conditions"]["locations"] is None
    assert found["grantControls"]["builtInControls"] == ["mfa"]
    assert found["templateId"] is None
    assert [row["id"] for row in values(directory.call("GET", POLICIES))] == [created["id"]]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "on"},
        {"state": None},
        {"displayname": "wrong case"},
        {"id": str(uuid4())},
        {"templateId": str(uuid4())},
        {"conditions": None},
        {"conditions": conditions(clientAppTypes=["fax"])},
        {"conditions": conditions(users={"includeUsers": "All"})},
        {"conditions": conditions(platforms={"includePlatforms": ["unknownFutureValue"]})},
        {"conditions": conditions(applications=None)},
        {"conditions": {**conditions(), "locations": None}},
        {"grantControls": {"operator": "OR", "builtInControls": ["deny"]}},
        {"grantControls": {"operator": "XOR", "builtInControls": ["mfa"]}},
        {"grantControls": {"authenticationStrength": {"id": str(uuid4())}}},
        {"sessionControls": {"signInFrequency": {"isEnabled": True, "type": "minutes", "value": 5}}},
    ],
)
def test_policy_that_does_not_match_the_schema_is_error_1007(directory: Directory, changes: JsonObject) -> None:
    response = directory.call("POST", POLICIES, policy(**changes))

    assert refusal(response) == (400, "BadRequest")
    assert message(response).startswith(
        "1007: Incoming ConditionalAccessPolicy object is null or does not match the schema"
    )
    assert directory.tenant.policies == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"grantControls": None},
        {"grantControls": {"operator": "OR", "builtInControls": ["block", "mfa"]}},
        {"conditions": conditions(users={"excludeUsers": []})},
        {"conditions": conditions(applications={"excludeApplications": []})},
        {"conditions": conditions(users={"includeUsers": [str(uuid4())]})},
        {"conditions": conditions(users={"includeGroups": [str(uuid4())]})},
        {"conditions": conditions(users={"includeRoles": ["All"]})},
        {"conditions": conditions(locations={"includeLocations": [str(uuid4())]})},
    ],
)
def test_policy_that_makes_no_sense_in_this_tenant_is_refused(directory: Directory, changes: JsonObject) -> None:
    response = directory.call("POST", POLICIES, policy(**changes))

    assert refusal(response) == (400, "BadRequest")
    assert directory.tenant.policies == {}


def test_user_who_is_not_replicated_cannot_be_named_yet(directory: Directory) -> None:
    user = directory.add_user()
    user.visible_at = directory.clock.now().replace(year=2099)

    response = directory.call("POST", POLICIES, policy(conditions=conditions(users={"includeUsers": [user.id]})))

    assert refusal(response) == (400, "BadRequest")
    assert user.id in message(response)


@pytest.mark.parametrize("state", ["disabled", "enabledForReportingButNotEnforced"])
def test_security_defaults_refuse_only_enabled_policies(directory: Directory, state: str) -> None:
    directory.tenant.security_defaults = True

    enabled = directory.call("POST", POLICIES, policy())
    created = directory.made(POLICIES, policy(state=state))
    switched_on = directory.call("PATCH", f"{POLICIES}/{created['id']}", {"state": "enabled"})

    for response in (enabled, switched_on):
        assert refusal(response) == (400, "BadRequest")
        assert message(response) == (
            "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a "
            "Conditional Access policy."
        )


def test_risk_conditions_take_entra_id_p2(directory: Directory) -> None:
    body = policy(conditions=conditions(signInRiskLevels=["high"]))
    with_p2 = directory.call("POST", POLICIES, body)
    directory.tenant.skus = [subscribed_sku(TENANT, "Contoso", "AAD_PREMIUM")]

    with_p1 = directory.call("POST", POLICIES, body)

    assert with_p2.status == 201
    assert message(with_p1).startswith("1039: Cannot create or update policies with premium P2 features.")


def test_state_is_changed_alone(directory: Directory) -> None:
    created = directory.made(POLICIES, policy(state="enabledForReportingButNotEnforced"))

    response = directory.call("PATCH", f"{POLICIES}/{created['id']}", {"state": "enabled"})

    found = document(directory.call("GET", f"{POLICIES}/{created['id']}"))
    assert (response.status, response.document) == (204, None)
    assert found["state"] == "enabled"
    assert found["modifiedDateTime"] is not None
    assert found["conditions"] == created["conditions"]


def test_excluding_somebody_means_sending_all_conditions_back(directory: Directory) -> None:
    user = directory.add_user()
    created = directory.made(POLICIES, policy())
    path = f"{POLICIES}/{created['id']}"
    whole = created["conditions"] | {"users": created["conditions"]["users"] | {"excludeUsers": [user.id]}}

    partial = directory.call("PATCH", path, {"conditions": {"users": {"excludeUsers": [user.id]}}})
    with_nulls = directory.call("PATCH", path, {"conditions": whole})
    careful = directory.call("PATCH", path, {"conditions": without_nulls(whole)})

    assert message(partial).startswith("1007")
    assert message(with_nulls).startswith("1007")
    assert careful.status == 204
    assert document(directory.call("GET", path))["conditions"]["users"] == {
        **created["conditions"]["users"],
        "excludeUsers": [user.id],
    }


def test_user_who_was_deleted_since_does_not_stop_other_changes(directory: Directory) -> None:
    user = directory.add_user()
    created = directory.made(POLICIES, policy(conditions=conditions(users={"includeUsers": [user.id]})))
    directory.call("DELETE", f"/v1.0/users/{user.id}")

    response = directory.call("PATCH", f"{POLICIES}/{created['id']}", {"displayName": "Renamed"})

    assert response.status == 204


def test_deleted_policy_is_gone(directory: Directory) -> None:
    created = directory.made(POLICIES, policy())
    path = f"{POLICIES}/{created['id']}"

    assert directory.call("DELETE", path).status == 204
    assert refusal(directory.call("DELETE", path)) == (404, "NotFound")
    assert refusal(directory.call("GET", path)) == (404, "NotFound")
    assert refusal(directory.call("PATCH", path, {"state": "disabled"})) == (404, "NotFound")


def test_microsoft_managed_policy_shows_its_template_and_lets_people_be_excluded(directory: Directory) -> None:
    user, policy_id = directory.add_user(), microsoft_managed(directory)
    shown = document(directory.call("GET", f"{POLICIES}/{policy_id}"))
    users = shown["conditions"]["users"] | {"excludeUsers": [user.id]}
    body = {"state": "enabled", "conditions": without_nulls(shown["conditions"] | {"users": users})}

    response = directory.call("PATCH", f"{POLICIES}/{policy_id}", body)

    assert shown["templateId"] is not None
    assert response.status == 204
    assert directory.tenant.policies[policy_id]["conditions"]["users"]["excludeUsers"] == [user.id]


@pytest.mark.parametrize(
    "changes",
    [
        {"displayName": "Ours now"},
        {"grantControls": {"operator": "OR", "builtInControls": ["block"]}},
        {"conditions": conditions(users={"includeUsers": ["None"]})},
        {"conditions": conditions(clientAppTypes=["browser"])},
    ],
)
def test_microsoft_managed_policy_can_be_neither_rewritten_nor_deleted(
    directory: Directory, changes: JsonObject
) -> None:
    policy_id = microsoft_managed(directory)

    changed = directory.call("PATCH", f"{POLICIES}/{policy_id}", changes)
    deleted = directory.call("DELETE", f"{POLICIES}/{policy_id}")

    assert refusal(changed) == (400, "BadRequest")
    assert refusal(deleted) == (400, "BadRequest")
    assert policy_id in directory.tenant.policies


def test_newer_enumeration_members_are_told_only_on_request(directory: Directory) -> None:
    created = directory.made(POLICIES, policy(conditions=conditions(platforms={"includePlatforms": ["linux", "iOS"]})))
    path = f"{POLICIES}/{created['id']}"

    plain = document(directory.call("GET", path))
    asked = document(directory.call("GET", path, headers={"prefer": "include-unknown-enum-members"}))

    assert plain["conditions"]["platforms"]["includePlatforms"] == ["unknownFutureValue", "iOS"]
    assert asked["conditions"]["platforms"]["includePlatforms"] == ["linux", "iOS"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", POLICIES, None),
        ("GET", LOCATIONS, None),
        ("POST", POLICIES, policy()),
        ("POST", LOCATIONS, ip_location()),
        ("POST", f"{CONDITIONAL_ACCESS}/evaluate", what_if(str(uuid4()))),
    ],
)
def test_tenant_without_entra_id_p1_has_no_conditional_access(
    directory: Directory, method: str, path: str, body: JsonObject | None
) -> None:
    directory.tenant.skus = [subscribed_sku(TENANT, "Contoso", "STANDARDPACK")]

    response = directory.call(method, path, body)

    assert refusal(response) == (403, "AccessDenied")
    assert message(response).startswith("Your tenant is not licensed for this feature.")


def test_paced_conditional_access_answers_429_without_retry_after(directory: Directory) -> None:
    directory.world.conditional_access_pacing = 1

    first = directory.call("GET", POLICIES)
    too_fast = directory.call("GET", LOCATIONS)
    other_area = directory.call("GET", "/v1.0/organization")
    directory.clock.advance(1)
    in_time = directory.call("GET", POLICIES)

    assert first.status == 200
    assert refusal(too_fast) == (429, "TooManyRequests")
    assert "retry-after" not in {name.lower() for name in too_fast.headers}
    assert other_area.status == 200
    assert in_time.status == 200


def test_without_pacing_conditional_access_is_as_fast_as_anything(directory: Directory) -> None:
    assert [directory.call("GET", POLICIES).status for _ in range(20)] == [200] * 20


@pytest.mark.parametrize(
    "permissions", [{"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"}, {"Policy.Read.All"}]
)
def test_writing_a_policy_takes_three_permissions(directory: Directory, permissions: set[str]) -> None:
    directory.permissions = frozenset(permissions)

    response = directory.call("POST", POLICIES, policy())

    assert refusal(response) == (403, "Authorization_RequestDenied")
