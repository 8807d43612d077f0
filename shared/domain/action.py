"""An executor's request to act, the one decision on it, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.domain.errors import Problem
from shared.domain.ids import ActionId, LeaseId, TenantId
from shared.domain.resources import ALL_RESOURCES, Resource


class ActionKind(StrEnum):
    """The four kinds of work that need a session."""

    PLAYBOOK_REMEDIATION = "playbookRemediation"
    MANAGEMENT_ACTION = "managementAction"
    CUSTOM_ACTION = "customAction"
    WORKFLOW = "workflow"


class Verdict(StrEnum):
    """The decision on a request: go ahead; no; or yes, but we could not."""

    READY = "ready"
    DENIED = "denied"
    FAILED = "failed"


class Outcome(StrEnum):
    """How the executor says its action ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Operator:
    """The person an executor works for."""

    object_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """What an executor asks: may I act in this tenant now?

    Attributes:
        deadline: when an answer is of no use any more; aware UTC.
        duration: for how long it wants the lease.
    """

    action_id: ActionId
    tenant_id: TenantId
    kind: ActionKind
    executor: UUID
    operator: Operator
    deadline: datetime
    duration: timedelta = timedelta(hours=1)
    resources: tuple[Resource, ...] = ALL_RESOURCES


@dataclass(frozen=True, slots=True)
class Decision:
    """The one answer to a request."""

    action_id: ActionId
    tenant_id: TenantId
    verdict: Verdict
    lease_id: LeaseId | None = None
    expires_at: datetime | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A request with its decision, once there is one, and its outcome, once it is told."""

    request: ActionRequest
    received_at: datetime
    decision: Decision | None = None
    decided_at: datetime | None = None
    outcome: Outcome | None = None
    completed_at: datetime | None = None

    def decided(self, decision: Decision, now: datetime) -> Action:
        """This action with its decision."""
        return replace(self, decision=decision, decided_at=now)

    def completed(self, outcome: Outcome | None, now: datetime) -> Action:
        """This action ended; `outcome` is None when its lease was released without a word."""
        return replace(self, outcome=outcome, completed_at=now)


@dataclass(frozen=True, slots=True)
class ParkedAction:
    """A request that waits for the session; the row stays until its answer was sent.

    Attributes:
        decision: the answer that was recorded at `decided_at`, but perhaps not yet sent.
    """

    request: ActionRequest
    received_at: datetime
    decision: Decision | None = None
    decided_at: datetime | None = None
