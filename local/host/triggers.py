"""A function behind its trigger: what its bindings mean here, and how an event of that kind runs it.

What the Functions host refuses at load is refused here too, for the whole app, so that nobody deploys it first.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import combinations

from local.host.http import Request, Response, ResponseRefused
from local.host.options import resolve
from local.host.protocol import TypedData
from local.host.routes import RouteTemplate
from local.host.runtime import Binding, Function, Outcome, Runtime
from local.host.schedule import Schedule

_NAME = re.compile(r"[a-z][a-z0-9_\-]{0,127}", re.IGNORECASE)
_SUPPORTED = frozenset({"httpTrigger", "http", "queueTrigger", "timerTrigger"})


class TriggerRefused(Exception):
    """The host would not load this function, or the local one cannot; the message names the function and the reason."""


@dataclass(frozen=True, slots=True)
class HttpTrigger:
    """A function that answers requests. Without `methods` it answers all of them."""

    function: Function
    runtime: Runtime
    parameter: str
    route: str  # prefix included
    template: RouteTemplate
    methods: frozenset[str]
    is_anonymous: bool

    def run(self, request: Request, route_values: Mapping[str, str]) -> Response:
        """The function's answer; 500 without a body when it raised, or returned what cannot be sent."""
        outcome = self.runtime.invoke(
            self.function,
            parameter=self.parameter,
            value=request.to_rpc(route_values),
            reason="This function was programmatically called via the host APIs.",
        )
        if not outcome.succeeded:
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR)
        try:
            return Response.from_rpc(outcome.return_value)
        except ResponseRefused as refusal:
            logging.getLogger(f"Function.{self.function.name}").error("%s", refusal)
            return Response(HTTPStatus.INTERNAL_SERVER_ERROR)


@dataclass(frozen=True, slots=True)
class QueueTrigger:
    """A function that takes messages from one queue. `connection` is the name of an app setting."""

    function: Function
    runtime: Runtime
    parameter: str
    queue_name: str
    connection: str

    def run(self, text: str, metadata: Mapping[str, TypedData]) -> Outcome:
        """Runs the function on one decoded message."""
        return self.runtime.invoke(
            self.function,
            parameter=self.parameter,
            value=TypedData(string=text),
            trigger_metadata=metadata,
            reason=f"New queue message detected on '{self.queue_name}'.",
        )


@dataclass(frozen=True, slots=True)
class TimerTrigger:
    """A function that runs on a schedule."""

    function: Function
    runtime: Runtime
    parameter: str
    schedule: Schedule
    run_on_startup: bool

    def run(self, state: TypedData) -> Outcome:
        """Runs the function for one occurrence."""
        return self.runtime.invoke(
            self.function, parameter=self.parameter, value=state, reason="Timer fired at the time of its schedule."
        )


@dataclass(frozen=True, slots=True)
class Triggers:
    """Every enabled function of an app, by kind, each in the order of registration."""

    http: tuple[HttpTrigger, ...]
    queues: tuple[QueueTrigger, ...]
    timers: tuple[TimerTrigger, ...]


def read_triggers(
    functions: Sequence[Function], runtime: Runtime, *, route_prefix: str, settings: Mapping[str, str]
) -> Triggers:
    """The triggers of all functions that `AzureWebJobs.<name>.Disabled` does not switch off.

    Raises:
        TriggerRefused: a name, route or binding that the host refuses or the local one does not support.
        TemplateInvalid, ScheduleInvalid, SettingMissing: a route, a schedule or a %NAME% cannot be read.
    """
    enabled = [f for f in functions if settings.get(f"AzureWebJobs.{f.name}.Disabled", "").lower() not in ("true", "1")]
    for function in enabled:
        _check(function)
    http = [
        _http_trigger(function, runtime, binding, route_prefix)
        for function in enabled
        if (binding := function.trigger("httpTrigger"))
    ]
    _check_routes(http)
    return Triggers(
        http=tuple(http),
        queues=tuple(
            QueueTrigger(
                function=function,
                runtime=runtime,
                parameter=str(binding["name"]),
                queue_name=resolve(str(binding["queueName"]), settings),
                connection=str(binding["connection"]),
            )
            for function in enabled
            if (binding := function.trigger("queueTrigger"))
        ),
        timers=tuple(
            TimerTrigger(
                function=function,
                runtime=runtime,
                parameter=str(binding["name"]),
                schedule=Schedule.parse(resolve(str(binding["schedule"]), settings)),
                run_on_startup=bool(binding.get("runOnStartup")),
            )
            for function in enabled
            if (binding := function.trigger("timerTrigger"))
        ),
    )


def _http_trigger(function: Function, runtime: Runtime, binding: Binding, prefix: str) -> HttpTrigger:
    route = str(binding.get("route") or function.name).strip("/")
    # The host compares the beginning only, so `administrators` is refused too (ScriptHost.ValidateHttpFunction).
    if route.lower().startswith(("admin", "runtime")):
        raise TriggerRefused(f"{function.name}: a route may not begin with 'admin' or 'runtime', as {route!r} does.")
    methods = binding.get("methods") or ()
    full_route = f"{prefix}/{route}".strip("/")
    return HttpTrigger(
        function=function,
        runtime=runtime,
        parameter=str(binding["name"]),
        route=full_route,
        template=RouteTemplate(full_route),
        methods=frozenset(str(method).upper() for method in methods) if isinstance(methods, list) else frozenset(),
        is_anonymous=str(binding.get("authLevel", "")).upper() == "ANONYMOUS",
    )


def _check(function: Function) -> None:
    if not _NAME.fullmatch(function.name) or function.name.lower() == "host":
        raise TriggerRefused(f"{function.name!r} is no name for a function.")
    unknown = sorted({str(binding["type"]) for binding in function.bindings} - _SUPPORTED)
    if unknown:
        raise TriggerRefused(f"{function.name}: the local host does not support the binding {unknown[0]!r}.")
    outputs = [b for b in function.bindings if b["type"] == "http" and b["name"] != "$return"]
    if outputs:
        raise TriggerRefused(f"{function.name}: the local host takes the response from the return value only.")


def _check_routes(triggers: Sequence[HttpTrigger]) -> None:
    for one, other in combinations(triggers, 2):
        overlap = not one.methods or not other.methods or one.methods & other.methods
        if one.route.lower() == other.route.lower() and overlap:
            raise TriggerRefused(f"{other.function.name}: {one.function.name} answers {one.route} already.")
