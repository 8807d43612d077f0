"""Everything raised on purpose, as one tree, and the codes a caller may meet.

ManagementSessionError      carries a Problem: code, sentence, field, next step
├── Invalid                 the request itself is wrong; it names the field
├── Refused                 the answer is no, and asking again will not change it
│   └── WrittenLater        of a row that a later release wrote: it is left as it is
├── NotFound                there is no such thing, or none this caller may know of
├── Conflict                somebody was faster: read again
└── Transient               try later; knows when
    └── ReplyLost           sent, effect unknown
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class Code(StrEnum):
    """Why something was refused: one code a refusal, the same in HTTP, messages, rows and logs."""

    # the request
    INVALID_JSON = "invalidJson"
    DUPLICATE_KEY = "duplicateKey"
    NOT_AN_OBJECT = "notAnObject"
    INVALID_VALUE = "invalidValue"
    UNKNOWN_FIELD = "unknownField"
    MISSING_FIELD = "missingField"
    BODY_TOO_LARGE = "bodyTooLarge"
    UNSUPPORTED_MEDIA_TYPE = "unsupportedMediaType"
    LENGTH_REQUIRED = "lengthRequired"
    UNSUPPORTED_SCHEMA_VERSION = "unsupportedSchemaVersion"
    # the caller
    UNAUTHENTICATED = "unauthenticated"
    CALLER_NOT_ALLOWED = "callerNotAllowed"
    TOO_MANY_REQUESTS = "tooManyRequests"
    # what is asked for
    NOT_FOUND = "notFound"
    TENANT_NOT_FOUND = "tenantNotFound"
    OPERATION_NOT_FOUND = "operationNotFound"
    ACTION_NOT_FOUND = "actionNotFound"
    LEASE_NOT_FOUND = "leaseNotFound"
    POLICY_CHECK_NOT_FOUND = "policyCheckNotFound"
    PRECONDITION_FAILED = "preconditionFailed"
    OPERATION_IN_PROGRESS = "operationInProgress"
    IDEMPOTENCY_KEY_REUSED = "idempotencyKeyReused"
    TRANSITION_NOT_ALLOWED = "transitionNotAllowed"
    # the session
    SERVICE_ACCOUNT_MISSING = "serviceAccountMissing"
    MANAGEMENT_OFF = "managementOff"
    KIND_NOT_ALLOWED = "kindNotAllowed"
    DEADLINE_PASSED = "deadlinePassed"
    SESSION_NOT_ON = "sessionNotOn"
    LEASE_ENDED = "leaseEnded"
    RESOURCE_NOT_LEASED = "resourceNotLeased"
    TOO_MANY_LEASES = "tooManyLeases"
    TOO_MANY_OPERATORS = "tooManyOperators"
    METHOD_NOT_SUPPORTED = "methodNotSupported"
    TOKEN_UNAVAILABLE = "tokenUnavailable"  # noqa: S105 - an error code
    # the tenant
    CONSENT_MISSING = "consentMissing"
    ONBOARDING_OFF = "onboardingOff"
    PERMISSION_MISSING = "permissionMissing"
    ADMIN_ROLE_MISSING = "adminRoleMissing"
    ROLE_MISSING = "roleMissing"
    ACCOUNT_CONFLICT = "accountConflict"
    ACCOUNT_LOST = "accountLost"
    CREDENTIAL_REJECTED = "credentialRejected"
    SIGN_IN_BLOCKED = "signInBlocked"
    SECRET_MISSING = "secretMissing"  # noqa: S105 - an error code
    LICENCE_MISSING = "licenceMissing"
    POLICY_CHANGED = "policyChanged"
    CLEANUP_INCOMPLETE = "cleanupIncomplete"
    # us
    UPSTREAM_UNAVAILABLE = "upstreamUnavailable"
    OPERATION_TIMED_OUT = "operationTimedOut"
    OPERATION_CANCELED = "operationCanceled"
    SERVICE_UNAVAILABLE = "serviceUnavailable"
    INTERNAL_ERROR = "internalError"


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do now: one sentence for a person, and where to do it."""

    text: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal as it is shown, stored and sent. Never holds a secret or another system's raw text.

    Attributes:
        correlation_id: of one that is kept: the thread through the trail and the logs to what led to it. Two problems
            are equal whatever led to them.
    """

    code: Code
    message: str
    target: str | None = None
    next_step: NextStep | None = None
    details: tuple[Problem, ...] = ()
    correlation_id: str | None = field(default=None, compare=False)


class ManagementSessionError(Exception):
    """The root: anything this service raises on purpose."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.message}")
        self.problem = problem


def kind_of(error: Exception) -> str:
    """What may be logged of any error: its code, or its type where nobody foresaw it; never its text."""
    return str(error.problem.code) if isinstance(error, ManagementSessionError) else type(error).__name__


class Invalid(ManagementSessionError):
    """The request itself is wrong."""


class Refused(ManagementSessionError):
    """The answer is no, and asking again will not change it."""


class WrittenLater(Refused):
    """A later release of this service wrote the row: half understood, it could only be written back spoilt.

    Attributes:
        kind: what the row is, as it is called in docs/data.md, e.g. `tenant`.
    """

    def __init__(self, kind: str) -> None:
        step = NextStep("Deploy that release, or a later one.")
        text = "A newer release of this service wrote this record."
        super().__init__(Problem(Code.UNSUPPORTED_SCHEMA_VERSION, text, next_step=step))
        self.kind = kind


class NotFound(ManagementSessionError):
    """There is no such thing, or none this caller may know of."""


class Conflict(ManagementSessionError):
    """Somebody else changed it first: read again and decide again."""

    def __init__(self, what: str = "the record") -> None:
        super().__init__(Problem(Code.PRECONDITION_FAILED, f"Somebody else changed {what} first."))


class AlreadyExists(Conflict):
    """The row to be inserted is there already: this was done before."""


class Transient(ManagementSessionError):
    """Nothing is wrong that time will not mend.

    Attributes:
        retry_after: how long the other side asked us to wait, if it said so.
    """

    def __init__(self, problem: Problem, retry_after: timedelta | None = None) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class ReplyLost(Transient):
    """The request was sent and no answer came: the effect may or may not be there."""


def refused(code: Code, message: str, *, target: str | None = None, step: str = "", link: str | None = None) -> Refused:
    """A Refused, built in one line; `step` is the next step's sentence."""
    return Refused(Problem(code, message, target, NextStep(step, link) if step else None))


def not_found(code: Code, message: str) -> NotFound:
    """A NotFound, built in one line."""
    return NotFound(Problem(code, message))


def unavailable(what: str, retry_after: timedelta | None = None) -> Transient:
    """A Transient for an outside system that does not answer as it should."""
    return Transient(Problem(Code.UPSTREAM_UNAVAILABLE, f"{what} is not available right now."), retry_after)


def tenant_not_found() -> NotFound:
    """The one answer for a tenant that is not there and for one the caller has no right to know of."""
    return not_found(Code.TENANT_NOT_FOUND, "There is no such tenant.")
