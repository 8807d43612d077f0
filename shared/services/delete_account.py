"""Disable advanced management: take away the account, its roles and its secrets, look again, and report.

Roles go before the user: an account without roles is no administrator, so deleting it needs no directory role of ours
(https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions). What cannot be
removed, because consent was withdrawn say, does not stop the rest; it is listed for the customer to remove by hand.
What became of each thing is recorded in the tenant's row, step by step, so that another removal still knows it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.activity import Event
from shared.domain.allowed_ips import AllowedIps
from shared.domain.errors import Code, Problem, Refused, Transient
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import CheckSummary
from shared.domain.ports import Directory
from shared.domain.removal import Kind, State, Stock, Thing, became, disowned, looked, of_kind
from shared.domain.session import Session, SessionState
from shared.domain.store import SetGates
from shared.domain.tenant import AccountState, ServiceAccount, Tenant
from shared.services import own_things, removal_report
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.kept_secrets import delete_secrets
from shared.services.own_things import Found, inventory
from shared.services.turn_off import closed
from shared.services.work import Change
from shared.services.world import World

_TRIES = 5
_RECYCLE_BIN = timedelta(days=30)
_IN_TENANT = tuple(kind for kind in Kind if kind is not Kind.SECRET)


class DeleteAccount:
    """The flow behind `DELETE …/service-account`."""

    kind = OperationKind.DELETE_SERVICE_ACCOUNT
    steps = (
        "takeStock",
        "revokeSignIns",
        "removePolicies",
        "removeRoles",
        "deleteUser",
        "deleteSecrets",
        "readBack",
        "verify",
    )

    def __init__(self, world: World, runtime: Directory) -> None:
        """`runtime` is the directory as the application knows it that runs sessions: sign-ins are revoked by that."""
        self._world = world
        self._runtime = runtime

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; what is gone already counts as removed."""
        match step:
            case "takeStock":
                return self._take_stock(tenant)
            case "revokeSignIns":
                return self._revoke(tenant)
            case "removePolicies":
                return self._remove(tenant, operation, Kind.EXCLUSION, Kind.POLICY, Kind.LOCATION)
            case "removeRoles":
                return self._remove(tenant, operation, Kind.ROLE)
            case "deleteUser":
                return self._remove(tenant, operation, Kind.USER)
            case "deleteSecrets":
                return self._delete_secrets(tenant)
            case "readBack":
                return self._read_back(tenant)
            case _:
                return self._verify(tenant)

    def succeed(self, tenant: Tenant, operation: Operation) -> Ending:
        """Nothing of ours is left: the tenant is as it was before, and the report says what was removed."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.SERVICE_ACCOUNT_REMOVED, "Advanced management was disabled.", now)

        def removed(tenant: Tenant) -> Tenant:
            return replace(
                tenant,
                account=ServiceAccount(),
                session=_off(tenant, now),
                allowed_ips=AllowedIps(),
                policy_check=CheckSummary(),
            )

        return Ending(removed, (SetGates(GateState.CLOSED),), entry, _report(tenant, operation))

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """The session is off in any case; the account stays recorded, so that the same call again goes on."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.SERVICE_ACCOUNT_REMOVAL_FAILED, problem.message, now, code=problem.code)

        def failed(tenant: Tenant) -> Tenant:
            held = of_kind(inventory(tenant), Kind.ROLE, State.LEFT)
            roles = tuple(UUID(role.thing_id) for role in held if role.thing_id)
            account = replace(tenant.account, state=AccountState.FAILED, problem=problem, roles=roles)
            ips = tenant.allowed_ips.interrupted(problem)
            return replace(tenant, account=account, session=_off(tenant, now), allowed_ips=ips)

        return Ending(failed, (SetGates(GateState.CLOSED),), entry, _report(tenant, operation))

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: whoever took over finds the record."""

    def _take_stock(self, tenant: Tenant) -> Done:
        """Record what there is before anything is removed: a worker that dies between removing and recording leaves
        nothing to be found. What the record alone knows of is left where nobody may look, and else was not there.
        """
        learnt, stock = tenant.account.stock, inventory(tenant)
        for kind in _IN_TENANT:
            expected = [thing for thing in of_kind(stock, kind, State.LEFT) if not thing.is_among(learnt)]
            stock, found = self._look(tenant, stock, kind)
            for thing in expected:
                if found is not None and not thing.is_among([there for there, _ in found]):
                    stock = became(stock, thing, State.ABSENT)
        return Done(_recorded(stock))

    def _look(self, tenant: Tenant, stock: Stock, kind: Kind) -> tuple[Stock, list[Found] | None]:
        """The stock after a look at that kind, and what is there with its ways to go; None where nobody may look."""
        try:
            found = own_things.find(self._world, tenant, kind)
        except Refused as error:
            is_ours = error.problem.code is not Code.ACCOUNT_CONFLICT
            return stock if is_ours else disowned(stock, kind), None
        return looked(stock, kind, [there for there, _ in found]), found

    def _revoke(self, tenant: Tenant) -> Done:
        """A sign-in that nobody may revoke stops nothing: what it stands on is deleted anyhow."""
        users = dict.fromkeys((tenant.account.object_id, tenant.session.user_id))
        try:
            for user_id in users:
                if user_id is not None:
                    self._runtime.revoke_sign_ins(tenant.tenant_id, user_id)
        except Refused as error:
            return Done(notes={"left.signIns": error.problem.code})
        return Done()

    def _remove(self, tenant: Tenant, operation: Operation, *kinds: Kind) -> Done:
        """Exclusions first, then the policy, then the location it refers to."""
        stock = inventory(tenant)
        for kind in kinds:
            stock = self._remove_all(tenant, operation, stock, kind)
        gone = set(of_kind(inventory(tenant), Kind.USER, State.LEFT)) - set(of_kind(stock, Kind.USER, State.LEFT))
        until = self._world.clock.now() + _RECYCLE_BIN
        return Done(_recorded(stock), {"restorableUntil": f"{until:%Y-%m-%dT%H:%M:%SZ}"} if gone else {})

    def _remove_all(self, tenant: Tenant, operation: Operation, stock: Stock, kind: Kind) -> Stock:
        """Everything of a kind; what is refused stays left and does not stop the rest."""
        stock, found = self._look(tenant, stock, kind)
        if found == [] and kind is Kind.USER and tenant.account.object_id is None:
            self._wait_for_user(tenant, operation)
        for thing, remove in (each for each in found or () if each[0].is_ours):
            try:
                remove()
            except Refused as error:
                if error.problem.code is Code.ADMIN_ROLE_MISSING and operation.attempts < _TRIES:
                    raise Transient(error.problem) from error  # the roles just removed may still count for a while
            else:
                stock = became(stock, thing, State.UNVERIFIED)
        return stock

    def _wait_for_user(self, tenant: Tenant, operation: Operation) -> None:
        """A user that a creation made and did not live to record is looked for some times: it may not be visible."""
        if tenant.account.user_principal_name is not None and operation.attempts < _TRIES:
            raise Transient(Problem(Code.ACCOUNT_LOST, "The account is not visible; it may be in a moment."))

    def _delete_secrets(self, tenant: Tenant) -> Done:
        stock = inventory(tenant)
        for name in delete_secrets(self._world, tenant):
            stock = became(stock, Thing(Kind.SECRET, name), State.UNVERIFIED)

        def forgotten(tenant: Tenant) -> Tenant:
            account = replace(tenant.account, secret_version=None, staged_version=None, stock=stock)
            return replace(tenant, account=account)

        return Done(forgotten)

    def _read_back(self, tenant: Tenant) -> Done:
        """Look for everything that was removed; where nobody may look any more, it stays unverified.

        Raises:
            Transient: `cleanupIncomplete`: something that was removed can still be seen.
        """
        before = stock = inventory(tenant)
        for kind in _IN_TENANT:
            stock, _ = self._look(tenant, stock, kind)
            left = of_kind(before, kind, State.LEFT)
            for thing in of_kind(stock, kind, State.LEFT):
                if not thing.is_among(left):
                    raise Transient(Problem(Code.CLEANUP_INCOMPLETE, f"{thing.name} is still visible in the tenant."))
        for secret in of_kind(stock, Kind.SECRET, State.UNVERIFIED):
            if self._world.vault.exists(secret.name):
                raise Transient(Problem(Code.CLEANUP_INCOMPLETE, "A secret is still in Key Vault."))
            stock = became(stock, secret, State.REMOVED)
        return Done(_recorded(stock), is_quick=True)

    def _verify(self, tenant: Tenant) -> Done:
        problem = removal_report.shortcoming(tenant, inventory(tenant))
        if problem is not None:
            raise Refused(problem)
        return Done(notes={"verifiedAt": f"{self._world.clock.now():%Y-%m-%dT%H:%M:%SZ}"})


def _recorded(stock: Stock) -> Change:
    return lambda tenant: replace(tenant, account=replace(tenant.account, stock=stock))


def _report(tenant: Tenant, operation: Operation) -> dict[str, object]:
    """What was removed, what was not there, and what is left with how to remove it."""
    notes = operation.notes
    rows = removal_report.rows(tenant, inventory(tenant), are_sign_ins_revoked="left.signIns" not in notes)
    report: dict[str, object] = {"removal": rows}
    if tenant.session.tokens_valid_until is not None:
        report["tokensValidUntil"] = tenant.session.tokens_valid_until
    return report | {name: notes[name] for name in ("verifiedAt", "restorableUntil") if name in notes}


def _off(tenant: Tenant, now: datetime) -> Session:
    """The session at its end: without an account there is nothing it could stand on."""
    until = tenant.session.tokens_valid_until or now
    if tenant.session.state is SessionState.OFF:
        return tenant.session
    return closed(tenant.session, until, now).turned_off(now, tokens_valid_until=until)
