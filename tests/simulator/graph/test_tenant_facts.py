"""What a tenant says of itself: its domains, its licences, its applications and what they were granted."""

from __future__ import annotations

import pytest

from local.simulator.graph.organization import P1_PLAN, P2_PLAN, has_plan
from local.simulator.licences import subscribed_sku
from tests.simulator.graph.directory import (
    APPLICATION,
    DOMAIN,
    GRAPH,
    SERVICE_PRINCIPAL,
    TENANT,
    Directory,
    as_user,
    document,
    refusal,
    values,
)

ORGANIZATION_QUERY = "$select=id,displayName,verifiedDomains,tenantType,onPremisesSyncEnabled,countryLetterCode"


def test_organization_names_the_initial_domain_and_how_each_domain_signs_in(directory: Directory) -> None:
    (organization,) = values(directory.call("GET", f"/v1.0/organization?{ORGANIZATION_QUERY}"))

    assert organization["id"] == TENANT
    assert organization["countryLetterCode"] == "NL"
    assert [domain["name"] for domain in organization["verifiedDomains"] if domain["isInitial"]] == [DOMAIN]
    assert {domain["type"] for domain in organization["verifiedDomains"]} == {"Managed", "Federated"}


def test_organization_without_select_has_every_collection_as_a_list(directory: Directory) -> None:
    (organization,) = values(directory.call("GET", "/v1.0/organization"))

    assert organization["businessPhones"] == []
    assert organization["onPremisesSyncEnabled"] is None


def test_subscriptions_show_their_service_plans(directory: Directory) -> None:
    query = "$select=skuPartNumber,capabilityStatus,prepaidUnits,servicePlans"

    (sku,) = values(directory.call("GET", f"/v1.0/subscribedSkus?{query}"))

    assert sku["skuPartNumber"] == "AAD_PREMIUM_P2"
    assert P2_PLAN in {plan["servicePlanId"] for plan in sku["servicePlans"]}


@pytest.mark.parametrize(
    ("status", "provisioning", "is_usable"),
    [
        ("Enabled", "Success", True),
        ("Warning", "Success", True),
        ("Suspended", "Success", False),
        ("Enabled", "Disabled", False),
    ],
)
def test_plan_counts_only_when_its_subscription_is_usable(
    directory: Directory, status: str, provisioning: str, is_usable: bool
) -> None:
    sku = subscribed_sku(TENANT, "Contoso", "AAD_PREMIUM")
    sku["capabilityStatus"] = status
    sku["servicePlans"][0]["provisioningStatus"] = provisioning

    directory.tenant.skus = [sku]

    assert has_plan(directory.tenant, P1_PLAN) is is_usable


def test_service_principal_is_found_by_application_and_by_object_id(directory: Directory) -> None:
    by_application = directory.call("GET", f"/v1.0/servicePrincipals(appId='{APPLICATION}')?$select=id,appId")
    by_id = directory.call("GET", f"/v1.0/servicePrincipals/{SERVICE_PRINCIPAL}?$select=appId,accountEnabled")
    listed = values(directory.call("GET", f"/v1.0/servicePrincipals?$filter=appId eq '{APPLICATION}'"))

    assert document(by_application)["id"] == SERVICE_PRINCIPAL
    assert document(by_id)["accountEnabled"] is True
    assert [row["displayName"] for row in listed] == ["Sessions"]


def test_application_that_was_never_let_in_is_not_found(directory: Directory) -> None:
    directory.tenant.consents.clear()

    response = directory.call("GET", f"/v1.0/servicePrincipals(appId='{APPLICATION}')")

    assert refusal(response) == (404, "Request_ResourceNotFound")


def test_disabled_service_principal_says_so(directory: Directory) -> None:
    directory.tenant.consents[APPLICATION].enabled = False

    response = directory.call("GET", f"/v1.0/servicePrincipals(appId='{APPLICATION}')")

    assert document(response)["accountEnabled"] is False


@pytest.mark.parametrize("key", [f"(appId='{APPLICATION}')", f"/{SERVICE_PRINCIPAL}"])
def test_app_role_assignments_are_the_permissions_consented_to(directory: Directory, key: str) -> None:
    graph = document(directory.call("GET", f"/v1.0/servicePrincipals(appId='{GRAPH}')?$select=id,appRoles"))
    names = {role["id"]: role["value"] for role in graph["appRoles"]}

    granted = values(directory.call("GET", f"/v1.0/servicePrincipals{key}/appRoleAssignments"))

    assert {names[row["appRoleId"]] for row in granted} == {"User.Read.All", "Policy.Read.All"}
    assert {row["resourceId"] for row in granted} == {graph["id"]}


def test_resource_itself_holds_no_app_roles(directory: Directory) -> None:
    assert values(directory.call("GET", f"/v1.0/servicePrincipals(appId='{GRAPH}')/appRoleAssignments")) == []


def test_delegated_grants_list_the_scopes_for_each_resource(directory: Directory) -> None:
    path = f"/v1.0/oauth2PermissionGrants?$filter=clientId eq '{SERVICE_PRINCIPAL}'"

    grants = values(directory.call("GET", path))

    assert {row["scope"] for row in grants} == {"User.Read User.Read.All", "Exchange.Manage"}
    assert {row["consentType"] for row in grants} == {"AllPrincipals"}


def test_security_defaults_are_read_and_switched(directory: Directory) -> None:
    path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"

    switched = directory.call("PATCH", path, {"isEnabled": True})

    assert switched.status == 204
    assert document(directory.call("GET", path))["isEnabled"] is True


def test_security_defaults_cannot_be_on_beside_an_enabled_policy(directory: Directory) -> None:
    directory.tenant.policies["p"] = {"id": "p", "state": "enabled"}

    response = directory.call("PATCH", "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy", {"isEnabled": True})

    assert refusal(response) == (400, "BadRequest")
    assert directory.tenant.security_defaults is False


def test_security_defaults_take_both_permissions_and_a_boolean(directory: Directory) -> None:
    path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"

    wrong = directory.call("PATCH", path, {"isEnabled": 1})
    directory.permissions = frozenset({"Policy.ReadWrite.SecurityDefaults"})
    half = directory.call("PATCH", path, {"isEnabled": True})

    assert refusal(wrong) == (400, "BadRequest")
    assert refusal(half) == (403, "Authorization_RequestDenied")


def test_signed_in_user_without_a_role_cannot_switch_security_defaults(directory: Directory) -> None:
    user = directory.add_user()

    response = directory.call(
        "PATCH",
        "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
        {"isEnabled": True},
        claims=as_user(user, "Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"),
    )

    assert refusal(response) == (403, "Authorization_RequestDenied")
