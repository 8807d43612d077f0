"""The frame round every HTTP door: who calls, what is asked, and every error in one shape.

Errors follow the Microsoft REST API guidelines: `{"error": {"code", "message", …}}` and `x-ms-error-code`
(https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors).
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import azure.functions as func

from functions import bodies, callers, reading, views, words
from functions.answer import Answer
from shared import telemetry, wiring
from shared.domain.actors import Caller
from shared.domain.errors import (
    Code,
    Invalid,
    ManagementSessionError,
    NextStep,
    NotFound,
    Problem,
    Transient,
    WrittenLater,
)
from shared.domain.ids import TenantId
from shared.domain.operation import Operation
from shared.domain.store import Page, Stored
from shared.domain.tenant import Tenant
from shared.services import rate_limits
from shared.services.accept import Asking
from shared.services.world import as_told

T = TypeVar("T")

_STATUS: Final[Mapping[Code, int]] = {
    Code.UNAUTHENTICATED: 401,
    Code.CALLER_NOT_ALLOWED: 403,
    Code.LENGTH_REQUIRED: 411,
    Code.PRECONDITION_FAILED: 412,
    Code.BODY_TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.INTERNAL_ERROR: 500,
}
"""Where a code alone decides. Otherwise the class does: bad input 400, what is not there 404, what time may mend 503,
every other refusal 409."""

RETRY_AFTER: Final = 2
_CORRELATION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Call:
    """One request, read piece by piece by the door that needs the piece."""

    def __init__(self, req: func.HttpRequest) -> None:
        self._req = req
        self._taken: str | None = None

    @cached_property
    def services(self) -> wiring.Services:
        """What this door may call. Raises Transient `serviceUnavailable` when a setting is wrong."""
        return wiring.services()

    @cached_property
    def caller(self) -> Caller:
        """Whose request it is. Raises Refused `unauthenticated`, Transient `tooManyRequests`."""
        caller = _verifier(self.services.caller_rules).verify(self._req.headers.get("authorization"))
        self.services.rates.take(f"caller/{caller.object_id}", rate_limits.CALLER)
        return caller

    @property
    def tenant_id(self) -> TenantId:
        """The tenant in the URL. Raises Invalid `invalidValue`."""
        return TenantId(self.guid("tenantId"))

    def guid(self, name: str) -> UUID:
        """A GUID in the URL. Raises Invalid `invalidValue`."""
        return reading.guid(self._req.route_params.get(name, ""), name)

    @property
    def address(self) -> str:
        """The URL as it was called, without its query."""
        return str(self._req.url).partition("?")[0]

    def query(self, name: str) -> str | None:
        """A query parameter; the platform drops empty ones."""
        found: str | None = self._req.params.get(name)
        return found

    def page(
        self, read: Callable[[int, str | None], Page[T]], show: Callable[[T], words.Json], **filters: str | None
    ) -> Answer:
        """What `read` finds, `top` things from `skipToken` on, and where the next page is, under the same `filters`.

        Raises:
            Invalid: `invalidValue` for `top` or `skipToken`.
        """
        limit = self._limit()
        try:
            found = read(limit, self.query("skipToken"))
        except Invalid as error:
            raise Invalid(replace(error.problem, target="skipToken")) from error
        body: words.Json = {"value": [show(item) for item in found.items]}
        if found.continuation:
            query = words.present(**filters, top=limit, skipToken=found.continuation)
            body["nextLink"] = f"{self.address}?{urlencode(query)}"
        return Answer(200, body)

    def _limit(self) -> int:
        """The page size asked for with `top`, 1 to 200."""
        text = self.query("top") or "50"
        if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= 200:
            raise Invalid(Problem(Code.INVALID_VALUE, "A whole number from 1 to 200 is expected here.", "top"))
        return int(text)

    def body(self, into: type[T]) -> T:
        """The body, strictly. Raises Invalid, naming what is wrong with it."""
        return reading.read(self.raw_body(), into, limit=bodies.MAX_BODY)

    def raw_body(self) -> bytes:
        """The body's bytes, JSON if there are any. Raises Invalid `lengthRequired`, `unsupportedMediaType`."""
        headers, raw = self._req.headers, self._req.get_body()
        if not raw and "chunked" in headers.get("transfer-encoding", "").lower():
            # The platform drops a body that comes without Content-Length
            # (https://github.com/Azure/azure-functions-host/issues/4926).
            raise Invalid(Problem(Code.LENGTH_REQUIRED, "Send the body with a Content-Length, not chunked."))
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if raw and kind != "application/json":
            raise Invalid(Problem(Code.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.", "Content-Type"))
        return bytes(raw)

    def asking(self, what: str, *, counts: bool = True) -> Asking:
        """Who asks, and on which terms. What `counts` does so against what all callers of the tenant share.

        Raises:
            Invalid: `invalidValue`.
            Transient: `tooManyRequests`.
        """
        caller = self.caller  # first: of a stranger nothing else is read
        key = self._req.headers.get("idempotency-key")
        if key is not None and not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
            text = "1 to 255 visible ASCII characters are expected here."
            raise Invalid(Problem(Code.INVALID_VALUE, text, "Idempotency-Key"))
        if counts and "tenantId" in self._req.route_params:
            self.count(f"tenant/{self.tenant_id}")
        asked = f"{what}\n{self.address}\n".encode() + reading.without_password(self._req.get_body())
        return Asking(caller, key, sha256(asked).hexdigest(), self._req.headers.get("if-match"))

    def count(self, bucket: str) -> None:
        """Count this request against those that share the bucket. Raises Transient `tooManyRequests`."""
        self.services.rates.take(bucket, rate_limits.TENANT_WRITES)
        self._taken = bucket

    def give_back(self, status: int) -> None:
        """Let a bad request, or one without the right, use up nothing of what the tenant's people share."""
        if self._taken and 400 <= status < 500 and status not in (409, 412):
            self.services.rates.give_back(self._taken, rate_limits.TENANT_WRITES)

    def note_refusal(self, door: str, status: int, problem: Problem) -> None:
        """Leave a trace in the tenant's trail when somebody known was told no; the answer is no in any case."""
        if self._req.method != "GET" and status in (403, 409):
            with suppress(Exception):
                self.services.rates.take(f"refused/{self.caller.object_id}", rate_limits.REFUSALS)
                self.services.refusals.request(self.tenant_id, self.caller, door, problem)

    def accepted(self, operation: Operation) -> Answer:
        """202: the work goes on; where to follow it, and how soon."""
        root = self.address.partition("/v1/")[0]
        where = f"{root}/v1/tenants/{operation.tenant_id}/operations/{operation.operation_id}"
        headers = {"Operation-Location": where, "Retry-After": str(RETRY_AFTER)}
        return Answer(202, views.operation(operation), headers)


@lru_cache(maxsize=1)
def _verifier(rules: wiring.CallerRules) -> callers.TokenVerifier:
    return callers.TokenVerifier(
        issuer=rules.issuer, audience=rules.audience, keys=rules.signing_keys, clock=rules.clock
    )


def respond(handle: Callable[[Call], Answer], req: func.HttpRequest) -> func.HttpResponse:
    """What the handler answers the request, or the error that it ends in. Nothing else ever reaches a caller."""
    asked = req.headers.get("x-correlation-id", "")
    with telemetry.correlated(asked if _CORRELATION.fullmatch(asked) else None) as correlation_id:
        answer = _answer(handle, req)
        headers = {"x-correlation-id": correlation_id, "Cache-Control": "no-store", **answer.headers}
        if answer.body is None:
            return func.HttpResponse(b"", status_code=answer.status, headers=headers)
        if isinstance(answer.body, bytes):
            return func.HttpResponse(answer.body, status_code=answer.status, headers=headers, mimetype="text/html")
        body = json.dumps(answer.body, ensure_ascii=False)
        return func.HttpResponse(body, status_code=answer.status, headers=headers, mimetype="application/json")


def _answer(handle: Callable[[Call], Answer], req: func.HttpRequest) -> Answer:
    call = Call(req)
    try:
        return handle(call)
    except ManagementSessionError as found:
        error = as_told(call.caller, found) if isinstance(found, WrittenLater) else found
        status = status_of(error)
        reason = getattr(error, "reason", None)
        telemetry.event("requestRefused", door=handle.__name__, status=status, code=error.problem.code, reason=reason)
        call.give_back(status)
        call.note_refusal(handle.__name__, status, error.problem)
        return _error(status, error)
    except Exception as error:  # the one place: whatever it is, the caller gets a code and the log gets its kind
        telemetry.event("requestFailed", level=logging.ERROR, door=handle.__name__, kind=type(error).__name__)
        problem = Problem(Code.INTERNAL_ERROR, "Something went wrong on our side.")
        return _error(500, ManagementSessionError(problem))


def status_of(error: ManagementSessionError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Transient):
        return 429 if error.problem.code is Code.TOO_MANY_REQUESTS else 503
    by_class = 400 if isinstance(error, Invalid) else 404 if isinstance(error, NotFound) else 409
    return _STATUS.get(error.problem.code, by_class)


def _error(status: int, error: ManagementSessionError) -> Answer:
    headers = {"x-ms-error-code": str(error.problem.code)}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Transient):
        seconds = error.retry_after.total_seconds() if error.retry_after else RETRY_AFTER
        headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    if error.problem.code is Code.OPERATION_IN_PROGRESS:
        headers["Retry-After"] = str(RETRY_AFTER)
    return Answer(status, {"error": words.problem(_with_next_step(status, error.problem))}, headers)


_NEXT_STEPS: Final[Mapping[int, str]] = {
    400: "Correct the request and send it again.",
    401: "Sign in and send the request with a fresh access token for this API.",
    403: "Ask an administrator of this tenant for the right.",
    404: "Check the address: is the id right, and do you have a right in this tenant?",
    409: "Read the tenant again: its nextStep says what is in the way.",
    411: "Send the body again with a Content-Length.",
    412: "Read it again, decide again, and send the new ETag.",
    413: "Send less.",
    415: "Send JSON, and say so in Content-Type.",
    429: "Wait as long as Retry-After says.",
    500: "Ask again; if it fails again, give support the correlation id.",
    503: "Wait as long as Retry-After says, then ask again.",
}


def _with_next_step(status: int, problem: Problem) -> Problem:
    """Every error tells what to do now, the ones that have nothing special to say too."""
    text = _NEXT_STEPS.get(status)
    return problem if problem.next_step or not text else replace(problem, next_step=NextStep(text))


def etag(tenant: Stored[Tenant]) -> dict[str, str]:
    """The tenant's version, as `If-Match` takes it back."""
    return {"ETag": tenant.etag}
