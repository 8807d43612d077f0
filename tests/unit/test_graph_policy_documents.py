"""Conditional access as Graph writes it: what a what-if proves, and what may be written back."""

from __future__ import annotations

from uuid import UUID

import pytest

from shared.adapters.graph_policy_documents import applied_in, conditions_excluding, policy_in, what_if_of
from shared.domain.policies import Applied, SignInConditions

ASKED = SignInConditions(UUID(int=7), "an-application", "203.0.113.10", None)


@pytest.mark.parametrize(
    ("applies", "reasons", "expected"),
    [
        (True, "notSet", (Applied("p"),)),
        (True, None, (Applied("p"),)),
        (False, "users", ()),
        (False, "policyNotEnabled", ()),
        (False, "location,notEnoughInformation", ()),
        (False, "notEnoughInformation, clientApps", ()),
        (False, "notEnoughInformation", (Applied("p", is_certain=False),)),
        (False, "invalidCondition", (Applied("p", is_certain=False),)),
        (False, "unknownFutureValue", (Applied("p", is_certain=False),)),
        (False, "aReasonOfTomorrow", (Applied("p", is_certain=False),)),
        (False, "notSet", (Applied("p", is_certain=False),)),
        (None, None, (Applied("p", is_certain=False),)),
    ],
)
def test_policy_is_ruled_out_only_by_a_reason_that_settles_it(
    applies: bool | None, reasons: str | None, expected: tuple[Applied, ...]
) -> None:
    result = {"id": "p", "policyApplies": applies, "analysisReasons": reasons}

    assert applied_in([result]) == expected


def test_every_condition_that_a_policy_can_look_at_is_described() -> None:
    described = what_if_of(ASKED)["signInConditions"]

    assert described == {
        "clientAppType": "mobileAppsAndDesktopClients",
        "devicePlatform": "linux",
        "ipAddress": "203.0.113.10",
        "signInRiskLevel": "none",
        "userRiskLevel": "none",
        "insiderRiskLevel": "none",
        "authenticationFlow": {"transferMethod": "none"},
        "deviceInfo": {"isCompliant": False},
    }


def test_conditions_are_written_back_whole_without_nulls_and_annotations() -> None:
    outsiders = {
        "guestOrExternalUserTypes": "internalGuest,b2bCollaborationGuest",
        "externalTenants": {"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants"},
    }
    document = {
        "id": "p",
        "conditions": {
            "clientAppTypes": ["all"],
            "platforms": None,
            "authenticationFlows@odata.context": "https://graph.microsoft.com/v1.0/$metadata#…",
            "locations": {"includeLocations": ["All"], "excludeLocations": []},
            "users": {"includeUsers": ["All"], "excludeUsers": ["a"], "excludeGuestsOrExternalUsers": outsiders},
            "applications": {"includeApplications": ["All"], "applicationFilter": None},
        },
    }

    assert conditions_excluding(document, ("a", "b")) == {
        "clientAppTypes": ["all"],
        "locations": {"includeLocations": ["All"], "excludeLocations": []},
        "users": {"includeUsers": ["All"], "excludeUsers": ["a", "b"], "excludeGuestsOrExternalUsers": outsiders},
        "applications": {"includeApplications": ["All"]},
    }


def test_demands_that_are_no_built_in_control_are_named() -> None:
    grant = {
        "builtInControls": ["compliantDevice"],
        "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"},
        "termsOfUse": ["an-agreement"],
        "customAuthenticationFactors": [],
    }

    policy = policy_in({"id": "p", "displayName": "P", "state": "enabled", "grantControls": grant})

    assert policy.controls == ("compliantDevice", "authenticationStrength", "termsOfUse")


def test_policy_without_grant_controls_demands_nothing() -> None:
    assert policy_in({"id": "p", "grantControls": None, "conditions": None}).controls == ()


@pytest.mark.parametrize(
    ("name", "is_managed"), [("Microsoft-managed: Block legacy authentication", True), ("Our Microsoft policy", False)]
)
def test_microsoft_s_own_policies_are_told_by_their_names(name: str, is_managed: bool) -> None:
    policy = policy_in({"id": "p", "displayName": name, "templateId": "a-template"})

    assert policy.is_microsoft_managed is is_managed


ONE = "5b0f2c1e-3d4a-4f6b-8c7d-9e0f1a2b3c4d"


@pytest.mark.parametrize(
    ("users", "only_user"),
    [
        ({"includeUsers": [ONE.upper()]}, ONE),
        ({"includeUsers": [ONE], "includeGroups": [], "includeGuestsOrExternalUsers": None}, ONE),
        ({"includeUsers": [ONE], "excludeUsers": [ONE]}, ONE),
        ({"includeUsers": [ONE, ONE.replace("5", "6")]}, None),
        ({"includeUsers": [ONE], "includeGroups": ["a-group"]}, None),
        ({"includeUsers": [ONE], "includeRoles": ["a-role"]}, None),
        (
            {
                "includeUsers": [ONE],
                "includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bDirectConnectUser"},
            },
            None,
        ),
        ({"includeUsers": ["All"]}, None),
        ({"includeUsers": []}, None),
        (None, None),
    ],
)
def test_policy_is_about_one_user_only_when_nobody_else_is_included(
    users: dict[str, object] | None, only_user: str | None
) -> None:
    assert policy_in({"id": "p", "conditions": {"users": users}}).only_user == only_user


@pytest.mark.parametrize("text", ["2026-11-23T09:00:00.1234567Z", "2026-11-23T09:00:00Z"])
def test_moment_is_read_however_fine_it_is(text: str) -> None:
    created_at = policy_in({"id": "p", "createdDateTime": text}).created_at

    assert created_at is not None
    assert created_at.isoformat(timespec="seconds") == "2026-11-23T09:00:00+00:00"
