"""HTTP: onboard, read and list tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from functions.frame import Answer, Call, bodies, door, reading, views, wire

if TYPE_CHECKING:
    from shared.domain.store import Overview, Page, TenantSummary

bp = func.Blueprint()


@bp.function_name("listTenants")
@bp.route(route="v1/tenants", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def list_tenants(call: Call) -> Answer:
    """A page of the fleet, or of those in it that the query means."""
    caller, state, search, has_problem = call.caller, *map(call.query, ("state", "search", "hasProblem"))
    wanted, containing = reading.session_state(state), reading.search(search)
    failing = reading.truth(has_problem, "hasProblem")

    def read(limit: int, continuation: str | None) -> Page[TenantSummary]:
        return call.services.look.tenants(
            caller, state=wanted, has_problem=failing, search=containing, limit=limit, continuation=continuation
        )

    return call.page(read, views.summary, state=state, hasProblem=has_problem, search=search)


@bp.function_name("onboardTenant")
@bp.route(route="v1/tenants/{tenantId}", methods=["PUT"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def onboard_tenant(call: Call) -> Answer:
    """Take a tenant in, or change it; the answer says what consent is missing and where to grant it."""
    caller, tenant_id = call.caller, call.tenant_id
    body: bodies.TenantBody = call.body(bodies.TenantBody)
    onboarded = call.services.onboard.onboard(
        tenant_id,
        call.asking("onboardTenant"),
        display_name=body.display_name or None,
        profile=body.role_profile or None,
    )
    shown = _shown(call, call.services.look.tenant(caller, tenant_id))
    return Answer(201 if onboarded.is_new else 200, shown.body, shown.headers)


@bp.function_name("getTenant")
@bp.route(route="v1/tenants/{tenantId}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_tenant(call: Call) -> Answer:
    """Everything a console shows of a tenant."""
    return _shown(call, call.services.look.tenant(call.caller, call.tenant_id))


def _shown(call: Call, overview: Overview) -> Answer:
    services, row = call.services, overview.tenant.row
    shown = views.tenant(overview, services.world.clock.now(), services.consent_urls(row.tenant_id))
    return Answer(200, shown, wire.etag(overview.tenant))
