"""What-if: each condition of a policy against each described sign-in, and why a policy does not apply."""

from __future__ import annotations

from uuid import uuid4

import pytest

from local.simulator.state import JsonObject
from tests.simulator.graph.directory import (
    ALLOWED_IP,
    CONDITIONAL_ACCESS,
    EXCHANGE,
    FOREIGN_IP,
    GRAPH,
    Directory,
    message,
    policy,
    refusal,
    values,
    what_if,
)

EVALUATE = f"{CONDITIONAL_ACCESS}/evaluate"
EVERYTHING = {
    "clientAppType": "mobileAppsAndDesktopClients",
    "devicePlatform": "linux",
    "ipAddress": ALLOWED_IP,
    "country": "NL",
    "signInRiskLevel": "none",
    "userRiskLevel": "none",
    "insiderRiskLevel": "none",
    "authenticationFlow": {"transferMethod": "none"},
    "deviceInfo": {"isCompliant": False},
}


def told(directory: Directory, **conditions: object) -> JsonObject:
    """The one result of a what-if about Adele: the tenant has one policy, with these conditions besides All and All."""
    user = directory.add_user()
    merged = {**policy()["conditions"], **conditions}
    directory.tenant.policies["p"] = {"id": "p", **policy(conditions=merged)}
    (result,) = values(directory.call("POST", EVALUATE, what_if(user.id, **EVERYTHING)))
    return result


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ({}, "notSet"),
        ({"clientAppTypes": ["mobileAppsAndDesktopClients", "browser"]}, "notSet"),
        ({"clientAppTypes": ["browser"]}, "clientApps"),
        ({"clientAppTypes": ["other"]}, "clientApps"),
        ({"platforms": {"includePlatforms": ["linux"]}}, "notSet"),
        ({"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["linux"]}}, "devicePlatform"),
        ({"platforms": {"includePlatforms": ["windows"]}}, "devicePlatform"),
        ({"locations": {"includeLocations": ["All"]}}, "notSet"),
        ({"locations": {"includeLocations": ["All"], "excludeLocations": ["egress"]}}, "location"),
        ({"locations": {"includeLocations": ["All"], "excludeLocations": ["elsewhere"]}}, "notSet"),
        ({"locations": {"includeLocations": ["elsewhere"]}}, "location"),
        ({"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}, "location"),
        ({"locations": {"includeLocations": ["benelux"]}}, "notSet"),
        ({"locations": {"includeLocations": ["All"], "excludeLocations": ["benelux"]}}, "location"),
        ({"locations": {"includeLocations": ["deleted-since"]}}, "location"),
        ({"signInRiskLevels": ["medium", "high"]}, "signInRisk"),
        ({"userRiskLevels": ["none", "low"]}, "notSet"),
        ({"userRiskLevels": ["high"]}, "userRisk"),
        ({"insiderRiskLevels": "minor,elevated"}, "insiderRisk"),
        ({"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}}, "authenticationFlow"),
        ({"devices": {"deviceFilter": {"mode": "include", "rule": "device.model -eq 'x'"}}}, "devices"),
        ({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.model -eq 'x'"}}}, "notSet"),
        ({"applications": {"includeApplications": [GRAPH.upper()]}}, "notSet"),
        ({"applications": {"includeApplications": [EXCHANGE]}}, "application"),
        ({"applications": {"includeApplications": ["All"], "excludeApplications": [GRAPH]}}, "application"),
        ({"applications": {"includeApplications": ["None"]}}, "application"),
        ({"applications": {"includeApplications": ["MicrosoftAdminPortals"]}}, "application"),
        ({"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}}, "application"),
        ({"users": {"includeUsers": ["None"]}}, "users"),
        ({"users": {"includeUsers": ["GuestsOrExternalUsers"]}}, "users"),
    ],
)
def test_each_condition_against_a_sign_in_described_in_full(
    directory: Directory, conditions: JsonObject, reason: str
) -> None:
    directory.tenant.named_locations |= {
        "egress": {"id": "egress", "isTrusted": True, "ipRanges": [{"cidrAddress": f"{ALLOWED_IP}/32"}]},
        "elsewhere": {"id": "elsewhere", "ipRanges": [{"cidrAddress": "198.51.100.0/24"}, {"cidrAddress": "::/16"}]},
        "benelux": {"id": "benelux", "countriesAndRegions": ["BE", "NL", "LU"]},
    }

    result = told(directory, **conditions)

    assert result["analysisReasons"] == reason
    assert result["policyApplies"] is (reason == "notSet")


@pytest.mark.parametrize(
    ("conditions", "missing"),
    [
        ({"clientAppTypes": ["browser"]}, "clientAppType"),
        ({"platforms": {"includePlatforms": ["windows"]}}, "devicePlatform"),
        ({"locations": {"includeLocations": ["egress"]}}, "ipAddress"),
        ({"locations": {"includeLocations": ["All"], "excludeLocations": ["egress"]}}, "ipAddress"),
        ({"locations": {"includeLocations": ["AllTrusted"]}}, "ipAddress"),
        ({"locations": {"includeLocations": ["benelux"]}}, "country"),
        ({"signInRiskLevels": ["high"]}, "signInRiskLevel"),
        ({"userRiskLevels": ["high"]}, "userRiskLevel"),
        ({"insiderRiskLevels": "minor"}, "insiderRiskLevel"),
        ({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, "authenticationFlow"),
        ({"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.model -eq 'x'"}}}, "deviceInfo"),
    ],
)
def test_what_the_request_leaves_out_cannot_be_judged(
    directory: Directory, conditions: JsonObject, missing: str
) -> None:
    directory.tenant.named_locations |= {
        "egress": {"id": "egress", "isTrusted": True, "ipRanges": [{"cidrAddress": f"{ALLOWED_IP}/32"}]},
        "benelux": {"id": "benelux", "countriesAndRegions": ["BE", "NL", "LU"]},
    }
    user = directory.add_user()
    merged = {**policy()["conditions"], **conditions}
    directory.tenant.policies["p"] = {"id": "p", **policy(conditions=merged)}
    described = {name: value for name, value in EVERYTHING.items() if name != missing}

    (result,) = values(directory.call("POST", EVALUATE, what_if(user.id, **described)))

    assert (result["policyApplies"], result["analysisReasons"]) == (False, "notEnoughInformation")


def test_condition_that_surely_fails_is_told_before_one_that_cannot_be_judged(directory: Directory) -> None:
    user = directory.add_user()
    conditions = {**policy()["conditions"], "clientAppTypes": ["browser"], "signInRiskLevels": ["high"]}
    directory.tenant.policies["p"] = {"id": "p", **policy(conditions=conditions)}

    (result,) = values(directory.call("POST", EVALUATE, what_if(user.id, signInRiskLevel="none")))

    assert result["analysisReasons"] == "signInRisk"


def test_report_only_policies_apply_disabled_ones_never_do(directory: Directory) -> None:
    user = directory.add_user()
    for state in ("enabled", "enabledForReportingButNotEnforced", "disabled"):
        directory.tenant.policies[state] = {"id": state, **policy(state=state)}

    everything = values(directory.call("POST", EVALUATE, what_if(user.id, **EVERYTHING)))
    applied = values(directory.call("POST", EVALUATE, {**what_if(user.id, **EVERYTHING), "appliedPoliciesOnly": True}))

    assert {result["state"]: result["analysisReasons"] for result in everything} == {
        "enabled": "notSet",
        "enabledForReportingButNotEnforced": "notSet",
        "disabled": "policyNotEnabled",
    }
    assert [result["state"] for result in applied] == ["enabled", "enabledForReportingButNotEnforced"]


def test_security_defaults_and_per_user_mfa_are_not_looked_at(directory: Directory) -> None:
    user = directory.add_user("admin", "Global Administrator")
    user.per_user_mfa = "enforced"
    directory.tenant.security_defaults = True

    assert values(directory.call("POST", EVALUATE, what_if(user.id, **EVERYTHING))) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"signInIdentity": None},
        {"signInIdentity": {"userId": "x"}},
        {"signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn"}},
        {"signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": str(uuid4())}},
        {"signInContext": {"includeApplications": [GRAPH]}},
        {"signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": GRAPH}},
        {"signInConditions": None},
        {"signInConditions": {"clientAppType": "fax"}},
        {"signInConditions": {"country": 31}},
        {"signInConditions": {"ipAddress": "everywhere"}},
        {"signInConditions": {"weather": "rain"}},
        {"appliedPoliciesOnly": "yes"},
    ],
)
def test_request_that_does_not_match_the_schema_is_refused(directory: Directory, changes: JsonObject) -> None:
    user = directory.add_user()

    response = directory.call("POST", EVALUATE, {**what_if(user.id, ipAddress=FOREIGN_IP), **changes})

    assert refusal(response) == (400, "BadRequest")


def test_application_may_ask_with_the_reading_permission_alone(directory: Directory) -> None:
    user = directory.add_user()

    directory.permissions = frozenset({"Policy.Read.ConditionalAccess"})
    allowed = directory.call("POST", EVALUATE, what_if(user.id))
    directory.permissions = frozenset({"User.Read.All"})
    refused = directory.call("POST", EVALUATE, what_if(user.id))

    assert allowed.status == 200
    assert refusal(refused) == (403, "Authorization_RequestDenied")
    assert message(refused) == "Insufficient privileges to complete the operation."
