"""Admin consent: the page an administrator sees, what its button grants, and what revoking takes away."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import requests

from local.simulator.seed import APP_CLIENT_ID, APP_ROLES, CONTOSO, FABRIKAM, HOME, TAILSPIN
from tests.simulator.clients import GRAPH, Microsoft, codes

PRIVILEGED_AUTHENTICATION_ADMINISTRATOR = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"


def consent_page(microsoft: Microsoft, method: str, path: str = "v2.0/adminconsent", **query: str) -> requests.Response:
    """The consent page of Contoso, seen (GET) or accepted (POST)."""
    query = {"client_id": APP_CLIENT_ID, "scope": GRAPH} | query
    url = f"{microsoft.simulator.url}/{CONTOSO}/{path}"
    return microsoft.session.request(method, url, params=query, allow_redirects=False)


def test_page_names_tenant_application_and_permissions(microsoft: Microsoft) -> None:
    page = consent_page(microsoft, "GET")

    assert page.headers["Content-Type"].startswith("text/html")
    for expected in ("Contoso", CONTOSO, "Management sessions", *APP_ROLES, "Exchange.Manage (delegated, exchange)"):
        assert expected in page.text
    assert page.text.count("<button") == 1


def test_looking_at_the_page_grants_nothing(microsoft: Microsoft) -> None:
    consent_page(microsoft, "GET")

    assert codes(microsoft.app_token(CONTOSO)) == [7000229]


def test_button_grants_everything_and_returns_to_the_application(microsoft: Microsoft) -> None:
    response = consent_page(microsoft, "POST", redirect_uri="https://console.example/done?from=entra", state="s1")

    assert response.status_code == 302
    target = urlsplit(response.headers["Location"])
    assert target.netloc == "console.example"
    assert parse_qs(target.query) == {
        "from": ["entra"],
        "admin_consent": ["True"],
        "tenant": [CONTOSO],
        "state": ["s1"],
        "scope": [GRAPH],
    }
    consent = microsoft.simulator.world.tenants[CONTOSO].consents[APP_CLIENT_ID]
    assert consent.app_roles == APP_ROLES
    assert consent.directory_roles == {PRIVILEGED_AUTHENTICATION_ADMINISTRATOR}
    assert "access_token" in microsoft.app_token(CONTOSO)


def test_button_without_a_redirect_says_granted(microsoft: Microsoft) -> None:
    response = consent_page(microsoft, "POST", path="adminconsent")

    assert response.status_code == 200
    assert "granted" in response.text


def test_page_refuses_unknown_applications_and_dangerous_redirects(microsoft: Microsoft) -> None:
    unknown = consent_page(microsoft, "POST", client_id=HOME)
    dangerous = consent_page(microsoft, "POST", redirect_uri="javascript:alert(1)")

    assert (unknown.status_code, dangerous.status_code) == (400, 400)
    assert codes(microsoft.app_token(CONTOSO)) == [7000229]


def test_page_shows_names_as_text(microsoft: Microsoft) -> None:
    microsoft.change_tenant(CONTOSO, displayName="<script>alert(1)</script>")

    assert "<script>" not in consent_page(microsoft, "GET").text


def test_consenting_again_adds_what_the_manifest_has_gained(microsoft: Microsoft) -> None:
    world = microsoft.simulator.world
    before = world.tenants[FABRIKAM].consents[APP_CLIENT_ID].service_principal_id

    microsoft.control("POST", "consent", {"tenantId": FABRIKAM, "grant": True})

    consent = world.tenants[FABRIKAM].consents[APP_CLIENT_ID]
    assert consent.app_roles == APP_ROLES
    assert consent.service_principal_id == before


def test_control_can_grant_only_some_permissions(microsoft: Microsoft) -> None:
    microsoft.control("POST", "consent", {"tenantId": CONTOSO, "appRoles": ["User.Read.All"], "grant": True})

    assert microsoft.simulator.world.tenants[CONTOSO].consents[APP_CLIENT_ID].app_roles == {"User.Read.All"}


def test_control_can_revoke_one_permission_or_the_whole_application(microsoft: Microsoft) -> None:
    microsoft.control("POST", "consent", {"tenantId": TAILSPIN, "appRoles": ["Policy.Read.All"], "grant": False})
    consent = microsoft.simulator.world.tenants[TAILSPIN].consents[APP_CLIENT_ID]
    without_one = set(consent.app_roles)

    microsoft.control("POST", "consent", {"tenantId": TAILSPIN, "clientId": APP_CLIENT_ID, "grant": False})

    assert without_one == APP_ROLES - {"Policy.Read.All"}
    assert codes(microsoft.app_token(TAILSPIN)) == [7000229]
