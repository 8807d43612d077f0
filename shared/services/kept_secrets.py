"""What Key Vault keeps for a tenant: one readable password and one readable refresh token, each named in the record.

A version can be recorded only after it was made. An attempt that died in between left one that no record names. Whoever
keeps the next secret makes it unreadable if it is the newest of its name, and upkeep whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.ids import TenantId
from shared.domain.secret import Secret, new_password
from shared.domain.tenant import AccountState, Tenant, password_secret, session_secret, session_secret_of
from shared.services.world import World


def keep_password(world: World, tenant: Tenant) -> str:
    """The version that holds a new password; what a former attempt kept is made unreadable.

    It is never used: whoever is sweeping may have seen it already.
    """
    name = password_secret(tenant.account.require_id())
    return _keep(world, tenant, name, new_password(), purpose="service account password")


def keep_refresh_token(world: World, tenant: Tenant, refresh_token: Secret) -> str:
    """The version that holds the token; what a former attempt kept is made unreadable."""
    return _keep(world, tenant, session_secret_of(tenant), refresh_token, purpose="session refresh token")


def forget_refresh_token(world: World, tenant: Tenant) -> None:
    """Make the session's refresh token unreadable, also one that was kept and not recorded."""
    name = session_secret_of(tenant)
    if tenant.session.secret_version:
        world.vault.retire(name, tenant.session.secret_version)
    retire_unless_recorded(world, tenant.tenant_id, name, world.vault.newest(name))


def sweep(world: World, tenant_id: TenantId, *, is_thorough: bool) -> None:
    """Make unreadable what nobody owns and nobody is about to record.

    Thorough is to look at every version that the tenant's names ever had. Else only a name is looked through whose
    newest version nobody owns, and none while an operation has the tenant.
    """
    tenant, now = world.store.tenant(tenant_id).row, world.clock.now()
    if tenant.operation is not None and not is_thorough:
        return
    before = now - _recorded_within(world, tenant)
    names = [name for name in secret_names(tenant) if is_thorough or _leftover(world, tenant, name)]
    left = [(name, version) for name in names for version in world.vault.readable(name, before=before)]
    tenant = world.store.tenant(tenant_id).row  # read after the vault: what was recorded meanwhile has an owner
    for name, version in left:
        if (name, version) not in recorded(tenant):
            world.vault.retire(name, version)


def secret_names(tenant: Tenant) -> list[str]:
    """Every name under which anything may be kept for the tenant."""
    return [*_account_names(tenant), session_secret(tenant.tenant_id, None)]


def recorded(tenant: Tenant) -> frozenset[tuple[str, str]]:
    """Name and version of everything in use."""
    return frozenset(_recorded(tenant))


def delete_secrets(world: World, tenant: Tenant) -> list[str]:
    """Delete everything kept for the tenant; the names.

    What is in use is made unreadable first: a name that is needed again comes out of the recycle bin with all it held.
    """
    for name, version in sorted(recorded(tenant)):
        world.vault.retire(name, version)
    names = secret_names(tenant)
    for name in names:
        retire_unless_recorded(world, tenant.tenant_id, name, world.vault.newest(name))
        world.vault.delete(name)
    return names


def delete_if_removed(world: World, tenant: Tenant) -> bool:
    """Delete what a worker has kept for an account that was removed behind its back; whether it was."""
    now = world.store.tenant(tenant.tenant_id).row.account
    if now.account_id == tenant.account.account_id and now.state is not AccountState.DELETING:
        return False
    for name in _account_names(tenant):
        world.vault.delete(name)
    return True


def _keep(world: World, tenant: Tenant, name: str, secret: Secret, *, purpose: str) -> str:
    retire_unless_recorded(world, tenant.tenant_id, name, _leftover(world, tenant, name))
    return world.vault.put(name, secret, purpose=purpose)


def _leftover(world: World, tenant: Tenant, name: str) -> str | None:
    """The newest version of the name, when the record does not name it."""
    newest = world.vault.newest(name)
    return newest if newest is not None and (name, newest) not in recorded(tenant) else None


def _recorded_within(world: World, tenant: Tenant) -> timedelta:
    """How old a version is that nobody is about to record any more.

    While an operation has the tenant, that is older than any becomes that keeps a secret. Else only requests keep one,
    which record it at once.
    """
    return 2 * world.limits.create_within if tenant.operation else world.limits.stuck_after / 2


def _account_names(tenant: Tenant) -> list[str]:
    account_id = tenant.account.account_id
    return [password_secret(account_id), session_secret(tenant.tenant_id, account_id)] if account_id else []


def _recorded(tenant: Tenant) -> Iterator[tuple[str, str]]:
    account, session = tenant.account, tenant.session
    if account.account_id is not None:
        versions = (account.secret_version, account.staged_version)
        yield from ((password_secret(account.account_id), version) for version in versions if version)
    if session.secret_version:
        yield session_secret_of(tenant), session.secret_version


def retire_unless_recorded(world: World, tenant_id: TenantId, name: str, version: str | None) -> None:
    """Make a version unreadable that came to nothing; the record is read now, for others may have gone on meanwhile."""
    if version and (name, version) not in recorded(world.store.tenant(tenant_id).row):
        world.vault.retire(name, version)
