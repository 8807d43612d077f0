"""Disable advanced management: take away the account, its roles and its secrets, look again, and report.

Roles go before the user: an account without roles is no administrator, so deleting it needs no directory role of ours
(https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions). What cannot be
removed, because consent was withdrawn say, does not stop the rest; it is listed for the customer to remove by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from shared.domain.activity import Event
from shared.domain.allowed_ips import AllowedIps
from shared.domain.directory_roles import ROLE_NAMES
from shared.domain.errors import Code, NextStep, Problem, Refused, Transient
from shared.domain.lease import GateState
from shared.domain.operation import Operation, OperationKind
from shared.domain.policy_check import CheckSummary
from shared.domain.ports import Directory, RoleAssignment
from shared.domain.session import Session, SessionState
from shared.domain.store import SetGates
from shared.domain.tenant import AccountState, ServiceAccount, Tenant
from shared.services.carry_out import Done, Ending, entry_of
from shared.services.create_account import is_ours, marker_of, names_of, require_ours
from shared.services.kept_secrets import delete_secrets, secret_names
from shared.services.remove_allowed_ips import RemoveAllowedIps
from shared.services.turn_off import closed
from shared.services.world import World

_TRIES = 5
_RECYCLE_BIN = timedelta(days=30)
_HOW = {
    "roles": "Remove the role assignments of the account in Entra, under Roles and administrators.",
    "user": "Delete the account in Entra, under Users.",
    "exclusions": "Take the account out of the excluded users of your policies, under Conditional Access.",
    "policies": "Delete the policy “Management sessions: …”, under Conditional Access.",
    "locations": "Delete the named location “Management sessions: …”, under Conditional Access.",
    "signIns": "Revoke the account's sessions in Entra, on the account's page.",
}
_KINDS = {
    "exclusions": "exclusion",
    "policies": "conditionalAccessPolicy",
    "locations": "namedLocation",
    "roles": "roleAssignment",
    "user": "user",
    "secrets": "secret",
}
_SEPARATOR = "; "


class DeleteAccount:
    """The flow behind `DELETE …/service-account`."""

    kind = OperationKind.DELETE_SERVICE_ACCOUNT
    steps = ("takeStock", "revokeSignIns", "removePolicies", "removeRoles", "deleteUser", "deleteSecrets", "verify")

    def __init__(self, world: World, allowed_ips: RemoveAllowedIps, runtime: Directory) -> None:
        """`runtime` is the directory as the application knows it that runs sessions: sign-ins are revoked by that."""
        self._world = world
        self._allowed_ips = allowed_ips
        self._runtime = runtime

    def perform(self, step: str, tenant: Tenant, operation: Operation) -> Done:
        """One step; what is gone already counts as removed."""
        match step:
            case "takeStock":
                return self._take_stock(tenant)
            case "revokeSignIns":
                return self._try("signIns", operation, lambda: self._revoke(tenant))
            case "removePolicies":
                return self._remove_policies(tenant, operation)
            case "removeRoles":
                return self._try("roles", operation, lambda: self._remove_roles(tenant))
            case "deleteUser":
                return self._try("user", operation, lambda: self._delete_user(tenant, operation))
            case "deleteSecrets":
                return self._delete_secrets(tenant)
            case _:
                return self._verify(tenant, operation)

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

        return Ending(removed, (SetGates(GateState.CLOSED),), entry, self._report(tenant, operation))

    def fail(self, tenant: Tenant, operation: Operation, problem: Problem) -> Ending:
        """The session is off in any case; the account stays recorded, so that the same call again goes on."""
        now = self._world.clock.now()
        entry = entry_of(operation, Event.SERVICE_ACCOUNT_REMOVAL_FAILED, problem.message, now, code=problem.code)

        def failed(tenant: Tenant) -> Tenant:
            account = replace(tenant.account, state=AccountState.FAILED, problem=problem)
            ips = tenant.allowed_ips.interrupted(problem)
            return replace(tenant, account=account, session=_off(tenant, now), allowed_ips=ips)

        return Ending(failed, (SetGates(GateState.CLOSED),), entry, self._report(tenant, operation))

    def abandon(self, tenant: Tenant, operation: Operation) -> None:
        """Nothing: whoever took over finds the record."""

    def _take_stock(self, tenant: Tenant) -> Done:
        """Note what there is before anything is removed: a worker that dies between removing and noting it leaves
        nothing to be found. What cannot be looked at is not noted; its removal will be refused as well.
        """
        ips = self._allowed_ips
        looks: dict[str, Callable[[Tenant], list[str]]] = {"roles": self._role_names, "user": self._user_ids}
        if tenant.allowed_ips.leaves_traces:
            looks |= {"exclusions": ips.find_exclusions, "policies": ips.find_policy, "locations": ips.find_location}
        notes: dict[str, str] = {}
        for what, look in looks.items():
            with suppress(Refused):
                notes[f"found.{what}"] = _names(look, tenant)
        return Done(notes=notes)

    def _role_names(self, tenant: Tenant) -> list[str]:
        user = require_ours(self._world, tenant)
        held = self._world.directory.role_assignments(tenant.tenant_id, user.object_id) if user else ()
        return [_name_of(role) for role in held]

    def _user_ids(self, tenant: Tenant) -> list[str]:
        user = require_ours(self._world, tenant)
        return list(dict.fromkeys(map(str, (*([user.object_id] if user else []), *self._marked(tenant)))))

    def _try(self, what: str, operation: Operation, remove: Callable[[], str]) -> Done:
        """Remove something; what is refused is noted as left and does not stop the rest."""
        try:
            return Done(notes={f"removed.{what}": remove()})
        except Refused as error:
            if error.problem.code is Code.ADMIN_ROLE_MISSING and operation.attempts < _TRIES:
                raise Transient(error.problem) from error  # the roles just removed may still count for a while
            return Done(notes={f"left.{what}": error.problem.code})

    def _revoke(self, tenant: Tenant) -> str:
        users = dict.fromkeys((tenant.account.object_id, tenant.session.user_id))
        signed_in = [user_id for user_id in users if user_id is not None]
        for user_id in signed_in:
            self._runtime.revoke_sign_ins(tenant.tenant_id, user_id)
        return _SEPARATOR.join(map(str, signed_in))

    def _remove_policies(self, tenant: Tenant, operation: Operation) -> Done:
        """Exclusions first, then the policy, then the location it refers to."""
        if not tenant.allowed_ips.leaves_traces:
            return Done()
        ips = self._allowed_ips
        removals: dict[str, Callable[[Tenant], list[str]]] = {
            "exclusions": ips.undo_exclusions,
            "policies": ips.remove_policy,
            "locations": ips.remove_location,
        }
        notes: dict[str, str] = {}
        for what, remove in removals.items():
            done = self._try(what, operation, partial(_names, remove, tenant))
            notes |= done.notes
        return Done(notes=notes)

    def _remove_roles(self, tenant: Tenant) -> str:
        user = require_ours(self._world, tenant)
        if user is None:  # whatever else has that id, a service principal say, keeps its roles
            return ""
        held = self._world.directory.role_assignments(tenant.tenant_id, user.object_id)
        for role in held:
            self._world.directory.remove_role(tenant.tenant_id, role.assignment_id)
        return _SEPARATOR.join(map(_name_of, held))

    def _delete_user(self, tenant: Tenant, operation: Operation) -> str:
        """The account, and whatever else carries its whole mark: an attempt that died may have made one more."""
        object_id = tenant.account.object_id or self._unrecorded_user(tenant, operation)
        require_ours(self._world, tenant)
        ours = dict.fromkeys((*([object_id] if object_id else []), *self._marked(tenant)))
        for user_id in ours:
            self._world.directory.delete_user(tenant.tenant_id, user_id)
        return _SEPARATOR.join(map(str, ours))

    def _marked(self, tenant: Tenant) -> list[UUID]:
        if tenant.account.account_id is None:
            return []
        mark = marker_of(tenant, self._world.application_id)
        return [user.object_id for user in self._world.directory.marked_users(tenant.tenant_id, mark)]

    def _unrecorded_user(self, tenant: Tenant, operation: Operation) -> UUID | None:
        """A user that a creation made and did not live to record; looked for some times, for it may not be visible."""
        if tenant.account.user_principal_name is None:
            return None
        for name in names_of(tenant):
            found = self._world.directory.user(tenant.tenant_id, name)
            if found is not None and is_ours(found, tenant, self._world.application_id):
                return found.object_id
        if operation.attempts < _TRIES:
            raise Transient(Problem(Code.ACCOUNT_LOST, "The account is not visible; it may be in a moment."))
        return None

    def _delete_secrets(self, tenant: Tenant) -> Done:
        names = delete_secrets(self._world, tenant)

        def forgotten(tenant: Tenant) -> Tenant:
            return replace(tenant, account=replace(tenant.account, secret_version=None, staged_version=None))

        return Done(forgotten, {"removed.secrets": _SEPARATOR.join(names)})

    def _verify(self, tenant: Tenant, operation: Operation) -> Done:
        left = [what for what in _HOW if f"left.{what}" in operation.notes]
        if left == ["signIns"]:  # they ended with the user
            left = []
        if left:
            raise Refused(
                Problem(
                    Code.CLEANUP_INCOMPLETE,
                    f"Some things could not be removed from the tenant: {', '.join(left)}.",
                    next_step=NextStep(" ".join(_HOW[what] for what in left)),
                )
            )
        object_id = tenant.account.object_id
        if object_id is not None and self._world.directory.user(tenant.tenant_id, str(object_id)) is not None:
            raise Transient(Problem(Code.CLEANUP_INCOMPLETE, "The account is still visible in the tenant."))
        if object_id is not None and self._world.directory.role_assignments(tenant.tenant_id, object_id):
            raise Transient(Problem(Code.CLEANUP_INCOMPLETE, "The account still holds roles in the tenant."))
        if self._allowed_ips.leftovers(tenant):
            raise Transient(Problem(Code.CLEANUP_INCOMPLETE, "The allowed IPs are still visible in the tenant."))
        if any(self._world.vault.exists(name) for name in secret_names(tenant)):
            raise Transient(Problem(Code.CLEANUP_INCOMPLETE, "A secret is still in Key Vault."))
        return Done(notes={"verifiedAt": f"{self._world.clock.now():%Y-%m-%dT%H:%M:%SZ}"})

    def _report(self, tenant: Tenant, operation: Operation) -> dict[str, object]:
        """What was removed, what was not there, and what is left with how to remove it."""
        notes = operation.notes
        rows: list[dict[str, object]] = [{"kind": "session", "name": "management session", "state": "removed"}]
        for what, kind in _KINDS.items():
            if f"left.{what}" in notes:
                rows.append({"kind": kind, "name": what, "state": "left", "nextStep": {"text": _HOW[what]}})
            elif f"removed.{what}" in notes:
                names = _noted(notes, what)
                rows += [{"kind": kind, "name": name, "state": "removed"} for name in names]
                if not names:
                    rows.append({"kind": kind, "name": what, "state": "absent"})
        report: dict[str, object] = {"removal": rows}
        if tenant.session.tokens_valid_until is not None:
            report["tokensValidUntil"] = tenant.session.tokens_valid_until
        if notes.get("verifiedAt"):
            report["verifiedAt"] = notes["verifiedAt"]
        if _noted(notes, "user"):
            report["restorableUntil"] = self._world.clock.now() + _RECYCLE_BIN
        return report


def _noted(notes: Mapping[str, str], what: str) -> list[str]:
    """What was there before anything was removed, and what was found when it was; each once."""
    noted = (notes.get(f"{when}.{what}", "").split(_SEPARATOR) for when in ("found", "removed"))
    return list(dict.fromkeys(name for names in noted for name in names if name))


def _name_of(role: RoleAssignment) -> str:
    return ROLE_NAMES.get(role.role_template_id, str(role.role_template_id))


def _names(remove: Callable[[Tenant], list[str]], tenant: Tenant) -> str:
    return _SEPARATOR.join(remove(tenant))


def _off(tenant: Tenant, now: datetime) -> Session:
    """The session at its end: without an account there is nothing it could stand on."""
    until = tenant.session.tokens_valid_until or now
    if tenant.session.state is SessionState.OFF:
        return tenant.session
    return closed(tenant.session, until, now).turned_off(now, tokens_valid_until=until)
