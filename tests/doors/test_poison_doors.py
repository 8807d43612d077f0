"""What the platform gave up on is closed with a reason, kept, shown, and sent again when an administrator says so."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest

from shared.domain.action import Decision, Verdict
from shared.domain.errors import Code
from shared.domain.ids import ActionId, OperationId
from tests.contract.test_contract_files import by_name
from tests.doors.people import ADMINISTRATOR, EXECUTOR, LIMITED_EXECUTOR, Place
from tests.doors.service import Service, action_request, content_of
from tests.doors.test_queue_doors import OWN, SCHEMAS, message_for

POISON = f"/v1/tenants/{OWN}/poison-messages"


def decisions_on(service: Service, action_id: str) -> set[Decision]:
    """What was ever sent to the executor about an action; the same decision sent twice is one."""
    sent = (message.decision for message in service.messages.decisions)
    return {decision for decision in sent if str(decision.action_id) == action_id}


def test_the_poison_door_ends_an_operation_that_cannot_be_carried_out(open_service: Service) -> None:
    path = f"/v1/tenants/{OWN}/service-account/rotate"
    accepted = content_of(open_service.call("POST", path, ADMINISTRATOR, {}))
    (sent,) = open_service.messages.take_due()

    assert open_service.deliver("operations-poison", sent.text).succeeded
    assert open_service.deliver("operations-poison", sent.text).succeeded

    operation = open_service.read(f"/v1/tenants/{OWN}/operations/{accepted['id']}")
    assert (operation["status"], operation["error"]["code"]) == ("failed", "internalError")
    assert "operation" not in open_service.read(f"/v1/tenants/{OWN}")
    stored = open_service.store.operation(OWN, OperationId(UUID(accepted["id"]))).row
    assert stored.is_terminal


def test_the_poison_door_answers_a_request_that_was_never_decided_on(open_service: Service) -> None:
    request = action_request(Place.OWN, EXECUTOR, str(uuid4()))

    open_service.deliver("action-requests-poison", request)
    open_service.deliver("action-requests-poison", request)

    (decision,) = decisions_on(open_service, request["actionId"])
    assert decision.verdict is Verdict.FAILED
    assert decision.problem is not None
    assert decision.problem.code is Code.INTERNAL_ERROR
    assert open_service.read(f"/v1/tenants/{OWN}/actions/{request['actionId']}")["decision"] == "failed"


def test_the_poison_door_leaves_a_decision_as_it_was(open_service: Service) -> None:
    action_id = open_service.actions[Place.OWN, LIMITED_EXECUTOR]
    before = open_service.store.action(OWN, ActionId(UUID(action_id)))

    open_service.deliver("action-requests-poison", action_request(Place.OWN, LIMITED_EXECUTOR, action_id))

    (decision,) = decisions_on(open_service, action_id)
    assert decision.verdict is Verdict.READY
    assert open_service.store.action(OWN, ActionId(UUID(action_id))) == before


@pytest.mark.parametrize("queue", SCHEMAS)
def test_what_failed_every_time_is_kept_once_shown_and_can_be_sent_again(open_service: Service, queue: str) -> None:
    message = message_for(open_service, queue)
    known = {kept["messageId"] for kept in open_service.read(POISON, ADMINISTRATOR)["value"]}

    open_service.deliver(f"{queue}-poison", message)
    open_service.deliver(f"{queue}-poison", message)

    (kept,) = [kept for kept in open_service.read(POISON, ADMINISTRATOR)["value"] if kept["messageId"] not in known]
    assert (kept["queue"], kept["error"]["code"]) == (queue, "internalError")
    assert [error.message for error in by_name(SCHEMAS[queue]).iter_errors(json.loads(kept["text"]))] == []
    told = [entry["kind"] for entry in open_service.read(f"/v1/tenants/{OWN}/activity?top=200")["value"]]
    assert told.count("messagePoisoned") == len(known) + 1
    replayed = open_service.done("POST", f"{POISON}/{kept['messageId']}/replay", ADMINISTRATOR)
    assert "replayedAt" in replayed
