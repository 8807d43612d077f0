"""A small tenant made by hand, and a caller who sends Graph calls straight to their handlers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from local.simulator.calls import GraphCall
from local.simulator.clock import Clock
from local.simulator.directory_roles import roles
from local.simulator.graph.roles import assignment
from local.simulator.graph.routes import ROUTES
from local.simulator.licences import subscribed_sku
from local.simulator.state import Application, Consent, JsonObject, Tenant, User, World
from local.simulator.timestamps import stamp
from local.simulator.wire import Request, Response, find_route

TENANT = "c0000000-0000-4000-8000-000000000001"
DOMAIN = "contoso.onmicrosoft.com"
APPLICATION = "a0000000-0000-4000-8000-00000000a902"
SERVICE_PRINCIPAL = "a0000000-0000-4000-8000-00000000a903"
PASSWORD = "only-for-tests-Passw0rd"
NEW_PASSWORD = "only-for-tests-Passw0rd-2"

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
ALLOWED_IP, FOREIGN_IP, RUSSIAN_IP = "203.0.113.10", "198.51.100.7", "192.0.2.9"

EVERY_PERMISSION = frozenset().union(*(route.permissions for route in ROUTES))

CONDITIONAL_ACCESS = "/v1.0/identity/conditionalAccess"
POLICIES = f"{CONDITIONAL_ACCESS}/policies"
LOCATIONS = f"{CONDITIONAL_ACCESS}/namedLocations"
ASSIGNMENTS = "/v1.0/roleManagement/directory/roleAssignments"
BIN = "/v1.0/directory/deletedItems"


def new_user(name: str = "svc", /, **changes: object) -> JsonObject:
    """The body of a valid POST /users; a property changed to None is left out."""
    body: JsonObject = {
        "accountEnabled": True,
        "displayName": "Management",
        "mailNickname": name,
        "userPrincipalName": f"{name}@{DOMAIN}",
        "usageLocation": "NL",
        "passwordPolicies": "DisablePasswordExpiration",
        "employeeId": "only-for-tests",
        "passwordProfile": {"password": PASSWORD, "forceChangePasswordNextSignIn": False},
    }
    return {key: value for key, value in {**body, **changes}.items() if value is not None}


def policy(**changes: object) -> JsonObject:
    """The body of a valid POST of a policy: everybody, everything, MFA."""
    body: JsonObject = {
        "displayName": "MFA for everybody",
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }
    return {**body, **changes}


def ip_location(*ranges: str, **changes: object) -> JsonObject:
    """The body of a valid POST of an IP location."""
    body: JsonObject = {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "displayName": "Egress",
        "isTrusted": False,
        "ipRanges": [
            {"@odata.type": f"#microsoft.graph.iPv{6 if ':' in cidr else 4}CidrRange", "cidrAddress": cidr}
            for cidr in ranges or (f"{ALLOWED_IP}/32",)
        ],
    }
    return {**body, **changes}


def what_if(user_id: str, **conditions: object) -> JsonObject:
    """The body of a what-if for Graph, with these conditions and no other."""
    return {
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user_id},
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": [GRAPH]},
        "signInConditions": conditions,
    }


@dataclass(slots=True)
class Directory:
    """Contoso and the world round it. Calls are the application's, with every permission, unless said otherwise."""

    clock: Clock = field(default_factory=Clock)
    world: World = field(default_factory=World)
    tenant: Tenant = field(
        default_factory=lambda: Tenant(
            TENANT,
            "Contoso",
            [
                {
                    "name": DOMAIN,
                    "isInitial": True,
                    "isDefault": True,
                    "type": "Managed",
                    "capabilities": "Email, OfficeCommunicationsOnline",
                },
                {"name": "contoso.com", "isInitial": False, "isDefault": False, "type": "Federated"},
            ],
        )
    )
    permissions: frozenset[str] = EVERY_PERMISSION
    journal: list[JsonObject] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Lets the application in, with Entra ID P2 and no directory role."""
        self.world.tenants[TENANT] = self.tenant
        self.world.applications[APPLICATION] = Application(APPLICATION, None, set(), {}, display_name="Sessions")
        self.tenant.skus = [subscribed_sku(TENANT, "Contoso", "AAD_PREMIUM_P2")]
        self.tenant.consents[APPLICATION] = Consent(
            SERVICE_PRINCIPAL,
            app_roles={"User.Read.All", "Policy.Read.All"},
            delegated={"graph": {"User.Read", "User.Read.All"}, "exchange": {"Exchange.Manage"}},
        )

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        claims: Mapping[str, object] | None = None,
        raw: bytes | None = None,
    ) -> Response:
        """Graph's answer; `path` carries the query."""
        url = urlsplit(path)
        sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        request = Request("graph", method, url.path, dict(parse_qsl(url.query)), dict(headers or {}), sent)
        route, parameters = find_route(ROUTES, request)
        caller = claims or {"idtyp": "app", "oid": SERVICE_PRINCIPAL, "tid": TENANT, "roles": sorted(self.permissions)}
        response = route.handler(GraphCall(self.world, self.tenant, caller, request, parameters, self.clock))
        self.journal.append(
            {
                "method": method,
                "path": path,
                "request_body": body,
                "status": response.status,
                "response_body": response.document,
            }
        )
        return response

    def made(self, path: str, body: JsonObject) -> JsonObject:
        """What a POST created."""
        response = self.call("POST", path, body)
        assert response.status == 201, response.document
        return document(response)

    def hold(self, *names: str) -> None:
        """Gives the application's service principal these directory roles."""
        self.tenant.consents[APPLICATION].directory_roles |= roles(*names)

    def add_user(self, name: str = "adele", *roles_held: str, **properties: Any) -> User:
        """A user who is there already, without any second factor."""
        now = self.clock.now()
        user = User(
            document={
                "id": str(uuid4()),
                "userPrincipalName": f"{name}@{DOMAIN}",
                "displayName": name.title(),
                "mailNickname": name,
                "accountEnabled": True,
                "userType": "Member",
                "createdDateTime": stamp(now),
                "lastPasswordChangeDateTime": stamp(now),
                "signInSessionsValidFromDateTime": stamp(now),
                **properties,
            },
            password=PASSWORD,
            visible_at=now,
        )
        self.tenant.users[user.id] = user
        for role_id in roles(*roles_held):
            held = assignment(user.id, role_id)
            self.tenant.role_assignments[held["id"]] = held
        return user


def as_user(user: User, *scopes: str) -> JsonObject:
    """The claims of a token of this user."""
    return {"idtyp": "user", "oid": user.id, "tid": TENANT, "scp": " ".join(scopes)}


def document(response: Response) -> JsonObject:
    """The answer's JSON object."""
    assert isinstance(response.document, dict), response
    return response.document


def values(response: Response) -> list[JsonObject]:
    """The rows of a collection."""
    assert response.status == 200, response.document
    return list(document(response)["value"])


def refusal(response: Response) -> tuple[int, str]:
    """A refusal's status and error code."""
    return response.status, document(response)["error"]["code"]


def message(response: Response) -> str:
    """A refusal's words."""
    return str(document(response)["error"]["message"])
