"""Look at what is due, and at nothing else: resend, expire, answer, compare, rotate, forget, and enter the next time.

The due list is written before the work it guards, so every crash leaves an entry behind; looking at a tenant twice, or
for nothing, changes nothing. Its cost follows the entries that are due, not the number of tenants.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from shared import telemetry
from shared.domain.activity import Event
from shared.domain.actors import SERVICE
from shared.domain.errors import ManagementSessionError, NotFound, Problem, Transient
from shared.domain.ids import TenantId
from shared.domain.lease import Gate
from shared.domain.operation import Operation
from shared.domain.policy_check import Check
from shared.domain.session import Method, SessionState
from shared.domain.store import Due, Overview, summary_of
from shared.domain.tenant import Tenant
from shared.services.answer_parked import AnswerParked
from shared.services.ask_for_account import AskForServiceAccount
from shared.services.ask_for_policies import AskForPolicies
from shared.services.forget_old_rows import ForgetOldRows
from shared.services.kept_secrets import sweep
from shared.services.record_refusal import NOBODY, remember_nobodys
from shared.services.toggle_session import ToggleSession
from shared.services.world import World

_AT_ONCE = 200
_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)


class Upkeep:
    """The service behind the timer."""

    def __init__(
        self,
        world: World,
        toggle: ToggleSession,
        accounts: AskForServiceAccount,
        policies: AskForPolicies,
        answer_parked: AnswerParked,
        forget_old_rows: ForgetOldRows,
    ) -> None:
        self._world = world
        self._toggle = toggle
        self._accounts = accounts
        self._policies = policies
        self._answer_parked = answer_parked
        self._forget_old_rows = forget_old_rows

    def __call__(self) -> int:
        """Look at everything that is due; how many tenants that were.

        Raises:
            Transient: the due list itself cannot be read or written.
            Exception: what nobody foresaw in a tenant; only when all have been looked at, and then the first of it.
        """
        due = self._world.due.until(self._world.clock.now(), limit=_AT_ONCE)
        looks: dict[TenantId, list[Due]] = {}
        for entry in due:
            looks.setdefault(entry.tenant_id, []).append(entry)
        surprises = [self._look_or_put_off(tenant_id, entries) for tenant_id, entries in looks.items()]
        telemetry.event("upkeepDone", due=len(due), tenants=len(looks))
        for surprise in filter(None, surprises):
            raise surprise
        return len(looks)

    def _look_or_put_off(self, tenant_id: TenantId, entries: list[Due]) -> Exception | None:
        """One tenant's trouble, foreseen or not, must not keep the others waiting: it is looked at again later.

        The first entry stays when its work is not all done: the next run goes on with it. What nobody foresaw is
        given back, so that the run can fail with it in the end.
        """
        is_done, surprise = True, None
        try:
            is_done = self._look(tenant_id, entries)
        except ManagementSessionError as error:
            telemetry.event("upkeepPutOff", tenant_id=tenant_id, code=error.problem.code)
            self._look_again_soon(tenant_id)
        except Exception as error:
            telemetry.event("upkeepFailed", level=logging.ERROR, tenant_id=tenant_id, kind=type(error).__name__)
            self._look_again_soon(tenant_id)
            surprise = error
        for entry in entries if is_done else entries[1:]:
            self._world.due.remove(entry)
        return surprise

    def _look_again_soon(self, tenant_id: TenantId) -> None:
        self._world.due.add(Due(tenant_id, self._world.clock.now() + self._world.limits.stuck_after))

    def _look(self, tenant_id: TenantId, entries: list[Due]) -> bool:
        """Do what is due; False when there is more to forget than one look may."""
        now = self._world.clock.now()
        try:
            overview = self._world.store.overview(tenant_id)
        except NotFound:
            return tenant_id != NOBODY or self._look_at_nobodys()
        tenant = overview.tenant.row
        self._world.due.add(Due(tenant_id, self._next(overview, now)))
        is_daily = _following(tenant.created_at, _DAY, entries[0].at - _MOMENT) <= now
        is_owed = is_daily or not all(self._is_regular(overview, entry) for entry in entries)
        if is_owed or now < tenant.updated_at + 2 * self._world.limits.look_every:
            self._enter(tenant)
        self._resend(overview, now)
        self._end_session(overview, now)
        if self._answer_parked(tenant_id):
            self._world.due.add(Due(tenant_id, _following(tenant.created_at, self._world.limits.stuck_after, now)))
        if not self._policies.keep_up(overview.tenant):
            self._accounts.rotate_when_due(overview.tenant)
        running = tenant.operation.operation_id if tenant.operation else None
        if is_daily and self._forget_old_rows(tenant_id, running):
            return False
        if is_owed:
            sweep(self._world, tenant_id, is_thorough=is_daily)
        return True

    def _is_regular(self, overview: Overview, entry: Due) -> bool:
        """Whether the tenant's own times lead to the entry.

        Any other was entered by somebody who was about to change something or to keep a secret. They may have died
        before the list was told of it, or the record; however late the look comes, this is found out now.
        """
        return self._next(overview, entry.at - _MOMENT) == entry.at

    def _enter(self, tenant: Tenant) -> None:
        """Bring the list up to date; while it is away, all else goes on, and the next look tries again."""
        try:
            self._world.enter(summary_of(tenant), was=None)
        except Transient as error:
            telemetry.event("listBehind", tenant_id=tenant.tenant_id, code=error.problem.code)
            self._look_again_soon(tenant.tenant_id)

    def _look_at_nobodys(self) -> bool:
        """What belongs to no tenant grows old like the rest; while there is any of it, it is looked at daily."""
        if self._forget_old_rows(NOBODY):
            return False
        newest = self._world.store.activity(NOBODY, limit=1, continuation=None)
        if newest.items or newest.continuation:  # what a later release wrote is left out, and there all the same
            remember_nobodys(self._world)
        return True

    def _resend(self, overview: Overview, now: datetime) -> None:
        """Wake a worker for an operation that nobody seems to work on."""
        tenant = overview.tenant.row
        if tenant.operation is None:
            return
        operation = self._world.store.operation(tenant.tenant_id, tenant.operation.operation_id).row
        if self._is_stuck(operation, now):
            telemetry.event("operationResent", tenant_id=tenant.tenant_id, operation_id=operation.operation_id)
            self._world.messages.send_operation(tenant.tenant_id, operation.operation_id)

    def _is_stuck(self, operation: Operation, now: datetime) -> bool:
        if operation.is_claimed(now):
            return False
        quiet_since = operation.updated_at or operation.created_at
        return now >= operation.deadline or now >= quiet_since + self._world.limits.stuck_after

    def _end_session(self, overview: Overview, now: datetime) -> None:
        session = overview.tenant.row.session
        if session.state is not SessionState.ON:
            return
        if session.expires_at is not None and now >= session.expires_at:
            self._toggle.end(overview, Event.SESSION_EXPIRED, SERVICE, "The session's time is up.")
            return
        lost = _lost_since(overview.tenant.row, session.since)
        if lost is not None and session.method is Method.SERVICE_ACCOUNT:
            self._toggle.end(overview, Event.SESSION_ACCOUNT_LOST, SERVICE, lost.message)
            return
        idle_timeout = overview.tenant.row.auto_enable.idle_timeout
        idle = idle_since(overview, now)
        if overview.tenant.row.auto_enable.enabled and idle is not None and now >= idle + idle_timeout:
            self._toggle.end(overview, Event.SESSION_IDLE, SERVICE, "No action has used the session for a while.")

    def _next(self, overview: Overview, now: datetime) -> datetime:
        """When to look again: within a day, and sooner where something can become due by itself.

        The times of a tenant lie on a grid, so that however many entries led here, one follows.
        """
        tenant, session, limits = overview.tenant.row, overview.tenant.row.session, self._world.limits
        times = [_following(tenant.created_at, _DAY, now)]
        if tenant.operation is not None:
            times.append(_following(tenant.created_at, limits.stuck_after, now))
        if session.state is SessionState.ON and session.expires_at is not None:
            regular = _following(tenant.created_at, limits.look_every, now)
            times.append(min(session.expires_at, regular) if now < session.expires_at else regular)
        if tenant.account.is_usable:
            checked_at = tenant.policy_check.checked_at or now
            check_at = checked_at + limits.check_every
            due = min(check_at, tenant.account.next_rotation_at or check_at)
            times.append(due if now < due else now + limits.look_every)
        if tenant.allowed_ips.is_in_force:
            times.append(_following(tenant.created_at, limits.addresses_within, now))
        return min(times)


def _following(start: datetime, every: timedelta, now: datetime) -> datetime:
    """The first time after `now` that is a multiple of `every` away from `start`."""
    return start + ((now - start) // every + 1) * every


def _lost_since(tenant: Tenant, moment: datetime) -> Problem | None:
    """What a check that ended later has found of the account that no session can stand on."""
    check = tenant.policy_check
    if check.stopped_by is None or check.stopped_by.check is not Check.SERVICE_ACCOUNT:
        return None
    return check.stopped_by.as_problem() if check.checked_at is not None and check.checked_at > moment else None


def idle_since(overview: Overview, now: datetime) -> datetime | None:
    """Since when no lease has been held; None while one is."""
    gates = [gate.row for gate in overview.gates]
    if any(gate.live(now) for gate in gates):
        return None
    return max([overview.tenant.row.session.since, *(_emptied(gate) for gate in gates if gate.used)])


def _emptied(gate: Gate) -> datetime:
    ends = [lease.expires_at for lease in gate.leases]
    return max([*ends, gate.idle_since] if gate.idle_since else ends)
