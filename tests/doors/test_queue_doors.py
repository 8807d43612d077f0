"""What comes over a queue is taken at its word only if the contract knows it; the rest is recorded, once, and gone."""

from __future__ import annotations

import json
from base64 import b64encode, encodebytes
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from local.host import FunctionHost
from shared.domain.action import ActionKind, Verdict
from shared.domain.errors import unavailable
from shared.domain.ids import TenantId
from shared.services.record_refusal import NOBODY
from tests.contract.test_contract_files import BAD, GOOD, PLATFORM_NAMES, by_name
from tests.doors.people import EXECUTOR, OPERATOR, Place
from tests.doors.service import Json, Service, action_request

SCHEMAS: Final = {
    "action-requests": "actionRequestV1",
    "action-completions": "actionCompletionV1",
    "operations": "operationMessageV1",
}
QUEUES: Final = [*SCHEMAS, *(f"{queue}-poison" for queue in SCHEMAS)]
OWN: Final = TenantId(UUID(Place.OWN.value))
MALFORMED: Final[Mapping[str, tuple[str, str]]] = {
    "nothing": ("", "missingField"),
    "a word": ("hello", "invalidJson"),
    "half an object": ('{"schemaVersion": 1', "invalidJson"),
    "an array": ("[]", "notAnObject"),
    "an array of messages": ("[{}, {}]", "notAnObject"),
    "a number": ("1", "notAnObject"),
    "null": ("null", "notAnObject"),
    "a text": ('"schemaVersion"', "notAnObject"),
    "an empty object": ("{}", "missingField"),
    "a name twice": ('{"tenantId": "a", "tenantId": "b"}', "duplicateKey"),
    "a name twice that is no text": ('{"\\ud800": 1, "\\ud800": 2}', "invalidJson"),
    "a name that is no text": ('{"\\ud800": 1}', "invalidJson"),
    "nested too deep": ('{"a":' * 9_000, "invalidJson"),
    "too large": (json.dumps({"x": "y" * 48 * 1024}), "bodyTooLarge"),
    "a later version": ('{"schemaVersion": 2, "whatever": {"is": "new"}}', "unsupportedSchemaVersion"),
    "a much later version": (f'{{"schemaVersion": {2**70}}}', "unsupportedSchemaVersion"),
    "no version": ('{"schemaVersion": "1"}', "invalidValue"),
    "a version that is true": ('{"schemaVersion": true}', "invalidValue"),
    "markup": ("<QueueMessage/>", "invalidJson"),
}
UNREADABLE: Final[Mapping[str, str]] = {
    "a sentence": "This is no Base64.",
    "a message as it is": '{"schemaVersion": 1}',
    "a list": "[]",
    "half of it": "eyJ0ZW5hbnRJZCI6I",
    "the other alphabet": "eyJh_-__",
    "bytes that are no text": b64encode(b"\xff\xfe\x00").decode(),
    "text that is no ASCII": "é🦔",
    "a number": "123",
}
"""What lies in a queue and is no Base64 of JSON in UTF-8."""
BAD_MESSAGES = [path for path in BAD if path.parent.name in SCHEMAS.values()]
GOOD_MESSAGES = [path for path in GOOD if path.parent.name in SCHEMAS.values()]


def refusals(service: Service, tenant_id: TenantId = NOBODY) -> list[Mapping[str, str]]:
    """The facts of the messages that were refused, the latest first."""
    page = service.store.activity(tenant_id, limit=200, continuation=None)
    return [entry.facts for entry in page.items if entry.event == "messageRefused"]


def queue_of(schema: str) -> str:
    return next(queue for queue, name in SCHEMAS.items() if name == schema)


def message_for(service: Service, queue: str) -> Json:
    """A message that the queue's door takes."""
    head = {"schemaVersion": 1, "tenantId": Place.OWN.value}
    match queue.removesuffix("-poison"):
        case "action-requests":
            return action_request(Place.OWN, EXECUTOR, str(uuid4()))
        case "action-completions":
            return {**head, "actionId": service.actions[Place.OWN, EXECUTOR], "outcome": "succeeded"}
        case _:
            return {**head, "operationId": service.operations[Place.OWN]}


def test_every_queue_door_of_the_app_is_in_the_table(host: FunctionHost) -> None:
    triggers = [trigger for function in host.functions if (trigger := function.trigger("queueTrigger"))]

    assert {str(trigger["queueName"]) for trigger in triggers} == set(QUEUES)
    assert {str(trigger["connection"]) for trigger in triggers} == {"SessionStorage"}


@pytest.mark.parametrize(("text", "code"), MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("queue", QUEUES)
def test_a_malformed_message_is_recorded_once_and_not_delivered_again(
    service: Service, queue: str, text: str, code: str
) -> None:
    before = service.log.calls.copy()

    outcome = service.deliver(queue, text)

    assert outcome.succeeded
    assert [(facts["queue"], facts["code"]) for facts in refusals(service)] == [(queue, code)]
    assert {call.port for call in service.log.calls[len(before) :]} <= {"TenantStore", "DueList"}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_that_nobody_can_read_is_recorded_once_and_not_delivered_again(
    service: Service, queue: str, content: str
) -> None:
    outcome = service.host.deliver(queue, content)

    assert outcome.succeeded
    assert refusals(service) == [{"queue": queue, "code": "invalidJson"}]
    assert service.messages.sent == []


@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_that_was_not_encoded_is_filed_under_the_tenant_it_names(open_service: Service, queue: str) -> None:
    kept, sent = open_service.kept(), len(open_service.messages.sent)

    outcome = open_service.host.deliver(queue, json.dumps(message_for(open_service, queue)))

    assert outcome.succeeded
    assert refusals(open_service, OWN) == [{"queue": queue, "code": "invalidJson"}]
    assert (open_service.kept() >= kept, len(open_service.messages.sent)) == (True, sent)


@pytest.mark.parametrize("queue", QUEUES)
def test_base64_may_be_broken_into_lines(open_service: Service, queue: str) -> None:
    message = json.dumps(message_for(open_service, queue)).encode()

    outcome = open_service.host.deliver(queue, encodebytes(message).decode())

    assert outcome.succeeded
    assert refusals(open_service) == refusals(open_service, OWN) == []


@pytest.mark.parametrize("path", BAD_MESSAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_bad_example_of_the_contract_is_refused_as_it_says(open_service: Service, path: Any) -> None:
    example = json.loads(path.read_text("utf-8"))
    queue, sent = queue_of(path.parent.name), len(open_service.messages.sent)
    expected = {"queue": queue, "code": example["code"]} | ({"target": example["target"]} if example["target"] else {})

    outcome = open_service.deliver(queue, example["instance"])

    assert outcome.succeeded
    assert refusals(open_service) == [expected]
    assert len(open_service.messages.sent) == sent


@pytest.mark.parametrize("path", GOOD_MESSAGES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_good_example_of_the_contract_is_taken(open_service: Service, path: Any) -> None:
    outcome = open_service.deliver(queue_of(path.parent.name), path.read_text("utf-8"))

    assert outcome.succeeded
    assert refusals(open_service) == []


@pytest.mark.parametrize("value", ["99", "x", 99, None, True, {"a": 1}, "2026-01-01T00:00:00Z"], ids=repr)
@pytest.mark.parametrize("name", sorted({"Id", "DEQUEUECOUNT"} | PLATFORM_NAMES))
@pytest.mark.parametrize("queue", QUEUES)
def test_a_message_that_claims_what_only_the_platform_knows_is_refused(
    shared: Service, queue: str, name: str, value: object
) -> None:
    kept, sent = shared.kept(), len(shared.messages.sent)
    message = message_for(shared, queue) | {name: value}

    outcome = shared.deliver(queue, message)
    as_it_is = shared.host.deliver(queue, json.dumps(message))

    assert (outcome.succeeded, as_it_is.succeeded) == (True, True), (outcome.error, as_it_is.error)
    added = {json.dumps(json.loads(line)["facts"]) for line in shared.kept() - kept}
    assert len(shared.messages.sent) == sent
    assert added == {
        json.dumps({"queue": queue, "code": "unknownField", "target": name}),
        json.dumps({"queue": queue, "code": "invalidJson"}),
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_a_malformed_message_is_filed_under_the_tenant_it_names_if_there_is_one(
    open_service: Service, queue: str
) -> None:
    surplus = message_for(open_service, queue) | {"surplus": "only-for-tests-password"}

    open_service.deliver(queue, surplus)
    open_service.deliver(queue, surplus | {"tenantId": Place.UNKNOWN.value})
    open_service.deliver(queue, surplus | {"tenantId": "contoso"})

    assert [len(refusals(open_service, tenant)) for tenant in (OWN, NOBODY)] == [1, 2]
    assert "only-for-tests-password" not in "\n".join(open_service.kept())
    (entry,) = [e for e in open_service.read(f"/v1/tenants/{OWN}/activity")["value"] if e["kind"] == "messageRefused"]
    assert entry["facts"] == {"queue": queue, "code": "unknownField", "target": "surplus"}


@pytest.mark.parametrize("queue", QUEUES)
def test_when_the_tables_are_away_the_message_comes_again_and_its_failure_tells_nothing(
    open_service: Service, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    message = message_for(open_service, queue)
    open_service.log.fail(len(open_service.log) + 1, unavailable("only-for-tests-secret"))

    failed = open_service.deliver(queue, message)
    open_service.log.fail(len(open_service.log) + 1, RuntimeError("only-for-tests-secret"))
    broken = open_service.deliver(queue, message)
    again = open_service.deliver(queue, message)

    assert (failed.succeeded, broken.succeeded, again.succeeded) == (False, False, True)
    told = f"{failed.error} {failed.stack_trace} {broken.error} {broken.stack_trace} {caplog.text}"
    assert "only-for-tests-secret" not in told
    assert (failed.error, broken.error) == (
        f"MessageFailed: {queue}: upstreamUnavailable",
        f"MessageFailed: {queue}: RuntimeError",
    )


@pytest.mark.parametrize("kind", ActionKind)
def test_each_kind_is_answered_on_its_own_queue(open_service: Service, kind: ActionKind) -> None:
    action_id = open_service.ask(Place.OWN, EXECUTOR, kind=kind)

    sent = open_service.messages.decisions[-1]

    assert (str(sent.decision.action_id), sent.kind, sent.decision.verdict) == (action_id, kind, Verdict.READY)
    assert [error.message for error in by_name("actionResultV1").iter_errors(json.loads(sent.text))] == []


def test_the_same_request_again_gets_the_same_decision_again_and_nothing_else(open_service: Service) -> None:
    request = action_request(Place.OWN, EXECUTOR, str(uuid4()))
    open_service.deliver("action-requests", request)
    first, kept = open_service.messages.decisions[-1], open_service.kept()

    open_service.clock.advance(timedelta(minutes=1))
    open_service.deliver("action-requests", request)
    open_service.deliver("action-requests", request | {"kind": "customAction", "duration": "PT5M"})

    again = open_service.messages.decisions[-2:]
    assert [sent.decision for sent in again] == [first.decision] * 2
    assert open_service.kept() == kept


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_the_same_completion_again_changes_nothing(open_service: Service, outcome: str) -> None:
    message = message_for(open_service, "action-completions") | {"outcome": outcome}
    open_service.deliver("action-completions", message)
    kept, sent = open_service.kept(), len(open_service.messages.sent)

    open_service.clock.advance(timedelta(minutes=1))
    open_service.deliver("action-completions", message)
    open_service.deliver("action-completions", message | {"outcome": "succeeded"})

    assert (open_service.kept(), len(open_service.messages.sent)) == (kept, sent)
    action = open_service.read(f"/v1/tenants/{OWN}/actions/{message['actionId']}")
    assert (action["state"], action["outcome"]) == ("completed", outcome)


def test_the_completion_of_an_action_nobody_asked_for_changes_nothing(open_service: Service) -> None:
    kept = open_service.kept()
    message = message_for(open_service, "action-completions") | {"actionId": str(uuid4())}

    assert open_service.deliver("action-completions", message).succeeded
    assert open_service.deliver("action-completions", message | {"tenantId": Place.UNKNOWN.value}).succeeded

    assert open_service.kept() == kept


def test_an_operation_that_has_ended_is_not_carried_out_again(open_service: Service) -> None:
    kept, logged = open_service.kept(), len(open_service.log)

    assert open_service.deliver("operations", message_for(open_service, "operations")).succeeded

    assert open_service.kept() == kept
    assert {call.port for call in open_service.log.calls[logged:]} == {"TenantStore"}


def test_a_message_about_an_operation_nobody_knows_is_let_go(open_service: Service) -> None:
    kept = open_service.kept()
    message = message_for(open_service, "operations") | {"operationId": str(uuid4())}

    assert open_service.deliver("operations", message).succeeded
    assert open_service.deliver("operations", message | {"tenantId": Place.UNKNOWN.value}).succeeded

    assert open_service.kept() == kept


def test_the_correlation_id_of_what_an_action_causes_is_the_actions_id(open_service: Service) -> None:
    action_id = open_service.ask(Place.OWN, EXECUTOR)

    entries = open_service.read(f"/v1/tenants/{OWN}/activity", OPERATOR)["value"]

    assert {entry["correlationId"] for entry in entries if entry.get("actionId") == action_id} == {action_id}
