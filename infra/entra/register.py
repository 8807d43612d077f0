"""The app registrations in the vendor's own tenant, made or brought up to date, and a credential that is no secret.

`applications` writes api.json, which callers ask tokens for, and service.json, which tenants consent to, and prints
their client ids as NAME=value. With `--onboarding` it writes onboarding.json too, an application for making and
removing accounts; service.json then asks only for what is left to it. `trust` lets the app's managed identity stand in
for a secret of service.json's application, or of the other one; it needs the identity, so it runs after the deployment.
`distrust` takes that back: the application gets no token in any tenant. All may run again at any time.

Whoever runs it needs the Azure CLI, signed in, and the role Application Administrator. Permissions are named, not
numbered: their ids are read from the tenant itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

HERE: Final = Path(__file__).parent
API: Final = "management-sessions-api"
SERVICE: Final = "management-sessions"
ONBOARDING: Final = "management-sessions-onboarding"
AUDIENCE: Final = "api://AzureADTokenExchange"

_TRIES: Final = 6
PAUSE: Final = 5.0
"""Seconds: what was just created is not everywhere at once."""

Json = dict[str, Any]


class RegistrationFailed(Exception):
    """The registration cannot be made; the text says why."""


class NotThereYet(Exception):
    """Microsoft Graph does not know the object, or not yet."""


class Graph(Protocol):
    """Microsoft Graph v1.0 as whoever runs this."""

    def send(self, method: str, path: str, body: Json | None = None, *, creates: bool = False) -> Json:
        """The answer, {} when there is none; `creates` makes what a PATCH does not find.

        Raises:
            NotThereYet: 404.
            RegistrationFailed: any other refusal.
        """


class AzureCli:
    """Microsoft Graph over `az rest`, in the cloud that the CLI is signed in to."""

    def __init__(self) -> None:
        found = shutil.which("az")
        if found is None:
            raise RegistrationFailed("The Azure CLI is needed: https://learn.microsoft.com/cli/azure/install-azure-cli")
        self._az = found
        self._endpoint = self._ask("cloud", "show", "--query", "endpoints.microsoftGraphResourceId").strip("/")

    @property
    def issuer(self) -> str:
        """Who issues the managed identities' tokens: the tenant that the CLI is signed in to."""
        authority = self._ask("cloud", "show", "--query", "endpoints.activeDirectory").strip("/")
        return f"{authority}/{self._ask('account', 'show', '--query', 'tenantId')}/v2.0"

    def send(self, method: str, path: str, body: Json | None = None, *, creates: bool = False) -> Json:
        """One request."""
        command = ["rest", "--method", method, "--url", f"{self._endpoint}/v1.0{path}"]
        if body is not None:
            command += ["--body", json.dumps(body), "--headers", "Content-Type=application/json"]
            command += ["Prefer=create-if-missing"] if creates else []
        answer = self._ask(*command, output="json")
        return dict(json.loads(answer)) if answer else {}

    def _ask(self, *words: str, output: str = "tsv") -> str:
        command = [self._az, *words, "--output", output, "--only-show-errors"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own words
        if done.returncode and "Request_ResourceNotFound" in done.stderr:
            raise NotThereYet(done.stderr.strip())
        if done.returncode:
            raise RegistrationFailed(done.stderr.strip())
        return done.stdout.strip()


def register(
    graph: Graph, *, redirect_uri: str | None = None, is_apart: bool = False, pause: float = PAUSE
) -> dict[str, str]:
    """Write the registrations; the settings that follow from them.

    `is_apart` says that an application of its own makes and removes accounts.

    Raises:
        RegistrationFailed: Graph refuses, or has no permission of a name in service.json.
    """
    audience = write(graph, API, json.loads((HERE / "api.json").read_text("utf-8")), pause)
    write(graph, API, {"identifierUris": [f"api://{audience}"]}, pause)
    # Only those who were given one of its roles get a token for the API.
    principal = f"/servicePrincipals(appId='{audience}')"
    patiently(lambda: graph.send("PATCH", principal, {"appRoleAssignmentRequired": True}, creates=True), pause)

    service = json.loads((HERE / "service.json").read_text("utf-8"))
    settings = {"API_AUDIENCE": audience}
    if is_apart:
        onboarding = json.loads((HERE / "onboarding.json").read_text("utf-8"))
        settings["ONBOARDING_CLIENT_ID"] = _write_asking(graph, ONBOARDING, onboarding, redirect_uri, pause)
        service["permissions"][0]["application"] = onboarding["leftToTheOther"]
    settings["APP_CLIENT_ID"] = _write_asking(graph, SERVICE, service, redirect_uri, pause)
    return settings


def trust(graph: Graph, *, identity: str, issuer: str, audience: str = AUDIENCE, name: str = SERVICE) -> None:
    """Let the managed identity of that object id vouch for the application of that name. There is no secret to keep.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity

    Raises:
        RegistrationFailed: Graph refuses.
        NotThereYet: `register` has not run.
    """
    body: Json = {"issuer": issuer, "subject": identity, "audiences": [audience]}
    graph.send("PATCH", _credential_of(name), body, creates=True)


def distrust(graph: Graph, *, name: str = SERVICE) -> None:
    """Let nobody vouch for the application of that name any more; nobody may be doing so already.

    Raises:
        RegistrationFailed: Graph refuses.
    """
    with suppress(NotThereYet):
        graph.send("DELETE", _credential_of(name))


def _credential_of(name: str) -> str:
    return f"/applications(uniqueName='{name}')/federatedIdentityCredentials(name='managed-identity')"


def _write_asking(graph: Graph, name: str, manifest: Json, redirect_uri: str | None, pause: float) -> str:
    """Make an application that tenants consent to, with the permissions it asks for; its client id."""
    wanted = [_resource_access(graph, each, pause) for each in manifest["permissions"]]
    application = manifest["application"] | {"requiredResourceAccess": wanted}
    if redirect_uri:
        application["web"] = {"redirectUris": [redirect_uri]}
    return write(graph, name, application, pause)


def write(graph: Graph, name: str, application: Json, pause: float) -> str:
    """Make the application of that unique name, or bring it up to date; its client id."""
    path = f"/applications(uniqueName='{name}')"
    graph.send("PATCH", path, application, creates=True)
    return str(patiently(lambda: graph.send("GET", f"{path}?$select=appId"), pause)["appId"])


def _resource_access(graph: Graph, permissions: Json, pause: float) -> Json:
    """The permissions on one resource as a manifest has them (Graph type requiredResourceAccess)."""
    app_id = permissions["appId"]
    principal = f"/servicePrincipals(appId='{app_id}')"
    offer = f"{principal}?$select=appRoles,oauth2PermissionScopes"
    try:
        offered = graph.send("GET", offer)
    except NotThereYet:  # no licence has brought this service to the vendor's tenant yet
        graph.send("PATCH", principal, {}, creates=True)
        offered = patiently(lambda: graph.send("GET", offer), pause)
    roles = {each["value"]: each["id"] for each in offered["appRoles"]}
    scopes = {each["value"]: each["id"] for each in offered["oauth2PermissionScopes"]}
    unknown = [name for name in permissions["application"] if name not in roles]
    unknown += [name for name in permissions["delegated"] if name not in scopes]
    if unknown:
        raise RegistrationFailed(f"{permissions['resource']} offers no permission {', '.join(unknown)}.")
    access = [{"id": roles[name], "type": "Role"} for name in permissions["application"]]
    access += [{"id": scopes[name], "type": "Scope"} for name in permissions["delegated"]]
    return {"resourceAppId": app_id, "resourceAccess": access}


def patiently(ask: Callable[[], Json], pause: float) -> Json:
    """The answer about something just made, asked for again every `pause` seconds until it is there.

    Raises:
        NotThereYet: it never was.
    """
    for _ in range(_TRIES - 1):
        try:
            return ask()
        except NotThereYet:
            time.sleep(pause)  # noqa: TID251 - there is no Clock here to take
    return ask()


def main() -> None:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description="Make the service's app registrations.")
    commands = parser.add_subparsers(dest="command", required=True)
    applications = commands.add_parser("applications", help="make or update them; print their client ids as settings")
    applications.add_argument("--redirect-uri", help="where administrators go after they consented")
    applications.add_argument("--onboarding", action="store_true", help="another one makes and removes accounts")
    trusted = commands.add_parser("trust", help="let the deployed app's identity stand in for a secret")
    trusted.add_argument("--identity", required=True, help="its object id: IDENTITY_PRINCIPAL_ID of the deployment")
    trusted.add_argument("--audience", default=AUDIENCE, help="another one in a national cloud")
    distrusted = commands.add_parser("distrust", help="take that back: the application gets no token any more")
    for command in (trusted, distrusted):
        command.add_argument("--onboarding", action="store_true", help="of the application that makes accounts")
    arguments = parser.parse_args()
    try:
        graph = AzureCli()
        name = ONBOARDING if arguments.onboarding else SERVICE
        if arguments.command == "trust":
            trust(graph, identity=arguments.identity, issuer=graph.issuer, audience=arguments.audience, name=name)
        elif arguments.command == "distrust":
            distrust(graph, name=name)
        else:
            settings = register(graph, redirect_uri=arguments.redirect_uri, is_apart=arguments.onboarding)
            print("\n".join(f"{setting}={value}" for setting, value in settings.items()))
    except (RegistrationFailed, NotThereYet) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
