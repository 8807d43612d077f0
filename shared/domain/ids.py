"""Identifiers, and how we choose them before we act so that doing something twice is doing it once."""

from __future__ import annotations

from typing import NewType
from uuid import UUID, uuid5

TenantId = NewType("TenantId", UUID)
OperationId = NewType("OperationId", UUID)
ActionId = NewType("ActionId", UUID)
LeaseId = NewType("LeaseId", UUID)
SessionId = NewType("SessionId", UUID)
AccountId = NewType("AccountId", UUID)

GATES = 16
"""How many gates a tenant has: one for each first hexadecimal digit of a lease id."""

_NAMESPACE = UUID("5d1f2a9e-6f0c-4b7d-9a3e-2c8b4f6e1d70")


def lease_id_for(tenant_id: TenantId, action_id: ActionId) -> LeaseId:
    """The lease an action gets, known before it is granted: the same action never holds two (RFC 9562 §5.5)."""
    return LeaseId(uuid5(_NAMESPACE, f"lease/{tenant_id}/{action_id}"))


def operation_id_for(tenant_id: TenantId, caller: str, idempotency_key: str) -> OperationId:
    """The operation a caller's Idempotency-Key stands for in a tenant."""
    return OperationId(uuid5(_NAMESPACE, f"operation/{tenant_id}/{caller}/{idempotency_key}"))


def gate_of(lease_id: LeaseId) -> int:
    """The number, 0 to 15, of the gate a lease passes through."""
    return lease_id.int >> 124
