"""The control interface: what it changes, and how it refuses what makes no sense."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from local.simulator.seed import (
    API_AUDIENCE,
    APP_CLIENT_ID,
    CALLERS,
    CONTOSO,
    FABRIKAM,
    HOME,
    MISSING_AT_FABRIKAM,
    ONBOARDING_CLIENT_ID,
    RUNTIME_CLIENT_ID,
    TAILSPIN,
    password_of,
)
from tests.simulator.clients import Microsoft, codes

NEW_TENANT = "e0000000-0000-4000-8000-000000000001"


def test_world_begins_with_three_customers(microsoft: Microsoft) -> None:
    states = {tenant: microsoft.control("GET", f"tenants/{tenant}").json() for tenant in (CONTOSO, FABRIKAM, TAILSPIN)}

    assert states[CONTOSO]["consents"] == {}
    assert not set(states[FABRIKAM]["consents"][APP_CLIENT_ID]["appRoles"]) & MISSING_AT_FABRIKAM
    assert set(states[TAILSPIN]["consents"][APP_CLIENT_ID]["appRoles"]) > MISSING_AT_FABRIKAM
    assert {state["skus"][0] for state in states.values()} == {"SPE_E3"}


@pytest.mark.parametrize("caller", sorted(CALLERS))
def test_every_caller_gets_a_token_that_verifies(microsoft: Microsoft, caller: str) -> None:
    answer = microsoft.control("POST", "token", {"caller": caller}).json()

    keys = microsoft.session.get(f"{microsoft.simulator.url}/{HOME}/discovery/v2.0/keys").json()
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(answer["accessToken"])["kid"]]
    issuer = f"{microsoft.simulator.url}/{HOME}/v2.0"
    claims = jwt.decode(answer["accessToken"], key, algorithms=["RS256"], audience=API_AUDIENCE, issuer=issuer)
    assert claims["ver"] == "2.0"
    assert claims["oid"] == CALLERS[caller].object_id
    assert tuple(claims.get("roles", ())) == CALLERS[caller].roles
    assert claims["idtyp"] == ("app" if "executor" in caller else "user")
    assert claims.get("scp") == (None if "executor" in caller else "Sessions.Access")


def test_callers_claims_and_lifetime_can_be_overridden(microsoft: Microsoft) -> None:
    body = {"caller": "operator", "tenant": CONTOSO, "lifetime": -60, "claims": {"aud": "other", "scp": None}}

    token = microsoft.control("POST", "token", body).json()["accessToken"]

    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["tid"] == CONTOSO
    assert claims["iss"] == f"{microsoft.simulator.url}/{CONTOSO}/v2.0"
    assert claims["aud"] == "other"
    assert claims["exp"] < time.time()
    assert "scp" not in claims


def test_further_tenants_can_be_seeded(microsoft: Microsoft) -> None:
    tenant = {
        "tenantId": NEW_TENANT,
        "displayName": "Northwind",
        "initialDomain": "northwind.onmicrosoft.com",
        "consented": True,
        "securityDefaults": True,
        "directoryRoles": [],
        "users": {"boss@northwind.onmicrosoft.com": {"password": "only-for-tests-Passw0rd", "perUserMfa": "enforced"}},
    }

    answer = microsoft.control("POST", "seed", {"tenants": [tenant]}).json()

    state = microsoft.control("GET", f"tenants/{NEW_TENANT}").json()
    assert answer == {"tenants": [NEW_TENANT]}
    assert state["securityDefaults"] is True
    assert state["consents"][APP_CLIENT_ID]["directoryRoles"] == []
    users = {user["userPrincipalName"]: user for user in state["users"]}
    assert users["boss@northwind.onmicrosoft.com"]["perUserMfa"] == "enforced"
    assert "admin@northwind.onmicrosoft.com" in users
    assert "access_token" in microsoft.app_token(NEW_TENANT)


def test_one_of_two_applications_can_be_let_in_switched_off_and_given_a_role_apart_from_the_other(
    microsoft: Microsoft,
) -> None:
    for client_id in (RUNTIME_CLIENT_ID, ONBOARDING_CLIENT_ID):
        microsoft.control("POST", "consent", {"tenantId": CONTOSO, "clientId": client_id, "grant": True})
    change = {"enabled": False, "directoryRoles": ["Global Reader"]}

    microsoft.control("PATCH", f"tenants/{CONTOSO}", {"servicePrincipals": {ONBOARDING_CLIENT_ID: change}})

    consents = microsoft.control("GET", f"tenants/{CONTOSO}").json()["consents"]
    runtime, onboarding = consents[RUNTIME_CLIENT_ID], consents[ONBOARDING_CLIENT_ID]
    assert (runtime["enabled"], onboarding["enabled"]) == (True, False)
    assert len(onboarding["directoryRoles"]) == 1
    assert onboarding["directoryRoles"] != runtime["directoryRoles"]
    assert onboarding["delegated"] == {}
    assert "User.ReadWrite.All" in onboarding["appRoles"]
    assert "User.ReadWrite.All" not in runtime["appRoles"]


def test_many_tenants_are_seeded_quickly(microsoft: Microsoft) -> None:
    tenants = [{"tenantId": f"e0000000-0000-4000-8000-{number:012}", "consented": True} for number in range(200)]

    started = time.perf_counter()
    answer = microsoft.control("POST", "seed", {"tenants": tenants}).json()

    assert len(answer["tenants"]) == 200
    assert time.perf_counter() - started < 1


def test_refused_seed_adds_nothing(microsoft: Microsoft) -> None:
    tenants = [{"tenantId": NEW_TENANT}, {"tenantId": "not-a-guid"}]

    response = microsoft.session.post(f"{microsoft.simulator.url}/_simulator/seed", json={"tenants": tenants})

    assert response.status_code == 400
    assert response.json()["error"]["target"] == "tenants[1].tenantId"
    assert NEW_TENANT not in microsoft.simulator.world.tenants


def test_clock_can_be_moved_and_set(microsoft: Microsoft) -> None:
    microsoft.control("POST", "clock", {"advance": 3600})
    advanced = microsoft.simulator.clock.now() - datetime.now(UTC)

    answer = microsoft.control("POST", "clock", {"now": "2031-01-01T00:00:00Z"}).json()

    assert abs(advanced - timedelta(hours=1)) < timedelta(seconds=5)
    assert answer["now"].startswith("2031-01-01T00:00:00")


def test_reset_undoes_everything(microsoft: Microsoft) -> None:
    microsoft.change_tenant(securityDefaults=True)
    microsoft.control("POST", "clock", {"advance": 3600})
    microsoft.control("POST", "faults", {"faults": [{"kind": "5xx", "times": 100}]})
    microsoft.control("PATCH", "world", {"egressIp": "198.51.100.7", "purgeProtection": False})

    microsoft.control("POST", "reset")

    world = microsoft.simulator.world
    assert world.tenants[TAILSPIN].security_defaults is False
    assert abs(world.clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert (world.egress_ip, world.vault.purge_protection) == ("203.0.113.10", True)
    assert "access_token" in microsoft.app_token()


def test_changes_of_a_tenant_merge_and_null_removes(microsoft: Microsoft) -> None:
    policy = {"displayName": "P", "state": "enabled", "conditions": {"clientAppTypes": ["all"]}}
    microsoft.change_tenant(policies={"one": policy, "two": policy}, groups={"g": []})

    state = microsoft.change_tenant(policies={"one": {"state": "disabled"}, "two": None}, groups={"g": None})

    assert list(state["policies"]) == ["one"]
    assert state["policies"]["one"]["state"] == "disabled"
    assert state["policies"]["one"]["conditions"] == {"clientAppTypes": ["all"]}
    assert state["groups"] == {}


def test_refused_change_of_a_tenant_changes_nothing(microsoft: Microsoft) -> None:
    body: dict[str, Any] = {"securityDefaults": True, "users": {"admin@tailspin.onmicrosoft.com": {"risk": "extreme"}}}

    response = microsoft.session.patch(f"{microsoft.simulator.url}/_simulator/tenants/{TAILSPIN}", json=body)

    assert response.status_code == 400
    assert microsoft.control("GET", f"tenants/{TAILSPIN}").json()["securityDefaults"] is False


def test_users_can_be_added_changed_and_removed(microsoft: Microsoft) -> None:
    name = "new@tailspin.onmicrosoft.com"
    added = microsoft.change_tenant(users={name: {"password": "only-for-tests-1", "roles": ["Global Reader"]}})
    signed_in = microsoft.sign_in(name, "only-for-tests-1")

    removed = microsoft.change_tenant(users={name: None})

    [user] = [each for each in added["users"] if each["userPrincipalName"] == name]
    assert user["roles"] == ["f2ef992c-3afb-46b9-b7cf-a126ee74c451"]
    assert "access_token" in signed_in
    assert name not in [each["userPrincipalName"] for each in removed["users"]]
    assert codes(microsoft.sign_in(name, "only-for-tests-1")) == [50034]


def test_state_of_a_tenant_shows_no_password(microsoft: Microsoft) -> None:
    refresh_token = microsoft.sign_in()["refresh_token"]

    response = microsoft.control("GET", f"tenants/{TAILSPIN}")

    assert password_of("admin@tailspin.onmicrosoft.com") not in response.text
    assert refresh_token not in response.text
    assert response.json()["refreshTokens"] == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "target"),
    [
        ("POST", "clock", {"advance": "soon"}, "advance"),
        ("POST", "clock", {"now": "2031-01-01T00:00:00"}, "now"),
        ("POST", "clock", {}, "advance"),
        ("POST", "clock", {"advance": 1e300}, "advance"),
        ("POST", "clock", {"now": "9999-12-31T23:59:59Z"}, "now"),
        ("POST", "faults", {"faults": [{"kind": "flood"}]}, "faults[0].kind"),
        ("POST", "faults", {"faults": [{"kind": "aadsts", "code": 1}]}, "faults[0].code"),
        ("POST", "faults", {"faults": [{"kind": "status", "status": 200}]}, "faults[0].status"),
        ("POST", "faults", {"faults": [{"kind": "5xx", "path": "("}]}, "faults[0].path"),
        ("POST", "faults", {"faults": [{"kind": "latency", "seconds": -1}]}, "faults[0].seconds"),
        ("POST", "token", {"caller": "nobody"}, "caller"),
        ("POST", "token", {"caller": "reader", "claims": {"iss": 7}}, "claims"),
        ("POST", "consent", {"tenantId": HOME.replace("a", "b"), "grant": True}, "tenantId"),
        ("POST", "consent", {"tenantId": CONTOSO}, "grant"),
        ("POST", "seed", {"tenants": [{"tenantId": CONTOSO}]}, "tenants[0].tenantId"),
        ("POST", "reset", {"gently": True}, "gently"),
        ("POST", "reset", [], "body"),
        ("PATCH", "world", {"egressIp": "here"}, "egressIp"),
        ("PATCH", f"tenants/{TAILSPIN}", {"skus": ["E99"]}, "skus"),
        ("PATCH", f"tenants/{TAILSPIN}", {"directoryRoles": ["King"]}, "directoryRoles"),
        ("PATCH", f"tenants/{TAILSPIN}", {"servicePrincipals": {HOME: {}}}, f"servicePrincipals.{HOME}"),
        ("PATCH", f"tenants/{TAILSPIN}", {"users": {"a@b.c": {"risk": "extreme"}}}, "users.a@b.c.risk"),
        ("PATCH", f"tenants/{TAILSPIN}", {"users": {"nobody": {}}}, "users.nobody"),
        ("PATCH", f"tenants/{TAILSPIN}", {"users": {"a@b.c": {"properties": {"id": "x"}}}}, "users.a@b.c.properties"),
        ("PATCH", f"tenants/{TAILSPIN}", {"securityDefault": True}, "securityDefault"),
        ("GET", f"tenants/{NEW_TENANT}", None, "tenant"),
        ("GET", "journal?service=mail", None, "service"),
    ],
)
def test_bad_input_is_400_and_names_its_field(
    microsoft: Microsoft, method: str, path: str, body: Any, target: str
) -> None:
    response = microsoft.session.request(method, f"{microsoft.simulator.url}/_simulator/{path}", json=body)

    assert response.status_code == 400
    assert response.json()["error"]["target"] == target
