"""The app registrations: the roles that the API checks, the permissions that the code needs, and no secret."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from functions import callers
from infra.entra import register
from infra.entra.register import API, ONBOARDING, SERVICE, Json, NotThereYet, RegistrationFailed
from shared.domain import directory_roles
from shared.domain.actors import Right
from shared.domain.directory_roles import RUNTIME, SINGLE, Registration
from shared.domain.resources import Resource
from tests.infra.environments import INFRA

API_MANIFEST: Json = json.loads((INFRA / "entra" / "api.json").read_text("utf-8"))
SERVICE_MANIFEST: Json = json.loads((INFRA / "entra" / "service.json").read_text("utf-8"))
ONBOARDING_MANIFEST: Json = json.loads((INFRA / "entra" / "onboarding.json").read_text("utf-8"))
GRAPH, _, _, TEAMS = SERVICE_MANIFEST["permissions"]
APART: set[str] = {*ONBOARDING_MANIFEST["leftToTheOther"], *ONBOARDING_MANIFEST["permissions"][0]["application"]}


class FakeGraph:
    """Microsoft Graph with applications and service principals in memory; what is new can be late to appear."""

    def __init__(self, *, lag: int = 0, without: str = "") -> None:
        self.applications: dict[str, Json] = {}
        self.principals: dict[str, Json] = {}
        self.credentials: dict[str, Json] = {}
        self.lag = lag
        for each in SERVICE_MANIFEST["permissions"]:
            if each is not TEAMS:  # which the vendor's tenant has no licence for
                self._offer(each, without)
        self._offer(GRAPH | {"application": [*{*GRAPH["application"], *APART}]}, without)

    def _offer(self, wanted: Json, without: str = "") -> None:
        self.principals[wanted["appId"]] = {
            "appRoles": [{"value": name, "id": f"role-{name}"} for name in wanted["application"] if name != without],
            "oauth2PermissionScopes": [{"value": name, "id": f"scope-{name}"} for name in wanted["delegated"]],
        }

    def send(self, method: str, path: str, body: Json | None = None, *, creates: bool = False) -> Json:
        what, key = re.findall(r"^/(\w+)\(\w+='([^']+)'\)", path)[0]
        if "federatedIdentityCredentials" in path and method == "DELETE":
            if self.credentials.pop(key, None) is None:
                raise NotThereYet(key)
            return {}
        if "federatedIdentityCredentials" in path:
            self.credentials[key] = body or {}
            return {}
        if what == "applications":
            return self._application(method, key, body or {}, creates)
        if method == "PATCH" and creates and key == TEAMS["appId"]:
            self._offer(TEAMS)
        if method == "PATCH" and creates:
            self.principals.setdefault(key, {})
        if key not in self.principals:
            raise NotThereYet(key)
        self.principals[key].update(body or {})
        return self.principals[key]

    def _application(self, method: str, name: str, body: Json, creates: bool) -> Json:
        if method == "GET":
            if self.lag:
                self.lag -= 1
                raise NotThereYet(name)
            return {"appId": self.applications[name]["appId"]}
        assert creates
        self.applications.setdefault(name, {"appId": f"client-of-{name}"}).update(body)
        return {}


def test_the_api_has_the_app_roles_that_the_code_checks() -> None:
    roles = {role["value"]: set(role["allowedMemberTypes"]) for role in API_MANIFEST["appRoles"]}

    expected: dict[str, set[str]] = {}
    for right, name in callers._APP_ROLES.items():
        kinds = {"User"} if right in callers._FOR_USERS else set()
        kinds |= {"Application"} if right in callers._FOR_APPLICATIONS else set()
        expected |= {name: kinds, f"{name}.All": kinds}
    assert roles == expected
    assert len(roles) == 2 * len(Right)


def test_the_api_s_tokens_are_as_the_code_demands_them() -> None:
    (scope,) = API_MANIFEST["api"]["oauth2PermissionScopes"]
    (claim,) = API_MANIFEST["optionalClaims"]["accessToken"]

    assert scope["value"] == callers._SCOPE
    assert API_MANIFEST["api"]["requestedAccessTokenVersion"] == 2
    assert (claim["name"], claim["additionalProperties"]) == ("idtyp", ["include_user_token"])
    assert API_MANIFEST["signInAudience"] == "AzureADMyOrg"


def test_every_role_and_scope_has_an_id_of_its_own() -> None:
    parts = [*API_MANIFEST["appRoles"], *API_MANIFEST["api"]["oauth2PermissionScopes"]]

    assert len({part["id"] for part in parts}) == len(parts)


def test_tenants_are_asked_for_the_permissions_that_the_code_needs_and_no_other() -> None:
    (onboarding,) = ONBOARDING_MANIFEST["permissions"]

    assert set(GRAPH["application"]) == set(SINGLE.permissions)
    assert [each["application"] for each in SERVICE_MANIFEST["permissions"] if each is not GRAPH] == [[], [], []]
    assert set(onboarding["application"]) == set(directory_roles.ONBOARDING.permissions)
    assert set(ONBOARDING_MANIFEST["leftToTheOther"]) == set(RUNTIME.permissions)


@pytest.mark.parametrize("asked", [SINGLE, RUNTIME, directory_roles.ONBOARDING])
def test_no_application_asks_to_write_applications_or_consents(asked: Registration) -> None:
    of_principals = ("Application.ReadWrite", "AppRoleAssignment.", "DelegatedPermissionGrant.", "Directory.ReadWrite")

    assert [name for name in asked.permissions if name.startswith(of_principals)] == []


def test_users_sign_in_to_the_application_that_runs_sessions_only() -> None:
    assert [each["delegated"] for each in ONBOARDING_MANIFEST["permissions"]] == [[]]


@pytest.mark.parametrize(
    ("manifest", "asked"), [(SERVICE_MANIFEST, SINGLE), (ONBOARDING_MANIFEST, directory_roles.ONBOARDING)]
)
def test_applications_are_called_what_refusals_call_them(manifest: Json, asked: Registration) -> None:
    assert manifest["application"]["displayName"] == asked.name
    assert RUNTIME.name == SINGLE.name


def test_every_resource_that_tokens_are_lent_for_has_a_delegated_permission() -> None:
    covered = {Resource.GRAPH, Resource.EXCHANGE, Resource.SHAREPOINT, Resource.TEAMS, Resource.COMPLIANCE}

    assert covered == set(Resource)
    assert all(each["delegated"] for each in SERVICE_MANIFEST["permissions"])
    assert {"offline_access", "User-PasswordProfile.ReadWrite.All"} <= set(GRAPH["delegated"])


def test_no_manifest_holds_a_credential() -> None:
    texts = [json.dumps(manifest) for manifest in (API_MANIFEST, SERVICE_MANIFEST, ONBOARDING_MANIFEST)]

    assert not any(word in text for text in texts for word in ("passwordCredentials", "keyCredentials", "secretText"))


def test_registering_twice_changes_nothing() -> None:
    graph = FakeGraph()

    first = register.register(graph, redirect_uri="https://console.example/done", pause=0)
    before = json.dumps([graph.applications, graph.principals], sort_keys=True)
    again = register.register(graph, redirect_uri="https://console.example/done", pause=0)

    assert first == again == {"API_AUDIENCE": f"client-of-{API}", "APP_CLIENT_ID": f"client-of-{SERVICE}"}
    assert json.dumps([graph.applications, graph.principals], sort_keys=True) == before
    assert graph.applications[API]["identifierUris"] == [f"api://client-of-{API}"]
    assert graph.principals[f"client-of-{API}"] == {"appRoleAssignmentRequired": True}
    assert graph.applications[SERVICE]["signInAudience"] == "AzureADMultipleOrgs"
    assert graph.applications[SERVICE]["web"] == {"redirectUris": ["https://console.example/done"]}


def test_permissions_are_asked_for_by_the_ids_that_the_tenant_gives_them() -> None:
    graph = FakeGraph()

    register.register(graph, pause=0)

    access = {
        each["resourceAppId"]: each["resourceAccess"] for each in graph.applications[SERVICE]["requiredResourceAccess"]
    }
    assert {each["appId"] for each in SERVICE_MANIFEST["permissions"]} == set(access)
    assert {"id": "role-User.ReadWrite.All", "type": "Role"} in access[GRAPH["appId"]]
    assert {"id": "scope-offline_access", "type": "Scope"} in access[GRAPH["appId"]]


def test_with_an_application_for_making_accounts_the_other_asks_only_for_what_is_left() -> None:
    graph = FakeGraph()

    settings = register.register(graph, is_apart=True, pause=0)

    asked = {
        name: {each["id"] for each in graph.applications[name]["requiredResourceAccess"][0]["resourceAccess"]}
        for name in (SERVICE, ONBOARDING)
    }
    assert settings["ONBOARDING_CLIENT_ID"] == f"client-of-{ONBOARDING}"
    assert asked[ONBOARDING] == {f"role-{name}" for name in directory_roles.ONBOARDING.permissions}
    assert asked[SERVICE] == {
        *(f"role-{name}" for name in RUNTIME.permissions),
        *(f"scope-{name}" for name in GRAPH["delegated"]),
    }
    assert graph.applications[ONBOARDING]["signInAudience"] == "AzureADMultipleOrgs"


def test_a_permission_that_does_not_exist_is_named() -> None:
    with pytest.raises(RegistrationFailed, match=r"Microsoft Graph offers no permission Policy\.Read\.All"):
        register.register(FakeGraph(without="Policy.Read.All"), pause=0)


def test_what_was_just_made_may_be_late_to_appear() -> None:
    assert register.register(FakeGraph(lag=3), pause=0)["APP_CLIENT_ID"] == f"client-of-{SERVICE}"


def test_the_identity_is_trusted_in_place_of_a_secret() -> None:
    graph = FakeGraph()

    register.trust(graph, identity="object-id", issuer="https://login.example/tenant/v2.0")

    assert graph.credentials[SERVICE] == {
        "issuer": "https://login.example/tenant/v2.0",
        "subject": "object-id",
        "audiences": ["api://AzureADTokenExchange"],
    }


def test_one_application_is_switched_off_and_on_without_the_other() -> None:
    graph = FakeGraph()
    for name in (SERVICE, ONBOARDING):
        register.trust(graph, identity="object-id", issuer="https://login.example/tenant/v2.0", name=name)

    register.distrust(graph, name=ONBOARDING)
    register.distrust(graph, name=ONBOARDING)

    assert set(graph.credentials) == {SERVICE}


_AZ = f"""#!{sys.executable}
import json, sys
words = sys.argv[1:]
with open({{log!r}}, "a", encoding="utf-8") as log:
    log.write(json.dumps(words) + "\\n")
url = words[words.index("--url") + 1] if "--url" in words else ""
if words[0] != "rest":
    print({{{{"endpoints.microsoftGraphResourceId": "https://graph.example/", "endpoints.activeDirectory":
        "https://login.example", "tenantId": "home"}}}}[words[words.index("--query") + 1]])
elif words[2] == "GET" and "/applications" in url:
    print(json.dumps({{{{"appId": "client"}}}}))
elif words[2] == "GET":
    sys.exit("Forbidden")
"""


def _run(tmp_path: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
    """The script itself, with an Azure CLI that records what it is asked."""
    az, log = tmp_path / "az", tmp_path / "log"
    az.write_text(_AZ.format(log=str(log)), "utf-8")
    az.chmod(az.stat().st_mode | stat.S_IXUSR)
    script = [sys.executable, str(INFRA / "entra" / "register.py"), *arguments]
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(script, capture_output=True, text=True, check=False, env=environment)
    return done, [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def test_the_script_trusts_by_one_call_of_the_azure_cli(tmp_path: Path) -> None:
    done, calls = _run(tmp_path, "trust", "--identity", "object-id")

    assert (done.returncode, done.stderr) == (0, "")
    sent: dict[str, Any] = dict(zip(calls[-1][1::2], calls[-1][2::2], strict=False))
    assert sent["--method"] == "PATCH"
    assert sent["--url"].startswith("https://graph.example/v1.0/applications(uniqueName='management-sessions')/")
    assert json.loads(sent["--body"])["issuer"] == "https://login.example/home/v2.0"
    assert "Prefer=create-if-missing" in calls[-1]


@pytest.mark.parametrize(
    ("arguments", "method", "name"),
    [
        (("trust", "--identity", "object-id", "--onboarding"), "PATCH", ONBOARDING),
        (("distrust", "--onboarding"), "DELETE", ONBOARDING),
        (("distrust",), "DELETE", SERVICE),
    ],
)
def test_the_script_switches_the_application_that_is_meant(
    tmp_path: Path, arguments: tuple[str, ...], method: str, name: str
) -> None:
    done, calls = _run(tmp_path, *arguments)

    assert (done.returncode, done.stderr) == (0, "")
    assert calls[-1][2] == method
    assert f"/applications(uniqueName='{name}')/federatedIdentityCredentials" in calls[-1][4]


def test_the_script_says_why_it_failed_and_prints_no_setting(tmp_path: Path) -> None:
    done, _ = _run(tmp_path, "applications")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "Forbidden" in done.stderr
