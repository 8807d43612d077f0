"""Passwords: what the tenant accepts, who may set whose, and what setting one changes."""

from __future__ import annotations

import re

from local.simulator.calls import GraphCall
from local.simulator.directory_roles import OVER_ADMINISTRATORS, OVER_PASSWORDS
from local.simulator.graph.directory import is_administrator
from local.simulator.graph.operation import require_role
from local.simulator.graph.refusals import weak_password
from local.simulator.state import JsonObject, User
from local.simulator.timestamps import stamp

# learn.microsoft.com/entra/identity/authentication/concept-password-ban-bad-combined-policy: 8 to 256 characters, three
# of the four classes.
_LENGTHS = range(8, 257)
_CLASSES_NEEDED = 3
_CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")


def check_strength(password: str) -> None:
    """The password is long and varied enough.

    Raises:
        GraphRefusal: 400.
    """
    varied = sum(bool(re.search(pattern, password)) for pattern in _CLASSES) >= _CLASSES_NEEDED
    if len(password) not in _LENGTHS or not varied:
        raise weak_password()


def require_power_over_password(call: GraphCall, user: User) -> None:
    """Lets a caller set this user's password: it needs a directory role besides the permission, a higher one over an
    administrator.

    Raises:
        GraphRefusal: 403.
    """
    require_role(call, OVER_ADMINISTRATORS if is_administrator(call, user) else OVER_PASSWORDS)


def set_password(call: GraphCall, user: User, profile: JsonObject) -> None:
    """Applies a passwordProfile. Unless it says otherwise, the user must change the password at the next sign-in.

    Refresh tokens of confidential clients outlive it (identity-platform/refresh-tokens); all of ours are such.
    """
    if "password" in profile:
        check_strength(profile["password"])
        user.password = profile["password"]
        user.document["lastPasswordChangeDateTime"] = stamp(call.clock.now())
    forced = profile.get("forceChangePasswordNextSignIn")
    user.must_change_password = True if forced is None else forced
