"""What nobody can read harms nobody: it is recorded where it can be, and lies in the poison queue where it cannot."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from local.client import Client
from local.stack import Stack
from tests.e2e.customer import Customer
from tests.e2e.telling import NO_BASE64, queue

pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("name", ["dequeueCount", "insertionTime", "id"])
def test_a_message_that_lies_about_itself_is_recorded_and_never_comes_again(
    client: Client, stack: Stack, name: str
) -> None:
    customer = Customer.onboarded(client)
    text = json.dumps({"tenantId": customer.tenant_id, name: "only for tests"})

    with queue(stack, "action-requests") as requests:
        requests.send_message(b64encode(text.encode()).decode())
        customer.wait(lambda: any(entry["kind"] == "messageRefused" for entry in customer.activity()))
        customer.wait(lambda: requests.get_queue_properties().approximate_message_count == 0)

    refused = [entry["facts"]["code"] for entry in customer.activity() if entry["kind"] == "messageRefused"]
    assert refused in (["missingField"], ["unknownField"])


def test_a_message_that_is_no_base64_ends_in_the_poison_queue_and_keeps_nobody_waiting(
    client: Client, stack: Stack
) -> None:
    customer = Customer.turned_on(client)

    with queue(stack, "action-completions-poison") as poison:
        customer.wait(lambda: bool(poison.get_queue_properties().approximate_message_count), within=60)
        lying = [message.content for message in poison.peek_messages()]
    action_id = customer.ask()
    customer.decision(action_id)
    customer.executor.complete(customer.tenant_id, action_id)

    customer.wait(lambda: customer.session()["leases"] == 0)
    assert lying in ([], [NO_BASE64]), "the door of the poison queue may be looking at it"
    assert client.api("GET", "/health/ready").status == 200
