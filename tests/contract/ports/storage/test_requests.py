"""What each call costs: how many requests the adapters send to Azure Storage."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.due_table import DueTable
from shared.adapters.storage.queues import QueueMessages
from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.action import ActionKind, Decision, Verdict
from shared.domain.errors import Refused
from shared.domain.ids import ActionId, OperationId, TenantId
from shared.domain.lease import GateState
from shared.domain.session import SessionState
from shared.domain.store import Due, Insert, SetGates, summary_of
from tests.contract.ports.storage.conftest import NewTable
from tests.contract.ports.storage.test_messages import AzureStage
from tests.fakes.sample_rows import (
    NOW,
    PROBLEM,
    action_row,
    activity_row,
    full_tenant_row,
    new_tenant_id,
    onboarding,
    operation_row,
    parked_row,
    poison_row,
    replay_row,
    tenant_row,
)


class TestTenantTable:
    """One request each."""

    @pytest.fixture
    def store(self, tenants: AzureTable) -> TenantTable:
        return TenantTable(tenants)

    @pytest.fixture
    def tenant_id(self, store: TenantTable) -> TenantId:
        tenant_id = new_tenant_id()
        store.commit(tenant_id, onboarding(tenant_row(tenant_id)))
        return tenant_id

    def test_each_read_is_one_request(self, store: TenantTable, tenant_id: TenantId, requests_sent: list[str]) -> None:
        operation, action, replay = operation_row(tenant_id), action_row(tenant_id), replay_row()
        message = poison_row()
        store.commit(tenant_id, [Insert(operation), Insert(action), Insert(replay), Insert(parked_row(tenant_id))])
        store.commit(tenant_id, [Insert(message)])
        store.commit(tenant_id, [Insert(activity_row(tenant_id)) for _ in range(4)])
        requests_sent.clear()

        store.tenant(tenant_id)
        store.overview(tenant_id)
        store.gate(tenant_id, 7)
        store.operation(tenant_id, operation.operation_id)
        store.action(tenant_id, action.request.action_id)
        store.replay(tenant_id, replay.key)
        store.parked(tenant_id)
        store.policy_check(tenant_id)
        store.activity(tenant_id, limit=3, continuation=None)
        store.poison_messages(tenant_id)
        store.poison_message(tenant_id, message.message_id)

        assert requests_sent == ["GET"] * 11

    def test_a_commit_is_one_request_however_many_rows_it_writes(
        self, store: TenantTable, tenant_id: TenantId, requests_sent: list[str]
    ) -> None:
        requests_sent.clear()

        store.commit(tenant_id, [Insert(operation_row(tenant_id))])
        store.commit(tenant_id, [SetGates(GateState.OPEN), *(Insert(activity_row(tenant_id)) for _ in range(84))])
        store.commit(tenant_id, [])

        assert requests_sent == ["POST", "POST"]

    def test_a_row_that_cannot_be_stored_costs_no_request(
        self, store: TenantTable, tenant_id: TenantId, requests_sent: list[str]
    ) -> None:
        requests_sent.clear()

        with pytest.raises(Refused):
            store.commit(tenant_id, [Insert(tenant_row(tenant_id, "x" * 260_000))])

        assert requests_sent == []


class TestTheListsOfAllTenants:
    """Two requests to move a tenant, one to look at what is due."""

    def test_moving_a_tenant_is_two_requests_and_mending_the_list_six(
        self, new_table: NewTable, requests_sent: list[str]
    ) -> None:
        index, summary = TenantIndexTable(new_table()), summary_of(full_tenant_row(new_tenant_id()))
        requests_sent.clear()

        index.put(summary, was=SessionState.TURNING_ON)
        index.put(summary, was=summary.state)
        index.put(summary, was=None)

        assert requests_sent == ["PUT", "DELETE", "PUT", "PUT", *["DELETE"] * 5]

    def test_a_page_of_one_state_is_one_request_and_of_all_states_at_most_six(
        self, new_table: NewTable, requests_sent: list[str]
    ) -> None:
        index = TenantIndexTable(new_table())
        for _ in range(3):
            index.put(summary_of(full_tenant_row(new_tenant_id())), was=SessionState.OFF)
        requests_sent.clear()

        index.list(state=SessionState.ON, limit=2, continuation=None)
        assert requests_sent == ["GET"]
        index.list(state=None, limit=100, continuation=None)
        assert requests_sent == ["GET"] * 7

    def test_each_use_of_the_due_list_is_one_request(self, new_table: NewTable, requests_sent: list[str]) -> None:
        due_list, due = DueTable(new_table()), Due(new_tenant_id(), NOW)
        requests_sent.clear()

        due_list.add(due)
        due_list.until(NOW + timedelta(days=1), limit=50)
        due_list.remove(due)

        assert requests_sent == ["PUT", "GET", "DELETE"]


class TestQueueMessages:
    """One request a message."""

    def test_each_message_is_one_request(self, account: StorageAccount, requests_sent: list[str]) -> None:
        AzureStage(account)  # makes the queues
        messages = QueueMessages(account)
        requests_sent.clear()

        messages.send_operation(new_tenant_id(), OperationId(uuid4()))
        messages.send_decision(
            ActionKind.WORKFLOW, Decision(ActionId(uuid4()), new_tenant_id(), Verdict.DENIED, problem=PROBLEM)
        )

        assert requests_sent == ["POST", "POST"]
