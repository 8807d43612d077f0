"""An executor's queues: every message is sent once, and every decision that arrives is kept, repetitions included."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from shared.adapters.storage.messages import RESULTS
from tests.chaos.callers import PATIENCE, Lost

KINDS: Final = tuple(kind.value for kind in RESULTS)
_OPERATOR: Final = {"objectId": "a0000000-0000-4000-8000-00000000c002", "name": "Olga Operator"}

Decision = dict[str, Any]


class Mailbox:
    """Sends requests and completions, and collects decisions in the background while the `with` block lasts.

    Attributes:
        asked: the tenant of every action that was asked for, by action id.
        decisions: what arrived on each action.
    """

    def __init__(self, connection_string: str, *, executor: str) -> None:
        """`executor` is the client id of the application that asks."""
        self.asked: dict[str, str] = {}
        self.decisions: dict[str, list[Decision]] = {}
        self._executor = executor
        service = self._service = QueueServiceClient.from_connection_string(connection_string)
        self._requests, self._completions, *self._results = (
            service.get_queue_client(
                name,
                message_encode_policy=TextBase64EncodePolicy(),
                message_decode_policy=TextBase64DecodePolicy(),
            )
            for name in ("action-requests", "action-completions", *RESULTS.values())
        )
        self._arrived = threading.Condition()
        self._closing = threading.Event()
        self._collector = threading.Thread(target=self._collect, name="mailbox")

    def __enter__(self) -> Self:
        self._collector.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._collector.join()
        self._service.close()

    def ask(self, tenant_id: str, kind: str, **more: object) -> str:
        """Send an action request; its action id."""
        action_id = str(uuid4())
        request = {
            "schemaVersion": 1,
            "actionId": action_id,
            "tenantId": tenant_id,
            "kind": kind,
            "executor": self._executor,
            "operator": _OPERATOR,
        }
        self.asked[action_id] = tenant_id
        self._requests.send_message(json.dumps(request | more))
        return action_id

    def complete(self, tenant_id: str, action_id: str) -> None:
        """Say that the action has ended."""
        message = {"schemaVersion": 1, "actionId": action_id, "tenantId": tenant_id, "outcome": "succeeded"}
        self._completions.send_message(json.dumps(message))

    def await_decisions(self, action_ids: Iterable[str], *, within: float = PATIENCE) -> list[Decision]:
        """The first decision on each action, in the order asked for.

        Raises:
            Lost: some do not come within so many seconds.
        """
        wanted, until = list(action_ids), time.monotonic() + within
        with self._arrived:
            while missing := [action_id for action_id in wanted if action_id not in self.decisions]:
                if not self._arrived.wait(max(0.0, until - time.monotonic())):
                    raise Lost(f"{len(missing)} of {len(wanted)} decisions did not come in {within:g} seconds")
            return [self.decisions[action_id][0] for action_id in wanted]

    def _collect(self) -> None:
        while not self._closing.is_set():
            if not sum([self._empty(queue) for queue in self._results]):
                self._closing.wait(0.05)

    def _empty(self, queue: Any) -> int:
        count = 0
        for message in queue.receive_messages(messages_per_page=32):
            decision = json.loads(message.content)
            with self._arrived:
                self.decisions.setdefault(decision["actionId"], []).append(decision)
                self._arrived.notify_all()
            queue.delete_message(message)
            count += 1
        return count
