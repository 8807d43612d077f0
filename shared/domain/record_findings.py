"""From the record and the tenant to findings: what is recorded and gone, what is there and not recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.domain.allowed_ips import AllowedIps, AllowedIpsState
from shared.domain.errors import Code
from shared.domain.findings import passed, skipped
from shared.domain.policy_check import Check, Finding, Orphan, OrphanKind, Verdict
from shared.domain.ports import DirectoryUser

_USERS: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade"
_POLICIES: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies"
_ITSELF: Final = "Nothing needs to be done: the daily look removes it."
_RETRY: Final = "retry the service account creation"


def account_gone(name: str, *, is_in_bin: bool) -> Finding:
    """The recorded account is not in the tenant."""
    if is_in_bin:
        cause = f"The service account {name} was deleted; it is in the tenant's recycle bin."
        return _account(cause, f"Restore it, or {_RETRY}, which does.")
    return _account(f"The service account {name} is not in the tenant any more.", "Retry the service account creation.")


def account(name: str, found: DirectoryUser, mark: str, *, is_ours: bool) -> Finding:
    """What is there under the recorded object id; `mark` is what it ought to carry."""
    if not is_ours:
        cause = f"The account {found.user_principal_name} does not carry our mark, so it is not used."
        fix = f"Write {mark} into its employee id again, or {_RETRY}, which makes another account."
        return _account(cause, fix, Code.ACCOUNT_CONFLICT)
    if not found.is_enabled:
        cause = f"The service account {name} is disabled in the tenant."
        return _account(cause, f"Enable it, or {_RETRY}, which does.")
    if found.user_principal_name.lower() != name.lower():
        cause = f"The service account {name} was renamed to {found.user_principal_name}."
        return _account(cause, f"Give it its name back, or {_RETRY}, which records the new one.")
    return passed(Check.SERVICE_ACCOUNT)


def unrecorded_accounts(orphans: Sequence[Orphan]) -> Finding:
    """Users that carry our mark and that no record names."""
    users = [orphan for orphan in orphans if orphan.kind is OrphanKind.USER]
    if not users:
        return passed(Check.UNRECORDED_ACCOUNTS)
    cause = f"No record names what carries our mark: {_names(users)}."
    theirs = [user for user in users if not user.may_go]
    fix = f"Delete {_names(theirs)}, unless somebody needs it, or {_RETRY}, which may take it over."
    return Finding(Check.UNRECORDED_ACCOUNTS, Verdict.FAIL, cause, fix if theirs else _ITSELF, _USERS)


def unrecorded_policies(orphans: Sequence[Orphan]) -> Finding:
    """Policies and named locations that bear our names and that no record names."""
    made = [orphan for orphan in orphans if orphan.kind is not OrphanKind.USER]
    if not made:
        return passed(Check.UNRECORDED_POLICIES)
    cause = f"No record names what bears our name: {_names(made)}."
    theirs = [orphan for orphan in made if not orphan.may_go]
    fix = f"Delete {_names(theirs)}, or give it another name if it is yours."
    return Finding(Check.UNRECORDED_POLICIES, Verdict.FAIL, cause, fix if theirs else _ITSELF, _POLICIES)


def no_unrecorded_policies(wanted: AllowedIps) -> Finding | None:
    """The row where the record is just being made true, or is to be; else None."""
    if wanted.state in (AllowedIpsState.APPLYING, AllowedIpsState.REMOVING):
        return skipped(Check.UNRECORDED_POLICIES, "The allowed IPs are just being changed.")
    if wanted.state is AllowedIpsState.FAILED:
        return skipped(Check.UNRECORDED_POLICIES, "Setting or removing the allowed IPs again finds all there is.")
    return None


def _account(cause: str, fix: str, code: Code = Code.ACCOUNT_LOST) -> Finding:
    return Finding(Check.SERVICE_ACCOUNT, Verdict.FAIL, cause, fix, _USERS, is_obstacle=True, code=code)


def _names(orphans: Sequence[Orphan]) -> str:
    return ", ".join(f"“{orphan.display_name}”" for orphan in orphans)
