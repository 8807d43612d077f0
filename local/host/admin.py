"""The host's admin API: liveness without a key; with the master key status, list of functions, runs by hand."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from urllib.parse import unquote

from local.host.http import Request, Response
from local.host.runtime import Function

MASTER_KEY_SETTING = "LOCAL_HOST_MASTER_KEY"
"""The environment variable through which whoever starts the host gives it its master key."""

RunByHand = Callable[[Function, str], bool]
"""Starts a queue or timer function with this input; False when the function is neither."""


class AdminApi:
    """Answers what lies under /admin, as HostController and FunctionsController of azure-functions-host do."""

    def __init__(self, functions: Sequence[Function], master_key: str, run_by_hand: RunByHand) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._master_key = master_key
        self._run_by_hand = run_by_hand
        self._started = time.monotonic()

    def admits(self, request: Request) -> bool:
        """Whether the request carries the master key: in x-functions-key or, failing that, in the query's `code`."""
        given = request.headers.get("x-functions-key") or request.query().get("code", "")
        return hmac.compare_digest(given.encode(), self._master_key.encode())

    def answer(self, request: Request) -> Response:
        """The answer to a request whose path begins with /admin/."""
        resource = [unquote(segment).lower() for segment in request.path.strip("/").split("/")[1:]]
        if resource == ["host", "ping"] and request.method in ("GET", "POST"):
            return Response(HTTPStatus.OK)
        if not self.admits(request):
            return Response(HTTPStatus.UNAUTHORIZED)
        match request.method, resource:
            case "GET", ["host", "status"]:
                uptime = round((time.monotonic() - self._started) * 1000)
                return Response.of_json({"id": "local", "state": "Running", "processUptime": uptime})
            case "GET", ["functions"]:
                return Response.of_json([_described(function) for function in self._functions.values()])
            case "GET", ["functions", name] if name in self._functions:
                return Response.of_json(_described(self._functions[name]))
            case "POST", ["functions", name] if name in self._functions:
                return self._run(self._functions[name], request.body)
        return Response(HTTPStatus.NOT_FOUND)

    def _run(self, function: Function, body: bytes) -> Response:
        try:
            asked = json.loads(body or b"{}")
        except ValueError:
            return Response(HTTPStatus.BAD_REQUEST)
        text = asked.get("input", "") if isinstance(asked, dict) else None
        if not isinstance(text, str) or not self._run_by_hand(function, text):
            return Response(HTTPStatus.BAD_REQUEST)
        return Response(HTTPStatus.ACCEPTED)


def _described(function: Function) -> dict[str, object]:
    return {
        "name": function.name,
        "config": {"bindings": list(function.bindings)},
        "isDisabled": False,
        "language": "python",
    }
