"""A user's sign-in: first the account and its password with smart lockout, then what the tenant's policies say."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from local.simulator import conditional_access
from local.simulator.entra.errors import SignInRefused
from local.simulator.entra.resources import Resource
from local.simulator.state import Tenant, User, World

# learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout: ten bad tries lock for a minute, each
# further one for longer, and a try that repeats one of the last three bad passwords does not count.
LOCKOUT_THRESHOLD = 10
LOCKOUT = timedelta(seconds=60)
LONGEST_LOCKOUT = timedelta(hours=5)
REMEMBERED = 3

_PEPPER = secrets.token_bytes(16)


def authenticate(world: World, tenant: Tenant, *, username: str, password: str) -> User:
    """The user whose password this is.

    Raises:
        SignInRefused: 50034, 50020, 50056, 50053, 50126, 50057 or 50055, in this order.
    """
    now = world.clock.now()
    user = _find(tenant, username, now)
    if user is None:
        raise SignInRefused(50034, user=username, tenant=tenant.display_name)
    if user.document.get("userType") == "Guest":
        raise SignInRefused(50020, user=username, tenant=tenant.display_name)
    if user.password is None or _is_federated(tenant, username):
        raise SignInRefused(50056)
    if user.locked_until and now < user.locked_until:
        raise SignInRefused(50053)
    if not hmac.compare_digest(user.password.encode(), password.encode()):
        _count_failure(user, password, now)
        raise SignInRefused(50126)
    user.failed_sign_ins, user.locked_until, user.lockouts = [], None, 0
    check_account(user)
    if user.must_change_password:
        raise SignInRefused(50055)
    return user


def check_account(user: User) -> None:
    """Whether the account may sign in at all.

    Raises:
        SignInRefused: 50057.
    """
    if not user.document.get("accountEnabled", True):
        raise SignInRefused(50057)


def check_policies(world: World, tenant: Tenant, user: User, resource: Resource, *, ip: str) -> None:
    """Whether the tenant's policies let the user in without a second factor, which a password grant cannot give.

    Raises:
        SignInRefused: with the code the policies demand.
        ValueError: `ip` is no address.
    """
    code = conditional_access.sign_in_outcome(
        world,
        tenant,
        user,
        client_app_type="mobileAppsAndDesktopClients",
        resource_app_id=resource.app_id,
        ip=ip,
        now=world.clock.now(),
    )
    if code is not None:
        raise SignInRefused(code)


def _find(tenant: Tenant, username: str, now: datetime) -> User | None:
    for user in tenant.users.values():
        there = user.deleted_at is None and user.visible_at <= now
        if there and str(user.document["userPrincipalName"]).lower() == username.lower():
            return user
    return None


def _is_federated(tenant: Tenant, username: str) -> bool:
    suffix = username.rpartition("@")[2].lower()
    return any(str(domain["name"]).lower() == suffix and domain.get("type") == "Federated" for domain in tenant.domains)


def _count_failure(user: User, password: str, now: datetime) -> None:
    attempt = hmac.new(_PEPPER, password.encode(), sha256).hexdigest()
    if attempt in user.failed_sign_ins[-REMEMBERED:]:
        return
    user.failed_sign_ins.append(attempt)
    if len(user.failed_sign_ins) >= LOCKOUT_THRESHOLD:
        user.locked_until = now + min(LOCKOUT * 2**user.lockouts, LONGEST_LOCKOUT)
        user.lockouts = min(user.lockouts + 1, 16)
