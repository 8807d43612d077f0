"""What the platform gave up on is closed with a reason, kept, shown, and sent again when an administrator says so."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared import wiring
from shared.domain.action import Decision, Verdict
from shared.domain.errors import Code, unavailable
from shared.domain.ids import ActionId, OperationId
from tests.contract import answers
from tests.contract.test_contract_files import by_name
from tests.doors.people import ADMINISTRATOR, EXECUTOR, LIMITED_EXECUTOR, READER, Place
from tests.doors.service import Service, action_request, content_of, refusal_of
from tests.doors.test_queue_doors import OWN, SCHEMAS, message_for

KEY = {"Idempotency-Key": "only-for-tests-key-1"}
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


@pytest.mark.parametrize("queue", ["operations", "action-requests"])
def test_a_message_that_cannot_be_closed_is_kept_told_to_support_and_done_with(
    open_service: Service, queue: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise LookupError("only-for-tests-secret")

    services = wiring.services()
    monkeypatch.setattr(type(services.carry_out), "close", broken)
    monkeypatch.setattr(type(services.act), "give_up", broken)
    before = len(open_service.read(POISON, ADMINISTRATOR)["value"])

    outcome = open_service.deliver(f"{queue}-poison", message_for(open_service, queue))

    assert outcome.succeeded
    assert len(open_service.read(POISON, ADMINISTRATOR)["value"]) == before + 1
    (told,) = [record for record in caplog.records if "lastResortFailed" in record.getMessage()]
    assert told.levelname == "ERROR"
    assert "only-for-tests-secret" not in caplog.text


@pytest.mark.parametrize("queue", SCHEMAS)
def test_when_it_cannot_be_kept_the_message_comes_again(open_service: Service, queue: str) -> None:
    message = message_for(open_service, queue)
    open_service.log.fail(len(open_service.log) + 2, unavailable("The table"))

    failed = open_service.deliver(f"{queue}-poison", message)
    again = open_service.deliver(f"{queue}-poison", message)

    assert (failed.succeeded, again.succeeded) == (False, True)


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


def test_the_same_key_sends_a_message_again_once(open_service: Service) -> None:
    path = f"{POISON}/{open_service.messages_kept[Place.OWN]}/replay"
    first = open_service.call("POST", path, ADMINISTRATOR, headers=KEY)
    sent = len(open_service.messages.sent)
    open_service.clock.advance(timedelta(minutes=1))

    again = open_service.call("POST", path, ADMINISTRATOR, headers=KEY)

    assert (again.status, content_of(again)) == (200, content_of(first))
    assert len(open_service.messages.sent) == sent
    assert content_of(open_service.call("POST", path, ADMINISTRATOR)) != content_of(first)
    assert len(open_service.messages.sent) == sent + 1


def test_the_key_of_one_message_is_refused_for_another(open_service: Service) -> None:
    open_service.deliver("action-requests-poison", message_for(open_service, "action-requests"))
    first, other = (kept["messageId"] for kept in open_service.read(POISON, ADMINISTRATOR)["value"])
    open_service.call("POST", f"{POISON}/{first}/replay", ADMINISTRATOR, headers=KEY)

    refused = open_service.call("POST", f"{POISON}/{other}/replay", ADMINISTRATOR, headers=KEY)

    assert refusal_of(refused) == (409, "idempotencyKeyReused", "Idempotency-Key")


def test_a_message_about_no_tenant_can_be_sent_again_when_its_tenant_is_there(open_service: Service) -> None:
    (kept,) = open_service.read("/v1/poison-messages", ADMINISTRATOR)["value"]
    path = f"/v1/poison-messages/{kept['messageId']}/replay"

    replayed = open_service.call("POST", path, ADMINISTRATOR, headers=KEY)
    again = open_service.call("POST", path, ADMINISTRATOR, headers=KEY)

    assert content_of(again) == content_of(replayed)
    (sent,) = [sent for sent in open_service.messages.sent if sent.queue == "action-completions"]
    assert sent.text == kept["text"]
    assert json.loads(kept["text"])["tenantId"] == Place.UNKNOWN.value


def test_what_was_refused_or_given_up_on_for_no_tenant_is_in_a_trail_of_its_own(open_service: Service) -> None:
    open_service.host.deliver("operations", "This is no Base64.")

    page = open_service.read("/v1/activity?top=1", READER)
    following = open_service.read(page["nextLink"].partition(answers.PREFIX)[2], READER)

    (refused,), (poisoned,) = page["value"], following["value"]
    assert (refused["kind"], refused["facts"]) == ("messageRefused", {"queue": "operations", "code": "invalidJson"})
    assert (poisoned["kind"], poisoned["facts"]["queue"]) == ("messagePoisoned", "action-completions")
