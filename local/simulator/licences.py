"""The subscriptions a simulated tenant can have: conditional access, Exchange and the others hang on their plans."""

from __future__ import annotations

from local.simulator.state import JsonObject

# learn.microsoft.com/entra/identity/users/licensing-service-plan-reference: name -> service plan id.
SERVICE_PLANS: dict[str, str] = {
    "AAD_PREMIUM": "41781fb2-bc02-4b7c-bd55-b576c07bb09d",
    "AAD_PREMIUM_P2": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
    "EXCHANGE_S_STANDARD": "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
    "EXCHANGE_S_ENTERPRISE": "efb87545-963c-4e0d-99df-69c6916d9eb0",
    "SHAREPOINTSTANDARD": "c7699d2e-19aa-44de-8edf-1736da088ca1",
    "SHAREPOINTENTERPRISE": "5dbe027f-2339-4123-9542-606e4d348a72",
    "TEAMS1": "57ff2da0-773e-42df-b2af-ffb7a2317929",
}

# SKU part number -> SKU id and service plans.
SKUS: dict[str, tuple[str, tuple[str, ...]]] = {
    "SPE_E3": (
        "05e9a617-0261-4cee-bb44-138d3ef5d965",
        ("AAD_PREMIUM", "EXCHANGE_S_ENTERPRISE", "SHAREPOINTENTERPRISE", "TEAMS1"),
    ),
    "STANDARDPACK": ("18181a46-0d4e-45cd-891e-60aabd171b4e", ("EXCHANGE_S_STANDARD", "SHAREPOINTSTANDARD", "TEAMS1")),
    "EXCHANGESTANDARD": ("4b9405b0-7788-4568-add1-99614e613b69", ("EXCHANGE_S_STANDARD",)),
    "AAD_PREMIUM": ("078d2b04-f1bd-4111-bbd4-b4b1b354cef4", ("AAD_PREMIUM",)),
    "AAD_PREMIUM_P2": ("84a661c4-e949-4bd2-a560-ed7766fcaf2b", ("AAD_PREMIUM", "AAD_PREMIUM_P2")),
}


def subscribed_sku(tenant_id: str, tenant_name: str, part_number: str) -> JsonObject:
    """A Graph `subscribedSku` of ten enabled seats.

    Raises:
        KeyError: the part number is not one of `SKUS`.
    """
    sku_id, plans = SKUS[part_number]
    return {
        "id": f"{tenant_id}_{sku_id}",
        "accountId": tenant_id,
        "accountName": tenant_name,
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 1,
        "prepaidUnits": {"enabled": 10, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [
            {
                "servicePlanId": SERVICE_PLANS[plan],
                "servicePlanName": plan,
                "provisioningStatus": "Success",
                "appliesTo": "User",
            }
            for plan in plans
        ],
        "skuId": sku_id,
        "skuPartNumber": part_number,
        "subscriptionIds": [],
    }
