"""HTTP, for anyone: is it alive, is it ready, and what does it promise."""

from contextlib import suppress

import azure.functions as func

from functions import contract
from functions.contract_page import POLICY
from functions.wire import Answer, Call, door
from shared.domain.errors import NotFound
from shared.services.record_refusal import NOBODY

bp = func.Blueprint()


@bp.function_name("getLiveness")
@bp.route(route="health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_liveness(call: Call) -> Answer:
    """The process answers; it asks nobody else and needs no setting."""
    return Answer(200, {"status": "ok"})


@bp.function_name("getReadiness")
@bp.route(route="health/ready", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_readiness(call: Call) -> Answer:
    """Settings are complete and the tables answer; no detail that a stranger should not have."""
    with suppress(NotFound):
        call.services.world.store.tenant(NOBODY)
    return Answer(200, {"status": "ok"})


@bp.function_name("getOpenApi")
@bp.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_open_api(call: Call) -> Answer:
    """The contract, for programs."""
    return Answer(200, contract.document())


@bp.function_name("getDocs")
@bp.route(route="docs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@door
def get_docs(call: Call) -> Answer:
    """The contract, for people: a page without scripts that loads nothing."""
    return Answer(200, contract.page(), {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"})
