"""What the Messages port promises, kept by the fake and by Azure's queues alike."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceExistsError

from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.messages import LARGEST, OPERATIONS, RESULTS
from shared.adapters.storage.queues import QueueMessages
from shared.domain.action import ActionKind, Decision, Verdict
from shared.domain.errors import Code, Problem
from shared.domain.ids import ActionId, LeaseId, OperationId
from shared.domain.ports import Messages
from tests.fakes import CallLog, FakeClock, FakeMessages
from tests.fakes.sample_rows import NOW, PROBLEM, STRANGE, new_tenant_id

SECOND = timedelta(seconds=1)

Receive = Callable[[str], dict[str, object] | None]


class Stage(Protocol):
    """The port, and the other end of its queues."""

    @property
    def messages(self) -> Messages: ...

    def receive(self, queue: str) -> dict[str, object] | None:
        """The next message that can be received, gone from the queue then."""

    def wait(self, span: timedelta) -> None:
        """Let time pass for the queues."""


def denied(problem: Problem = PROBLEM) -> Decision:
    """A refusal."""
    return Decision(ActionId(uuid4()), new_tenant_id(), Verdict.DENIED, problem=problem)


class MessagesPromises:
    """Every implementation passes these."""

    def test_an_operation_message_says_which_operation_and_nothing_more(self, stage: Stage) -> None:
        tenant_id, operation_id = new_tenant_id(), OperationId(uuid4())

        stage.messages.send_operation(tenant_id, operation_id)

        assert stage.receive(OPERATIONS) == {
            "schemaVersion": 1,
            "tenantId": str(tenant_id),
            "operationId": str(operation_id),
        }
        assert stage.receive(OPERATIONS) is None

    def test_a_message_for_later_is_hidden_until_then(self, stage: Stage) -> None:
        stage.messages.send_operation(new_tenant_id(), OperationId(uuid4()), after=SECOND / 2)

        assert stage.receive(OPERATIONS) is None
        stage.wait(SECOND * 1.2)
        assert stage.receive(OPERATIONS) is not None

    def test_a_message_for_earlier_is_there_at_once(self, stage: Stage) -> None:
        stage.messages.send_operation(new_tenant_id(), OperationId(uuid4()), after=-SECOND)

        assert stage.receive(OPERATIONS) is not None

    def test_a_message_for_never_is_still_taken(self, stage: Stage) -> None:
        stage.messages.send_operation(new_tenant_id(), OperationId(uuid4()), after=timedelta(days=5000))

        assert stage.receive(OPERATIONS) is None

    @pytest.mark.parametrize("kind", ActionKind)
    def test_each_kind_is_answered_on_a_queue_of_its_own(self, stage: Stage, kind: ActionKind) -> None:
        decision = denied()

        stage.messages.send_decision(kind, decision)

        received = {queue: stage.receive(queue) for queue in RESULTS.values()}
        answered = {queue: message["actionId"] for queue, message in received.items() if message}
        assert answered == {RESULTS[kind]: str(decision.action_id)}

    def test_a_lease_is_announced_with_its_end_in_utc(self, stage: Stage) -> None:
        action_id, tenant_id, lease_id = ActionId(uuid4()), new_tenant_id(), LeaseId(uuid4())
        ready = Decision(action_id, tenant_id, Verdict.READY, lease_id, NOW)

        stage.messages.send_decision(ActionKind.WORKFLOW, ready)

        assert stage.receive(RESULTS[ActionKind.WORKFLOW]) == {
            "schemaVersion": 1,
            "actionId": str(action_id),
            "tenantId": str(tenant_id),
            "decision": "ready",
            "leaseId": str(lease_id),
            "expiresAt": "2026-11-23T09:00:00.123456Z",
        }

    def test_a_refusal_says_why_and_what_to_do(self, stage: Stage) -> None:
        decision = denied()

        stage.messages.send_decision(ActionKind.CUSTOM_ACTION, decision)

        assert stage.receive(RESULTS[ActionKind.CUSTOM_ACTION]) == {
            "schemaVersion": 1,
            "actionId": str(decision.action_id),
            "tenantId": str(decision.tenant_id),
            "decision": "denied",
            "error": {
                "code": "signInBlocked",
                "message": "A policy blocks the account.",
                "target": "session",
                "details": [{"code": "roleMissing", "message": "A role is missing."}],
                "nextStep": {"text": "Exclude it.", "link": "https://entra.microsoft.com"},
            },
        }

    def test_every_character_arrives(self, stage: Stage) -> None:
        stage.messages.send_decision(ActionKind.WORKFLOW, denied(Problem(Code.MANAGEMENT_OFF, STRANGE)))

        received = stage.receive(RESULTS[ActionKind.WORKFLOW])

        assert received is not None
        assert received["error"] == {"code": "managementOff", "message": STRANGE}

    def test_the_largest_message_arrives_and_a_larger_one_is_not_sent(self, stage: Stage) -> None:
        room = LARGEST - 200

        stage.messages.send_decision(ActionKind.WORKFLOW, denied(Problem(Code.MANAGEMENT_OFF, "x" * room)))
        with pytest.raises(ValueError, match="49152 bytes"):
            stage.messages.send_decision(ActionKind.WORKFLOW, denied(Problem(Code.MANAGEMENT_OFF, "x" * LARGEST)))

        assert stage.receive(RESULTS[ActionKind.WORKFLOW]) is not None
        assert stage.receive(RESULTS[ActionKind.WORKFLOW]) is None


class FakeStage:
    """The fake with its clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.messages = FakeMessages(CallLog(), self.clock)

    def receive(self, queue: str) -> dict[str, object] | None:
        for number, sent in enumerate(self.messages.sent):
            if sent.queue == queue and sent.deliver_at <= self.clock.now():
                del self.messages.sent[number]
                return dict(json.loads(sent.text))
        return None

    def wait(self, span: timedelta) -> None:
        self.clock.advance(span)


class AzureStage:
    """Azure's queues, read raw: what lies there must be the Base64 that the Functions host expects."""

    def __init__(self, account: StorageAccount) -> None:
        self.messages = QueueMessages(account)
        self._queues = {name: account.queues().get_queue_client(name) for name in (OPERATIONS, *RESULTS.values())}
        for queue in self._queues.values():
            with suppress(ResourceExistsError):
                queue.create_queue()
            queue.clear_messages()

    def receive(self, queue: str) -> dict[str, object] | None:
        message = self._queues[queue].receive_message()
        if message is None:
            return None
        self._queues[queue].delete_message(message)
        return dict(json.loads(b64decode(message.content, validate=True)))

    def wait(self, span: timedelta) -> None:
        time.sleep(span.total_seconds())


class TestFakeMessages(MessagesPromises):
    """The fake."""

    @pytest.fixture
    def stage(self) -> Stage:
        return FakeStage()


class TestQueueMessages(MessagesPromises):
    """Azure's queues."""

    @pytest.fixture
    def stage(self, account: StorageAccount) -> Stage:
        return AzureStage(account)
