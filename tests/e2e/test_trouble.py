"""What nobody can read harms nobody: it is recorded for support, lies in no queue and keeps nobody waiting."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from contextlib import suppress
from functools import partial

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue import QueueClient

from local.client import Client
from local.stack import Stack
from local.tokens import bearer
from tests.e2e.customer import Customer
from tests.e2e.telling import queue

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


@pytest.mark.parametrize("content", ["This is no Base64.", b64encode(b"\xff\xfe").decode()])
def test_a_message_that_nobody_can_read_is_recorded_at_its_first_delivery_whatever_queue_it_lies_in(
    client: Client, stack: Stack, content: str
) -> None:
    customer = Customer.turned_on(client)
    before = refused_for_nobody(client)
    read = ("operations", "action-requests", "action-completions")
    names = [*read, *(f"{name}-poison" for name in read)]

    for name in names:
        with queue(stack, name) as each:
            with suppress(ResourceExistsError):  # the platform makes a poison queue when it needs one
                each.create_queue()
            each.send_message(content)

    customer.wait(lambda: refused_for_nobody(client) - before == Counter({(name, "invalidJson"): 1 for name in names}))
    for name in names:
        with queue(stack, name) as each:
            customer.wait(partial(is_empty, each))
    action_id = customer.ask()
    customer.decision(action_id)
    customer.executor.complete(customer.tenant_id, action_id)
    customer.wait(lambda: customer.session()["leases"] == 0)


def is_empty(queue: QueueClient) -> bool:
    return queue.get_queue_properties().approximate_message_count == 0


def refused_for_nobody(client: Client) -> Counter[tuple[str, str]]:
    """Queue and code of every message that was refused and is about no tenant."""
    page = client.api("GET", "/v1/activity?top=200", token=bearer(client, "reader")).json
    assert isinstance(page, dict)
    refused = [entry["facts"] for entry in page["value"] if entry["kind"] == "messageRefused"]
    return Counter((facts["queue"], facts["code"]) for facts in refused)
