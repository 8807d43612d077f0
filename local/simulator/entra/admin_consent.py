"""Admin consent: a page that names tenant, application and permissions, and one button that grants them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from local.simulator.state import Application, Consent, Tenant, World
from local.simulator.wire import Request, Response

HTML = {"Content-Type": "text/html; charset=utf-8"}


def grant(tenant: Tenant, application: Application) -> Consent:
    """Gives the application everything its manifest asks for; its service principal is made where there is none."""
    consent = tenant.consents.get(application.client_id)
    if consent is None:
        consent = tenant.consents[application.client_id] = Consent(service_principal_id=str(uuid4()))
    consent.app_roles = set(application.required_app_roles)
    consent.delegated = {resource: set(scopes) for resource, scopes in application.required_delegated.items()}
    consent.directory_roles = set(tenant.directory_roles)
    return consent


def revoke(tenant: Tenant, application: Application) -> None:
    """Removes the service principal, and with it every grant, as deleting the enterprise application does."""
    tenant.consents.pop(application.client_id, None)


@dataclass(frozen=True, slots=True)
class ConsentPage:
    """GET and POST /{tenant}/adminconsent, and the same under /{tenant}/v2.0."""

    world: World

    def show(self, request: Request, tenant: Tenant) -> Response:
        """The page with its button; 400 when the application or the redirect address makes no sense."""
        application = self.world.applications.get(request.query.get("client_id", ""))
        if application is None:
            return _page(400, "No such application", "<p>AADSTS700016: the client_id names no application.</p>")
        if not _is_web_address(request.query.get("redirect_uri", "")):
            return _page(400, "Bad redirect", "<p>AADSTS50011: the redirect_uri is no http or https address.</p>")
        wanted = sorted(application.required_app_roles)
        for resource, scopes in sorted(application.required_delegated.items()):
            wanted += [f"{scope} (delegated, {resource})" for scope in sorted(scopes)]
        items = "".join(f"<li>{escape(permission)}</li>" for permission in wanted)
        return _page(
            200,
            "Permissions requested",
            f"<p><b>{escape(application.display_name)}</b> asks the organisation "
            f"<b>{escape(tenant.display_name)}</b> ({escape(tenant.id)}) for:</p><ul>{items}</ul>"
            '<form method="post"><button type="submit">Accept</button></form>',
        )

    def accept(self, request: Request, tenant: Tenant) -> Response:
        """Grants, then returns to the application or says "granted"."""
        page = self.show(request, tenant)
        if page.status != 200:
            return page
        grant(tenant, self.world.applications[request.query["client_id"]])
        redirect_uri = request.query.get("redirect_uri")
        if redirect_uri:
            return Response(302, headers={"Location": _with_outcome(redirect_uri, request.query, tenant)})
        return _page(200, "Consent granted", "<p>granted</p>")


def _with_outcome(redirect_uri: str, query: Mapping[str, str], tenant: Tenant) -> str:
    outcome = {"admin_consent": "True", "tenant": tenant.id}
    outcome |= {name: query[name] for name in ("state", "scope") if name in query}
    return f"{redirect_uri}{'&' if urlsplit(redirect_uri).query else '?'}{urlencode(outcome)}"


def _is_web_address(redirect_uri: str) -> bool:
    return not redirect_uri or redirect_uri.startswith(("https://", "http://"))


def _page(status: int, title: str, body: str) -> Response:
    return Response(
        status,
        headers=HTML,
        text=f'<!doctype html><html lang="en"><title>{escape(title)}</title><h1>{escape(title)}</h1>{body}</html>',
    )
