"""Identifiers that are chosen before acting: the same intent has the same id, another intent another."""

from __future__ import annotations

from collections import Counter
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import GATES, ActionId, LeaseId, TenantId, gate_of, lease_id_for, operation_id_for

TENANT, OTHER = TenantId(UUID(int=1)), TenantId(UUID(int=2))


@given(st.uuids(), st.uuids())
def test_action_has_one_lease_in_a_tenant_and_none_in_another(tenant: UUID, action: UUID) -> None:
    lease = lease_id_for(TenantId(tenant), ActionId(action))

    assert lease == lease_id_for(TenantId(tenant), ActionId(action))
    assert lease != lease_id_for(TenantId(uuid4()), ActionId(action))
    assert lease != lease_id_for(TenantId(tenant), ActionId(uuid4()))


@given(st.text(min_size=1), st.text(min_size=1))
def test_key_stands_for_one_operation_of_one_caller_in_one_tenant(caller: str, key: str) -> None:
    operation = operation_id_for(TENANT, caller, key)

    assert operation == operation_id_for(TENANT, caller, key)
    assert operation != operation_id_for(OTHER, caller, key)
    assert operation != operation_id_for(TENANT, caller, key + "'")


@given(st.uuids())
def test_gate_is_the_first_digit_of_the_lease(lease: UUID) -> None:
    assert gate_of(LeaseId(lease)) == int(str(lease)[0], 16)


def test_leases_spread_over_all_gates() -> None:
    counted = Counter(gate_of(lease_id_for(TENANT, ActionId(UUID(int=number)))) for number in range(4_000))

    assert len(counted) == GATES
    assert max(counted.values()) < 2 * min(counted.values())
