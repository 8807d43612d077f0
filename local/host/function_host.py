"""The host of one app: its functions behind their triggers, be these sockets, queues and clock or a test's calls."""

from __future__ import annotations

import json as json_format
import secrets
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Self

from azure.storage.queue import LinearRetry, QueueClient, QueueMessage

from local.host.admin import AdminApi
from local.host.cors import Cors
from local.host.http import Request, Response, fold_headers
from local.host.isolation import isolated_app
from local.host.options import connection_string, read_options
from local.host.protocol import TypedData
from local.host.queues import MESSAGE_LEASE, QueueListener, trigger_metadata
from local.host.runtime import Function, Outcome, Runtime
from local.host.server import HttpListener
from local.host.timers import TimerListener, timer_state
from local.host.triggers import QueueTrigger, TimerTrigger, read_triggers

_BODY_LIMIT = 104_857_600  # bytes; ScriptConstants.DefaultMaxRequestBodySize


class FunctionHost:
    """Runs the app in `app_directory` while the `with` block lasts.

    Inside, `call`, `deliver` and `tick` run functions without any socket or queue; `listen` and `poll` open the real
    triggers. One host at a time: it puts the settings into the environment and loads the modules `function_app` and
    `functions` anew, and on leaving puts back what was there. Import a door inside the block to get at the running one.
    """

    def __init__(
        self,
        app_directory: Path,
        settings: Mapping[str, str],
        *,
        master_key: str | None = None,
        message_lease: timedelta = MESSAGE_LEASE,
        cors: Cors | None = None,
    ) -> None:
        """`master_key` opens the admin API; without one a random key does. `message_lease`: see QueueListener.

        `cors` is the platform's list of origins whose pages may call the app; without it none may.
        """
        self.master_key = master_key or secrets.token_urlsafe(32)
        self._app_directory = app_directory.resolve()
        self._settings = dict(settings)
        self._message_lease = message_lease
        self._cors = cors or Cors()
        self._options = read_options(app_directory, settings)

    def __enter__(self) -> Self:
        """Loads the app.

        Raises:
            IndexingFailed: Microsoft's runtime refuses the app.
            TriggerRefused, TemplateInvalid, ScheduleInvalid, SettingMissing: the host refuses one of its functions.
        """
        with ExitStack() as stack:
            stack.enter_context(isolated_app(self._app_directory, self._settings))
            self._runtime = Runtime(self._app_directory)
            stack.callback(self._runtime.stop)
            self.functions = tuple(self._runtime.start())
            self._triggers = read_triggers(
                self.functions, self._runtime, route_prefix=self._options.route_prefix, settings=self._settings
            )
            self._by_hand = stack.enter_context(ThreadPoolExecutor(thread_name_prefix="by-hand"))
            self._admin = AdminApi(self.functions, self.master_key, self._run_by_hand)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the triggers, lets what is under way finish, and unloads the app."""
        self._stack.close()

    def listen(self, port: int = 0) -> int:
        """Answers HTTP on 127.0.0.1 until the block ends; returns the port, a free one for 0."""
        limit = int(self._settings.get("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", _BODY_LIMIT))
        listener = HttpListener(self.answer, port=port, body_limit=limit)
        self._stack.callback(listener.stop)
        return listener.port

    def poll(self) -> None:
        """Polls the queues and runs the timers until the block ends.

        Raises:
            SettingMissing: a queue trigger's connection is no connection string in the settings.
        """
        for queue_trigger in self._triggers.queues:
            queue_listener = self._queue_listener(queue_trigger)
            queue_listener.start()
            self._stack.callback(queue_listener.stop)
        for timer_trigger in self._triggers.timers:

            def run(state: TypedData, timer: TimerTrigger = timer_trigger) -> bool:
                return timer.run(state).succeeded

            timer_listener = TimerListener(timer_trigger.schedule, run, run_on_startup=timer_trigger.run_on_startup)
            timer_listener.start()
            self._stack.callback(timer_listener.stop)

    def answer(self, request: Request) -> Response:
        """What the host answers, readable across origins as the platform's list says."""
        answer = self._cors.preflight(request) or self._routed(request)
        answer = replace(answer, headers={**self._options.custom_headers, **answer.headers})
        return self._cors.permit(request, answer)

    def _routed(self, request: Request) -> Response:
        """The first route that fits decides; 404 when none does, also for a wrong method."""
        if request.path.lower().startswith("/admin/"):
            return self._admin.answer(request)
        for trigger in self._triggers.http:
            values = trigger.template.match(request.path)
            if values is None or (trigger.methods and request.method not in trigger.methods):
                continue
            if not trigger.is_anonymous and not self._admin.admits(request):
                return Response(HTTPStatus.UNAUTHORIZED)
            return trigger.run(request, values)
        return Response(HTTPStatus.OK if request.path == "/" else HTTPStatus.NOT_FOUND)

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | str = b"",
        json: object = None,
    ) -> Response:
        """Answers a request without a socket. `path` carries the query; `json`, unless None, becomes the body."""
        defaults = {"host": "localhost"}
        if json is not None:
            body = json_format.dumps(json)
            defaults["content-type"] = "application/json"
        content = body.encode() if isinstance(body, str) else body
        given = fold_headers((headers or {}).items())
        if content and "transfer-encoding" not in given:
            defaults["content-length"] = str(len(content))
        return self.answer(Request(method.upper(), path, defaults | given, content))

    def get(self, path: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """`call` with GET."""
        return self.call("GET", path, headers=headers)

    def deliver(self, queue_name: str, text: str, *, dequeue_count: int = 1) -> Outcome:
        """Runs the function that listens on this queue on `text`, as if it had been received for the n-th time.

        Raises:
            LookupError: no function listens there.
        """
        for trigger in self._triggers.queues:
            if trigger.queue_name == queue_name:
                return _deliver(trigger, text, dequeue_count)
        raise LookupError(f"No function listens on the queue {queue_name!r}.")

    def tick(self, name: str) -> Outcome:
        """Runs the timer function of this name once, now.

        Raises:
            LookupError: there is no such timer.
        """
        for trigger in self._triggers.timers:
            if trigger.function.name == name:
                return trigger.run(timer_state(last=None, due=datetime.now(UTC)))
        raise LookupError(f"There is no timer function {name!r}.")

    def current_function(self) -> str | None:
        """The name of the function that the calling thread is running, or None."""
        return self._runtime.current_function()

    def _run_by_hand(self, function: Function, text: str) -> bool:
        for queue_trigger in self._triggers.queues:
            if queue_trigger.function is function:
                self._by_hand.submit(_deliver, queue_trigger, text, 1)
                return True
        for timer_trigger in self._triggers.timers:
            if timer_trigger.function is function:
                self._by_hand.submit(timer_trigger.run, timer_state(last=None, due=datetime.now(UTC)))
                return True
        return False

    def _queue_listener(self, trigger: QueueTrigger) -> QueueListener:
        connection = connection_string(trigger.connection, self._settings)
        # What settles a message gets two more chances, a second apart.
        retry = LinearRetry(backoff=1, retry_total=2, random_jitter_range=0)
        queue, poison = (
            QueueClient.from_connection_string(connection, name, retry_policy=retry)
            for name in (trigger.queue_name, f"{trigger.queue_name}-poison")
        )

        def run(text: str, metadata: Mapping[str, TypedData]) -> bool:
            return trigger.run(text, metadata).succeeded

        return QueueListener(queue, poison, run, self._options.queues, self._message_lease)


def _deliver(trigger: QueueTrigger, text: str, dequeue_count: int) -> Outcome:
    now = datetime.now(UTC)
    message = QueueMessage(
        content=text,
        id=str(uuid.uuid4()),
        dequeue_count=dequeue_count,
        inserted_on=now,
        expires_on=now + timedelta(days=7),
        next_visible_on=now + MESSAGE_LEASE,
        pop_receipt="by-hand",
    )
    return trigger.run(text, trigger_metadata(message, text))
