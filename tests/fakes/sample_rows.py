"""Rows to try the tables on: each full of what is hard to keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from shared.domain.action import Action, ActionKind, ActionRequest, Decision, Operator, Outcome, ParkedAction, Verdict
from shared.domain.activity import Activity, Event
from shared.domain.actors import SERVICE, Actor, ActorKind, Grant, Right
from shared.domain.directory_roles import GLOBAL_READER, RoleProfile
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.ids import GATES, AccountId, ActionId, LeaseId, OperationId, SessionId, TenantId, lease_id_for
from shared.domain.lease import Gate, GateState, Lease
from shared.domain.operation import Operation, OperationKind, Step
from shared.domain.poison import PoisonMessage
from shared.domain.policy_check import BlockingPolicy, Check, Finding, PolicyCheck, PolicyState, WhatIf
from shared.domain.policy_check import Verdict as PolicyVerdict
from shared.domain.resources import ALL_RESOURCES, Resource
from shared.domain.session import AutoEnableOutcome, LastAutoEnable, Method
from shared.domain.store import Insert, Replay, Write
from shared.domain.tenant import AccountState, Consent, ConsentState, ServiceAccount, Tenant, new_tenant

NOW: Final = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
STRANGE: Final = "Zażółć 'gęślą' \"jaźń\" \\ / # ? % + & \n\t\x01 日本語 🦔 \u2028"
PROBLEM: Final = Problem(
    Code.SIGN_IN_BLOCKED,
    "A policy blocks the account.",
    "session",
    NextStep("Exclude it.", "https://entra.microsoft.com"),
    (Problem(Code.ROLE_MISSING, "A role is missing."),),
)


def new_tenant_id() -> TenantId:
    """A tenant of the test's own."""
    return TenantId(uuid4())


def tenant_row(tenant_id: TenantId, name: str = STRANGE) -> Tenant:
    """A tenant just onboarded."""
    return new_tenant(tenant_id, name, NOW, profile=RoleProfile.READ_ONLY)


def full_tenant_row(tenant_id: TenantId) -> Tenant:
    """A tenant with something in every field."""
    tenant = tenant_row(tenant_id)
    operator = Actor(ActorKind.USER, uuid4(), STRANGE)
    session = tenant.session.turning_on(
        SessionId(uuid4()), Method.GLOBAL_ADMIN, operator, reason=STRANGE, lifetime=timedelta(hours=8), now=NOW
    ).turned_on(NOW)
    auto = LastAutoEnable(AutoEnableOutcome.NOT_ENABLED, NOW, ActionId(uuid4()), STRANGE)
    account = ServiceAccount(
        AccountState.CREATED,
        AccountId(uuid4()),
        "ms@contoso.onmicrosoft.com",
        uuid4(),
        (GLOBAL_READER.template_id,),
        "0123456789abcdef",
        created_at=NOW,
        rotated_at=NOW,
        next_rotation_at=NOW + timedelta(days=30),
        problem=PROBLEM,
    )
    return replace(
        tenant,
        session=replace(session, last_auto_enable=auto, problem=PROBLEM),
        consent=Consent(ConsentState.PARTIAL, ("User.ReadWrite.All",), ("Policy.Read.All",), NOW, PROBLEM),
        account=account,
        initial_domain="contoso.onmicrosoft.com",
        grants={str(uuid4()): Grant((Right.OPERATOR, Right.READER), STRANGE)},
    )


def onboarding(tenant: Tenant) -> list[Write]:
    """The tenant with its gates, closed."""
    return [Insert(tenant), *(Insert(Gate(number)) for number in range(GATES))]


def operation_row(tenant_id: TenantId) -> Operation:
    """An operation half done."""
    operation = Operation(
        OperationId(uuid4()),
        tenant_id,
        OperationKind.TURN_ON,
        Actor(ActorKind.APPLICATION, uuid4(), STRANGE),
        str(uuid4()),
        NOW,
        NOW + timedelta(minutes=10),
        (Step("signIn"), Step("readRoles")),
        result={"residual": 3, "kept": ["a", None, True]},
        problem=PROBLEM,
    )
    return operation.claimed(NOW, timedelta(minutes=2)).done("signIn", NOW, account=STRANGE).started("readRoles", NOW)


def request_row(tenant_id: TenantId) -> ActionRequest:
    """An executor's request."""
    return ActionRequest(
        ActionId(uuid4()),
        tenant_id,
        ActionKind.WORKFLOW,
        uuid4(),
        Operator(uuid4(), STRANGE),
        NOW + timedelta(minutes=15),
    )


def action_row(tenant_id: TenantId) -> Action:
    """An action that was decided on and has ended."""
    request = request_row(tenant_id)
    decision = Decision(
        request.action_id, tenant_id, Verdict.READY, lease_id_for(tenant_id, request.action_id), NOW, PROBLEM
    )
    return Action(request, NOW).decided(decision, NOW).completed(Outcome.SUCCEEDED, NOW)


def parked_row(tenant_id: TenantId) -> ParkedAction:
    """A request that waits."""
    return ParkedAction(request_row(tenant_id), NOW)


def activity_row(tenant_id: TenantId, at: datetime = NOW) -> Activity:
    """An entry of the trail."""
    return Activity(
        tenant_id,
        at,
        Event.SESSION_TURNED_ON,
        SERVICE,
        STRANGE,
        str(uuid4()),
        reason=STRANGE,
        operation_id=OperationId(uuid4()),
        action_id=ActionId(uuid4()),
        facts={"code": STRANGE},
    )


def replay_row() -> Replay:
    """What an Idempotency-Key stood for."""
    return Replay(uuid4().hex, uuid4().hex, OperationId(uuid4()))


def poison_row() -> PoisonMessage:
    """A message that failed every time, and was sent again."""
    return PoisonMessage(uuid4(), "action-requests", '{"schemaVersion":1}', NOW, PROBLEM, NOW)


def open_gate(number: int, *, leases: int = 1) -> Gate:
    """A gate that has let somebody in."""
    held = tuple(
        Lease(LeaseId(UUID(int=(number << 124) + n)), ActionId(uuid4()), uuid4(), ALL_RESOURCES, NOW, NOW)
        for n in range(leases)
    )
    return Gate(number, GateState.OPEN, SessionId(uuid4()), NOW + timedelta(hours=8), True, NOW, held)


def policy_check_row() -> PolicyCheck:
    """A check half done that has found a policy in the way."""
    policy = BlockingPolicy(
        str(uuid4()),
        STRANGE,
        PolicyState.ENABLED,
        False,
        ("mfa",),
        (Resource.EXCHANGE,),
        ("203.0.113.0/24",),
        STRANGE,
        blocks_from=NOW,
    )
    finding = Finding(
        Check.CONDITIONAL_ACCESS, PolicyVerdict.FAIL, STRANGE, STRANGE, "https://entra.microsoft.com", (policy,), True
    )
    what_if = WhatIf(Resource.EXCHANGE, "203.0.113.1", (policy.policy_id,), (str(uuid4()),))
    return PolicyCheck(OperationId(uuid4()), NOW, None, (finding,), (what_if,))
