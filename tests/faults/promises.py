"""What holds whenever a tenant has come to rest, whatever went wrong before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from shared.domain.action import ActionRequest
from shared.domain.activity import Event
from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME, AllowedIpsState
from shared.domain.directory_roles import PROFILES
from shared.domain.lease import GateState
from shared.domain.policy_check import Check, Verdict
from shared.domain.secret import Secret
from shared.domain.session import Method, SessionState
from shared.domain.standing_refusal import drift
from shared.domain.store import summary_of
from shared.domain.tenant import AccountState, Tenant, password_secret, session_secret_of
from shared.services.create_account import is_ours
from tests.fakes.microsoft365 import FakeUser
from tests.host import Host
from tests.stage import APPLICATION, Stage

LEFT = "left-by-a-dead-attempt"
LEFT_PASSWORD = Secret("only-for-tests-left-by-a-dead-attempt")
"""What was there before a flow began, and on no record."""

_RESTING = (SessionState.OFF, SessionState.ON, SessionState.FAILED)
_ANSWERS = (Event.ACTION_READY, Event.ACTION_DENIED, Event.ACTION_FAILED)


def broken_promises(stage: Stage, host: Host, lines: str) -> list[str]:
    """Every promise that does not hold, as a sentence; `lines` is what was logged."""
    if not stage.is_onboarded:
        return [*_no_trace(stage), *_nothing_told(stage, host, lines)]
    tenant = stage.tenant
    return [
        *_rests(stage, tenant),
        *_everybody_was_answered_once(stage, host),
        *_gates_agree(stage, tenant),
        *_account_is_recorded(stage, tenant),
        *_session_has_an_account(stage, tenant),
        *_no_secret_without_an_owner(stage, tenant),
        *_policies_are_recorded(stage, tenant),
        *_list_agrees(stage, tenant),
        *_will_be_forgotten(stage),
        *_nothing_told(stage, host, lines),
    ]


def users_of_ours(stage: Stage) -> list[FakeUser]:
    """The users that carry our mark and have not been deleted."""
    users, tenant = stage.microsoft365.users, stage.tenant
    return [user for user in users if not user.is_deleted and is_ours(user.shown(), tenant, APPLICATION)]


def _no_trace(stage: Stage) -> Iterator[str]:
    if stage.listed:
        yield "a tenant is listed that is not there"
    if stage.microsoft365.users or stage.vault.names:
        yield "something was made for a tenant that is not there"


def _rests(stage: Stage, tenant: Tenant) -> Iterator[str]:
    if tenant.session.state not in _RESTING:
        yield f"the session rests at {tenant.session.state}"
    if tenant.operation is not None:
        yield f"the operation {tenant.operation.kind} still has the tenant"
    for operation in stage.operations:
        if not operation.is_terminal:
            yield f"the operation {operation.kind} is {operation.status}"
    if stage.parked:
        yield f"{len(stage.parked)} requests are still parked"


def _everybody_was_answered_once(stage: Stage, host: Host) -> Iterator[str]:
    if host.lost:
        yield f"{len(host.lost)} messages were lost"
    yield from (f"the services raised {error!r}" for error in host.surprises)
    told = [(entry.action_id, entry.event) for entry in stage.trail if entry.event in _ANSWERS]
    for request in stage.requests:
        yield from _was_answered_once(stage, request)
        if sum(action_id == request.action_id for action_id, _ in told) != 1:
            yield f"the trail tells {[event for action, event in told if action == request.action_id]} of one request"


def _was_answered_once(stage: Stage, request: ActionRequest) -> Iterator[str]:
    action, sent = stage.action(request), stage.decisions(request)
    if action is None or action.decision is None:
        yield "a request has no decision"
    elif not sent:
        yield f"nobody was told the decision {action.decision.verdict}"
    elif any(decision != sent[0] for decision in sent):
        yield f"one request was answered {[decision.verdict for decision in sent]}"
    elif (action.decision.verdict, action.decision.lease_id) != (sent[0].verdict, sent[0].lease_id):
        yield f"{action.decision.verdict} was recorded and {sent[0].verdict} was sent"


def _gates_agree(stage: Stage, tenant: Tenant) -> Iterator[str]:
    session = tenant.session
    for gate in stage.gates:
        if session.state is SessionState.ON:
            told = (gate.state, gate.session_id, gate.expires_at)
            if told != (GateState.OPEN, session.session_id, session.expires_at):
                yield f"the session is on and the gate {gate.number} is {gate.state}"
        elif gate.state is not GateState.CLOSED or gate.leases:
            yield f"the session is {session.state} and the gate {gate.number} is {gate.state}"


def _account_is_recorded(stage: Stage, tenant: Tenant) -> Iterator[str]:
    account, ours = tenant.account, [user for user in users_of_ours(stage) if not _is_told(stage, user)]
    if len(ours) > 1:
        yield f"there are {len(ours)} accounts"
    if account.state is AccountState.NONE and ours:
        yield "there is a user that no record tells of"
    if account.state is not AccountState.CREATED:
        return
    user = stage.microsoft365.find(lambda user: user.object_id == account.object_id)
    if user is None:
        if _verdict(stage, Check.SERVICE_ACCOUNT) in (None, Verdict.PASS):
            yield "the recorded account is not in the tenant, and no check says so"
        return
    held, wanted = set(user.roles.values()), {role.template_id for role in PROFILES[tenant.role_profile]}
    if held != wanted or set(account.roles) != wanted:
        yield f"of {len(wanted)} roles {len(held)} are held and {len(account.roles)} recorded"
    versions = stage.vault.names.get(password_secret(account.require_id()), {})
    known = [versions[v] for v in (account.secret_version, account.staged_version) if v in versions]
    is_told = drift(tenant) is not None or _verdict(stage, Check.SIGN_IN) is Verdict.UNKNOWN
    if not is_told and not any(version.is_enabled and version.secret == user.password for version in known):
        yield "no recorded version is the account's password, and no check says so"


def _is_told(stage: Stage, user: FakeUser) -> bool:
    """Whether it is an orphan that was there before, which a check has told of, or could not find out."""
    return user.password == LEFT_PASSWORD and _verdict(stage, Check.UNRECORDED_ACCOUNTS) is not Verdict.PASS


def _verdict(stage: Stage, check: Check) -> Verdict | None:
    stored = stage.records.policy_check(stage.tenant_id)
    row = stored.row.found(check) if stored else None
    return row.verdict if row else None


def _session_has_an_account(stage: Stage, tenant: Tenant) -> Iterator[str]:
    """A session does not go on for long on an account that is known to be lost."""
    stopped_by = tenant.policy_check.stopped_by
    by_account = tenant.session.state is SessionState.ON and tenant.session.method is Method.SERVICE_ACCOUNT
    if by_account and stopped_by is not None and stopped_by.check is Check.SERVICE_ACCOUNT:
        yield f"the session is on, and {stopped_by.cause}"


def _no_secret_without_an_owner(stage: Stage, tenant: Tenant) -> Iterator[str]:
    account, session = tenant.account, tenant.session
    owned = {(session_secret_of(tenant), session.secret_version)}
    if account.account_id:
        name = password_secret(account.account_id)
        owned |= {(name, account.secret_version), (name, account.staged_version)}
    for name, versions in stage.vault.names.items():
        for version, kept in versions.items():
            if kept.is_enabled and name not in stage.vault.deleted and (name, version) not in owned:
                yield f"nobody owns an enabled version, number {list(versions).index(version) + 1}, of {kept.purpose}"
    if (
        session.state is SessionState.ON and session.method is Method.GLOBAL_ADMIN
    ):  # a service account's is made anew, an administrator's cannot be
        held = stage.vault.names[session_secret_of(tenant)].get(session.secret_version or "")
        if held is None or not held.is_enabled:
            yield "the session is on and its refresh token cannot be read"


def _policies_are_recorded(stage: Stage, tenant: Tenant) -> Iterator[str]:
    """What we made in the tenant's conditional access is in the record, once."""
    ips, rules = tenant.allowed_ips, stage.rules
    policies = [policy.policy_id for policy in rules.policies.values() if policy.display_name == POLICY_NAME]
    locations = [place.location_id for place in rules.locations.values() if place.display_name == LOCATION_NAME]
    if _verdict(stage, Check.UNRECORDED_POLICIES) is not Verdict.PASS:  # what was there before was told
        policies, locations = ([each for each in made if each != LEFT] for made in (policies, locations))
    is_told = ips.is_in_force and _verdict(stage, Check.NAMED_LOCATION) in (Verdict.FAIL, Verdict.UNKNOWN)
    for kind, made, recorded in (("policies", policies, ips.policy_id), ("locations", locations, ips.location_id)):
        if len(made) > 1 or (made and not ips.leaves_traces):
            yield f"there are {len(made)} {kind} of ours, and allowed IPs are {ips.state}"
        is_known = ips.state is AllowedIpsState.FAILED or (is_told and not made)
        if made != ([recorded] if recorded else []) and not is_known:
            yield f"there are {len(made)} {kind} of ours, and the record names {recorded}"
    if ips.state in (AllowedIpsState.APPLYING, AllowedIpsState.REMOVING):
        yield f"allowed IPs rest at {ips.state}"
    known = {exclusion.policy_id for exclusion in ips.exclusions if exclusion.is_applied or ips.apply_exclusions}
    for policy in rules.policies.values():
        if policy.excluded_users and policy.policy_id not in known:
            yield "our account is excluded from a policy, and the record does not say so"


def _list_agrees(stage: Stage, tenant: Tenant) -> Iterator[str]:
    expected = summary_of(tenant)
    listed = [replace(line, updated_at=expected.updated_at) for line in stage.listed]
    if listed != [expected]:
        yield f"the tenant is {tenant.session.state} and is listed as {[line.state for line in stage.listed]}"


def _will_be_forgotten(stage: Stage) -> Iterator[str]:
    """Whatever is kept is found when it is old: the trail tells of it, or it is told apart by its kind."""
    told = {named for entry in stage.trail for named in (entry.operation_id, entry.action_id)}
    for operation in stage.operations:
        if operation.operation_id not in told:
            yield f"no entry tells of the operation {operation.kind}"
    for request in stage.requests:
        if stage.action(request) is not None and request.action_id not in told:
            yield "no entry tells of an action"


def _nothing_told(stage: Stage, host: Host, lines: str) -> Iterator[str]:
    """No secret is in a row, a message or a log line."""
    places = {
        "the tables": "\n".join(table.text() for table in (stage.store.table, stage.index.table, stage.due.table)),
        "the queues": "\n".join([*host.texts, *(sent.text for sent in stage.messages.sent)]),
        "the log": lines,
    }
    for secret in _secrets(stage):
        for place, text in places.items():
            if secret.reveal() in text:
                yield f"a secret is in {place}"


def _secrets(stage: Stage) -> Iterator[Secret]:
    for versions in stage.vault.names.values():
        yield from (version.secret for version in versions.values())
    yield from (user.password for user in stage.microsoft365.users)
    yield from (Secret(token) for token in stage.microsoft365.refresh_tokens)
    yield from (token.value for token in stage.tokens)
