"""HTTP, for anyone: is it alive, is it ready, and what does it promise."""

from __future__ import annotations

import logging
from contextlib import suppress

import azure.functions as func

from functions.frame import Answer, Call, contract, door, errors, record_refusal, telemetry

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
    """Settings are complete and the tables answer; no detail that a stranger should not have.

    Whatever is wrong, the answer is the same: a probe asks whether, and the log says why.
    """
    try:
        with suppress(errors.NotFound):
            call.services.world.store.tenant(record_refusal.NOBODY)
    except Exception as error:
        telemetry.event("notReady", level=logging.WARNING, kind=type(error).__name__)
        raise errors.Transient(
            errors.Problem(errors.Code.SERVICE_UNAVAILABLE, "The service cannot do its work right now.")
        ) from None
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
    return Answer(200, contract.page(), contract.PAGE_HEADERS)
