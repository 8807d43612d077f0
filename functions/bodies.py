"""What callers and executors send: the contract's bodies and messages, read strictly into the domain's words.

Field by field these types say what contracts/schemas/ says; tests/contract proves that both accept the same.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shared.domain.action import ActionKind, Outcome
from shared.domain.actors import Right
from shared.domain.allowed_ips import AllowedIpsState, Outside
from shared.domain.directory_roles import RoleProfile
from shared.domain.resources import Resource

# \Z, for `$` in Python also fits before a line break at the end; the contract's patterns (ECMA-262) let none in.
GUID_PATTERN = r"^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\Z"
_MINUTES_TO_8_HOURS = r"^PT(([1-9]|[1-9][0-9]|[1-3][0-9]{2}|4[0-7][0-9]|480)M|[1-8]H|[1-7]H([1-9]|[1-5][0-9])M)\Z"
_MINUTES_TO_2_HOURS = r"^PT(([1-9]|[1-9][0-9]|1[01][0-9]|120)M|[12]H|1H([1-9]|[1-5][0-9])M)\Z"
_5_MINUTES_TO_24_HOURS = (
    r"^PT(([5-9]|[1-9][0-9]{1,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)M"
    r"|([1-9]|1[0-9]|2[0-4])H|([1-9]|1[0-9]|2[0-3])H([1-9]|[1-5][0-9])M)\Z"
)
_UTC = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,7})?Z\Z"
_ONE_LINE = r"^[^\x00-\x1f\x7f]*\Z"
_SIGN_IN_NAME = r"^[^@\s]+@[^@\s]+\Z"

FORMS: Final[Mapping[str, str]] = {
    GUID_PATTERN: "A GUID is expected here, such as 6d5cb1d2-5a0e-4b43-9d5c-0c6a1f3f2d10.",
    _MINUTES_TO_8_HOURS: "A duration of 1 minute to 8 hours is expected here, such as PT1H30M.",
    _MINUTES_TO_2_HOURS: "A duration of 1 minute to 2 hours is expected here, such as PT1H30M.",
    _5_MINUTES_TO_24_HOURS: "A duration of 5 minutes to 24 hours is expected here, such as PT1H30M.",
    _UTC: "A time in UTC is expected here, such as 2026-11-23T09:30:00Z.",
    _ONE_LINE: "A single line of text is expected here.",
    _SIGN_IN_NAME: "A sign-in name is expected here, such as admin@contoso.onmicrosoft.com.",
}
"""What each pattern asks for, for people."""

Guid = Annotated[str, Meta(pattern=GUID_PATTERN)]
AdminDuration = Annotated[str, Meta(pattern=_MINUTES_TO_2_HOURS)]
ShortDuration = Annotated[str, Meta(pattern=_MINUTES_TO_8_HOURS)]
LongDuration = Annotated[str, Meta(pattern=_5_MINUTES_TO_24_HOURS)]
Name = Annotated[str, Meta(min_length=1, max_length=256, pattern=_ONE_LINE)]
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=_ONE_LINE)]
Moment = Annotated[str, Meta(pattern=_UTC)]

MAX_BODY = 64 * 1024
"""Bytes; far below the platform's own limit, far above anything this API takes."""

MAX_MESSAGE = 48 * 1024
"""Bytes before base64: a Storage Queue message is at most 64 KiB after it."""


class Body(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A body or message: camelCase on the wire, unknown fields refused."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"  # a body may hold a password


class TenantBody(Body, frozen=True):
    """contracts/schemas/tenantRequest.json."""

    display_name: Name | UnsetType = UNSET
    role_profile: RoleProfile | UnsetType = UNSET


class ServiceAccountBody(Body, frozen=True):
    """contracts/schemas/serviceAccountRequest.json."""

    role_profile: RoleProfile | UnsetType = UNSET


class EmptyBody(Body, frozen=True):
    """contracts/schemas/emptyRequest.json."""


class TurnOnBody(Body, frozen=True):
    """contracts/schemas/turnOnRequest.json."""

    state: Literal["on"]
    method: Literal["serviceAccount"]
    duration: LongDuration | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


class TurnOnAsAdminBody(Body, frozen=True):
    """contracts/schemas/turnOnAsGlobalAdminRequest.json. Its repr, like every body's, shows no field."""

    state: Literal["on"]
    method: Literal["globalAdmin"]
    username: Annotated[str, Meta(min_length=3, max_length=256, pattern=_SIGN_IN_NAME)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]
    duration: AdminDuration = "PT1H"
    reason: Reason | UnsetType = UNSET


class TurnOffBody(Body, frozen=True):
    """contracts/schemas/turnOffRequest.json."""

    state: Literal["off"]
    drain: bool = False
    reason: Reason | UnsetType = UNSET


class AutoEnableBody(Body, frozen=True):
    """contracts/schemas/autoEnableRequest.json."""

    enabled: bool
    kinds: Annotated[list[ActionKind], Meta(min_length=1)] | UnsetType = UNSET
    idle_timeout: ShortDuration | UnsetType = UNSET


class AllowedIpsBody(Body, frozen=True):
    """contracts/schemas/allowedIpsRequest.json."""

    ranges: Annotated[list[str], Meta(max_length=1000)]
    outside: Outside
    state: Literal["reportOnly", "enabled"]
    apply_exclusions: bool = False

    @property
    def wanted(self) -> AllowedIpsState:
        """The state to bring about."""
        return AllowedIpsState(self.state)


class OperatorBody(Body, frozen=True):
    """contracts/schemas/operatorGrantRequest.json."""

    roles: Annotated[list[Right], Meta(min_length=1)]
    display_name: Name | UnsetType = UNSET


class TokenBody(Body, frozen=True):
    """contracts/schemas/tokenRequest.json."""

    resource: Resource


class RenewalBody(Body, frozen=True):
    """contracts/schemas/leaseRenewalRequest.json."""

    duration: ShortDuration = "PT1H"


class OperatorPart(Body, frozen=True):
    """contracts/schemas/operator.json."""

    object_id: Guid
    name: Name


class ActionRequestMessage(Body, frozen=True):
    """contracts/schemas/actionRequestV1.json."""

    schema_version: Literal[1]
    action_id: Guid
    tenant_id: Guid
    kind: ActionKind
    executor: Guid
    operator: OperatorPart
    deadline: Moment | UnsetType = UNSET
    duration: ShortDuration = "PT1H"
    resources: Annotated[list[Resource], Meta(min_length=1)] | UnsetType = UNSET


class ActionCompletionMessage(Body, frozen=True):
    """contracts/schemas/actionCompletionV1.json."""

    schema_version: Literal[1]
    action_id: Guid
    tenant_id: Guid
    outcome: Outcome


class OperationMessage(Body, frozen=True):
    """contracts/schemas/operationMessageV1.json."""

    schema_version: Literal[1]
    tenant_id: Guid
    operation_id: Guid


SessionBody = TurnOnBody | TurnOnAsAdminBody | TurnOffBody

PoisonBody = ActionRequestMessage | ActionCompletionMessage | OperationMessage


def text_of(message: PoisonBody) -> str:
    """The message as JSON, as it can be sent again."""
    return msgspec.json.encode(message).decode()


class EmergencyStopBody(Body, frozen=True):
    """contracts/schemas/emergencyStopRequest.json."""

    reason: Reason | UnsetType = UNSET
