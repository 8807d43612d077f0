"""Where a page goes on: the next row's key, in base64url, so that nobody builds on what is in it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from shared.domain.errors import Code, Invalid, Problem


def continuation_of(key: str) -> str:
    """The continuation that stands for `key`: letters, digits, `-` and `_`, so it needs no escaping in a URL."""
    return urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(continuation: str | None, form: re.Pattern[str]) -> str | None:
    """The key a continuation stands for; None for none.

    Raises:
        Invalid: `invalidValue`, it is not one of ours: its key would not have that form.
    """
    if continuation is None:
        return None
    try:
        key = urlsafe_b64decode(continuation + "=" * (-len(continuation) % 4)).decode()
    except ValueError as error:  # binascii.Error and UnicodeError are ValueErrors
        raise _foreign() from error
    if not form.fullmatch(key) or continuation_of(key) != continuation:
        raise _foreign()
    return key


def _foreign() -> Invalid:
    return Invalid(Problem(Code.INVALID_VALUE, "This continuation is not one we gave.", target="continuation"))
