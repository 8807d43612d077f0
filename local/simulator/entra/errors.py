"""How Entra refuses: one catalogue of AADSTS codes, one shape for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from local.simulator.state import JsonObject
from local.simulator.wire import Response


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Entra says with a code: the OAuth error (RFC 6749 §5.2), the HTTP status, the words, the suberror."""

    error: str
    message: str
    status: int = 400
    suberror: str | None = None


class SignInRefused(Exception):
    """Entra refuses a token. `facts` fill the placeholders of the code's message."""

    def __init__(self, code: int, **facts: str) -> None:
        super().__init__(f"AADSTS{code}")
        self.code = code
        self.facts = facts


_MFA = "you must use multi-factor authentication to access the resource."
_GRANT, _CLIENT, _REQUEST = "invalid_grant", "invalid_client", "invalid_request"

# Meanings: learn.microsoft.com/entra/identity-platform/reference-error-codes. Errors, statuses and suberrors are those
# seen in published answers of the v2 token endpoint.
CATALOGUE: dict[int, Refusal] = {
    50012: Refusal(_CLIENT, "Authentication failed.", 401),
    50020: Refusal(_GRANT, "User account '{user}' from another identity provider does not exist in tenant '{tenant}'."),
    50033: Refusal("temporarily_unavailable", "A transient error has occurred. Please try again.", 503),
    50034: Refusal(_GRANT, "The user account {user} does not exist in the {tenant} directory."),
    50053: Refusal(_GRANT, "The account is locked, you've tried to sign in too many times with an incorrect password."),
    50055: Refusal(_GRANT, "The password is expired.", suberror="user_password_expired"),
    50056: Refusal(_GRANT, "Invalid or null password: password does not exist in the directory for this user."),
    50057: Refusal(_GRANT, "The user account is disabled."),
    50072: Refusal(_GRANT, f"The user must enroll in multi-factor authentication: {_MFA}", suberror="basic_action"),
    50074: Refusal(_GRANT, f"Strong authentication is required: {_MFA}", suberror="basic_action"),
    50076: Refusal(
        _GRANT,
        "Due to a configuration change made by your administrator, or because you moved to a new location, " + _MFA,
        suberror="basic_action",
    ),
    50079: Refusal(_GRANT, f"The user is required to register: {_MFA}", suberror="basic_action"),
    50097: Refusal(_GRANT, "Device authentication is required.", suberror="message_only"),
    50105: Refusal(
        _GRANT, "The signed in user is not assigned to a role for the application.", suberror="message_only"
    ),
    50126: Refusal(_GRANT, "Error validating credentials due to invalid username or password."),
    50131: Refusal(_GRANT, "The device or the sign-in does not meet the access policy.", suberror="message_only"),
    50135: Refusal(_GRANT, "Password change is required due to account risk.", suberror="basic_action"),
    50158: Refusal(_GRANT, "External security challenge was not satisfied.", suberror="basic_action"),
    50173: Refusal(
        _GRANT,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed.",
        suberror="bad_token",
    ),
    53000: Refusal(_GRANT, "Device is not in required device state: compliant.", suberror="message_only"),
    53001: Refusal(_GRANT, "Device is not in required device state: domain joined.", suberror="message_only"),
    53002: Refusal(_GRANT, "The application used is not an approved application.", suberror="message_only"),
    53003: Refusal(
        _GRANT,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        suberror="message_only",
    ),
    53004: Refusal(_GRANT, "The user must complete the multi-factor registration process.", suberror="basic_action"),
    53009: Refusal(_GRANT, "The application needs to enforce an app protection policy.", suberror="message_only"),
    53011: Refusal(_GRANT, "The user is blocked due to risk on the home tenant.", suberror="message_only"),
    65001: Refusal(
        _GRANT,
        "The user or administrator has not consented to use the application with ID '{client}'.",
        suberror="consent_required",
    ),
    50011: Refusal(_REQUEST, "The redirect URI '{redirect}' does not match those of the application '{client}'."),
    54005: Refusal(_GRANT, "OAuth2 Authorization code was already redeemed, please retry with a new valid code."),
    70000: Refusal(
        _GRANT, "The provided value for the input parameter 'refresh_token' is not valid.", suberror="bad_token"
    ),
    70003: Refusal("unsupported_grant_type", "The app requested an unsupported grant type '{grant}'."),
    70008: Refusal(_GRANT, "The refresh token has expired due to inactivity.", suberror="bad_token"),
    70011: Refusal("invalid_scope", "The provided value for the input parameter 'scope' is not valid."),
    70043: Refusal(
        _GRANT,
        "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access.",
        suberror="bad_token",
    ),
    90002: Refusal(_REQUEST, "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID."),
    90014: Refusal(_REQUEST, "The required field '{field}' is missing from the credential."),
    90033: Refusal("temporarily_unavailable", "A transient error has occurred. Please try again.", 503),
    90055: Refusal("temporarily_unavailable", "The tenant is throttled due to too many requests.", 429),
    500011: Refusal(
        "invalid_resource",
        "The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in it.",
    ),
    501481: Refusal(_GRANT, "The Code_Verifier does not match the code_challenge supplied in the request."),
    530003: Refusal(_GRANT, "Your device is required to be managed to access this resource.", suberror="message_only"),
    530032: Refusal(_GRANT, "Blocked by a security policy of the tenant.", suberror="message_only"),
    530034: Refusal(_GRANT, "A delegated administrator was blocked due to account risk.", suberror="message_only"),
    530035: Refusal(_GRANT, "Access has been blocked by security defaults.", suberror="message_only"),
    650052: Refusal(
        _CLIENT,
        "The app is trying to access a service '{resource}' that your organization '{tenant}' lacks a service "
        "principal for. Contact your IT Admin to review the configuration of your service subscriptions.",
    ),
    700016: Refusal(
        "unauthorized_client",
        "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in it.",
    ),
    700022: Refusal("invalid_scope", "The scope names more than one resource."),
    700024: Refusal(_CLIENT, "Client assertion is not within its valid time range.", 401),
    700027: Refusal(_CLIENT, "Client assertion failed signature validation.", 401),
    700082: Refusal(_GRANT, "The refresh token has expired due to inactivity.", suberror="bad_token"),
    700084: Refusal(
        _GRANT,
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime.",
        suberror="bad_token",
    ),
    700211: Refusal(_CLIENT, "No matching federated identity record found for presented assertion issuer.", 401),
    700212: Refusal(_CLIENT, "No matching federated identity record found for presented assertion audience.", 401),
    700213: Refusal(_CLIENT, "No matching federated identity record found for presented assertion subject.", 401),
    1002012: Refusal(
        "invalid_scope",
        "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    ),
    7000112: Refusal("unauthorized_client", "Application '{client}' is disabled."),
    7000215: Refusal(_CLIENT, "Invalid client secret provided for app '{client}'.", 401),
    7000218: Refusal(_CLIENT, "The request body must contain 'client_assertion' or 'client_secret'.", 401),
    7000222: Refusal(_CLIENT, "The provided client secret keys for app '{client}' are expired.", 401),
    7000229: Refusal(
        _CLIENT, "The client application {client} is missing service principal in the tenant {tenant}.", 401
    ),
    9002325: Refusal(
        _REQUEST, "Proof Key for Code Exchange is required for cross-origin authorization code redemption."
    ),
    9002327: Refusal(
        _REQUEST,
        "Tokens issued for the 'Single-Page Application' client-type may only be redeemed via cross-origin requests.",
    ),
    9001023: Refusal(_REQUEST, "The grant type is not supported over the /common or /consumers endpoints."),
}
_UNLISTED = Refusal(_GRANT, "The sign-in was refused.")


class _Facts(dict[str, str]):
    """Facts of which some may be missing: a scripted fault has none."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def refusal(code: int, *, now: datetime, correlation_id: str | None = None, **facts: str) -> Response:
    """The token endpoint's answer for an AADSTS code; a code outside the catalogue is an `invalid_grant`."""
    known = CATALOGUE.get(code, _UNLISTED)
    trace_id, correlation_id = str(uuid4()), correlation_id or str(uuid4())
    timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
    words = known.message.format_map(_Facts(facts))
    document: JsonObject = {
        "error": known.error,
        "error_description": (
            f"AADSTS{code}: {words} Trace ID: {trace_id} Correlation ID: {correlation_id} Timestamp: {timestamp}"
        ),
        "error_codes": [code],
        "timestamp": timestamp,
        "trace_id": trace_id,
        "correlation_id": correlation_id,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    if known.suberror:
        document["suberror"] = known.suberror
    if code in (50076, 53003):
        # Entra names what would satisfy the policy; a client that can ask the user sends it back as `claims`.
        document["claims"] = '{"access_token":{"capolids":{"essential":true,"values":["' + str(uuid4()) + '"]}}}'
    return Response(known.status, document, {"x-ms-request-id": trace_id})
