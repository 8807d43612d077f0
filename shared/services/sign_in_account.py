"""Sign the service account in: with the password in use or, when a rotation stopped halfway, with the staged one."""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.domain.errors import Code, Refused
from shared.domain.ports import SignedIn
from shared.domain.tenant import ServiceAccount, Tenant, password_secret
from shared.services.world import World

_REPLICATION = timedelta(minutes=5)
_NOT_KNOWN = frozenset({Code.ACCOUNT_LOST, Code.CREDENTIAL_REJECTED})
_TRY_STAGED = frozenset({Code.CREDENTIAL_REJECTED, Code.SECRET_MISSING})


def sign_in_account(world: World, tenant: Tenant) -> tuple[SignedIn, str | None]:
    """The sign-in, and the version of the password that was right. The staged one is tried once, never again and again.

    Raises:
        Refused: `credentialRejected`, `secretMissing` when neither is right; whatever else Entra says.
    """
    account = tenant.account
    try:
        return _sign_in(world, tenant, account.secret_version), account.secret_version
    except Refused as error:
        if account.staged_version is None or error.problem.code not in _TRY_STAGED:
            raise
    return _sign_in(world, tenant, account.staged_version), account.staged_version


def may_be_too_new(account: ServiceAccount, error: Refused, now: datetime) -> bool:
    """True while Entra may not know the account or its password everywhere yet: minutes after it was made.

    The same password again counts once towards a lock-out
    (https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout).
    """
    made_at = account.rotated_at
    return made_at is not None and now < made_at + _REPLICATION and error.problem.code in _NOT_KNOWN


def _sign_in(world: World, tenant: Tenant, version: str | None) -> SignedIn:
    account = tenant.account
    password = world.vault.get(password_secret(account.require_id()), version)
    return world.sign_in.with_password(tenant.tenant_id, str(account.user_principal_name), password)
