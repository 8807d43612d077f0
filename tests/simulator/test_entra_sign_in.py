"""A password sign-in through MSAL: the answer follows from the state of tenant, application and account."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from local.simulator.seed import APP_CLIENT_ID, CONTOSO, TAILSPIN, password_of
from tests.simulator.clients import EXCHANGE, GRAPH, TAILSPIN_ADMIN, Microsoft, codes

ADELE = "adele@tailspin.onmicrosoft.com"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


def claims_of(result: dict[str, Any]) -> dict[str, Any]:
    """The claims of an access token, unverified."""
    claims: dict[str, Any] = jwt.decode(result["access_token"], options={"verify_signature": False})
    return claims


def wrong_passwords(microsoft: Microsoft, count: int) -> list[dict[str, Any]]:
    """So many sign-ins, each with a different wrong password."""
    return [microsoft.sign_in(ADELE, f"only-for-tests-wrong-{number}") for number in range(count)]


def test_password_sign_in_gives_a_user_token_with_scopes_and_roles(microsoft: Microsoft) -> None:
    result = microsoft.sign_in(TAILSPIN_ADMIN)

    claims = claims_of(result)
    assert claims["idtyp"] == "user"
    assert claims["tid"] == TAILSPIN
    assert claims["upn"] == TAILSPIN_ADMIN
    assert claims["wids"] == [GLOBAL_ADMINISTRATOR]
    assert claims["scp"] == "Group.ReadWrite.All User-PasswordProfile.ReadWrite.All User.Read.All"
    assert claims["aud"] == "https://graph.microsoft.com"
    assert 3600 <= claims["exp"] - claims["iat"] <= 5400


def test_password_sign_in_tells_msal_who_signed_in(microsoft: Microsoft) -> None:
    application = microsoft.application()

    result = application.acquire_token_by_username_password(TAILSPIN_ADMIN, password_of(TAILSPIN_ADMIN), [GRAPH])

    assert result["id_token_claims"]["preferred_username"] == TAILSPIN_ADMIN
    assert result["id_token_claims"]["tid"] == TAILSPIN
    [account] = application.get_accounts()
    assert account["home_account_id"] == f"{result['id_token_claims']['oid']}.{TAILSPIN}"


def test_wrong_password_is_50126(microsoft: Microsoft) -> None:
    assert codes(microsoft.sign_in(ADELE, "only-for-tests-wrong")) == [50126]


def test_unknown_user_is_50034(microsoft: Microsoft) -> None:
    assert codes(microsoft.sign_in("nobody@tailspin.onmicrosoft.com", "only-for-tests-1")) == [50034]


def test_user_who_is_not_replicated_yet_is_50034(microsoft: Microsoft) -> None:
    user = next(iter(microsoft.simulator.world.tenants[TAILSPIN].users.values()))
    user.visible_at = microsoft.simulator.clock.now().replace(year=9999)

    before = microsoft.sign_in(user.document["userPrincipalName"])
    user.visible_at = microsoft.simulator.clock.now()
    after = microsoft.sign_in(user.document["userPrincipalName"])

    assert codes(before) == [50034]
    assert "access_token" in after


def test_disabled_user_is_50057_once_the_password_is_right(microsoft: Microsoft) -> None:
    microsoft.change_tenant(users={ADELE: {"accountEnabled": False}})

    assert codes(microsoft.sign_in(ADELE, "only-for-tests-wrong")) == [50126]
    assert codes(microsoft.sign_in(ADELE)) == [50057]


def test_forced_password_change_is_50055(microsoft: Microsoft) -> None:
    microsoft.change_tenant(users={ADELE: {"mustChangePassword": True}})

    result = microsoft.sign_in(ADELE)

    assert codes(result) == [50055]
    assert result["suberror"] == "user_password_expired"


def test_federated_domain_is_50056(microsoft: Microsoft) -> None:
    user = {"sam@tailspin.example": {"password": "only-for-tests-Passw0rd"}}
    microsoft.change_tenant(domains=[{"name": "tailspin.example", "type": "Federated"}], users=user)

    assert codes(microsoft.sign_in("sam@tailspin.example", "only-for-tests-Passw0rd")) == [50056]


def test_user_without_a_cloud_password_is_50056(microsoft: Microsoft) -> None:
    microsoft.change_tenant(users={"synced@tailspin.onmicrosoft.com": {}})

    assert codes(microsoft.sign_in("synced@tailspin.onmicrosoft.com", "only-for-tests-1")) == [50056]


def test_guest_is_50020(microsoft: Microsoft) -> None:
    microsoft.change_tenant(users={ADELE: {"userType": "Guest"}})

    assert codes(microsoft.sign_in(ADELE)) == [50020]


def test_ten_different_wrong_passwords_lock_the_account_for_a_minute(microsoft: Microsoft) -> None:
    wrong_passwords(microsoft, 10)

    locked = microsoft.sign_in(ADELE)
    microsoft.control("POST", "clock", {"advance": 61})
    after = microsoft.sign_in(ADELE)

    assert codes(locked) == [50053]
    assert "access_token" in after


def test_repeating_a_wrong_password_does_not_count_towards_the_lockout(microsoft: Microsoft) -> None:
    for _ in range(12):
        microsoft.sign_in(ADELE, "only-for-tests-wrong")

    assert "access_token" in microsoft.sign_in(ADELE)


def test_each_further_lockout_lasts_longer(microsoft: Microsoft) -> None:
    wrong_passwords(microsoft, 10)
    microsoft.control("POST", "clock", {"advance": 61})
    microsoft.sign_in(ADELE, "only-for-tests-one-more")

    microsoft.control("POST", "clock", {"advance": 61})
    still = microsoft.sign_in(ADELE)
    microsoft.control("POST", "clock", {"advance": 60})
    after = microsoft.sign_in(ADELE)

    assert codes(still) == [50053]
    assert "access_token" in after


def test_lockout_does_not_depend_on_the_address(microsoft: Microsoft) -> None:
    wrong_passwords(microsoft, 10)

    microsoft.session.headers["x-simulated-ip"] = "198.51.100.7"

    assert codes(microsoft.sign_in(ADELE)) == [50053]


def test_user_sign_in_without_consent_is_700016(microsoft: Microsoft) -> None:
    assert codes(microsoft.sign_in("admin@contoso.onmicrosoft.com", tenant=CONTOSO)) == [700016]


def test_resource_without_consented_scopes_is_65001(microsoft: Microsoft) -> None:
    microsoft.simulator.world.tenants[TAILSPIN].consents[APP_CLIENT_ID].delegated.pop("exchange")

    result = microsoft.sign_in(scope=EXCHANGE)

    assert codes(result) == [65001]
    assert result["suberror"] == "consent_required"


@pytest.mark.parametrize(
    ("scope", "code"),
    [
        (EXCHANGE, 500011),
        ("https://ps.compliance.protection.outlook.com/.default", 500011),
        ("https://tailspin-admin.sharepoint.com/.default", 500011),
        ("48ac35b8-9aa8-4d74-927d-1f4a14a0b239/.default", 650052),
    ],
)
def test_service_without_a_licence_has_no_principal(microsoft: Microsoft, scope: str, code: int) -> None:
    licensed = microsoft.sign_in(scope=scope)
    microsoft.change_tenant(skus=["AAD_PREMIUM"])
    unlicensed = microsoft.sign_in(scope=scope)

    assert "access_token" in licensed
    assert codes(unlicensed) == [code]


def test_another_tenants_sharepoint_is_500011(microsoft: Microsoft) -> None:
    assert codes(microsoft.sign_in(scope="https://contoso-admin.sharepoint.com/.default")) == [500011]


def test_scope_of_two_resources_is_refused(microsoft: Microsoft) -> None:
    result = microsoft.application().acquire_token_by_username_password(
        TAILSPIN_ADMIN, password_of(TAILSPIN_ADMIN), [GRAPH, EXCHANGE]
    )

    assert codes(result) == [700022]


def test_policies_are_asked_only_after_the_password_is_right(microsoft: Microsoft) -> None:
    microsoft.change_tenant(securityDefaults=True)

    wrong = microsoft.sign_in(TAILSPIN_ADMIN, "only-for-tests-wrong")
    right = microsoft.sign_in(TAILSPIN_ADMIN)

    assert codes(wrong) == [50126]
    assert codes(right) == [50079]


def test_policies_see_the_address_in_the_simulated_ip_header(microsoft: Microsoft) -> None:
    office = {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "displayName": "Office",
        "isTrusted": False,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.10/32"}],
    }
    block = {
        "displayName": "Block outside",
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"]},
            "users": {"includeUsers": ["All"]},
            "locations": {"includeLocations": ["All"], "excludeLocations": ["office"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    }
    microsoft.change_tenant(namedLocations={"office": office}, policies={"block": block})

    inside = microsoft.sign_in()
    microsoft.session.headers["x-simulated-ip"] = "198.51.100.7"
    outside = microsoft.sign_in()

    assert "access_token" in inside
    assert codes(outside) == [53003]
    assert "capolids" in outside["claims"]


def test_default_address_of_callers_can_be_changed(microsoft: Microsoft) -> None:
    microsoft.control("PATCH", "world", {"egressIp": "198.51.100.7"})

    assert claims_of(microsoft.sign_in())["ipaddr"] == "198.51.100.7"
