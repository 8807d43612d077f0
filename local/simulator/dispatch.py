"""One way for every call: scripted faults first, then the service under the world's lock, then the journal."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import uuid4

from local.simulator.entra.service import EntraService
from local.simulator.faults import Fault, FaultKind, Faults
from local.simulator.journal import Journal
from local.simulator.state import World
from local.simulator.wire import Request, Response, Service

_log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Finds the service of a call, and sees to what all services have in common."""

    world: World
    services: Mapping[str, Service]  # by Request.service
    faults: Faults
    journal: Journal

    def answer(self, request: Request) -> Response | None:
        """The answer, or None when the reply shall be lost."""
        service = self.services[request.service]
        latency, fault = self.faults.take(request)
        if latency:
            time.sleep(latency)
        response = _refusal(service, fault, request) if fault else None
        if response is None:
            response = self._ask(service, request)
        response = _with_ids(request, response)
        if request.service != "control":
            self.journal.record(request, response, fault=fault.kind if fault else None)
        return None if fault and fault.kind is FaultKind.REPLY_LOST else response

    def _ask(self, service: Service, request: Request) -> Response:
        if request.method not in METHODS:
            allowed = {"Allow": ", ".join(sorted(METHODS))}
            return service.refuse(405, "MethodNotAllowed", "The method is not allowed.", allowed)
        try:
            with self.world.lock:
                return service.answer(request)
        except Exception:  # the frame's one net: a fault of the simulator must not look like a network fault
            _log.exception("the simulator failed at %s %s", request.method, request.path)
            return service.refuse(500, "InternalServerError", "The simulator failed; its log says why.")


def classify(path: str) -> str:
    """Which service on the simulator's own address a path belongs to."""
    first = path.lower().split("/", 2)[1] if path.startswith("/") else ""
    return {"_simulator": "control", "v1.0": "graph", "beta": "graph", "msi": "managedIdentity"}.get(first, "entra")


def _refusal(service: Service, fault: Fault, request: Request) -> Response | None:
    """What a fault answers in the service's stead; None when the service shall answer itself."""
    if fault.kind is FaultKind.AADSTS and isinstance(service, EntraService):
        return service.aadsts(fault.code, request)
    if fault.kind is FaultKind.STATUS:
        return service.refuse(fault.status, fault.error, fault.message)
    if fault.kind is FaultKind.THROTTLED:
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return service.refuse(429, fault.error or "TooManyRequests", fault.message or "Too many requests.", headers)
    if fault.kind is FaultKind.UNAVAILABLE:
        message = fault.message or "The service is temporarily unavailable."
        return service.refuse(fault.status or 503, fault.error or "serviceNotAvailable", message)
    if fault.kind is FaultKind.LAG:
        name = request.path.rstrip("/").rpartition("/")[2]
        if request.service == "keyVault":
            return service.refuse(404, "SecretNotFound", f"A secret with (name/id) {name} was not found.")
        message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
        return service.refuse(404, "Request_ResourceNotFound", message)
    return None


def _with_ids(request: Request, response: Response) -> Response:
    """Every answer carries the ids that Microsoft's support asks for, the caller's own included."""
    given = {name.lower(): content for name, content in response.headers.items()}
    request_id = given.get("request-id") or given.get("x-ms-request-id") or str(uuid4())
    ids = {name: request_id for name in ("request-id", "x-ms-request-id") if name not in given}
    if "client-request-id" in request.headers:
        ids["client-request-id"] = request.headers["client-request-id"]
    return replace(response, headers={**response.headers, **ids})
