"""What becomes of a tenant between the making of its service account and the check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.e2e.customer import Customer

Json = dict[str, Any]

EXCHANGE_ADMINISTRATOR: Final = "29232cdf-9323-42fd-ade2-1d097af3e4de"
PLACE: Final = "c0000000-0000-4000-8000-00000000ca02"
_POLICY: Final = "c0000000-0000-4000-8000-00000000ca01"
_MADE: Final = "2026-10-01T08:00:00Z"
_RANGES: Final = ["203.0.113.128/28"]


def changed(**change: object) -> Callable[[Customer], None]:
    """An administrator of the customer changes the tenant."""
    return lambda customer: customer.change(**change)


def account_changed(**change: object) -> Callable[[Customer], None]:
    """Somebody in the tenant changes the service account."""
    return lambda customer: customer.change(users={customer.account_name: change})


def leaves_an_account(customer: Customer) -> None:
    """An attempt at the service account, whose reply was lost, has left another one."""
    (ours,) = customer.users()
    left = {"password": "only-for-tests-L3ft-behind", "properties": {"employeeId": ours["employeeId"]}}
    customer.change(users={customer.account_name.replace("@", "-2@"): left})


def has_policy(
    display_name: str, control: str = "mfa", *, state: str = "enabled", where: Json | None = None
) -> Callable[[Customer], None]:
    """The customer has a policy for whoever administers Exchange; `where` are further conditions."""
    conditions: Json = {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeRoles": [EXCHANGE_ADMINISTRATOR]},
    }
    policy: Json = {
        "id": _POLICY,
        "displayName": display_name,
        "state": state,
        "createdDateTime": _MADE,
        "conditions": conditions | (where or {}),
        "grantControls": {"operator": "OR", "builtInControls": [control]},
    }
    return changed(policies={_POLICY: policy})


def blocks_the_country(customer: Customer) -> None:
    """Sign-ins from the country where our addresses are, are blocked."""
    place = {
        "@odata.type": "#microsoft.graph.countryNamedLocation",
        "id": PLACE,
        "displayName": "The Netherlands",
        "countriesAndRegions": ["NL"],
        "includeUnknownCountriesAndRegions": False,
    }
    customer.change(namedLocations={PLACE: place})
    has_policy("No sign-ins from there", "block", where={"locations": {"includeLocations": [PLACE]}})(customer)


def loses_consent_half_way(customer: Customer) -> None:
    """From the row `perUserMfa` on nothing can be had in the tenant any more."""
    account = customer.shown()["serviceAccount"]["objectId"]
    faults = [
        {"kind": "status", "status": 401, "error": "InvalidAuthenticationToken", "path": f"{account}/authentication"},
        {"kind": "aadsts", "code": 7000229, "path": f"^/{customer.tenant_id}/", "after": 1, "times": 1000},
    ]
    assert customer.client.control("POST", "/faults", {"faults": faults}).status == 200


def then_in_allowed_ips(change: Callable[[Json, Json], Json], state: str = "reportOnly") -> Callable[[Customer], None]:
    """Allowed IPs are set; then `change` tells from our location and policy what becomes of the tenant."""

    def given(customer: Customer) -> None:
        body = {"ranges": _RANGES, "outside": "block", "state": state}
        assert customer.finish(customer.call("PUT", "/allowed-ips", "administrator", body))["status"] == "succeeded"
        (place,) = customer.directory()["namedLocations"].values()
        (policy,) = customer.directory()["policies"].values()
        customer.change(**change(place, policy))

    return given


def change_consent(customer: Customer, **change: object) -> None:
    assert customer.client.control("POST", "/consent", {"tenantId": customer.tenant_id, **change}).status == 200


def change_roles(customer: Customer, *, add: str = "", remove: str = "") -> None:
    users = customer.directory()["users"]
    held = next(user["roles"] for user in users if user["userPrincipalName"] == customer.account_name)
    customer.change(
        users={customer.account_name: {"roles": [*(role for role in held if role != remove), *filter(None, [add])]}}
    )
