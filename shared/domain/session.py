"""A management session: one tenant, on or off, and the only legal ways between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from shared.domain.actors import Actor
from shared.domain.errors import Code, Problem, refused
from shared.domain.ids import ActionId, SessionId


class SessionState(StrEnum):
    """Where a session stands. Resting states are off, on and failed; the others end by themselves."""

    OFF = "off"
    TURNING_ON = "turningOn"
    ON = "on"
    DRAINING = "draining"
    TURNING_OFF = "turningOff"
    FAILED = "failed"


class Method(StrEnum):
    """Whose sign-in the session stands on."""

    SERVICE_ACCOUNT = "serviceAccount"
    GLOBAL_ADMIN = "globalAdmin"


TRANSITIONS: Final[Mapping[SessionState, frozenset[SessionState]]] = MappingProxyType(
    {
        SessionState.OFF: frozenset({SessionState.TURNING_ON}),
        SessionState.FAILED: frozenset({SessionState.TURNING_ON, SessionState.TURNING_OFF}),
        SessionState.TURNING_ON: frozenset({SessionState.ON, SessionState.FAILED, SessionState.TURNING_OFF}),
        SessionState.ON: frozenset({SessionState.DRAINING, SessionState.TURNING_OFF}),
        SessionState.DRAINING: frozenset({SessionState.TURNING_OFF}),
        SessionState.TURNING_OFF: frozenset({SessionState.OFF}),
    }
)

MAX_TOKEN_LIFE: Final = timedelta(minutes=90)
"""An access token lives 60 to 90 minutes (https://learn.microsoft.com/entra/identity-platform/configurable-token-lifetimes)."""


class AutoEnableOutcome(StrEnum):
    """What came of the last request that met a session that was off."""

    ENABLED = "enabled"
    NOT_ENABLED = "notEnabled"


@dataclass(frozen=True, slots=True)
class LastAutoEnable:
    """Why the session was, or was not, turned on by itself the last time somebody needed it."""

    outcome: AutoEnableOutcome
    at: datetime
    action_id: ActionId
    reason: str


@dataclass(frozen=True, slots=True)
class Session:
    """The tenant's session.

    Attributes:
        session_id: this turn-on's own id; None while there is none.
        method: whose sign-in it stands on.
        turned_on_by: who asked for it; the executor's operator when it was auto-enabled.
        since: when the state was entered.
        expires_at: when it ends by itself.
        user_id: the object id of the Global Administrator whose sign-in it stands on; None for the service account.
        secret_version: the Key Vault version that holds its refresh token.
        tokens_valid_until: after off: until when tokens already handed out may still be accepted by Microsoft 365.
        problem: why the last turn-on failed, or what turning off could not do, or why the account was refused.
        refused_at: when, while it was on, Entra refused to sign the service account in again.
    """

    state: SessionState
    since: datetime
    session_id: SessionId | None = None
    method: Method | None = None
    turned_on_by: Actor | None = None
    reason: str | None = None
    expires_at: datetime | None = None
    lifetime: timedelta | None = None
    user_id: UUID | None = None
    secret_version: str | None = None
    tokens_valid_until: datetime | None = None
    last_auto_enable: LastAutoEnable | None = None
    problem: Problem | None = None
    refused_at: datetime | None = None

    def has_expired(self, now: datetime) -> bool:
        """True once its time is up, whether or not anybody has turned it off yet."""
        return self.expires_at is not None and now >= self.expires_at

    def is_on(self, now: datetime) -> bool:
        """True while it is on and its time is not up: the only state in which nothing is left to turn on."""
        return self.state is SessionState.ON and not self.has_expired(now)

    def to(self, state: SessionState, now: datetime) -> Session:
        """This session in its next state.

        Raises:
            Refused: `transitionNotAllowed`, the rules know no such way.
        """
        if state not in TRANSITIONS[self.state]:
            raise refused(
                Code.TRANSITION_NOT_ALLOWED,
                f"The session is {self.state}; it cannot become {state} now.",
                target="state",
                step="Wait until the running operation has ended, then ask again.",
            )
        return replace(self, state=state, since=now)

    def turning_on(
        self,
        session_id: SessionId,
        method: Method,
        by: Actor,
        *,
        reason: str | None,
        lifetime: timedelta,
        now: datetime,
    ) -> Session:
        """A new turn-on: the former one's traces are gone, but what auto-enable last decided stays."""
        self.to(SessionState.TURNING_ON, now)
        return Session(
            SessionState.TURNING_ON,
            now,
            session_id=session_id,
            method=method,
            turned_on_by=by,
            reason=reason,
            lifetime=lifetime,
            last_auto_enable=self.last_auto_enable,
        )

    def turned_on(self, now: datetime) -> Session:
        """On, from now until its lifetime has passed."""
        return replace(self.to(SessionState.ON, now), expires_at=now + (self.lifetime or timedelta()))

    def refused(self, problem: Problem, now: datetime) -> Session:
        """Still on, but no new token can be had."""
        return replace(self, problem=problem, refused_at=now)

    def accepted(self) -> Session:
        """On as before, for the account has signed in since it was refused; nothing else changes."""
        return replace(self, problem=None, refused_at=None) if self.refused_at else self

    def signed_in_again(self, secret_version: str) -> Session:
        """On as before, on a new refresh token."""
        return replace(self.accepted(), secret_version=secret_version)

    def failed(self, problem: Problem, now: datetime) -> Session:
        """The turn-on did not succeed, and why."""
        return replace(self.to(SessionState.FAILED, now), problem=problem, secret_version=None)

    def turned_off(self, now: datetime, *, tokens_valid_until: datetime, problem: Problem | None = None) -> Session:
        """Off, with what is still to be known about the tokens that were handed out."""
        return Session(
            self.to(SessionState.OFF, now).state,
            now,
            tokens_valid_until=tokens_valid_until,
            last_auto_enable=self.last_auto_enable,
            problem=problem,
        )
