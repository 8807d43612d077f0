"""What each AADSTS code means for a management session: whether to ask again, who can mend it, and what to do now.

The meanings are those of https://learn.microsoft.com/entra/identity-platform/reference-error-codes. It lacks 530003,
700024, 700038, 700211 to 700213, 1002012 and 7000229, which Entra answers nevertheless, nor each of 80001 to 80014.
Microsoft may change codes at any time: one that is not in the table is tried again only if the OAuth error says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

from shared.domain.errors import Code, ManagementSessionError, NextStep, Problem, Refused, Transient


class Kind(StrEnum):
    """What mends it: time, another credential, the tenant's policies, its consent to our application, or a set-up."""

    TRANSIENT = "transient"
    CREDENTIAL = "credential"
    POLICY = "policy"
    APPLICATION = "application"
    CONFIGURATION = "configuration"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SignInError:
    """One refusal of the token endpoint in our own words: nothing that Entra wrote is in it.

    Attributes:
        aadsts: the number after `AADSTS`; None when Entra gave none.
        retry_after: how long to wait at least; None where the usual pace will do, and where trying again is no use.
    """

    aadsts: int | None
    kind: Kind
    code: Code
    cause: str
    fix: str
    link: str
    retry_after: timedelta | None = None

    def as_error(self) -> ManagementSessionError:
        """What a sign-in raises for it: Transient when time mends it, Refused otherwise."""
        message = self.cause if self.aadsts is None else f"AADSTS{self.aadsts}: {self.cause}"
        problem = Problem(self.code, message, next_step=NextStep(self.fix, self.link))
        return Transient(problem, self.retry_after) if self.kind is Kind.TRANSIENT else Refused(problem)


def classify(error: str, codes: Sequence[int], description: str, *, account_is_new: bool = False) -> SignInError:
    """What a token endpoint's answer means, by its `error`, `error_codes` and `error_description`.

    The first error code decides; where there is none, the code in the description. Without either, or when the table
    does not have the code, the OAuth error decides (RFC 6749 §5.2, and those that Microsoft adds).

    `account_is_new` says that we made the account, or set its password, within the last few minutes. Then Entra may not
    know it everywhere yet: an unknown account and a wrong password are worth another try.
    """
    number = codes[0] if codes else _number_in(description)
    if number is None:
        return _OAUTH_ERRORS.get(error, _UNKNOWN)
    if account_is_new and number in _WHILE_NEW:
        return _WHILE_NEW[number]
    return _CATALOGUE.get(number) or replace(_OAUTH_ERRORS.get(error, _UNKNOWN), aadsts=number)


def _number_in(description: str) -> int | None:
    found = re.search(r"AADSTS([0-9]{4,9})", description)
    return int(found[1]) if found else None


_ENTRA: Final = "https://learn.microsoft.com/entra/"
_AGENTS: Final = _ENTRA + "identity/hybrid/connect/tshoot-connect-pass-through-authentication"
_ASSIGNMENT: Final = _ENTRA + "identity/enterprise-apps/assign-user-or-group-access-portal"
_BLOCKED: Final = _ENTRA + "identity/conditional-access/troubleshoot-conditional-access"
_CODES: Final = _ENTRA + "identity-platform/reference-error-codes"
_CONSENT: Final = _ENTRA + "identity/enterprise-apps/grant-admin-consent"
_DEFAULTS: Final = _ENTRA + "fundamentals/security-defaults"
_DISABLED: Final = _ENTRA + "identity/enterprise-apps/disable-user-sign-in-portal"
_HEALTH: Final = "https://learn.microsoft.com/microsoft-365/enterprise/view-service-health"
_LIFETIME: Final = _ENTRA + "identity/conditional-access/concept-session-lifetime"
_LOCKOUT: Final = _ENTRA + "identity/authentication/howto-password-smart-lockout"
_OUR_KEY: Final = _ENTRA + "identity-platform/certificate-credentials"
_REFRESH: Final = _ENTRA + "identity-platform/refresh-tokens"
_RISK: Final = _ENTRA + "id-protection/howto-identity-protection-remediate-unblock"
_ROPC: Final = _ENTRA + "identity-platform/v2-oauth-ropc"
_SIGN_INS: Final = _ENTRA + "identity/monitoring-health/concept-sign-ins"
_TENANT_ID: Final = _ENTRA + "fundamentals/how-to-find-tenant"
_USERS: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade"
_WHAT_IF: Final = _ENTRA + "identity/conditional-access/what-if-tool"

_AGAIN: Final = "Turn the session off and on again."
_LATER: Final = "Nothing needs to be done: it is tried again. If it lasts, look at Microsoft's service health."
_POLICY_CHECK: Final = "Run the policy check, which names the policy, and exclude the service account from that policy."
_TELL_US: Final = "Nothing can be done in the tenant: report the correlation id to the people who run this service."

_Row = tuple[tuple[int, ...], Code, str, str, str]


def _rows(kind: Kind, *rows: _Row, retry_after: timedelta | None = None) -> dict[int, SignInError]:
    return {
        number: SignInError(number, kind, code, cause, fix, link, retry_after)
        for numbers, code, cause, fix, link in rows
        for number in numbers
    }


# A row is one meaning: its numbers and our code; the cause; the fix, and where to read on.
# fmt: off
_CATALOGUE: Final[Mapping[int, SignInError]] = {
    **_rows(Kind.TRANSIENT,
        ((50033, 90006, 90012, 90024, 90033, 90090), Code.UPSTREAM_UNAVAILABLE,
         "Microsoft's sign-in service is not available right now.",
         _LATER, _HEALTH),
        ((80001, 80002, 80005, 80014), Code.UPSTREAM_UNAVAILABLE,
         "The agent that checks this account's password on the customer's premises does not answer.",
         "It is tried again. If it lasts, check the agents and whether they reach Active Directory.", _AGENTS),
    ),
    **_rows(Kind.TRANSIENT,
        ((90055,), Code.UPSTREAM_UNAVAILABLE,
         "Microsoft slows this tenant's sign-ins down because there were too many.",
         "Nothing needs to be done: it is tried again. If it lasts, find out who signs in so often.", _SIGN_INS),
        retry_after=timedelta(minutes=2),
    ),
    **_rows(Kind.CREDENTIAL,
        ((50064, 50126), Code.CREDENTIAL_REJECTED,
         "The user name or the password is wrong.",
         "Rotate the service account's password; somebody may have changed it outside of this service.", _SIGN_INS),
        ((50055,), Code.CREDENTIAL_REJECTED,
         "The account's password has expired or must be changed.",
         "Rotate the service account's password, and see that no rule makes it expire.", _USERS),
        ((50056,), Code.CREDENTIAL_REJECTED,
         "The account has no password in Microsoft Entra.",
         "Use a cloud-only account: one that is synchronised or federated cannot sign in here.", _ROPC),
        ((50144,), Code.CREDENTIAL_REJECTED,
         "The account's password in the customer's Active Directory has expired.",
         "Set a new password there, or use the service account instead.", _USERS),
        ((50132, 50133, 50173), Code.CREDENTIAL_REJECTED,
         "The session's sign-in was ended: the password was changed, or all sign-ins were revoked.",
         _AGAIN, _REFRESH),
        ((70000, 70008, 700082), Code.CREDENTIAL_REJECTED,
         "The session's refresh token is not accepted any more.",
         _AGAIN, _REFRESH),
        ((70043,), Code.CREDENTIAL_REJECTED,
         "A sign-in frequency policy of the tenant has ended the session's sign-in.",
         _AGAIN + " To keep it on longer, exclude the service account from that policy.", _LIFETIME),
    ),
    **_rows(Kind.POLICY,
        ((50072, 50079), Code.SIGN_IN_BLOCKED,
         "The tenant wants the account to register for multi-factor authentication.",
         _POLICY_CHECK + " Security defaults demand it too.", _DEFAULTS),
        ((50074, 50076, 50078), Code.SIGN_IN_BLOCKED,
         "The tenant demands multi-factor authentication of the account.",
         _POLICY_CHECK, _WHAT_IF),
        ((50158,), Code.SIGN_IN_BLOCKED,
         "The tenant demands multi-factor authentication by another provider.",
         _POLICY_CHECK, _WHAT_IF),
        ((50097, 53000, 53001, 530003), Code.SIGN_IN_BLOCKED,
         "A policy of the tenant demands a managed device, and a service has none.",
         _POLICY_CHECK, _WHAT_IF),
        ((53002,), Code.SIGN_IN_BLOCKED,
         "A policy of the tenant allows approved client apps only.",
         _POLICY_CHECK, _WHAT_IF),
        ((50131, 53003, 530032), Code.SIGN_IN_BLOCKED,
         "A policy of the tenant blocks this sign-in.",
         "Run the policy check, which names the policy. If that is about allowed IPs, add ours to them; "
         "otherwise exclude the service account from it.", _BLOCKED),
        ((530035,), Code.SIGN_IN_BLOCKED,
         "The tenant's security defaults block this sign-in.",
         "Replace security defaults by conditional access policies that leave the service account out.", _DEFAULTS),
        ((50135, 53004, 53011, 530034), Code.SIGN_IN_BLOCKED,
         "Microsoft holds the account to be at risk.",
         "Review the risk; when it is dismissed or remediated, rotate the password and try again.", _RISK),
        ((50053,), Code.SIGN_IN_BLOCKED,
         "The account is locked after too many wrong passwords, or our IP address is held to be malicious.",
         "Find out which in the tenant's sign-in log, and wait for ten minutes at least.", _LOCKOUT),
        ((50057,), Code.ACCOUNT_LOST,
         "The account is disabled in the tenant.",
         "Enable it again, or retry the service account creation.", _USERS),
        ((80003, 80004, 80006, 80007, 80008, 80009, 80010, 80011, 80012, 80013), Code.SIGN_IN_BLOCKED,
         "The account's password could not be checked on the customer's premises.",
         "Use the service account, whose password is checked in the cloud, or mend the agents.", _AGENTS),
    ),
    **_rows(Kind.APPLICATION,
        ((65001, 90094, 90095, 90099, 700011, 700016, 700038, 7000229), Code.CONSENT_MISSING,
         "Nobody has granted this service admin consent in the tenant, or it was revoked.",
         "Grant admin consent with the consent link of the tenant.", _CONSENT),
        ((7000112,), Code.CONSENT_MISSING,
         "This service's enterprise application is disabled in the tenant.",
         "Let users sign in to it again, in the application's properties.", _DISABLED),
        ((50105,), Code.SIGN_IN_BLOCKED,
         "The account is not assigned to this service's enterprise application.",
         "Assign it, or turn off that the application requires assignment.", _ASSIGNMENT),
        ((500011, 650052), Code.TOKEN_UNAVAILABLE,
         "The tenant does not have the Microsoft 365 service that the token is for.",
         "Check that the tenant's licences include it, then grant admin consent again.", _CONSENT),
        ((50012, 70002, 700024, 700027, 700211, 700212, 700213, 7000215, 7000222), Code.INTERNAL_ERROR,
         "Microsoft does not accept this service's own credential.",
         _TELL_US, _OUR_KEY),
    ),
    **_rows(Kind.CONFIGURATION,
        ((50034,), Code.ACCOUNT_LOST,
         "The tenant has no account of that user name.",
         "Check the user name; if it is the service account's, retry its creation.", _USERS),
        ((50020, 90072), Code.CREDENTIAL_REJECTED,
         "The account belongs to another tenant.",
         "Use an account of this tenant; a guest cannot manage it.", _USERS),
        ((90002,), Code.TENANT_NOT_FOUND,
         "Microsoft has no tenant of that id.",
         "Check the tenant id, and that the tenant is in this cloud.", _TENANT_ID),
        ((16000, 16001, 16002, 16003, 160021), Code.SIGN_IN_BLOCKED,
         "Microsoft wants a person to take part in this sign-in.",
         "Use the service account: this account cannot sign in by itself.", _ROPC),
        ((700084,), Code.CREDENTIAL_REJECTED,
         "The session's refresh token was made for a single-page app, and those end after a day.",
         _AGAIN + " Register this service's redirect URI as a web app's.", _REFRESH),
        ((50196,), Code.INTERNAL_ERROR,
         "This service has sent the same sign-in too often.",
         _TELL_US, _CODES),
        ((65002, 650057), Code.INTERNAL_ERROR,
         "This service's app registration does not ask for a permission that it needs.",
         _TELL_US, _CODES),
        ((700025, 7000218), Code.INTERNAL_ERROR,
         "This service and its app registration do not agree on how it proves itself.",
         _TELL_US, _OUR_KEY),
        ((70003, 70011, 90014, 90019, 700022, 1002012, 9001023), Code.INTERNAL_ERROR,
         "Microsoft does not accept the form of this service's request.",
         _TELL_US, _CODES),
    ),
}

# Ten wrong passwords lock an account (see _LOCKOUT), so a new password is tried again at a pace that stays far below.
_WHILE_NEW: Final[Mapping[int, SignInError]] = _rows(Kind.TRANSIENT,
    ((50034,), Code.UPSTREAM_UNAVAILABLE,
     "The new account is not known everywhere in Microsoft Entra yet.",
     _LATER, _HEALTH),
    ((50126,), Code.UPSTREAM_UNAVAILABLE,
     "The new password is not known everywhere in Microsoft Entra yet.",
     _LATER, _HEALTH),
    retry_after=timedelta(seconds=15),
)

_UNKNOWN: Final = SignInError(
    None, Kind.UNKNOWN, Code.SIGN_IN_BLOCKED,
    "Microsoft refuses the sign-in for a reason that this service does not know.",
    "Look the code up, and find the sign-in in the tenant's sign-in log.", _CODES,
)

_OAUTH_ERRORS: Final[Mapping[str, SignInError]] = {
    error: replace(_CATALOGUE[like], aadsts=None)
    for like, errors in (
        (90033, ("server_error", "temporarily_unavailable")),
        (65001, ("consent_required", "unauthorized_client")),
        (50131, ("interaction_required",)),
        (16000, ("login_required",)),
        (70002, ("invalid_client",)),
        (70011, ("invalid_request", "invalid_scope", "unsupported_grant_type")),
        (500011, ("invalid_resource",)),
    )
    for error in errors
}
# fmt: on
