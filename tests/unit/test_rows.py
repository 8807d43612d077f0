"""How rows lie in a table: what every entity carries, what is never accepted, and what is left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest

from shared.adapters.storage.gates import gate_entity, gate_key, gate_row
from shared.adapters.storage.rows import PART, Document, activity_key, document_entity, document_row
from shared.adapters.storage.table import Entity
from shared.domain.actors import Grant, Right
from shared.domain.errors import Code, Invalid, Refused
from shared.domain.lease import MAX_LEASES_A_GATE, Gate
from shared.domain.operation import Operation
from shared.domain.secret import Secret
from shared.domain.store import Insert, Row, summary_of
from shared.domain.tenant import MAX_OPERATORS, Tenant
from tests.fakes import CallLog, FakeTenantStore
from tests.fakes.sample_rows import (
    NOW,
    action_row,
    activity_row,
    full_tenant_row,
    new_tenant_id,
    onboarding,
    open_gate,
    operation_row,
    parked_row,
    policy_check_row,
    replay_row,
    tenant_row,
)

TENANT = new_tenant_id()
DOCUMENTS: dict[str, Document] = {
    "tenant": full_tenant_row(TENANT),
    "operation": operation_row(TENANT),
    "action": action_row(TENANT),
    "parkedAction": parked_row(TENANT),
    "activity": activity_row(TENANT),
    "replay": replay_row(),
    "policyCheck": policy_check_row(),
    "tenantSummary": summary_of(full_tenant_row(TENANT)),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_entity_says_its_schema_version_and_its_kind_beside_its_document(kind: str) -> None:
    entity = document_entity(str(TENANT), DOCUMENTS[kind])

    assert set(entity) == {"PartitionKey", "RowKey", "SchemaVersion", "Kind", "Document"}
    assert (entity["PartitionKey"], entity["SchemaVersion"], entity["Kind"]) == (str(TENANT), 1, kind)
    assert isinstance(json.loads(str(entity["Document"])), dict)


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_document_is_read_as_it_was_written(kind: str) -> None:
    row = DOCUMENTS[kind]

    assert document_row(document_entity(str(TENANT), row), type(row)) == row


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_row_of_a_newer_release_is_refused(kind: str) -> None:
    newer: Entity = {**document_entity(str(TENANT), DOCUMENTS[kind]), "SchemaVersion": 2}

    with pytest.raises(Refused) as caught:
        document_row(newer, type(DOCUMENTS[kind]))

    assert caught.value.problem.code is Code.UNSUPPORTED_SCHEMA_VERSION
    assert caught.value.problem.next_step


def test_a_gate_of_a_newer_release_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        gate_row({**gate_entity(str(TENANT), Gate(3)), "SchemaVersion": 2})

    assert caught.value.problem.code is Code.UNSUPPORTED_SCHEMA_VERSION


def test_a_newer_releases_row_is_left_as_it_is() -> None:
    store = FakeTenantStore(CallLog())
    store.commit(TENANT, onboarding(tenant_row(TENANT)))
    store.table.put({"PartitionKey": str(TENANT), "RowKey": "0-tenant", "SchemaVersion": 2, "Novel": "kept"})

    with pytest.raises(Refused):
        store.tenant(TENANT)
    with pytest.raises(Refused):
        store.overview(TENANT)

    assert "kept" in store.table.text()


@pytest.mark.parametrize("kind", ["operation", "activity"])
def test_a_secret_is_never_stored(kind: str) -> None:
    store = FakeTenantStore(CallLog())
    secret = Secret("only-for-tests-secret")
    rows: dict[str, Row] = {
        "operation": replace(operation_row(TENANT), result={"password": secret}),
        "activity": replace(activity_row(TENANT), reason=cast("str", secret)),
    }

    with pytest.raises(TypeError) as caught:
        store.commit(TENANT, [Insert(rows[kind])])

    assert "only-for-tests" not in str(caught.value)
    assert store.table.text() == ""


def test_half_of_a_surrogate_pair_is_invalid() -> None:
    with pytest.raises(Invalid) as caught:
        document_entity(str(TENANT), tenant_row(TENANT, "half \ud83e"))

    assert caught.value.problem.code is Code.INVALID_VALUE


def test_a_tenant_with_as_many_operators_as_there_may_be_can_be_stored() -> None:
    everybody = {str(uuid4()): Grant(tuple(Right), "🦔" * 256) for _ in range(MAX_OPERATORS)}
    tenant = replace(full_tenant_row(TENANT), grants=everybody)

    entity = document_entity(str(TENANT), tenant)

    assert document_row(entity, Tenant) == tenant
    assert "Document3" in entity


def test_a_document_is_cut_into_as_many_properties_as_it_needs() -> None:
    entry = activity_row(TENANT)
    frame = len(str(document_entity(str(TENANT), replace(entry, summary=""))["Document"]))

    exactly_one = document_entity(str(TENANT), replace(entry, summary="x" * (PART - frame)))
    one_more = document_entity(str(TENANT), replace(entry, summary="x" * (PART - frame + 1)))

    assert "Document2" not in exactly_one
    assert (len(str(one_more["Document"])), len(str(one_more["Document2"]))) == (PART, 1)


def test_a_gate_with_as_many_leases_as_there_may_be_can_be_stored() -> None:
    entity = gate_entity(str(TENANT), open_gate(0, leases=MAX_LEASES_A_GATE))

    assert len(json.loads(str(entity["Leases"]))) == MAX_LEASES_A_GATE


def test_gates_come_before_the_tenant_in_one_range() -> None:
    keys = [*(gate_key(number) for number in range(16)), "0-tenant"]

    assert keys == sorted(keys)
    assert all("0-" <= key < "1" for key in keys)


def test_later_entries_have_smaller_keys() -> None:
    spans = [timedelta(0), timedelta(microseconds=1), timedelta(seconds=1), timedelta(days=40_000)]

    keys = [activity_key(activity_row(TENANT, NOW + span)) for span in spans]

    assert keys == sorted(keys, reverse=True)
    assert {len(key) for key in keys} == {38}


def test_a_document_that_older_code_wrote_without_new_fields_can_be_read() -> None:
    operation = operation_row(TENANT)
    entity = document_entity(str(TENANT), operation)
    document = json.loads(str(entity["Document"]))
    del document["attempts"]
    document["unheardOf"] = 1

    assert document_row({**entity, "Document": json.dumps(document)}, Operation) == operation


def test_the_adapters_load_nothing_of_azure_until_they_are_used() -> None:
    imports = (
        "import sys, shared.adapters.storage.tenant_table, shared.adapters.storage.tenant_index_table, "
        "shared.adapters.storage.due_table, shared.adapters.storage.queues\n"
        "from shared.adapters.storage.account import StorageAccount\n"
        "from shared.adapters.storage.table import AzureTable\n"
        "from shared.domain.secret import Secret\n"
        "account = StorageAccount(Secret('only-for-tests'))\n"
        "AzureTable(account, 'Tenants'), shared.adapters.storage.queues.QueueMessages(account)\n"
        "print([name for name in sys.modules if name.partition('.')[0] == 'azure'])"
    )

    run = subprocess.run(
        [sys.executable, "-c", imports], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "[]"


def test_samples_fill_every_field_of_a_tenant() -> None:
    tenant = full_tenant_row(TENANT)

    assert [name for name in Tenant.__slots__ if getattr(tenant, name) is None] == ["operation"]
