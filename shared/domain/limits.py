"""How long things last: numbers that belong together, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """Lifetimes that belong together.

    `answer_within` is longer than `turn_on_within`, so that whoever waits for a turn-on learns how it ended;
    `check_lasts` is longer than `check_every`, so that a daily check is never stale when a turn-on looks at it;
    `lease_longest` and `session_longest` bound what callers may ask for;
    `stuck_after` is how long a worker may be silent before somebody else goes on with its operation, and how long a
    message may take before it is sent again;
    `resend_after` is how long an answer on record may take to its queue before another worker sends it: no longer than
    the platform waits with a message whose function failed (host.json, `visibilityTimeout`);
    `addresses_within` is how long allowed IPs may lag behind our own addresses;
    `retention` is how long what has ended is remembered.
    """

    session_lifetime: timedelta = timedelta(hours=8)
    session_longest: timedelta = timedelta(hours=24)
    lease_longest: timedelta = timedelta(hours=8)
    answer_within: timedelta = timedelta(minutes=15)
    answer_margin: timedelta = timedelta(seconds=3)
    resend_after: timedelta = timedelta(seconds=5)
    create_within: timedelta = timedelta(minutes=30)
    turn_on_within: timedelta = timedelta(minutes=10)
    turn_off_within: timedelta = timedelta(minutes=15)
    delete_within: timedelta = timedelta(minutes=30)
    rotate_within: timedelta = timedelta(minutes=15)
    rotate_every: timedelta = timedelta(days=30)
    rotate_again: timedelta = timedelta(days=1)
    drain_longest: timedelta = timedelta(hours=8)
    token_margin: timedelta = timedelta(minutes=5)
    check_within: timedelta = timedelta(minutes=15)
    check_lasts: timedelta = timedelta(hours=26)
    check_every: timedelta = timedelta(hours=24)
    set_ips_within: timedelta = timedelta(minutes=15)
    global_admin_longest: timedelta = timedelta(hours=2)
    stuck_after: timedelta = timedelta(minutes=2)
    look_every: timedelta = timedelta(minutes=5)
    addresses_within: timedelta = timedelta(hours=1)
    retention: timedelta = timedelta(days=400)
