"""Values that must not be seen: they print as ****, and refuse to be pickled or written as JSON."""

from __future__ import annotations

import hmac
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NoReturn

_HIDDEN: Final = "****"
_CLASSES: Final = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#$%*+-=?@_")


class Secret:
    """A password, refresh token or client secret. `reveal()` is called only where it leaves: in adapters."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """The value itself."""
        return self.__value

    def __repr__(self) -> str:
        return _HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash(Secret)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never serialised")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token for one resource, and the moment it ends by itself."""

    value: Secret
    expires_at: datetime

    def lasts(self, span: timedelta, now: datetime) -> bool:
        """True when the token is still good for at least `span`."""
        return self.expires_at - now >= span


def new_password(length: int = 64) -> Secret:
    """A password Entra accepts: 8 to 256 characters, every class present, no white space at either end.

    ROPC does not carry leading or trailing white space
    (https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc).
    """
    everything = "".join(_CLASSES)
    while True:
        password = "".join(secrets.choice(everything) for _ in range(length))
        if all(any(letter in kind for letter in password) for kind in _CLASSES):
            return Secret(password)
