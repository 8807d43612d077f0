"""One walk through every call there is, kept as JSON lines so that others can judge requests and answers."""

from __future__ import annotations

import json
from pathlib import Path

from local.simulator.graph.routes import ROUTES
from local.simulator.state import JsonObject
from local.simulator.wire import match_template
from tests.simulator.graph.directory import (
    ALLOWED_IP,
    APPLICATION,
    ASSIGNMENTS,
    BIN,
    CONDITIONAL_ACCESS,
    DOMAIN,
    FOREIGN_IP,
    GRAPH,
    LOCATIONS,
    NEW_PASSWORD,
    PASSWORD,
    POLICIES,
    SERVICE_PRINCIPAL,
    Directory,
    as_user,
    document,
    ip_location,
    new_user,
    policy,
    values,
    what_if,
)

EXCHANGE_ADMINISTRATOR = "29232cdf-9323-42fd-ade2-1d097af3e4de"
SECURITY_DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
USER_QUERY = (
    "$select=id,userPrincipalName,accountEnabled,createdDateTime,userType,isManagementRestricted,"
    "lastPasswordChangeDateTime,signInSessionsValidFromDateTime,employeeId"
)
MADE_BY_USERS = {"/v1.0/me", "/v1.0/me/changePassword", "/v1.0/oauth2PermissionGrants"}


def write(journal: list[JsonObject], path: Path) -> list[JsonObject]:
    """Writes the journal as JSON lines and reads it back."""
    path.write_text("".join(f"{json.dumps(call)}\n" for call in journal))
    return [json.loads(line) for line in path.read_text().splitlines()]


def succeeded(journal: list[JsonObject]) -> set[tuple[str, str]]:
    """Method and template of every route that was answered with success."""
    return {
        (route.method, route.template)
        for call in journal
        for route in ROUTES
        if call["method"] == route.method
        and match_template(route.template, call["path"].split("?")[0]) is not None
        and call["status"] < 300
    }


def walk_tenant(directory: Directory) -> None:
    """Reads what a tenant says of itself."""
    directory.call("GET", "/v1.0/organization")
    directory.call("GET", "/v1.0/organization?$select=id,displayName,verifiedDomains,tenantType,countryLetterCode")
    directory.call("GET", "/v1.0/subscribedSkus?$select=skuPartNumber,capabilityStatus,prepaidUnits,servicePlans")
    directory.call("GET", "/v1.0/servicePrincipals?$top=1")
    for key in (f"(appId='{APPLICATION}')", f"(appId='{GRAPH}')", f"/{SERVICE_PRINCIPAL}"):
        directory.call("GET", f"/v1.0/servicePrincipals{key}")
        directory.call("GET", f"/v1.0/servicePrincipals{key}/appRoleAssignments")
    directory.call("GET", SECURITY_DEFAULTS)
    directory.call("PATCH", SECURITY_DEFAULTS, {"isEnabled": True})
    directory.call("POST", POLICIES, policy())
    directory.call("PATCH", SECURITY_DEFAULTS, {"isEnabled": False})


def walk_account(directory: Directory) -> str:
    """Makes an account, gives it a role, and does to it whatever can be done; returns its id."""
    directory.hold("Privileged Authentication Administrator")
    user_id = str(directory.made("/v1.0/users", new_user())["id"])
    user = f"/v1.0/users/{user_id}"
    directory.call("POST", "/v1.0/users", new_user())
    directory.call("GET", f"/v1.0/users/svc@{DOMAIN}?{USER_QUERY}")
    directory.call("GET", user)
    directory.call("GET", "/v1.0/users/00000000-0000-4000-8000-000000000404")
    directory.call("GET", "/v1.0/users?$filter=employeeId eq 'only-for-tests'&$count=true")
    wanted = {
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "principalId": user_id,
        "roleDefinitionId": EXCHANGE_ADMINISTRATOR,
        "directoryScopeId": "/",
    }
    held = directory.made(ASSIGNMENTS, wanted)["id"]
    directory.call("POST", ASSIGNMENTS, wanted)
    directory.call("GET", f"{ASSIGNMENTS}?$filter=principalId eq '{user_id}'")
    directory.call("GET", f"{ASSIGNMENTS}/{held}")
    directory.call("PATCH", user, {"passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": False}})
    directory.call("PATCH", user, {"accountEnabled": False})
    directory.call("POST", f"{user}/revokeSignInSessions")
    directory.call("GET", f"{user}/authentication/methods")
    directory.call("PATCH", f"/beta/users/{user_id}/authentication/requirements", {"perUserMfaState": "disabled"})
    directory.call("GET", f"/beta/users/{user_id}/authentication/requirements")
    directory.call("DELETE", user)
    ending = (
        f"$filter=endsWith(userPrincipalName,'svc@{DOMAIN}')&$count=true&$select=id,userPrincipalName,deletedDateTime"
    )
    directory.call("GET", f"{BIN}/microsoft.graph.user?{ending}", headers={"consistencylevel": "eventual"})
    directory.call("GET", f"{BIN}/{user_id}")
    directory.call("GET", f"{BIN}/{user_id}/microsoft.graph.user")
    directory.call("DELETE", f"{BIN}/{user_id}")
    directory.call("POST", f"{BIN}/{user_id}/restore", {"newUserPrincipalName": f"svc2@{DOMAIN}"})
    directory.call("DELETE", f"{ASSIGNMENTS}/{held}")
    return user_id


def walk_conditional_access(directory: Directory, user_id: str) -> None:
    """Makes locations and policies, asks what they would do, and takes them away."""
    location = directory.made(LOCATIONS, ip_location(f"{ALLOWED_IP}/32", "2001:db8::/64"))["id"]
    country = {
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "displayName": "Benelux",
        "countriesAndRegions": ["BE", "NL", "LU"],
        "includeUnknownCountriesAndRegions": False,
    }
    directory.made(LOCATIONS, country)
    renamed = {"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "Egress of the vendor"}
    directory.call("PATCH", f"{LOCATIONS}/{location}", renamed)
    conditions = {
        **policy()["conditions"],
        "users": {"includeUsers": [user_id]},
        "locations": {"includeLocations": ["All"], "excludeLocations": [location]},
        "platforms": {"includePlatforms": ["all"], "excludePlatforms": ["linux"]},
    }
    block = policy(
        state="enabledForReportingButNotEnforced",
        conditions=conditions,
        grantControls={"operator": "OR", "builtInControls": ["block"]},
    )
    ours = directory.made(POLICIES, block)["id"]
    strength = {"operator": "AND", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}}
    frequency = {"signInFrequency": {"isEnabled": True, "type": "hours", "value": 4, "frequencyInterval": "timeBased"}}
    directory.made(POLICIES, policy(grantControls=strength, sessionControls=frequency))
    directory.call("PATCH", f"{POLICIES}/{ours}", {"state": "enabled"})
    for path in (LOCATIONS, f"{LOCATIONS}/{location}", POLICIES, f"{POLICIES}/{ours}"):
        directory.call("GET", path)
    described = {
        "clientAppType": "mobileAppsAndDesktopClients",
        "devicePlatform": "macOS",
        "signInRiskLevel": "none",
        "userRiskLevel": "none",
        "insiderRiskLevel": "none",
        "authenticationFlow": {"transferMethod": "none"},
        "deviceInfo": {"isCompliant": False},
    }
    for ip, iso in ((ALLOWED_IP, "NL"), (FOREIGN_IP, "US")):
        directory.call(
            "POST", f"{CONDITIONAL_ACCESS}/evaluate", what_if(user_id, **described, ipAddress=ip, country=iso)
        )
    directory.call("POST", f"{CONDITIONAL_ACCESS}/evaluate", what_if(user_id) | {"appliedPoliciesOnly": True})
    directory.call("DELETE", f"{LOCATIONS}/{location}")
    directory.call("DELETE", f"{POLICIES}/{ours}")
    directory.call("DELETE", f"{LOCATIONS}/{location}")
    directory.world.conditional_access_pacing = 1
    directory.call("GET", POLICIES)


def test_walk_of_an_administrators_and_an_applications_calls_reaches_every_route(
    directory: Directory, tmp_path: Path
) -> None:
    walk_tenant(directory)
    user_id = walk_account(directory)
    walk_conditional_access(directory, user_id)
    directory.call("DELETE", f"/v1.0/users/{user_id}")
    admin = directory.add_user("admin", "Global Administrator")
    directory.call("DELETE", f"{BIN}/{user_id}", claims=as_user(admin, "User.DeleteRestore.All"))

    journal = write(directory.journal, tmp_path / "administration.jsonl")

    routes = {(route.method, route.template) for route in ROUTES if route.template not in MADE_BY_USERS}
    assert succeeded(journal) == routes
    assert {call["status"] for call in journal} == {200, 201, 204, 400, 403, 404, 429}
    assert not [call for call in journal if call["status"] == 204 and call["response_body"] is not None]


def test_walk_of_a_users_own_calls_reaches_every_route(directory: Directory, tmp_path: Path) -> None:
    user = directory.add_user("svc")
    scopes = ("User.Read", "User-PasswordProfile.ReadWrite.All", "Directory.Read.All")
    claims = as_user(user, *scopes)

    me = directory.call("GET", "/v1.0/me", claims=claims)
    grants = directory.call("GET", "/v1.0/oauth2PermissionGrants", claims=claims)
    directory.call(
        "POST",
        "/v1.0/me/changePassword",
        {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD},
        claims=claims,
    )

    journal = write(directory.journal, tmp_path / "own-account.jsonl")
    assert {template for _, template in succeeded(journal)} == MADE_BY_USERS
    assert document(me)["id"] == user.id
    assert len(values(grants)) == 2
