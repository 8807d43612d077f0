"""The conditionalAccessPolicy resource: its shape when written, and its full form when shown."""

from __future__ import annotations

from local.simulator.calls import GraphCall
from local.simulator.graph.odata import EntityType, words
from local.simulator.graph.schema import each, flag, flags, nullable, number, one_of, record, text
from local.simulator.state import JsonObject

POLICY = EntityType(
    name="conditionalAccessPolicy",
    context="identity/conditionalAccess/policies",
    properties=words(
        """
        id templateId displayName description createdDateTime modifiedDateTime deletedDateTime state conditions
        grantControls sessionControls
        """
    ),
)

_RISK_LEVELS = each(one_of("low", "medium", "high", "none"))
_PLATFORMS = each(one_of("android", "iOS", "windows", "windowsPhone", "macOS", "all", "linux"))
_FILTER = record("mode", "rule", mode=one_of("include", "exclude"), rule=text)
_OUTSIDERS = record(
    guestOrExternalUserTypes=flags(
        "none",
        "internalGuest",
        "b2bCollaborationGuest",
        "b2bCollaborationMember",
        "b2bDirectConnectUser",
        "otherExternalUser",
        "serviceProvider",
    ),
    externalTenants=record(membershipKind=one_of("all", "enumerated"), members=each(text)),
)

# Written conditions hold no null: sent back as it was read, a null complex property is error 1007.
CONDITIONS = record(
    "applications",
    userRiskLevels=_RISK_LEVELS,
    signInRiskLevels=_RISK_LEVELS,
    servicePrincipalRiskLevels=_RISK_LEVELS,
    insiderRiskLevels=flags("minor", "moderate", "elevated"),
    clientAppTypes=each(
        one_of("all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other")
    ),
    users=record(
        includeUsers=each(text),
        excludeUsers=each(text),
        includeGroups=each(text),
        excludeGroups=each(text),
        includeRoles=each(text),
        excludeRoles=each(text),
        includeGuestsOrExternalUsers=_OUTSIDERS,
        excludeGuestsOrExternalUsers=_OUTSIDERS,
    ),
    applications=record(
        includeApplications=each(text),
        excludeApplications=each(text),
        includeUserActions=each(text),
        includeAuthenticationContextClassReferences=each(text),
        applicationFilter=_FILTER,
    ),
    clientApplications=record(
        includeServicePrincipals=each(text), excludeServicePrincipals=each(text), servicePrincipalFilter=_FILTER
    ),
    platforms=record(includePlatforms=_PLATFORMS, excludePlatforms=_PLATFORMS),
    locations=record(includeLocations=each(text), excludeLocations=each(text)),
    devices=record(deviceFilter=_FILTER),
    authenticationFlows=record(transferMethods=flags("none", "deviceCodeFlow", "authenticationTransfer")),
)

_GRANT_CONTROLS = record(
    operator=nullable(one_of("AND", "OR")),
    builtInControls=each(
        one_of(
            "block",
            "mfa",
            "compliantDevice",
            "domainJoinedDevice",
            "approvedApplication",
            "compliantApplication",
            "passwordChange",
            "riskRemediation",
        )
    ),
    customAuthenticationFactors=each(text),
    termsOfUse=each(text),
    authenticationStrength=nullable(
        record(
            "id",
            id=one_of(*(f"00000000-0000-0000-0000-00000000000{digit}" for digit in (2, 3, 4))),
            displayName=text,
        )
    ),
)

_SESSION_CONTROLS = record(
    applicationEnforcedRestrictions=nullable(record(isEnabled=flag)),
    cloudAppSecurity=nullable(
        record(isEnabled=flag, cloudAppSecurityType=one_of("mcasConfigured", "monitorOnly", "blockDownloads"))
    ),
    persistentBrowser=nullable(record(isEnabled=flag, mode=one_of("always", "never"))),
    signInFrequency=nullable(
        record(
            isEnabled=flag,
            value=nullable(number),
            type=nullable(one_of("days", "hours")),
            authenticationType=one_of("primaryAndSecondaryAuthentication", "secondaryAuthentication"),
            frequencyInterval=one_of("timeBased", "everyTime"),
        )
    ),
    secureSignInSession=nullable(record(isEnabled=flag)),
    disableResilienceDefaults=nullable(flag),
)

WRITTEN_POLICY = record(
    displayName=text,
    description=nullable(text),
    state=one_of("enabled", "disabled", "enabledForReportingButNotEnforced"),
    conditions=CONDITIONS,
    grantControls=nullable(_GRANT_CONTROLS),
    sessionControls=nullable(_SESSION_CONTROLS),
)

_EMPTY_POLICY: JsonObject = {
    "state": "disabled",
    "templateId": None,
    "createdDateTime": None,
    "modifiedDateTime": None,
    "deletedDateTime": None,
    "grantControls": None,
    "sessionControls": None,
}
_EMPTY_CONDITIONS: JsonObject = {
    "userRiskLevels": [],
    "signInRiskLevels": [],
    "clientAppTypes": ["all"],
    "servicePrincipalRiskLevels": [],
    "insiderRiskLevels": None,
    "platforms": None,
    "locations": None,
    "devices": None,
    "clientApplications": None,
    "authenticationFlows": None,
}
_EMPTY_PARTS: dict[str, JsonObject] = {
    "users": {
        "includeUsers": [],
        "excludeUsers": [],
        "includeGroups": [],
        "excludeGroups": [],
        "includeRoles": [],
        "excludeRoles": [],
        "includeGuestsOrExternalUsers": None,
        "excludeGuestsOrExternalUsers": None,
    },
    "applications": {
        "includeApplications": [],
        "excludeApplications": [],
        "includeUserActions": [],
        "includeAuthenticationContextClassReferences": [],
        "applicationFilter": None,
    },
    "locations": {"includeLocations": [], "excludeLocations": []},
    "platforms": {"includePlatforms": [], "excludePlatforms": []},
}
_EMPTY_CONTROLS: JsonObject = {
    "operator": "OR",
    "builtInControls": [],
    "customAuthenticationFactors": [],
    "termsOfUse": [],
    "authenticationStrength": None,
}


def show(policy: JsonObject) -> JsonObject:
    """A stored policy, whoever stored it and however briefly, with every property Graph shows."""
    conditions = _EMPTY_CONDITIONS | (policy.get("conditions") or {})
    for name, empty in _EMPTY_PARTS.items():
        if conditions.get(name) is not None or name in ("users", "applications"):
            conditions[name] = empty | (conditions.get(name) or {})
    shown = _EMPTY_POLICY | policy | {"conditions": conditions}
    if shown["grantControls"] is not None:
        shown["grantControls"] = _EMPTY_CONTROLS | shown["grantControls"]
    return shown


def show_to(call: GraphCall, policy: JsonObject) -> JsonObject:
    """As `show`, but newer members of an enumeration are told only to a caller that asks for them.

    Others read unknownFutureValue (learn.microsoft.com/graph/best-practices-concept, evolvable enumerations).
    """
    shown = show(policy)
    platforms = shown["conditions"]["platforms"]
    if platforms is None or "include-unknown-enum-members" in call.request.headers.get("prefer", ""):
        return shown
    masked = {
        side: ["unknownFutureValue" if platform == "linux" else platform for platform in listed]
        for side, listed in platforms.items()
    }
    return shown | {"conditions": shown["conditions"] | {"platforms": masked}}
