"""Mark 2: leases are granted over the queues, against a function that makes the same storage requests for a message.

A batch for the one and a batch for the other, in turns. Neither sending nor collecting the answers counts, for a batch
becomes visible when it has been sent, and the host's log tells when the first run began and the last one ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle
from math import ceil
from statistics import median
from types import TracebackType
from typing import Final, Self

from azure.data.tables import TableClient
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

from bench.bare import functions as bare
from bench.executions import RunFailed, Runs
from bench.figures import Figure, at_least, ratio, timed
from bench.place import Place

_SENT_PER_SECOND: Final = 50
"""At least; a message is hidden for as long as its batch may take to be sent."""


def measure(place: Place, *, rounds: int, batch: int) -> Iterator[Figure]:
    """Each round works through a batch of ours and one of the bare function's; one that is spoiled is done again."""
    hidden = ceil(batch / _SENT_PER_SECOND)
    with place.mailbox() as mailbox, _Bare(place) as bare_messages:
        tenants = cycle(place.tenants)

        def ours() -> Runs:
            executions = place.executions()
            for _ in range(batch):
                mailbox.ask(next(tenants), hidden=hidden)
            runs = executions.wait_for("decideOnAction", batch)
            mailbox.forget()
            return runs

        def theirs() -> Runs:
            executions = place.executions()
            for number in range(batch):
                bare_messages.send(next(tenants), number, hidden=hidden)
            runs = executions.wait_for("bareRequest", batch)
            bare_messages.forget()
            return runs

        pairs: list[tuple[float, float]] = []
        for _ in range(2 * rounds + 1):
            # Azurite closes a connection that was not used for five seconds, and Azure's libraries do not try again.
            with suppress(RunFailed):
                pairs.append((ours().per_second, theirs().per_second))
            if len(pairs) > rounds:
                break
        del pairs[0]  # it warmed
    faster = median(our / their for our, their in pairs)
    yield ratio(2, "leases granted to bare requests, throughput", faster, at_least(0.8))
    yield timed(2, "leases granted", median(our for our, _ in pairs), "a second")
    yield timed(2, "bare requests", median(their for _, their in pairs), "a second")


class _Bare:
    """The bare function's messages, and the rows that it reads and writes."""

    def __init__(self, place: Place) -> None:
        connection = place.stack.addresses.storage_connection_string
        policy = TextBase64EncodePolicy()
        self._requests = QueueClient.from_connection_string(connection, bare.REQUESTS, message_encode_policy=policy)
        self._results = QueueClient.from_connection_string(connection, bare.RESULTS)
        with TableClient.from_connection_string(connection, bare.TABLE) as table:
            for tenant_id in place.tenants:
                table.submit_transaction([("upsert", gate) for gate in bare.gates(tenant_id)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._requests.close()
        self._results.close()

    def send(self, tenant_id: str, number: int, *, hidden: int) -> None:
        """One request, visible after `hidden` seconds."""
        message = {"partition": tenant_id, "number": number}
        self._requests.send_message(json.dumps(message), visibility_timeout=hidden)

    def forget(self) -> None:
        """Throw the answers away."""
        self._results.clear_messages()
