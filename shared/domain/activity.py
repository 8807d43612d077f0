"""The activity trail: one entry for every state change, decision and refusal, written with the state it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from shared.domain.actors import Actor
from shared.domain.ids import ActionId, OperationId, TenantId


class Event(StrEnum):
    """What happened. Where it is logged as well, the log's event has the same name."""

    TENANT_ONBOARDED = "tenantOnboarded"
    TENANT_CHANGED = "tenantChanged"
    OPERATOR_GRANTED = "operatorGranted"
    OPERATOR_REMOVED = "operatorRemoved"
    AUTO_ENABLE_CHANGED = "autoEnableChanged"
    SERVICE_ACCOUNT_REQUESTED = "serviceAccountRequested"
    SERVICE_ACCOUNT_CREATED = "serviceAccountCreated"
    SERVICE_ACCOUNT_FAILED = "serviceAccountFailed"
    SERVICE_ACCOUNT_REMOVAL_REQUESTED = "serviceAccountRemovalRequested"
    SERVICE_ACCOUNT_REMOVED = "serviceAccountRemoved"
    SERVICE_ACCOUNT_REMOVAL_FAILED = "serviceAccountRemovalFailed"
    ROTATION_REQUESTED = "rotationRequested"
    PASSWORD_ROTATED = "passwordRotated"  # noqa: S105 - a name
    ROTATION_FAILED = "rotationFailed"
    SESSION_TURNING_ON = "sessionTurningOn"
    SESSION_AUTO_ENABLED = "sessionAutoEnabled"
    SESSION_TURNED_ON = "sessionTurnedOn"
    SESSION_FAILED = "sessionFailed"
    SESSION_DRAINING = "sessionDraining"
    SESSION_TURNING_OFF = "sessionTurningOff"
    SESSION_TURNED_OFF = "sessionTurnedOff"
    SESSION_EXPIRED = "sessionExpired"
    SESSION_IDLE = "sessionIdle"
    SESSION_ACCOUNT_LOST = "sessionAccountLost"
    SESSION_SIGN_IN_REFUSED = "sessionSignInRefused"
    POLICY_CHECK_REQUESTED = "policyCheckRequested"
    POLICY_CHECK_ENDED = "policyCheckEnded"
    POLICY_CHECK_FAILED = "policyCheckFailed"
    ORPHAN_REMOVED = "orphanRemoved"
    ALLOWED_IPS_REQUESTED = "allowedIpsRequested"
    ALLOWED_IPS_SET = "allowedIpsSet"
    ALLOWED_IPS_FAILED = "allowedIpsFailed"
    ALLOWED_IPS_REMOVAL_REQUESTED = "allowedIpsRemovalRequested"
    ALLOWED_IPS_REMOVED = "allowedIpsRemoved"
    ACTION_PARKED = "actionParked"
    ACTION_READY = "actionReady"
    ACTION_DENIED = "actionDenied"
    ACTION_FAILED = "actionFailed"
    ACTION_COMPLETED = "actionCompleted"
    LEASE_RENEWED = "leaseRenewed"
    LEASE_RELEASED = "leaseReleased"
    OPERATION_CANCELED = "operationCanceled"
    MESSAGE_POISONED = "messagePoisoned"
    MESSAGE_REPLAYED = "messageReplayed"
    MESSAGE_REFUSED = "messageRefused"
    REQUEST_REFUSED = "requestRefused"


@dataclass(frozen=True, slots=True)
class Activity:
    """One entry of the trail.

    Attributes:
        summary: one sentence for a person.
        facts: identifiers and codes; never a body, a token or a password.
    """

    tenant_id: TenantId
    at: datetime
    event: Event
    actor: Actor
    summary: str
    correlation_id: str
    reason: str | None = None
    operation_id: OperationId | None = None
    action_id: ActionId | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    entry_id: UUID = field(default_factory=uuid4)
