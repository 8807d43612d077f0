"""When storage fails: every failure is told in our own words, and nothing is repeated that might have been done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ResourceNotFoundError
from azure.core.pipeline.transport import HttpTransport

from local.children import free_ports
from shared.adapters.storage.account import ByIdentity, StorageAccount
from shared.adapters.storage.due_table import DueTable
from shared.adapters.storage.messages import OPERATIONS
from shared.adapters.storage.queues import QueueMessages
from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.errors import Code, ManagementSessionError, ReplyLost, Transient
from shared.domain.ids import OperationId
from shared.domain.store import Due, Insert
from tests.contract.ports.storage.stub import TOKEN, StubStorage, TestIdentity, stub_storage
from tests.fakes.sample_rows import NOW, new_tenant_id, tenant_row

Act = Callable[[StorageAccount], object]

TENANT = new_tenant_id()
NO_TABLE = f"Missing{TENANT.hex}"
ACTS: dict[str, Act] = {
    "read": lambda account: TenantTable(AzureTable(account, NO_TABLE)).tenant(TENANT),
    "range": lambda account: TenantTable(AzureTable(account, NO_TABLE)).overview(TENANT),
    "commit": lambda account: TenantTable(AzureTable(account, NO_TABLE)).commit(TENANT, [Insert(tenant_row(TENANT))]),
    "put": lambda account: DueTable(AzureTable(account, NO_TABLE)).add(Due(TENANT, NOW)),
    "delete": lambda account: DueTable(AzureTable(account, NO_TABLE)).remove(Due(TENANT, NOW)),
    "send": lambda account: QueueMessages(account).send_operation(TENANT, OperationId(uuid4())),
}


@pytest.fixture(scope="module")
def stub_and_bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StubStorage, Path]]:
    """A stub for this file."""
    bundle = tmp_path_factory.mktemp("stub") / "authorities.pem"
    with stub_storage(bundle) as stub:
        yield stub, bundle


@pytest.fixture
def stub(stub_and_bundle: tuple[StubStorage, Path], monkeypatch: pytest.MonkeyPatch) -> StubStorage:
    """The stub, which hangs up on everybody until it is told otherwise."""
    stub, bundle = stub_and_bundle
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    stub.status, stub.code, stub.headers = None, "", {}
    stub.received.clear()
    return stub


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that Azure's libraries would have slept between two tries."""
    slept: list[float] = []
    monkeypatch.setattr(HttpTransport, "sleep", lambda _, seconds: slept.append(seconds))
    return slept


def failure_of(act: str, account: StorageAccount) -> Exception:
    """What the act raises."""
    try:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - what it is, is what the test asks
            ACTS[act](account)
        return caught.value
    finally:
        account.close()


@pytest.mark.usefixtures("pauses")
class TestOurWords:
    """Which of our errors each failure becomes."""

    @pytest.mark.parametrize("act", ACTS)
    def test_an_account_that_cannot_be_reached_is_transient_and_nothing_was_done(self, act: str) -> None:
        url = f"https://127.0.0.1:{free_ports(1)[0]}"

        error = failure_of(act, StorageAccount(ByIdentity(url, url, TestIdentity)))

        assert type(error) is Transient
        assert error.problem.code is Code.SERVICE_UNAVAILABLE

    @pytest.mark.parametrize("act", ACTS)
    def test_a_lost_reply_is_told_as_such(self, stub: StubStorage, act: str) -> None:
        error = failure_of(act, stub.account())

        assert type(error) is ReplyLost
        assert error.problem.code is Code.SERVICE_UNAVAILABLE

    @pytest.mark.parametrize("act", ACTS)
    @pytest.mark.parametrize(
        ("status", "code"),
        [(401, "InvalidAuthenticationInfo"), (403, "AuthorizationPermissionMismatch"), (403, "AuthenticationFailed")],
    )
    def test_an_identity_that_is_not_let_in_is_transient(
        self, stub: StubStorage, act: str, status: int, code: str
    ) -> None:
        stub.status, stub.code = status, code

        error = failure_of(act, stub.account())

        assert type(error) is Transient
        assert error.problem.code is Code.SERVICE_UNAVAILABLE

    @pytest.mark.parametrize("act", ACTS)
    def test_an_identity_that_has_no_token_is_transient(self, stub: StubStorage, act: str) -> None:
        class NoIdentity:
            def get_token(self, *scopes: str, **options: object) -> AccessToken:
                raise ClientAuthenticationError("no identity")

        error = failure_of(act, StorageAccount(ByIdentity(stub.url, stub.url, NoIdentity)))

        assert type(error) is Transient
        assert stub.received == []

    @pytest.mark.parametrize("act", ACTS)
    def test_a_busy_account_says_when_to_come_back(self, stub: StubStorage, act: str) -> None:
        stub.status, stub.code, stub.headers = 503, "ServerBusy", {"Retry-After": "7"}

        error = failure_of(act, stub.account())

        assert type(error) is Transient
        assert error.retry_after == timedelta(seconds=7)

    @pytest.mark.parametrize("act", ACTS)
    @pytest.mark.parametrize(("status", "code"), [(500, "OperationTimedOut"), (504, "OperationTimedOut")])
    def test_a_failure_inside_storage_leaves_the_effect_unknown(
        self, stub: StubStorage, act: str, status: int, code: str
    ) -> None:
        stub.status, stub.code = status, code

        assert type(failure_of(act, stub.account())) is ReplyLost

    @pytest.mark.parametrize("act", ACTS)
    def test_a_request_that_is_wrong_is_a_defect_of_ours(self, stub: StubStorage, act: str) -> None:
        stub.status, stub.code = 400, "InvalidInput"

        error = failure_of(act, stub.account())

        assert type(error) is RuntimeError
        assert "400 InvalidInput" in str(error)

    @pytest.mark.parametrize("act", ACTS)
    @pytest.mark.parametrize("status", [None, 401, 500, 503])
    def test_what_the_library_raised_is_the_cause_and_no_part_of_the_text(
        self, stub: StubStorage, act: str, status: int | None
    ) -> None:
        stub.status = status

        error = failure_of(act, stub.account())

        assert isinstance(error, ManagementSessionError)
        assert error.__cause__ is not None
        assert "Only for tests" not in str(error)
        assert "127.0.0.1" not in str(error)

    @pytest.mark.parametrize("act", ["read", "range", "commit", "put"])
    def test_a_missing_table_is_not_a_missing_tenant(self, second_account: StorageAccount, act: str) -> None:
        error = failure_of(act, second_account)

        assert type(error) is Transient

    def test_a_missing_queue_is_not_a_lost_message(self, second_account: StorageAccount) -> None:
        with suppress(ResourceNotFoundError):
            second_account.queues().delete_queue(OPERATIONS)

        assert type(failure_of("send", second_account)) is Transient


class TestRepetition:
    """How often a request is sent, and with what."""

    @pytest.mark.parametrize(("act", "times"), [("read", 4), ("range", 4), ("put", 4), ("delete", 4), ("send", 4)])
    def test_what_can_be_done_twice_is_tried_four_times(
        self, stub: StubStorage, pauses: list[float], act: str, times: int
    ) -> None:
        failure_of(act, stub.account())

        assert len(stub.received) == times
        assert sum(pauses) <= 6

    def test_a_commit_whose_reply_is_lost_is_never_sent_again(self, stub: StubStorage, pauses: list[float]) -> None:
        failure_of("commit", stub.account())

        assert len(stub.received) == 1
        assert pauses == []

    def test_a_commit_that_could_not_be_sent_is_tried_again(self, pauses: list[float]) -> None:
        url = f"https://127.0.0.1:{free_ports(1)[0]}"

        failure_of("commit", StorageAccount(ByIdentity(url, url, TestIdentity)))

        assert pauses == [pytest.approx(0.4), pytest.approx(0.8)]

    def test_a_commit_that_storage_was_too_busy_for_is_sent_again(self, stub: StubStorage, pauses: list[float]) -> None:
        stub.status, stub.code = 503, "ServerBusy"

        failure_of("commit", stub.account())

        assert len(stub.received) == 4
        assert pauses == [pytest.approx(0.4), pytest.approx(0.8)]

    def test_the_identitys_token_opens_tables_and_queues(self, stub: StubStorage, pauses: list[float]) -> None:
        failure_of("read", stub.account())
        failure_of("send", stub.account())

        assert {authorization for _, authorization in stub.received} == {f"Bearer {TOKEN}"}
