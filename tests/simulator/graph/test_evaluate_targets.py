"""What-if: whom and what a policy names, in every way there is of naming them."""

from __future__ import annotations

import pytest

from local.simulator.state import JsonObject
from tests.simulator.graph.directory import ALLOWED_IP, CONDITIONAL_ACCESS, EXCHANGE, Directory, policy, values, what_if

EVALUATE = f"{CONDITIONAL_ACCESS}/evaluate"
EVERYTHING = {"clientAppType": "mobileAppsAndDesktopClients", "ipAddress": ALLOWED_IP, "country": "NL"}


@pytest.mark.parametrize(
    ("users", "applies"),
    [
        ({"includeUsers": ["ADELE"]}, True),
        ({"includeGroups": ["staff"]}, True),
        ({"includeRoles": ["29232cdf-9323-42fd-ade2-1d097af3e4de"]}, True),
        ({"includeRoles": ["f2ef992c-3afb-46b9-b7cf-a126ee74c451"]}, False),
        ({"includeUsers": ["All"], "excludeUsers": ["ADELE"]}, False),
        ({"includeUsers": ["All"], "excludeGroups": ["staff"]}, False),
        ({"includeUsers": ["All"], "excludeRoles": ["29232cdf-9323-42fd-ade2-1d097af3e4de"]}, False),
        ({"includeUsers": ["All"], "excludeGroups": ["others"]}, True),
    ],
)
def test_users_are_named_by_id_group_and_role_and_exclusions_win(
    directory: Directory, users: dict[str, list[str]], applies: bool
) -> None:
    user = directory.add_user("adele", "Exchange Administrator")
    directory.tenant.groups |= {"staff": {user.id}, "others": set()}
    named = {side: [user.id if name == "ADELE" else name for name in names] for side, names in users.items()}
    conditions = {**policy()["conditions"], "users": named}
    directory.tenant.policies["p"] = {"id": "p", **policy(conditions=conditions)}

    (result,) = values(directory.call("POST", EVALUATE, what_if(user.id, **EVERYTHING)))

    assert result["policyApplies"] is applies


@pytest.mark.parametrize(
    ("name", "user_type", "kinds", "applies"),
    [
        ("guest", "Guest", "internalGuest", True),
        ("guest", "Guest", "b2bCollaborationGuest,internalGuest", True),
        ("guest#EXT#", "Guest", "b2bCollaborationGuest", True),
        ("guest#EXT#", "Guest", "internalGuest", False),
        ("member#EXT#", "Member", "b2bCollaborationMember", True),
        ("member", "Member", "internalGuest,b2bCollaborationGuest,b2bCollaborationMember", False),
    ],
)
def test_outsiders_are_named_by_their_kind(
    directory: Directory, name: str, user_type: str, kinds: str, applies: bool
) -> None:
    user = directory.add_user(name, userType=user_type)
    users = {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": kinds}}
    directory.tenant.policies["p"] = {"id": "p", **policy(conditions={**policy()["conditions"], "users": users})}

    (result,) = values(directory.call("POST", EVALUATE, what_if(user.id, **EVERYTHING)))

    assert result["policyApplies"] is applies


def test_application_groups_are_not_looked_into(directory: Directory) -> None:
    user = directory.add_user()
    conditions = {**policy()["conditions"], "applications": {"includeApplications": ["Office365"]}}
    directory.tenant.policies["p"] = {"id": "p", **policy(conditions=conditions)}
    body = what_if(user.id, **EVERYTHING)
    body["signInContext"]["includeApplications"] = [EXCHANGE]

    (result,) = values(directory.call("POST", EVALUATE, body))

    assert (result["policyApplies"], result["analysisReasons"]) == (False, "application")


@pytest.mark.parametrize(
    ("context", "applications", "reason"),
    [
        (
            {"@odata.type": "#microsoft.graph.userActionContext", "userAction": "registerSecurityInformation"},
            {"includeUserActions": ["urn:user:registersecurityinfo"]},
            "notSet",
        ),
        (
            {"@odata.type": "#microsoft.graph.userActionContext", "userAction": "registerOrJoinDevices"},
            {"includeApplications": ["All"]},
            "userActions",
        ),
        (
            {"@odata.type": "#microsoft.graph.authContext", "authenticationContextValue": "c1"},
            {"includeAuthenticationContextClassReferences": ["c1"]},
            "notSet",
        ),
        (
            {"@odata.type": "#microsoft.graph.authContext", "authenticationContextValue": "c2"},
            {"includeAuthenticationContextClassReferences": ["c1"]},
            "authenticationContext",
        ),
    ],
)
def test_user_actions_and_authentication_contexts_are_targets_too(
    directory: Directory, context: JsonObject, applications: JsonObject, reason: str
) -> None:
    user = directory.add_user()
    conditions = {**policy()["conditions"], "applications": applications}
    directory.tenant.policies["p"] = {"id": "p", **policy(conditions=conditions)}

    response = directory.call("POST", EVALUATE, {**what_if(user.id, **EVERYTHING), "signInContext": context})

    assert values(response)[0]["analysisReasons"] == reason


def test_workload_identities_are_judged_by_their_own_condition(directory: Directory) -> None:
    ours = {"clientApplications": {"includeServicePrincipals": ["sp"], "excludeServicePrincipals": []}}
    directory.tenant.policies |= {
        "users": {"id": "users", **policy()},
        "workloads": {"id": "workloads", **policy(conditions={**policy()["conditions"], **ours})},
    }
    identity = {"@odata.type": "#microsoft.graph.servicePrincipalSignIn", "servicePrincipalId": "sp"}
    body = {**what_if("nobody", **EVERYTHING), "signInIdentity": identity}

    results = values(directory.call("POST", EVALUATE, body))

    assert {result["id"]: result["analysisReasons"] for result in results} == {
        "users": "workloadIdentities",
        "workloads": "notSet",
    }
