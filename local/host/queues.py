"""Queue triggers: polling, concurrency, retries and poison as the storage extension does them, only more often.

A message is hidden for ten minutes, and anew at half that time while its function runs. Success deletes it; failure
shows it again after visibilityTimeout, until maxDequeueCount tries are spent and a copy goes to `<queue>-poison`.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from local.host.options import QueueOptions
from local.host.protocol import TypedData

MESSAGE_LEASE = timedelta(minutes=10)  # the extension's own, which no setting changes

_FIRST_PAUSE = 0.02  # seconds; the extension begins with 0.1
_LONGEST_PAUSE = 1.0  # seconds, unless maxPollingInterval is shorter

_log = logging.getLogger("Host.Triggers.Queues")

Run = Callable[[str, dict[str, TypedData]], bool]
"""Runs the function on a message's text and trigger metadata; tells whether it succeeded."""


def decode(content: str, *, is_base64: bool) -> str:
    """The text of a message as it lies in the queue.

    Raises:
        ValueError: it is no base64 of UTF-8 text. The platform counts that as a failed run of the function.
    """
    try:
        return base64.b64decode(content, validate=True).decode() if is_base64 else content
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("Message decoding has failed! Check MessageEncoding settings.") from error


def trigger_metadata(message: QueueMessage, text: str) -> dict[str, TypedData]:
    """What the function can read about the message: the queue's values, overridden by the message's own top-level keys.

    The override, whatever the case of the key, is the platform's (azure-functions-host, Utility.ApplyBindingData).
    """
    metadata = {
        "Id": TypedData(string=message.id),
        "DequeueCount": TypedData(json=json.dumps(message.dequeue_count)),
        "InsertionTime": _moment(message.inserted_on),
        "ExpirationTime": _moment(message.expires_on),
        "NextVisibleTime": _moment(message.next_visible_on),
        "PopReceipt": TypedData(string=message.pop_receipt),
    }
    try:
        content = json.loads(text)
    except ValueError:
        return metadata
    if isinstance(content, dict):
        reserved = {name.lower(): name for name in metadata}
        for key, value in content.items():
            if key.lower() in reserved and not isinstance(value, list):
                text_value = value if isinstance(value, str) else json.dumps(value)
                metadata[reserved[key.lower()]] = TypedData(string=text_value)
    return metadata


def _moment(at: datetime | None) -> TypedData:
    return TypedData(json=json.dumps(at and at.isoformat()))


class QueueListener:
    """Polls one queue for one function. A queue that does not exist is an empty one."""

    def __init__(
        self, queue: QueueClient, poison: QueueClient, run: Run, options: QueueOptions, lease: timedelta = MESSAGE_LEASE
    ) -> None:
        """`lease` is how long a message stays hidden after its host was killed; at least two seconds."""
        self._queue = queue
        self._poison = poison
        self._run = run
        self._options = options
        self._lease = lease
        self._longest_pause = min(_LONGEST_PAUSE, options.max_polling_interval.total_seconds())
        self._deliveries: set[_Delivery] = set()
        self._wake = threading.Event()
        self._stopping = False
        workers = options.batch_size + options.new_batch_threshold
        self._workers = ThreadPoolExecutor(max_workers=workers, thread_name_prefix=f"queue-{queue.queue_name}")
        self._poller = threading.Thread(target=self._poll, name=f"poll-{queue.queue_name}", daemon=True)

    def start(self) -> None:
        """Begins to poll."""
        self._poller.start()

    def stop(self) -> None:
        """Takes no further message and returns when those under way are done."""
        self._stopping = True
        self._wake.set()
        self._poller.join()
        self._workers.shutdown(wait=True)
        self._queue.close()
        self._poison.close()

    def _poll(self) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping:
            self._wake.clear()
            for delivery in self._deliveries.copy():
                delivery.renew_if_due()
            pause = _FIRST_PAUSE if self._take_batch() else min(2 * pause, self._longest_pause)
            self._wake.wait(pause)

    def _take_batch(self) -> bool:
        """Starts work on a batch if there is room for one; tells whether there was any message."""
        if len(self._deliveries) > self._options.new_batch_threshold:
            return False
        hidden_for = int(self._lease.total_seconds())
        pages = self._queue.receive_messages(
            messages_per_page=self._options.batch_size,
            visibility_timeout=hidden_for,
            retry_total=0,  # polling is its own retry
        ).by_page()
        try:
            messages = list(next(pages, ()))
        except ResourceNotFoundError:
            return False
        except AzureError as error:
            _log.warning("Queue %s cannot be read: %s", self._queue.queue_name, type(error).__name__)
            return False
        for message in messages:
            delivery = _Delivery(self._queue, message, self._lease)
            self._deliveries.add(delivery)
            self._workers.submit(self._deliver, delivery)
        return bool(messages)

    def _deliver(self, delivery: _Delivery) -> None:
        try:
            self._settle(delivery)
        except AzureError as error:
            # As on the platform: nothing is lost, the message comes again when its lease ends.
            _log.warning("A message of queue %s stays: %s", self._queue.queue_name, type(error).__name__)
        finally:
            self._deliveries.discard(delivery)
            self._wake.set()

    def _settle(self, delivery: _Delivery) -> None:
        message, most = delivery.message, self._options.max_dequeue_count
        if (message.dequeue_count or 0) <= most and self._succeeds(message):
            delivery.delete()
        elif self._queue.queue_name.endswith("-poison"):
            # A poison queue has no poison queue, and the extension does not release its message either.
            return
        elif (message.dequeue_count or 0) < most:
            delivery.release(self._options.visibility_timeout)
        else:
            self._move_to_poison(delivery)

    def _succeeds(self, message: QueueMessage) -> bool:
        try:
            text = decode(message.content, is_base64=self._options.is_base64)
        except ValueError as error:
            _log.warning("Queue %s, message %s: %s", self._queue.queue_name, message.id, error)
            return False
        return self._run(text, trigger_metadata(message, text))

    def _move_to_poison(self, delivery: _Delivery) -> None:
        _log.warning(
            "Message has reached MaxDequeueCount of %d. Moving message to queue '%s'.",
            *(self._options.max_dequeue_count, self._poison.queue_name),
        )
        with suppress(ResourceExistsError):
            self._poison.create_queue()
        self._poison.send_message(delivery.message.content)
        delivery.delete()


class _Delivery:
    """A message under way, which one thread settles while another keeps it hidden."""

    def __init__(self, queue: QueueClient, message: QueueMessage, lease: timedelta) -> None:
        self.message = message
        self._queue = queue
        self._lease = lease
        self._lock = threading.Lock()
        self._is_settled = False
        self._renew_at = time.monotonic() + lease.total_seconds() / 2

    def renew_if_due(self) -> None:
        with self._lock, suppress(AzureError):
            if not self._is_settled and time.monotonic() >= self._renew_at:
                self._hide_for(self._lease)
                self._renew_at = time.monotonic() + self._lease.total_seconds() / 2

    def delete(self) -> None:
        with self._lock, suppress(ResourceNotFoundError):
            self._is_settled = True
            self._queue.delete_message(self.message)

    def release(self, hidden_for: timedelta) -> None:
        with self._lock, suppress(ResourceNotFoundError):
            self._is_settled = True
            self._hide_for(hidden_for)

    def _hide_for(self, duration: timedelta) -> None:
        # Each update gives the message a new pop receipt, without which it cannot be deleted.
        self.message = self._queue.update_message(self.message, visibility_timeout=int(duration.total_seconds()))
