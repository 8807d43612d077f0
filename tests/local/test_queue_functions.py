"""Messages are run, retried and put aside as the storage extension does it, on a real queue."""

from __future__ import annotations

import base64
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from local.host import FunctionHost
from local.host.options import SettingMissing
from tests.local.conftest import APP


@pytest.fixture
def queue(settings: dict[str, str]) -> Iterator[QueueClient]:
    """The queue that Record listens on."""
    with QueueClient.from_connection_string(settings["SessionStorage"], settings["WORK_QUEUE"]) as client:
        client.create_queue()
        yield client


@pytest.fixture
def poison(settings: dict[str, str]) -> Iterator[QueueClient]:
    """The queue that Poisoned listens on; the host makes it when it needs it."""
    name = f"{settings['WORK_QUEUE']}-poison"
    with QueueClient.from_connection_string(settings["SessionStorage"], name) as client:
        yield client


def until(condition: Callable[[], bool]) -> None:
    """Waits until the condition holds, ten seconds at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "It did not come true in time."
        time.sleep(0.02)


def length(queue: QueueClient) -> int:
    """How many messages the queue holds, hidden ones included."""
    with suppress(ResourceNotFoundError):
        return queue.get_queue_properties().approximate_message_count or 0
    return 0


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def app_with(directory: Path, **options: str) -> Path:
    """The app again, with other options for its queues."""
    copied = shutil.copytree(APP, directory / "app")
    host_json = json.loads((copied / "host.json").read_text("utf-8"))
    host_json["extensions"]["queues"] |= options
    (copied / "host.json").write_text(json.dumps(host_json), "utf-8")
    return copied


def test_a_message_is_run_once_with_its_metadata_and_then_deleted(
    host: FunctionHost, app: ModuleType, queue: QueueClient
) -> None:
    sent = queue.send_message(encoded('{"requestId": "1"}'))

    host.poll()
    until(lambda: len(app.messages) > 0 and length(queue) == 0)

    (message,) = app.messages
    assert message.get_json() == {"requestId": "1"}
    assert (message.id, message.dequeue_count) == (sent.id, 1)
    assert message.insertion_time is not None
    assert message.expiration_time - message.insertion_time == timedelta(days=7)


def test_a_queue_that_is_made_later_is_polled_like_any_other(
    host: FunctionHost, app: ModuleType, settings: dict[str, str]
) -> None:
    host.poll()

    with QueueClient.from_connection_string(settings["SessionStorage"], settings["WORK_QUEUE"]) as queue:
        queue.create_queue()
        queue.send_message(encoded("late"))

    until(lambda: [message.get_body() for message in app.messages] == [b"late"])


def test_a_message_that_fails_five_times_goes_to_poison(
    host: FunctionHost, app: ModuleType, queue: QueueClient, caplog: pytest.LogCaptureFixture
) -> None:
    queue.send_message(encoded("fail"))

    with caplog.at_level(logging.WARNING):
        host.poll()
        until(lambda: app.poisoned == ["fail"])

    assert [message.dequeue_count for message in app.messages] == [1, 2, 3, 4, 5]
    assert length(queue) == 0
    moved = f"Message has reached MaxDequeueCount of 5. Moving message to queue '{queue.queue_name}-poison'."
    assert moved in caplog.messages


@pytest.mark.parametrize("content", ["not base64!", base64.b64encode(b"\xff\xfe").decode()])
def test_a_message_that_cannot_be_decoded_goes_to_poison_and_never_runs(
    host: FunctionHost, app: ModuleType, queue: QueueClient, poison: QueueClient, content: str
) -> None:
    queue.send_message(content)

    host.poll()
    until(lambda: length(queue) == 0 and length(poison) == 1)

    assert app.messages == []
    assert app.poisoned == []  # it cannot be decoded there either, and stays


@pytest.mark.parametrize("content", ["not base64!", encoded("text"), '{"dequeueCount": 99}', "héllo"])
def test_an_app_that_decodes_messages_itself_is_given_what_lies_in_the_queue(
    settings: dict[str, str], queue: QueueClient, tmp_path: Path, content: str
) -> None:
    directory = app_with(tmp_path, messageEncoding="none")
    queue.send_message(content)

    with FunctionHost(directory, settings) as host:
        app = sys.modules["function_app"]
        host.poll()
        until(lambda: length(queue) == 0)

    assert [message.get_body() for message in app.messages] == [content.encode()]


def test_a_failed_message_is_hidden_as_long_as_host_json_says(
    settings: dict[str, str], queue: QueueClient, tmp_path: Path
) -> None:
    directory = app_with(tmp_path, visibilityTimeout="00:00:30")
    queue.send_message(encoded("fail"))

    with FunctionHost(directory, settings) as host:
        app = sys.modules["function_app"]
        host.poll()
        until(lambda: len(app.messages) == 1)
        time.sleep(1)  # time enough for several more runs, were it shown again

    assert len(app.messages) == 1
    assert length(queue) == 1


def test_a_message_that_fails_on_a_poison_queue_stays_there_hidden(
    host: FunctionHost, app: ModuleType, queue: QueueClient, poison: QueueClient
) -> None:
    poison.create_queue()
    poison.send_message(encoded("fail again"))

    host.poll()
    until(lambda: len(app.poisoned) == 1)
    time.sleep(0.5)  # time enough for several more runs, were it shown again

    assert app.poisoned == ["fail again"]
    assert length(poison) == 1


def test_a_run_longer_than_the_lease_is_not_run_twice(settings: dict[str, str], queue: QueueClient) -> None:
    queue.send_message(encoded("slow"))

    with FunctionHost(APP, settings, message_lease=timedelta(seconds=2)) as host:
        app = sys.modules["function_app"]
        host.poll()
        until(lambda: len(app.messages) == 1)
        time.sleep(3)  # longer than the lease, which is renewed while the function runs
        app.released.set()
        until(lambda: length(queue) == 0)

    assert len(app.messages) == 1


def test_one_batch_runs_at_the_same_time_and_the_next_waits_for_it(
    host: FunctionHost, app: ModuleType, queue: QueueClient
) -> None:
    for _ in range(10):
        queue.send_message(encoded("slow"))

    host.poll()
    until(lambda: len(app.messages) == 4)
    time.sleep(0.3)

    assert len(app.messages) == 4  # batchSize; with more than newBatchThreshold under way no other batch is taken
    app.released.set()
    until(lambda: length(queue) == 0)
    assert len(app.messages) == 10


def test_top_level_keys_of_a_message_override_its_metadata_whatever_their_case(
    host: FunctionHost, app: ModuleType, settings: dict[str, str]
) -> None:
    outcome = host.deliver(settings["WORK_QUEUE"], '{"ID": "spoofed", "dequeuecount": 99, "popReceipt": ["kept"]}')

    assert outcome.succeeded
    (message,) = app.messages
    assert (message.id, message.dequeue_count, message.pop_receipt) == ("spoofed", 99, "by-hand")


def test_metadata_overridden_by_nonsense_fails_before_the_function_runs(
    host: FunctionHost, app: ModuleType, settings: dict[str, str]
) -> None:
    outcome = host.deliver(settings["WORK_QUEUE"], '{"dequeueCount": "many"}')

    assert not outcome.succeeded
    assert app.messages == []


def test_a_failing_function_tells_why(host: FunctionHost, settings: dict[str, str]) -> None:
    outcome = host.deliver(settings["WORK_QUEUE"], "fail", dequeue_count=5)

    assert not outcome.succeeded
    assert outcome.error == "RuntimeError: only-for-tests-raised"
    assert "function_app.py" in outcome.stack_trace


def test_a_queue_nobody_listens_on_cannot_be_delivered_to(host: FunctionHost) -> None:
    with pytest.raises(LookupError, match="nowhere"):
        host.deliver("nowhere", "text")


def test_polling_without_a_connection_string_says_which_setting_is_missing(settings: dict[str, str]) -> None:
    del settings["SessionStorage"]

    with FunctionHost(APP, settings) as host, pytest.raises(SettingMissing, match="SessionStorage"):
        host.poll()
