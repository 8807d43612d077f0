"""The adapters as production builds them, on an Azurite that other suites use too: hence tables of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from azure.core.pipeline.transport import RequestsTransport

from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.table import AzureTable
from shared.domain.secret import Secret

NewTable = Callable[[], AzureTable]


@pytest.fixture(scope="session")
def account(azurite: str) -> Iterator[StorageAccount]:
    """The account, opened by its connection string."""
    opened = StorageAccount(Secret(azurite))
    yield opened
    opened.close()


@pytest.fixture
def second_account(azurite: str) -> Iterator[StorageAccount]:
    """The account again, for a test that closes it."""
    opened = StorageAccount(Secret(azurite))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def new_table(account: StorageAccount) -> NewTable:
    """Makes an empty table that nobody else uses."""

    def make() -> AzureTable:
        name = f"Test{uuid4().hex}"
        account.tables().create_table(name)
        return AzureTable(account, name)

    return make


@pytest.fixture(scope="session")
def tenants(new_table: NewTable) -> AzureTable:
    """A table for tenants, each of a test's own."""
    return new_table()


@pytest.fixture
def requests_sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The method of every request that Azure's libraries have sent during the test."""
    sent: list[str] = []
    send = RequestsTransport.send

    def recording(transport: RequestsTransport, request: Any, **options: Any) -> Any:
        sent.append(request.method)
        return send(transport, request, **options)

    monkeypatch.setattr(RequestsTransport, "send", recording)
    return sent
