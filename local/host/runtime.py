"""Microsoft's Functions runtime in this process: it indexes the app and runs its functions as it does in Azure."""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from local.host.protocol import PROTOCOL, Message, ParameterBinding, StatusResult, TypedData

Binding = Mapping[str, object]


class IndexingFailed(Exception):
    """The app has no functions because the runtime could not load it; the message says why, with the stack trace."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function as indexing found it. `bindings` are as in function.json: type, direction, name, the trigger's own."""

    name: str
    function_id: str
    bindings: tuple[Binding, ...]

    def trigger(self, binding_type: str) -> Binding | None:
        """The function's trigger if it is of this type."""
        return next((binding for binding in self.bindings if binding["type"] == binding_type), None)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one run of a function ended. `return_value` is what a door returned; `error` is the exception as text."""

    succeeded: bool
    return_value: Message | None = field(default=None, repr=False)
    error: str = ""
    stack_trace: str = field(default="", repr=False)


class Runtime:
    """The runtime with one app in it. Any thread may call `invoke`, and calls run side by side."""

    def __init__(self, app_directory: Path) -> None:
        self._app_directory = str(app_directory)
        self._running: dict[str, str] = {}  # invocation id -> function name
        self._loop = asyncio.new_event_loop()
        self._loop_thread = threading.Thread(target=self._loop.run_forever, name="functions-runtime", daemon=True)
        self._runtime: ModuleType = importlib.import_module("azure_functions_runtime")

    def start(self) -> list[Function]:
        """Loads the app and returns its functions in the order in which they were registered.

        Raises:
            IndexingFailed: the runtime refuses the app: an import fails, a signature is wrong, two apps are visible, …
        """
        self._runtime.start_threadpool_executor()
        self._loop_thread.start()
        initialised = self._ask(
            self._runtime.worker_init_request(
                _request("worker_init_request", capabilities={}, function_app_directory=self._app_directory)
            )
        )
        if initialised.result.status != StatusResult.Success:
            exception = initialised.result.exception
            raise IndexingFailed(f"{exception.message}\n{exception.stack_trace}")
        answer = self._ask(
            self._runtime.functions_metadata_request(
                _request("functions_metadata_request", function_app_directory=self._app_directory)
            )
        )
        if not answer.function_metadata_results:
            raise IndexingFailed(f"There is no function in {self._app_directory}/function_app.py.")
        return [
            Function(
                name=found.name,
                function_id=found.function_id,
                bindings=tuple(json.loads(binding) for binding in found.raw_bindings),
            )
            for found in answer.function_metadata_results
        ]

    def stop(self) -> None:
        """Waits for what is running, then ends the runtime's threads."""
        self._runtime.stop_threadpool_executor()
        if self._loop_thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop_thread.join()
        self._loop.close()

    def invoke(
        self,
        function: Function,
        *,
        parameter: str,
        value: TypedData,
        trigger_metadata: Mapping[str, TypedData] | None = None,
        reason: str,
    ) -> Outcome:
        """Runs the function once and waits for its end. What it raises becomes the outcome; nothing is raised here."""
        log = logging.getLogger(f"Function.{function.name}")
        invocation_id = str(uuid.uuid4())
        started = time.monotonic()
        log.info("Executing 'Functions.%s' (Reason='%s', Id=%s)", function.name, reason, invocation_id)
        self._running[invocation_id] = function.name
        try:
            answer = self._ask(
                self._runtime.invocation_request(
                    _request(
                        "invocation_request",
                        invocation_id=invocation_id,
                        function_id=function.function_id,
                        input_data=[ParameterBinding(name=parameter, data=value)],
                        trigger_metadata=dict(trigger_metadata or {}),
                        trace_context=Message(trace_parent="", trace_state="", attributes={}),
                        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
                    )
                )
            )
        finally:
            del self._running[invocation_id]
        duration = round((time.monotonic() - started) * 1000)
        if answer.result.status == StatusResult.Success:
            log.info(
                "Executed 'Functions.%s' (Succeeded, Id=%s, Duration=%dms)", function.name, invocation_id, duration
            )
            return Outcome(succeeded=True, return_value=answer.return_value)
        exception = answer.result.exception
        log.error(
            "Executed 'Functions.%s' (Failed, Id=%s, Duration=%dms)\n%s",
            *(function.name, invocation_id, duration, exception.stack_trace),
        )
        return Outcome(succeeded=False, error=exception.message, stack_trace=exception.stack_trace)

    def current_function(self) -> str | None:
        """The name of the function that this thread is running, or None."""
        invocation_id = self._runtime.invocation_id_cv.get()
        return self._running.get(invocation_id) if invocation_id else None

    def _ask(self, question: Coroutine[object, object, Message]) -> Message:
        return asyncio.run_coroutine_threadsafe(question, self._loop).result()


def _request(kind: str, **content: object) -> Message:
    """A message as the worker process hands it to the runtime: the content under its kind, the protocol beside it."""
    return Message(
        name=kind,
        request=Message(**{kind: Message(**content)}),
        properties={"protos": PROTOCOL, "host": "127.0.0.1"},
    )
