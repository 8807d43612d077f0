"""One call to Microsoft Graph: sent with limits, tried again where that is safe, given back as it was answered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from shared.adapters.patience import CONNECT_SECONDS, READ_SECONDS, Pause, asked_to_wait, patiently
from shared.domain.errors import Code, Problem, ReplyLost, unavailable
from shared.domain.secret import Secret

if TYPE_CHECKING:
    from azure.core import PipelineClient
    from azure.core.rest import HttpRequest, HttpResponse

    Client = PipelineClient[HttpRequest, HttpResponse]

NAME: Final = "Microsoft Graph"
_NO_BODY: Final[Mapping[str, object]] = {}
_NUMBER: Final = re.compile(r"\d{4}(?=: )")


@dataclass(frozen=True, slots=True)
class Request:
    """What Graph is asked.

    Attributes:
        path: with the version, percent-encoded, e.g. `/v1.0/organization`.
        query: OData options, as they are before encoding.
        changes_nothing: a POST that only asks, so that it can be sent again.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = field(default=None, repr=False)  # it may hold a password
    headers: Mapping[str, str] = field(default_factory=dict)
    changes_nothing: bool = False

    @property
    def is_read(self) -> bool:
        """True when it makes no difference how often it is sent."""
        return self.method == "GET" or self.changes_nothing


@dataclass(frozen=True, slots=True)
class Reply:
    """What Graph answered: the status, and the JSON object, empty when there is none."""

    status: int
    body: Mapping[str, object]

    @property
    def is_success(self) -> bool:
        """True for 200, 201 and 204."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The error's code, "" when there is none (https://learn.microsoft.com/graph/errors)."""
        return str(self._error.get("code") or "")

    @property
    def detail_codes(self) -> frozenset[str]:
        """The codes of the error's details."""
        details = self._error.get("details")
        entries = details if isinstance(details, list) else []
        return frozenset(str(entry.get("code")) for entry in entries if isinstance(entry, dict))

    @property
    def number(self) -> str:
        """What conditional access has instead of a code: a number before the message's words, e.g. 1040; or ""."""
        found = _NUMBER.match(str(self._error.get("message")))
        return found[0] if found else ""

    @property
    def _error(self) -> Mapping[str, object]:
        error = self.body.get("error")
        return error if isinstance(error, dict) else _NO_BODY


class GraphCalls:
    """Calls to Graph in one cloud.

    Nothing is logged: a URL may name a user.

    Args:
        endpoint: e.g. `https://graph.microsoft.com`; https, without a path.
    """

    def __init__(self, endpoint: str, *, pause: Pause) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._pause = pause

    def send(self, request: Request, token: Secret) -> Reply:
        """Graph's reply, as `ask` gives it, after a few more tries where those are safe and near.

        Raises:
            Transient, ReplyLost: as `ask` does.
        """
        return patiently(lambda: self.ask(request, token), is_read=request.is_read, pause=self._pause)

    def ask(self, request: Request, token: Secret, *, throttled_for: timedelta | None = None) -> Reply:
        """Graph's reply to a request sent once: a success, or a refusal of this very request (4xx but 429).

        `throttled_for` is how long a 429 asks us to wait that does not say so itself.

        Raises:
            Transient: Graph was not reached or is busy; with the time it asks us to wait, if it does.
            ReplyLost: nobody knows whether a write was done.
        """
        from azure.core.rest import HttpRequest

        url = f"{self.endpoint}{request.path}"
        if request.query:
            url += "?" + urlencode(request.query, safe="$,", quote_via=quote)
        headers = {"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json", **request.headers}
        body = None if request.body is None else dict(request.body)
        response = self._exchange(HttpRequest(request.method, url, headers=headers, json=body))
        return _understood(response, is_read=request.is_read, throttled_for=throttled_for)

    def _exchange(self, request: HttpRequest) -> HttpResponse:
        from azure.core.exceptions import AzureError, ServiceRequestError

        try:
            return self._client.send_request(request)
        except ServiceRequestError:
            failure = unavailable(NAME)
        except AzureError:
            failure = _reply_lost()
        # Raised here and not above: the request, token and perhaps password, hangs on azure-core's exception.
        raise failure

    @cached_property
    def _client(self) -> Client:
        """azure-core's client with none of its policies: no logging, no redirects, and retries are ours."""
        from azure.core import PipelineClient
        from azure.core.pipeline.policies import UserAgentPolicy

        from shared.adapters.tls import transport

        return PipelineClient(
            self.endpoint,
            policies=[UserAgentPolicy(base_user_agent="management-sessions")],
            transport=transport(connect_seconds=CONNECT_SECONDS, read_seconds=READ_SECONDS),
        )


def _understood(response: HttpResponse, *, is_read: bool, throttled_for: timedelta | None) -> Reply:
    status = response.status_code
    if status in (429, 503):
        asked = asked_to_wait(response.headers)
        raise unavailable(NAME, throttled_for if asked is None and status == 429 else asked)
    if status >= 500 and not is_read:
        raise _reply_lost()
    if status >= 500 or 300 <= status < 400:
        raise unavailable(NAME, asked_to_wait(response.headers))
    if not response.content:
        return Reply(status, _NO_BODY)
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):  # something between us and Graph answered in its place
        raise unavailable(NAME) if is_read else _reply_lost()
    return Reply(status, body)


def _reply_lost() -> ReplyLost:
    return ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, f"{NAME} did not answer in time."))
