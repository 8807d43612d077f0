"""What holds for every tenant when the stack has come to rest, whatever was killed on the way."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final
from uuid import UUID

from local.simulator.seed import APP_CLIENT_ID
from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME, AllowedIpsState
from shared.domain.directory_roles import PROFILES
from shared.domain.lease import GateState
from shared.domain.ports import DirectoryUser
from shared.domain.session import SessionState
from shared.domain.store import summary_of
from shared.domain.tenant import AccountState, Tenant
from shared.services.create_account import is_ours
from shared.services.kept_secrets import recorded
from tests.chaos.callers import Json
from tests.chaos.evidence import Evidence, Kept
from tests.chaos.mailbox import Mailbox

_RESTING: Final = (SessionState.OFF, SessionState.ON, SessionState.FAILED)
_MOVING: Final = (AllowedIpsState.APPLYING, AllowedIpsState.REMOVING)


def broken_promises(evidence: Evidence, tenants: Collection[str], mailbox: Mailbox, *, within: float) -> list[str]:
    """What is still under way, or does not hold, after so many seconds; as sentences.

    Upkeep heals what a kill has left, so the first look at a promise is not the last one.
    """
    until = time.monotonic() + within
    while True:
        broken = [*_unfinished(evidence, tenants, mailbox)] or [*_broken(evidence, tenants, mailbox)]
        if not broken or time.monotonic() > until:
            return broken
        time.sleep(0.5)


def nothing_is_left(evidence: Evidence, tenant_id: str) -> Iterator[str]:
    """What disabling has left behind of ours in the tenant and in the record."""
    tenant, outside = evidence.tenant(tenant_id), evidence.microsoft365(tenant_id)
    if tenant.account.state is not AccountState.NONE:
        yield f"{tenant_id}: the account is {tenant.account.state}"
    if tenant.session.state is not SessionState.OFF:
        yield f"{tenant_id}: the session is {tenant.session.state}"
    if tenant.allowed_ips.leaves_traces:
        yield f"{tenant_id}: allowed IPs are still recorded"
    left = [user["userPrincipalName"] for user in _users_of_ours(tenant, outside)]
    left += _ids(outside["policies"], POLICY_NAME)
    left += _ids(outside["namedLocations"], LOCATION_NAME)
    if left:
        yield f"{tenant_id}: {left} are still in the tenant"


def _broken(evidence: Evidence, tenants: Collection[str], mailbox: Mailbox) -> Iterator[str]:
    for tenant_id in tenants:
        for promise in (
            *_operations_ended(evidence, tenant_id),
            *_gates_agree(evidence, tenant_id),
            *_account_is_recorded(evidence, tenant_id),
            *_policies_are_recorded(evidence, tenant_id),
        ):
            yield f"{tenant_id}: {promise}"
    yield from _secrets_have_owners(evidence, tenants)
    yield from _answers_agree(evidence, mailbox)
    yield from _listed(evidence, tenants)


def _unfinished(evidence: Evidence, tenants: Collection[str], mailbox: Mailbox) -> Iterator[str]:
    for tenant_id in tenants:
        tenant, parked = evidence.tenant(tenant_id), evidence.parked(tenant_id)
        if tenant.operation is not None:
            yield f"{tenant_id}: {tenant.operation.kind} is under way"
        if tenant.session.state not in _RESTING:
            yield f"{tenant_id}: the session rests at {tenant.session.state}"
        if tenant.allowed_ips.state in _MOVING:
            yield f"{tenant_id}: allowed IPs rest at {tenant.allowed_ips.state}"
        if parked:
            yield f"{tenant_id}: {parked} requests are parked"
    waiting = [action_id for action_id in list(mailbox.asked) if action_id not in mailbox.decisions]
    if waiting:
        yield f"{len(waiting)} requests have no answer"


def _operations_ended(evidence: Evidence, tenant_id: str) -> Iterator[str]:
    for operation in evidence.operations(tenant_id):
        if not operation.is_terminal:
            yield f"the operation {operation.kind} {operation.operation_id} is {operation.status}"
    for message in evidence.poison(tenant_id):
        yield f"a message on {message.queue} was given up"


def _gates_agree(evidence: Evidence, tenant_id: str) -> Iterator[str]:
    """Nobody gets through without a session, and everybody may with one."""
    session = evidence.tenant(tenant_id).session
    for gate in evidence.gates(tenant_id):
        if session.state is SessionState.ON:
            if (gate.state, gate.session_id) != (GateState.OPEN, session.session_id):
                yield f"the session is on and the gate {gate.number} is {gate.state}"
        elif gate.state is not GateState.CLOSED or gate.leases:
            yield f"the session is {session.state} and the gate {gate.number} is {gate.state}"


def _account_is_recorded(evidence: Evidence, tenant_id: str) -> Iterator[str]:
    tenant, outside = evidence.tenant(tenant_id), evidence.microsoft365(tenant_id)
    account, ours = tenant.account, _users_of_ours(tenant, outside)
    if len(ours) > 1:
        yield f"there are {len(ours)} accounts of ours"
    recorded_id = str(account.object_id) if account.object_id else None
    for user in ours:
        if user["id"] != recorded_id:
            yield f"the user {user['userPrincipalName']} has no record; the account is {account.state}"
    if account.state is AccountState.CREATED and recorded_id not in [user["id"] for user in ours]:
        yield "the recorded account is not in the tenant"
    if account.state is AccountState.CREATED:
        wanted = {role.template_id for role in PROFILES[tenant.role_profile]}
        held = {
            UUID(each["roleDefinitionId"]) for each in outside["roleAssignments"] if each["principalId"] == recorded_id
        }
        if not held == wanted == set(account.roles):
            yield f"of {len(wanted)} roles {len(held)} are held and {len(account.roles)} recorded"


def _policies_are_recorded(evidence: Evidence, tenant_id: str) -> Iterator[str]:
    ips, outside = evidence.tenant(tenant_id).allowed_ips, evidence.microsoft365(tenant_id)
    for what, there, known in (
        ("policies", _ids(outside["policies"], POLICY_NAME), ips.policy_id),
        ("locations", _ids(outside["namedLocations"], LOCATION_NAME), ips.location_id),
    ):
        if there != ([known] if known else []):
            yield f"there are {len(there)} {what} of ours, and the record names {known}"


def _secrets_have_owners(evidence: Evidence, tenants: Collection[str]) -> Iterator[str]:
    """What can be read is in use, and what is in use can be read."""
    rows = [evidence.tenant(tenant_id) for tenant_id in tenants]
    owned = {Kept(name, version) for tenant in rows for name, version in recorded(tenant)}
    readable = set(evidence.readable_secrets())
    for kept in readable - owned:
        yield f"nobody owns {kept.name}, version {kept.version}"
    for tenant in rows:
        if tenant.account.state is AccountState.CREATED or tenant.session.state is SessionState.ON:
            for name, version in recorded(tenant):
                if Kept(name, version) not in readable:
                    yield f"{name}, version {version}, is in use and cannot be read"


def _answers_agree(evidence: Evidence, mailbox: Mailbox) -> Iterator[str]:
    """One decision a request, however often it was sent, and the one that is recorded."""
    known = {
        str(action.request.action_id): action
        for tenant_id in set(mailbox.asked.values())
        for action in evidence.actions(tenant_id)
    }
    for action_id in mailbox.asked:
        sent, action = mailbox.decisions.get(action_id, []), known.get(action_id)
        if action is None or action.decision is None:
            yield f"the request {action_id} has no decision"
        elif not sent:
            yield f"the decision on {action_id} was never sent"
        elif any(each != sent[0] for each in sent):
            yield f"the request {action_id} was answered {sent}"
        elif (action.decision.verdict, _text(action.decision.lease_id)) != (
            sent[0]["decision"],
            sent[0].get("leaseId"),
        ):
            yield f"{action.decision.verdict} was recorded and {sent[0]['decision']} was sent"


def _listed(evidence: Evidence, tenants: Collection[str]) -> Iterator[str]:
    """The list of tenants shows each of them once, as it is."""
    lines = evidence.listed()
    for tenant_id in tenants:
        expected = summary_of(evidence.tenant(tenant_id))
        shown = [replace(line, updated_at=expected.updated_at) for line in lines if str(line.tenant_id) == tenant_id]
        if shown != [expected]:
            yield f"{tenant_id}: the session is {expected.state} and the tenant is listed as {[s.state for s in shown]}"


def _users_of_ours(tenant: Tenant, outside: Json) -> list[Json]:
    return [
        user
        for user in outside["users"]
        if not user["deletedAt"] and is_ours(_shown(user), tenant, UUID(APP_CLIENT_ID))
    ]


def _shown(user: Json) -> DirectoryUser:
    return DirectoryUser(UUID(user["id"]), user["userPrincipalName"], user.get("employeeId"), user["accountEnabled"])


def _ids(things: Json, display_name: str) -> list[str]:
    return [thing_id for thing_id, thing in things.items() if thing["displayName"] == display_name]


def _text(found: object | None) -> str | None:
    return None if found is None else str(found)
