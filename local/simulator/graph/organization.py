"""The tenant itself: its domains, what it has bought, and which of it is Entra ID P1 or P2."""

from __future__ import annotations

from local.simulator.calls import GraphCall
from local.simulator.graph.odata import EntityType, collection, words
from local.simulator.graph.operation import operation
from local.simulator.licences import SERVICE_PLANS
from local.simulator.state import JsonObject, Tenant
from local.simulator.wire import Response

P1_PLAN = SERVICE_PLANS["AAD_PREMIUM"]
P2_PLAN = SERVICE_PLANS["AAD_PREMIUM_P2"]

_COLLECTIONS = words(
    """
    assignedPlans businessPhones marketingNotificationEmails provisionedPlans
    securityComplianceNotificationMails securityComplianceNotificationPhones technicalNotificationMails
    verifiedDomains
    """
)

ORGANIZATION = EntityType(
    name="organization",
    context="organization",
    properties=_COLLECTIONS
    + words(
        """
        id deletedDateTime city country countryLetterCode createdDateTime defaultUsageLocation displayName
        onPremisesLastSyncDateTime onPremisesSyncEnabled partnerTenantType postalCode preferredLanguage
        privacyProfile state street tenantType
        """
    ),
)

SUBSCRIBED_SKU = EntityType(
    name="subscribedSku",
    context="subscribedSkus",
    properties=words(
        """
        id accountId accountName appliesTo capabilityStatus consumedUnits prepaidUnits servicePlans skuId
        skuPartNumber subscriptionIds
        """
    ),
)


def has_plan(tenant: Tenant, *plans: str) -> bool:
    """Whether a usable licence of the tenant (Enabled or Warning) contains one of these service plans, provisioned."""
    return any(
        plan.get("servicePlanId") in plans and plan.get("provisioningStatus") == "Success"
        for sku in tenant.skus
        if sku.get("capabilityStatus") in ("Enabled", "Warning")
        for plan in sku.get("servicePlans", ())
    )


def list_organizations(call: GraphCall) -> Response:
    """GET /organization: always one."""
    return collection(call, ORGANIZATION, [_show(call.tenant)])


def _show(tenant: Tenant) -> JsonObject:
    empty: JsonObject = {name: [] if name in _COLLECTIONS else None for name in ORGANIZATION.properties}
    return empty | {
        "id": tenant.id,
        "displayName": tenant.display_name,
        "countryLetterCode": tenant.country,
        "tenantType": "AAD",
        "verifiedDomains": tenant.domains,
    }


def list_subscribed_skus(call: GraphCall) -> Response:
    """GET /subscribedSkus."""
    return collection(call, SUBSCRIBED_SKU, call.tenant.skus)


ROUTES = (
    operation(
        "GET",
        "/v1.0/organization",
        list_organizations,
        permissions=("Organization.Read.All", "User.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"),
    ),
    operation(
        "GET",
        "/v1.0/subscribedSkus",
        list_subscribed_skus,
        permissions=(
            "LicenseAssignment.Read.All",
            "Organization.Read.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ),
    ),
)
