"""What-if: which conditional access policies would apply to a sign-in that somebody describes."""

from __future__ import annotations

import ipaddress

from local.simulator.calls import GraphCall
from local.simulator.conditional_access import analyse
from local.simulator.graph.directory import users
from local.simulator.graph.odata import words
from local.simulator.graph.operation import body_of
from local.simulator.graph.policy_type import show_to
from local.simulator.graph.premium import premium_operation
from local.simulator.graph.refusals import bad_request
from local.simulator.graph.schema import Shape, each, flag, nullable, one_of, record, text
from local.simulator.memberships import groups_of, roles_of
from local.simulator.policy_conditions import Reason
from local.simulator.sign_ins import SignIn
from local.simulator.state import JsonObject
from local.simulator.wire import Response

# The members of microsoft.graph.userAction, as policies write them.
_USER_ACTIONS = {
    "registerSecurityInformation": "urn:user:registersecurityinfo",
    "registerOrJoinDevices": "urn:user:registerdevice",
}

_IDENTITIES: dict[str, Shape] = {
    "#microsoft.graph.userSignIn": record(
        "userId", userId=text, externalTenantId=nullable(text), externalUserType=text
    ),
    "#microsoft.graph.servicePrincipalSignIn": record("servicePrincipalId", servicePrincipalId=text),
}
_CONTEXTS: dict[str, Shape] = {
    "#microsoft.graph.applicationContext": record("includeApplications", includeApplications=each(text)),
    "#microsoft.graph.userActionContext": record("userAction", userAction=one_of(*_USER_ACTIONS)),
    "#microsoft.graph.authContext": record("authenticationContextValue", authenticationContextValue=text),
}
_RISK_LEVEL = nullable(one_of("low", "medium", "high", "hidden", "none"))
_DEVICE = record(
    **dict.fromkeys(
        words(
            """
            deviceId displayName enrollmentProfileName manufacturer mdmAppId model operatingSystem
            operatingSystemVersion ownership profileType trustType
            """
        )
        + tuple(f"extensionAttribute{number}" for number in range(1, 16)),
        nullable(text),
    ),
    isCompliant=nullable(flag),
    physicalIds=nullable(each(text)),
    systemLabels=nullable(each(text)),
)
_CONDITIONS = record(
    clientAppType=nullable(
        one_of("all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other")
    ),
    devicePlatform=nullable(one_of("android", "iOS", "windows", "windowsPhone", "macOS", "all", "linux")),
    ipAddress=nullable(text),
    country=nullable(text),
    signInRiskLevel=_RISK_LEVEL,
    userRiskLevel=_RISK_LEVEL,
    servicePrincipalRiskLevel=_RISK_LEVEL,
    insiderRiskLevel=nullable(one_of("none", "minor", "moderate", "elevated")),
    authenticationFlow=nullable(record(transferMethod=one_of("none", "deviceCodeFlow", "authenticationTransfer"))),
    deviceInfo=nullable(_DEVICE),
)


def evaluate(call: GraphCall) -> Response:
    """POST /identity/conditionalAccess/evaluate: 200 with every policy, or only those that apply.

    Report-only policies are judged like enabled ones. Security defaults and per-user MFA are not looked at.
    """
    body = body_of(call)
    sign_in = _described(call, body)
    applied_only = body.get("appliedPoliciesOnly") or False
    results = [
        {**show_to(call, policy), "policyApplies": reason is Reason.NOT_SET, "analysisReasons": reason.value}
        for policy in call.tenant.policies.values()
        for reason in [analyse(policy, sign_in)]
        if reason is Reason.NOT_SET or not applied_only
    ]
    context = "https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.whatIfAnalysisResult)"
    return Response(200, {"@odata.context": context, "value": results})


def _described(call: GraphCall, body: JsonObject) -> SignIn:
    identity = _typed(body, "signInIdentity", _IDENTITIES)
    context = _typed(body, "signInContext", _CONTEXTS)
    conditions = body.get("signInConditions")
    if not isinstance(conditions, dict) or not _CONDITIONS(conditions):
        raise bad_request("The property signInConditions is missing or does not match its schema.")
    if not nullable(flag)(body.get("appliedPoliciesOnly")):
        raise bad_request("The property appliedPoliciesOnly does not match its schema.")
    user = next((found for found in users(call) if found.id == identity.get("userId")), None)
    if user is None and "userId" in identity:
        raise bad_request(f"The user {identity['userId']} does not exist in the directory.")
    device_info, flow = conditions.get("deviceInfo"), conditions.get("authenticationFlow") or {}
    return SignIn(
        tenant=call.tenant,
        is_real=False,
        user=user,
        roles=roles_of(call.tenant, user.id) if user else frozenset(),
        groups=groups_of(call.tenant, user.id) if user else frozenset(),
        service_principal_id=identity.get("servicePrincipalId"),
        applications=frozenset(context.get("includeApplications", ())),
        user_action=_USER_ACTIONS.get(context.get("userAction", "")),
        authentication_context=context.get("authenticationContextValue"),
        client_app_type=conditions.get("clientAppType"),
        platform=conditions.get("devicePlatform"),
        ip=_address(conditions.get("ipAddress")),
        country=conditions.get("country"),
        sign_in_risk=conditions.get("signInRiskLevel"),
        user_risk=conditions.get("userRiskLevel"),
        insider_risk=conditions.get("insiderRiskLevel"),
        transfer_method=flow.get("transferMethod"),
        describes_device=device_info is not None,
    )


def _typed(body: JsonObject, name: str, kinds: dict[str, Shape]) -> JsonObject:
    """The part called `name`, which is abstract: its @odata.type decides its shape."""
    part = body.get(name)
    if not isinstance(part, dict):
        raise bad_request(f"The property {name} is required.")
    shape = kinds.get(str(part.get("@odata.type")))
    if shape is None or not shape(part):
        raise bad_request(
            f"The property {name} needs the @odata.type of one of {', '.join(kinds)}, and its properties."
        )
    return part


def _address(written: str | None) -> str | None:
    if written is None:
        return None
    try:
        return str(ipaddress.ip_address(written))
    except ValueError:
        raise bad_request(f"The ipAddress {written} is not valid.") from None


ROUTES = (
    premium_operation(
        "POST",
        "/v1.0/identity/conditionalAccess/evaluate",
        evaluate,
        permissions=("Policy.Read.ConditionalAccess", "Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"),
    ),
)
