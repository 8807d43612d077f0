"""The web console's app registration: a single-page application that gets tokens of the API without asking for consent.

`python3 -m infra.entra.register_console --address https://…` makes it or brings it up to date, and prints
CONSOLE_CLIENT_ID=…; `register.py applications` has run before. It has no credential: the browser signs people in with a
code and PKCE (RFC 7636). What they may do is not up to it but to their roles.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

from infra.entra.register import (
    API,
    PAUSE,
    AzureCli,
    Graph,
    Json,
    NotThereYet,
    RegistrationFailed,
    patiently,
    write,
)

CONSOLE: Final = "management-sessions-console"
SCOPE: Final = "Sessions.Access"


def register_console(graph: Graph, *, addresses: list[str], pause: float = PAUSE) -> str:
    """Write the registration and have the API trust it; its client id.

    Raises:
        RegistrationFailed: Graph refuses, or the API offers no scope of that name.
        NotThereYet: `register.py applications` has not run.
    """
    api = f"/applications(uniqueName='{API}')"
    offered = graph.send("GET", f"{api}?$select=appId,api")
    scopes = [scope["id"] for scope in offered["api"]["oauth2PermissionScopes"] if scope["value"] == SCOPE]
    if not scopes:
        raise RegistrationFailed(f"{API} offers no scope {SCOPE}.")
    wanted = {"resourceAppId": offered["appId"], "resourceAccess": [{"id": scopes[0], "type": "Scope"}]}
    application: Json = {
        "displayName": "Management Sessions console",
        "signInAudience": "AzureADMyOrg",
        "spa": {"redirectUris": [f"{address.rstrip('/')}/" for address in addresses]},
        "requiredResourceAccess": [wanted],
    }
    client_id = write(graph, CONSOLE, application, pause)
    principal = f"/servicePrincipals(appId='{client_id}')"
    patiently(lambda: graph.send("PATCH", principal, {}, creates=True), pause)
    # Nobody is asked whether this console may act for them: it is the vendor's own, and shows what they may do already.
    others = [each for each in offered["api"].get("preAuthorizedApplications", []) if each["appId"] != client_id]
    trusted = [*others, {"appId": client_id, "delegatedPermissionIds": scopes}]
    graph.send("PATCH", api, {"api": {**offered["api"], "preAuthorizedApplications": trusted}})
    return client_id


def main() -> None:
    """Do it, and print the setting that follows."""
    parser = argparse.ArgumentParser(description="Make the console's app registration.")
    parser.add_argument(
        "--address", action="append", required=True, help="of the console, CONSOLE_URL; may be repeated"
    )
    given = parser.parse_args()
    try:
        print(f"CONSOLE_CLIENT_ID={register_console(AzureCli(), addresses=given.address)}")
    except (RegistrationFailed, NotThereYet) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
