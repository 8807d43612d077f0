"""An executor as the local stack plays it: asks over a queue, reads its decision from another, redeems over HTTPS."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

from local.client import COMES_WITHIN, Client, Reply
from local.tokens import claims_of

KINDS: Final = ("playbookRemediation", "managementAction", "customAction", "workflow")
_RESULTS: Final = {
    "playbookRemediation": "action-results-playbook-remediation",
    "managementAction": "action-results-management-action",
    "customAction": "action-results-custom-action",
    "workflow": "action-results-workflow",
}
_OPERATOR: Final = {"objectId": "a0000000-0000-4000-8000-00000000c002", "name": "Olga Operator"}

Message = dict[str, Any]


@dataclass
class Executor:
    """Sends action requests, and collects the decisions on them."""

    client: Client
    token: str
    decisions: dict[str, list[Message]] = field(default_factory=dict)

    def ask(self, tenant_id: str, kind: str, **more: object) -> str:
        """Send an action request; its action id."""
        action_id = str(uuid4())
        request = {
            "schemaVersion": 1,
            "actionId": action_id,
            "tenantId": tenant_id,
            "kind": kind,
            "executor": claims_of(self.token)["azp"],
            "operator": _OPERATOR,
        }
        self._queue("action-requests").send_message(json.dumps(request | more))
        return action_id

    def complete(self, tenant_id: str, action_id: str, outcome: str = "succeeded") -> None:
        """Say that the action has ended."""
        message = {"schemaVersion": 1, "actionId": action_id, "tenantId": tenant_id, "outcome": outcome}
        self._queue("action-completions").send_message(json.dumps(message))

    def await_decisions(self, action_ids: Iterable[str], *, within: float = COMES_WITHIN) -> list[Message]:
        """The decision on each action, in the order asked for.

        Raises:
            TimeoutError: some did not come within so many seconds.
        """
        wanted, until = list(action_ids), time.monotonic() + within
        while any(action_id not in self.decisions for action_id in wanted):
            if not self.collect() and time.monotonic() > until:
                missing = sum(action_id not in self.decisions for action_id in wanted)
                raise TimeoutError(f"{missing} of {len(wanted)} decisions did not come")
        return [self.decisions[action_id][0] for action_id in wanted]

    def collect(self) -> int:
        """Take what has arrived on the four result queues; how many messages that were."""
        count = 0
        for queue in map(self._queue, _RESULTS.values()):
            for message in queue.receive_messages(max_messages=32):
                decision = json.loads(message.content)
                self.decisions.setdefault(decision["actionId"], []).append(decision)
                queue.delete_message(message)
                count += 1
        if not count:
            time.sleep(0.05)
        return count

    def redeem(self, tenant_id: str, lease_id: str, resource: str) -> Reply:
        """Ask for a token of one resource."""
        path = f"/v1/tenants/{tenant_id}/leases/{lease_id}/token"
        return self.client.api("POST", path, token=self.token, content={"resource": resource})

    def _queue(self, name: str) -> QueueClient:
        return QueueClient.from_connection_string(
            self.client.addresses.storage_connection_string,
            name,
            message_encode_policy=TextBase64EncodePolicy(),
            message_decode_policy=TextBase64DecodePolicy(),
        )
