"""Conditional access as Microsoft Graph writes it, into our words and back, losing nothing of what is not ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from shared.adapters.graph_requests import objects
from shared.domain.policies import Applied, NamedLocation, Policy, SignInConditions

IP_LOCATION: Final = "#microsoft.graph.ipNamedLocation"

_MANAGED: Final = "Microsoft-managed:"
"""How the names of Microsoft's own policies begin, which nobody can change. `templateId` does not tell them: it is set
as well where an administrator used a template (https://learn.microsoft.com/entra/identity/conditional-access/managed-policies,
https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy)."""

_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OTHER_CONTROLS: Final = ("authenticationStrength", "termsOfUse", "customAuthenticationFactors")

_DOES_NOT_APPLY: Final = frozenset(
    {
        "users",
        "workloadIdentities",
        "agentIdentities",
        "application",
        "userActions",
        "authenticationContext",
        "devicePlatform",
        "devices",
        "clientApps",
        "location",
        "time",
        "signInRisk",
        "userRisk",
        "insiderRisk",
        "agentIdRisk",
        "authenticationFlow",
        "emptyPolicy",
        "policyNotEnabled",
    }
)
"""The reasons that settle it; one of them is enough. Whatever else Graph says, e.g. notEnoughInformation, does not.

https://learn.microsoft.com/graph/api/resources/whatifanalysisresult
"""


def policy_in(document: Mapping[str, object]) -> Policy:
    """A conditionalAccessPolicy (https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy)."""
    grant = _object(document.get("grantControls"))
    name = str(document.get("displayName") or "")
    return Policy(
        policy_id=str(document["id"]),
        display_name=name,
        state=str(document.get("state")),
        controls=(*_texts(grant.get("builtInControls")), *(other for other in _OTHER_CONTROLS if grant.get(other))),
        excluded_users=_texts(_users(document).get("excludeUsers")),
        is_microsoft_managed=name.startswith(_MANAGED),
        created_at=_moment(document.get("createdDateTime")),
        only_user=_only_user(_users(document)),
    )


def location_in(document: Mapping[str, object]) -> NamedLocation:
    """An ipNamedLocation (https://learn.microsoft.com/graph/api/resources/ipnamedlocation)."""
    return NamedLocation(
        str(document["id"]),
        str(document.get("displayName") or ""),
        tuple(str(entry["cidrAddress"]) for entry in objects(document.get("ipRanges")) if "cidrAddress" in entry),
        document.get("isTrusted") is not False,
    )


def applied_in(results: Iterable[Mapping[str, object]]) -> tuple[Applied, ...]:
    """What a what-if found to apply, and what it could not rule out."""
    found = []
    for result in results:
        reasons = {reason.strip() for reason in str(result.get("analysisReasons")).split(",")}
        applies = result.get("policyApplies") is True
        if applies or not reasons & _DOES_NOT_APPLY:
            found.append(Applied(str(result["id"]), is_certain=applies))
    return tuple(found)


def what_if_of(asked: SignInConditions) -> Mapping[str, object]:
    """The body of an evaluation of a password sign-in: no device, no platform of its own, no risk, no second factor.

    Policies that do not apply are asked for too: only they show what could not be judged.
    https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate
    """
    conditions: dict[str, object] = {
        "clientAppType": "mobileAppsAndDesktopClients",
        "devicePlatform": "linux",
        "ipAddress": asked.ip,
        "signInRiskLevel": "none",
        "userRiskLevel": "none",
        "insiderRiskLevel": "none",
        "authenticationFlow": {"transferMethod": "none"},
        "deviceInfo": {"isCompliant": False},
    }
    if asked.country is not None:
        conditions["country"] = asked.country
    return {
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": str(asked.user_id)},
        "signInContext": {
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": [asked.resource_app_id],
        },
        "signInConditions": conditions,
        "appliedPoliciesOnly": False,
    }


def location_of(display_name: str, ranges: Iterable[str]) -> Mapping[str, object]:
    """The body that makes or replaces an IP location. Never trusted: policies of the tenant spare trusted places."""
    return {
        "@odata.type": IP_LOCATION,
        "displayName": display_name,
        "isTrusted": False,
        "ipRanges": [
            {"@odata.type": f"#microsoft.graph.iPv{6 if ':' in cidr else 4}CidrRange", "cidrAddress": cidr}
            for cidr in ranges
        ],
    }


def demand_of(control: str) -> Mapping[str, object]:
    """The grantControls that demand one built-in control."""
    return {"operator": "OR", "builtInControls": [control]}


def conditions_excluding(document: Mapping[str, object], user_ids: Iterable[str]) -> Mapping[str, object]:
    """All conditions of a policy, as they can be written back, with these users excluded and no others.

    A PATCH replaces conditions whole, and refuses the nulls and annotations that a GET shows in them.
    """
    conditions = _written(_object(document.get("conditions")))
    return {**conditions, "users": {**_object(conditions.get("users")), "excludeUsers": list(user_ids)}}


def _written(document: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _written(content) if isinstance(content, dict) else content
        for name, content in document.items()
        if content is not None and ("@odata." not in name or name == "@odata.type")
    }


def _only_user(users: Mapping[str, object]) -> str | None:
    """The one user a policy includes; None when it includes more, or others: "All" and "None" are no ids.

    https://learn.microsoft.com/graph/api/resources/conditionalaccessusers
    """
    included = _texts(users.get("includeUsers"))
    others = [users.get(kind) for kind in ("includeGroups", "includeRoles", "includeGuestsOrExternalUsers")]
    is_one = len(included) == 1 and _GUID.fullmatch(included[0]) is not None and not any(others)
    return included[0].lower() if is_one else None


def _users(document: Mapping[str, object]) -> Mapping[str, object]:
    return _object(_object(document.get("conditions")).get("users"))


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(entry) for entry in value) if isinstance(value, list) else ()


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
