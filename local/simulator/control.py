"""The control interface under /_simulator/: what tests and the local stack change about the world from outside."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass

from local.simulator.control_input import TEN_YEARS, BadInput, Fields
from local.simulator.entra.admin_consent import grant, revoke
from local.simulator.entra.caller_tokens import caller_token
from local.simulator.entra.errors import CATALOGUE
from local.simulator.faults import Fault, FaultKind, Faults
from local.simulator.journal import Journal
from local.simulator.seed import add_tenants, restore
from local.simulator.state import Tenant, World
from local.simulator.tenant_changes import apply
from local.simulator.tenant_view import view
from local.simulator.wire import NoRoute, Request, Response, Route, find_route

SERVICES = ("entra", "graph", "keyVault", "managedIdentity")


@dataclass(frozen=True, slots=True)
class ControlService:
    """Bad input is 400 with the field named; everything else does what it says at once."""

    world: World
    faults: Faults
    journal: Journal

    def answer(self, request: Request) -> Response:
        """The route's answer."""
        try:
            route, parameters = find_route(self._routes(), request)
            return route.handler(request, parameters)
        except BadInput as bad:
            return _error(400, "badInput", bad.message, target=bad.field)
        except NoRoute as missing:
            return self.refuse(405 if missing.allowed else 404, "notFound", "No such control.", missing.headers)

    def refuse(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
        """A refusal that concerns no field."""
        return _error(status, code, message, headers=headers)

    def _routes(self) -> tuple[Route, ...]:
        return (
            Route("POST", "/_simulator/reset", _reading(self._reset)),
            Route("POST", "/_simulator/seed", _reading(self._seed)),
            Route("GET", "/_simulator/clock", self._show_clock),
            Route("POST", "/_simulator/clock", _reading(self._move_clock)),
            Route("POST", "/_simulator/faults", _reading(self._add_faults)),
            Route("DELETE", "/_simulator/faults", self._clear_faults),
            Route("GET", "/_simulator/journal", self._show_journal),
            Route("DELETE", "/_simulator/journal", self._clear_journal),
            Route("POST", "/_simulator/token", _reading(self._token)),
            Route("POST", "/_simulator/consent", _reading(self._consent)),
            Route("PATCH", "/_simulator/world", _reading(self._change_world)),
            Route("GET", "/_simulator/tenants/{tenant}", self._show_tenant),
            Route("PATCH", "/_simulator/tenants/{tenant}", self._change_tenant),
        )

    def _reset(self, fields: Fields) -> Response:
        """The seeded world, the real time, no faults, an empty journal."""
        fields.end()
        restore(self.world)
        self.faults.clear()
        self.journal.clear()
        return Response(204)

    def _seed(self, fields: Fields) -> Response:
        """{"tenants": [{"tenantId", "displayName"?, "initialDomain"?, "consented"?, "appRoles"?, and any change}]}."""
        tenants = fields.objects("tenants")
        fields.end()
        return Response(200, {"tenants": add_tenants(self.world, tenants)})

    def _show_clock(self, _: Request, __: Mapping[str, str]) -> Response:
        return Response(200, {"now": self.world.clock.now().isoformat()})

    def _move_clock(self, fields: Fields) -> Response:
        """{"advance": seconds} or {"now": moment}."""
        if "now" in fields:
            self.world.clock.set(fields.moment("now"))
        else:
            self.world.clock.advance(fields.number("advance", least=-TEN_YEARS))
        fields.end()
        return Response(200, {"now": self.world.clock.now().isoformat()})

    def _add_faults(self, fields: Fields) -> Response:
        """{"faults": [{"kind", "times"?, "after"?, "service"?, "method"?, "path"?, "grantType"?, …}]}.

        The kinds and what else they take are in `FaultKind`; `path` is a regular expression found anywhere in the path.
        """
        faults = [_fault(each) for each in fields.objects("faults")]
        fields.end()
        self.faults.add(faults)
        return Response(200, {"pending": len(self.faults)})

    def _clear_faults(self, _: Request, __: Mapping[str, str]) -> Response:
        self.faults.clear()
        return Response(204)

    def _show_journal(self, request: Request, _: Mapping[str, str]) -> Response:
        """JSON lines, oldest call first; `?service=` leaves out the other services."""
        service = request.query.get("service")
        if service is not None and service not in SERVICES:
            raise BadInput("service", f"must be one of {', '.join(SERVICES)}")
        return Response(200, text=self.journal.lines(service=service), headers={"Content-Type": "application/jsonl"})

    def _clear_journal(self, _: Request, __: Mapping[str, str]) -> Response:
        self.journal.clear()
        return Response(204)

    def _token(self, fields: Fields) -> Response:
        """{"caller", "tenant"?, "lifetime"?: seconds, "claims"?: {name: value or null}} gives that caller's token."""
        caller = self.world.callers[fields.choice("caller", self.world.callers)]
        tenant_id = fields.guid("tenant") if "tenant" in fields else self.world.home_tenant_id
        lifetime = fields.number("lifetime", 3600.0, least=-TEN_YEARS)
        overrides = fields.mapping("claims")
        fields.end()
        try:
            token, expires_at = caller_token(
                self.world, caller, tenant_id=tenant_id, lifetime=lifetime, overrides=overrides
            )
        except TypeError as error:  # PyJWT writes no token whose issuer is not a text
            raise BadInput("claims", str(error)) from error
        return Response(200, {"accessToken": token, "expiresAt": expires_at.isoformat()})

    def _consent(self, fields: Fields) -> Response:
        """{"tenantId", "grant", "clientId"?, "appRoles"?} grants or revokes everything, or only the roles named."""
        tenant = self._tenant(fields.guid("tenantId"), "tenantId")
        client_id = fields.choice("clientId", self.world.applications, self.world.service_client_id)
        application = self.world.applications[client_id]
        granting = fields.boolean("grant")
        app_roles = set(fields.texts("appRoles", ()))
        partly = "appRoles" in fields
        fields.end()
        if granting:
            consent = grant(tenant, application)
            if partly:
                consent.app_roles = app_roles
        elif not partly:
            revoke(tenant, application)
        elif client_id in tenant.consents:
            tenant.consents[client_id].app_roles -= app_roles
        return Response(200, view(tenant)["consents"])

    def _change_world(self, fields: Fields) -> Response:
        """What concerns no single tenant: the callers' address, delays in seconds, purge protection."""
        world, vault = self.world, self.world.vault
        egress_ip = fields.text("egressIp", world.egress_ip)
        try:
            ipaddress.ip_address(egress_ip)
        except ValueError as error:
            raise BadInput("egressIp", "must be an IP address") from error
        replication = fields.number("replicationSeconds", world.replication)
        pacing = fields.number("conditionalAccessPacingSeconds", world.conditional_access_pacing)
        delay = fields.number("namedLocationDelaySeconds", world.named_location_delay)
        deletion = fields.number("secretDeletionSeconds", vault.deletion_seconds)
        recovery = fields.number("secretRecoverySeconds", vault.recovery_seconds)
        protection = fields.boolean("purgeProtection", vault.purge_protection)
        fields.end()
        world.egress_ip, world.replication = egress_ip, replication
        world.conditional_access_pacing, world.named_location_delay = pacing, delay
        vault.deletion_seconds, vault.recovery_seconds, vault.purge_protection = deletion, recovery, protection
        return Response(204)

    def _show_tenant(self, _: Request, parameters: Mapping[str, str]) -> Response:
        return Response(200, view(self._tenant(parameters["tenant"], "tenant")))

    def _change_tenant(self, request: Request, parameters: Mapping[str, str]) -> Response:
        """Whatever `tenant_changes.apply` reads; all of it or, when a part makes no sense, none."""
        tenant = self._tenant(parameters["tenant"], "tenant")
        before = deepcopy(tenant)
        try:
            apply(tenant, _fields(request), now=self.world.clock.now())
        except BadInput:
            self.world.tenants[tenant.id] = before
            raise
        return Response(200, view(tenant))

    def _tenant(self, tenant_id: str, field_name: str) -> Tenant:
        tenant = self.world.tenants.get(tenant_id.lower())
        if tenant is None:
            raise BadInput(field_name, "is no tenant of this world")
        return tenant


def _fault(fields: Fields) -> Fault:
    kind = FaultKind(fields.choice("kind", [*FaultKind]))
    fault = Fault(
        kind=kind,
        times=fields.integer("times", 1),
        after=fields.integer("after", 0),
        service=fields.choice("service", SERVICES) if "service" in fields else None,
        method=fields.text("method").upper() if "method" in fields else None,
        path=fields.pattern("path"),
        grant_type=fields.text("grantType") if "grantType" in fields else None,
        code=fields.integer("code", None if kind is FaultKind.AADSTS else 0),
        status=fields.integer("status", None if kind is FaultKind.STATUS else 0),
        error=fields.text("error", ""),
        message=fields.text("message", ""),
        retry_after=fields.integer("retryAfter") if "retryAfter" in fields else None,
        seconds=fields.number("seconds", None if kind is FaultKind.LATENCY else 0.0, most=600),
    )
    fields.end()
    if kind is FaultKind.AADSTS and fault.code not in CATALOGUE:
        raise BadInput(fields.path("code"), "is no AADSTS code this knows")
    if fault.status and not 400 <= fault.status <= 599:
        raise BadInput(fields.path("status"), "must be between 400 and 599")
    return fault


def _reading(handler: Callable[[Fields], Response]) -> Callable[[Request, Mapping[str, str]], Response]:
    """A route's handler that needs nothing of the request but its body; no body is an empty object."""
    return lambda request, _: handler(_fields(request))


def _fields(request: Request) -> Fields:
    if request.has_broken_json():
        raise BadInput("body", "must be JSON")
    return Fields.of(request.json() if request.body else {})


def _error(
    status: int, code: str, message: str, *, target: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    error = {"code": code, "message": message}
    if target:
        error["target"] = target
    return Response(status, {"error": error}, headers or {})
