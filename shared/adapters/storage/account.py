"""The storage account: what opens it, how long we wait for it, and one client for all threads.

Nothing of Azure's libraries is loaded before the first request: they cost a cold start 200 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from shared.domain.secret import Secret

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient
    from azure.storage.queue import QueueServiceClient

T = TypeVar("T")

_TIMEOUTS: Final = {"connect_seconds": 5, "read_seconds": 10}
"""The libraries' own are 60 to 300: longer than a function may live."""
_RETRIES: Final = 3
_TABLES: Final[dict[str, Any]] = {"retry_total": _RETRIES, "retry_backoff_factor": 0.2}
"""The first repetition comes at once, the second after 0.4 seconds, the third after 0.8."""


@dataclass(frozen=True, slots=True)
class ByIdentity:
    """An account opened by the app's identity, which may be told to take no other way in (no shared key).

    Attributes:
        table_endpoint, queue_endpoint: e.g. `https://NAME.table.core.windows.net`; every cloud has its own suffix.
        credential: makes, or hands out, what opens it; asked at the first use.
    """

    table_endpoint: str
    queue_endpoint: str
    credential: Callable[[], TokenCredential]


class Once(Generic[T]):
    """Something made at its first use, once, whichever thread comes first."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: T | None = None
        self._lock = Lock()

    def __call__(self) -> T:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made

    @property
    def made(self) -> T | None:
        """It, if anybody has used it yet."""
        return self._made


class StorageAccount:
    """One storage account.

    Args:
        access: a connection string, or where the account is and whose identity opens it.
    """

    def __init__(self, access: Secret | ByIdentity) -> None:
        self._access = access
        self.tables: Final = Once(self._open_tables)
        self.queues: Final = Once(self._open_queues)

    def close(self) -> None:
        """Give the connections back. The app never does: they live as long as its process."""
        for client in (self.tables.made, self.queues.made):
            if client is not None:
                client.close()

    def _open_tables(self) -> TableServiceClient:
        from azure.data.tables import TableServiceClient

        from shared.adapters.tls import transport

        settings = {**_TABLES, "transport": transport(**_TIMEOUTS)}
        if isinstance(self._access, Secret):
            return TableServiceClient.from_connection_string(self._access.reveal(), **settings)
        return TableServiceClient(self._access.table_endpoint, credential=self._access.credential(), **settings)

    def _open_queues(self) -> QueueServiceClient:
        from azure.storage.queue import LinearRetry, QueueServiceClient

        from shared.adapters.tls import transport

        # This library's own repetitions begin after 15 seconds.
        retry = LinearRetry(backoff=1, random_jitter_range=1, retry_total=_RETRIES)
        settings: dict[str, Any] = {"retry_policy": retry, "transport": transport(**_TIMEOUTS)}
        if isinstance(self._access, Secret):
            return QueueServiceClient.from_connection_string(self._access.reveal(), **settings)
        return QueueServiceClient(self._access.queue_endpoint, credential=self._access.credential(), **settings)
