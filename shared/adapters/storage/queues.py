"""The queues we write to, in Base64, as the Functions host expects them (Messages port)."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from shared.adapters.storage.account import Once, StorageAccount
from shared.adapters.storage.failures import translated
from shared.adapters.storage.messages import OPERATIONS, REQUESTS, RESULTS, decision_text, operation_text
from shared.domain.action import ActionKind, Decision
from shared.domain.ids import OperationId, TenantId

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient

LONGEST_DELAY: Final = timedelta(days=6)
"""A message must be visible before it ends, after seven days; nothing we wait for takes as long."""


class QueueMessages:
    """Messages are delivered at least once: each says what is so, or what to look at, never "one more"."""

    def __init__(self, account: StorageAccount) -> None:
        self._queues: Final = {name: _opened(account, name) for name in (OPERATIONS, *REQUESTS, *RESULTS.values())}

    def send_operation(self, tenant_id: TenantId, operation_id: OperationId, *, after: timedelta = timedelta()) -> None:
        """One request. Hidden until `after` has passed, in whole seconds, rounded up; at most `LONGEST_DELAY`."""
        hidden = min(max(after, timedelta()), LONGEST_DELAY)
        self._send(OPERATIONS, operation_text(tenant_id, operation_id), hidden)

    def send_again(self, queue: str, text: str) -> None:
        """One request."""
        self._send(queue, text)

    def send_decision(self, kind: ActionKind, decision: Decision) -> None:
        """One request."""
        self._send(RESULTS[kind], decision_text(decision))

    def _send(self, queue: str, text: str, after: timedelta = timedelta()) -> None:
        with translated():
            self._queues[queue]().send_message(text, visibility_timeout=math.ceil(after.total_seconds()))


def _opened(account: StorageAccount, name: str) -> Once[QueueClient]:
    def make() -> QueueClient:
        from azure.storage.queue import TextBase64EncodePolicy

        return account.queues().get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())

    return Once(make)
