"""An executor's side of the queues, for many requests at once: one connection each way, and every decision kept."""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

from azure.storage.queue import QueueClient, QueueServiceClient

from local.executor import KINDS
from local.stack import QUEUES

REQUESTS: Final = "action-requests"
COMPLETIONS: Final = "action-completions"
RESULTS: Final = "action-results-"
"""What the names of the queues with decisions begin with."""

_OPERATOR: Final = {"objectId": str(uuid4()), "name": "Olga Operator"}

Json = dict[str, Any]


def action_request(tenant_id: str, *, executor: str, kind: str = KINDS[0]) -> Json:
    """A request that nobody has made before (contracts/schemas/actionRequestV1.json)."""
    return {
        "schemaVersion": 1,
        "actionId": str(uuid4()),
        "tenantId": tenant_id,
        "kind": kind,
        "executor": executor,
        "operator": _OPERATOR,
    }


def action_completion(tenant_id: str, action_id: str) -> Json:
    """Says that the action has ended well (contracts/schemas/actionCompletionV1.json)."""
    return {"schemaVersion": 1, "actionId": action_id, "tenantId": tenant_id, "outcome": "succeeded"}


def encoded(message: Json) -> str:
    """The message as it lies in a queue."""
    return b64encode(json.dumps(message).encode()).decode()


def decoded(content: str) -> Json:
    """A message that lay in a queue."""
    message: Json = json.loads(b64decode(content))
    return message


class NotAnswered(Exception):
    """Decisions did not come in time; the message says how many."""


class Mailbox:
    """Sends requests and completions, and takes decisions. One thread uses it.

    Attributes:
        decisions: what has arrived on each action, repetitions included.
    """

    def __init__(self, connection_string: str, *, executor: str) -> None:
        """`executor` is the client id of the application that asks."""
        self.decisions: defaultdict[str, list[Json]] = defaultdict(list)
        self.executor = executor
        self._service = QueueServiceClient.from_connection_string(connection_string)
        self._requests, self._completions = map(self._service.get_queue_client, (REQUESTS, COMPLETIONS))
        self._results = [self._service.get_queue_client(name) for name in QUEUES if name.startswith(RESULTS)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.close()

    def ask(self, tenant_id: str, *, kind: str = KINDS[0], hidden: int = 0) -> str:
        """Send a request that can be received in `hidden` seconds; its action id."""
        request = action_request(tenant_id, executor=self.executor, kind=kind)
        self.send(request, hidden=hidden)
        return str(request["actionId"])

    def send(self, request: Json, *, hidden: int = 0) -> None:
        """Send this request. Any thread may."""
        self._requests.send_message(encoded(request), visibility_timeout=hidden)

    def complete(self, tenant_id: str, action_id: str) -> None:
        """Say that the action has ended."""
        self._completions.send_message(encoded(action_completion(tenant_id, action_id)))

    def await_decisions(self, action_ids: Iterable[str], *, within: float) -> list[Json]:
        """The first decision on each action, in the order asked for.

        Raises:
            NotAnswered: some did not come within so many seconds.
        """
        wanted, until = list(action_ids), time.monotonic() + within
        while missing := [action_id for action_id in wanted if action_id not in self.decisions]:
            if time.monotonic() > until:
                raise NotAnswered(f"{len(missing)} of {len(wanted)} decisions did not come in {within:g} seconds")
            if not self.collect():
                time.sleep(0.005)
        return [self.decisions[action_id][0] for action_id in wanted]

    def collect(self) -> int:
        """Take what has arrived; how many decisions that were."""
        return sum(self._empty(queue) for queue in self._results)

    def forget(self) -> None:
        """Throw away what has arrived and was not taken: Azurite is slow with many messages."""
        for queue in self._results:
            queue.clear_messages()

    def _empty(self, queue: QueueClient) -> int:
        count = 0
        for message in queue.receive_messages(max_messages=32):
            decision = decoded(message.content)
            self.decisions[decision["actionId"]].append(decision)
            queue.delete_message(message)
            count += 1
        return count
