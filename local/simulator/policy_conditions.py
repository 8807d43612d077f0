"""Each condition of a conditional access policy, and why a sign-in does not meet it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from enum import StrEnum

from local.simulator.sign_ins import OFFICE_365_APPLICATIONS, SignIn, is_in
from local.simulator.state import JsonObject, User


class Reason(StrEnum):
    """Graph's whatIfAnalysisReasons: why a policy does not apply; NOT_SET when it does."""

    NOT_SET = "notSet"
    NOT_ENOUGH_INFORMATION = "notEnoughInformation"
    USERS = "users"
    WORKLOAD_IDENTITIES = "workloadIdentities"
    APPLICATION = "application"
    USER_ACTIONS = "userActions"
    AUTHENTICATION_CONTEXT = "authenticationContext"
    DEVICE_PLATFORM = "devicePlatform"
    DEVICES = "devices"
    CLIENT_APPS = "clientApps"
    LOCATION = "location"
    SIGN_IN_RISK = "signInRisk"
    USER_RISK = "userRisk"
    INSIDER_RISK = "insiderRisk"
    AUTHENTICATION_FLOW = "authenticationFlow"
    POLICY_NOT_ENABLED = "policyNotEnabled"


Condition = Callable[[JsonObject, SignIn], Reason]


def _when(met: bool, reason: Reason) -> Reason:
    return Reason.NOT_SET if met else reason


def _part(conditions: JsonObject, name: str) -> JsonObject:
    return conditions.get(name) or {}


def identity(conditions: JsonObject, sign_in: SignIn) -> Reason:
    """The policy names this user, a group or role of theirs, or this workload identity; an exclusion wins."""
    if sign_in.user is None:
        workloads = _part(conditions, "clientApplications")
        named = sign_in.service_principal_id in workloads.get("includeServicePrincipals", ())
        spared = sign_in.service_principal_id in workloads.get("excludeServicePrincipals", ())
        return _when(named and not spared, Reason.WORKLOAD_IDENTITIES)
    users = _part(conditions, "users")
    return _when(
        _names(users, "include", sign_in, sign_in.user) and not _names(users, "exclude", sign_in, sign_in.user),
        Reason.USERS,
    )


def _names(users: JsonObject, side: str, sign_in: SignIn, user: User) -> bool:
    named = users.get(f"{side}Users", ())
    outsiders = users.get(f"{side}GuestsOrExternalUsers") or {}
    outsider_types = {kind.strip() for kind in outsiders.get("guestOrExternalUserTypes", "").split(",")}
    return (
        "All" in named
        or user.id in named
        or ("GuestsOrExternalUsers" in named and _outsider_type(user) is not None)
        or _outsider_type(user) in outsider_types
        or not sign_in.groups.isdisjoint(users.get(f"{side}Groups", ()))
        or not sign_in.roles.isdisjoint(users.get(f"{side}Roles", ()))
    )


def _outsider_type(user: User) -> str | None:
    """conditionalAccessGuestOrExternalUserTypes; None for a member whose home is this tenant."""
    is_guest = user.document.get("userType") == "Guest"
    if "#EXT#" in str(user.document.get("userPrincipalName")):
        return "b2bCollaborationGuest" if is_guest else "b2bCollaborationMember"
    return "internalGuest" if is_guest else None


def target(conditions: JsonObject, sign_in: SignIn) -> Reason:
    """The policy names what is asked for: an application, a user action or an authentication context.

    A what-if does not look into application groups: "Office365" matches at real sign-ins only (what-if-tool, known
    limits). "MicrosoftAdminPortals" never matches, because no portal can be signed in to here.
    """
    named = _part(conditions, "applications")
    if sign_in.user_action is not None:
        return _when(sign_in.user_action in named.get("includeUserActions", ()), Reason.USER_ACTIONS)
    if sign_in.authentication_context is not None:
        contexts = named.get("includeAuthenticationContextClassReferences", ())
        return _when(sign_in.authentication_context in contexts, Reason.AUTHENTICATION_CONTEXT)
    includes = _applications(named.get("includeApplications", ()), sign_in)
    excludes = _applications(named.get("excludeApplications", ()), sign_in)
    reached = {app for app in sign_in.applications if "All" in includes or app.lower() in includes}
    return _when(any(app.lower() not in excludes for app in reached), Reason.APPLICATION)


def _applications(named: Iterable[str], sign_in: SignIn) -> frozenset[str]:
    names = frozenset(name if name == "All" else name.lower() for name in named)
    return names | OFFICE_365_APPLICATIONS if sign_in.is_real and "office365" in names else names


def client_app(conditions: JsonObject, sign_in: SignIn) -> Reason:
    """The policy names the kind of client. Password sign-ins are `mobileAppsAndDesktopClients`, legacy ones `other`."""
    named = conditions.get("clientAppTypes") or ["all"]
    if "all" in named:
        return Reason.NOT_SET
    if sign_in.client_app_type is None:
        return Reason.NOT_ENOUGH_INFORMATION
    return _when(sign_in.client_app_type == "all" or sign_in.client_app_type in named, Reason.CLIENT_APPS)


def platform(conditions: JsonObject, sign_in: SignIn) -> Reason:
    """The policy names the device's platform; `all` covers devices whose platform nobody can tell."""
    platforms = _part(conditions, "platforms")
    named, spared = platforms.get("includePlatforms") or (), platforms.get("excludePlatforms") or ()
    if not named or ("all" in named and not spared):
        return Reason.NOT_SET
    if sign_in.platform is None and not sign_in.is_real:
        return Reason.NOT_ENOUGH_INFORMATION
    return _when(
        ("all" in named or sign_in.platform in named) and sign_in.platform not in spared, Reason.DEVICE_PLATFORM
    )


def location(conditions: JsonObject, sign_in: SignIn) -> Reason:
    """The sign-in comes from a place the policy includes and does not exclude."""
    locations = _part(conditions, "locations")
    named, spared = locations.get("includeLocations") or (), locations.get("excludeLocations") or ()
    if not named or ("All" in named and not spared):
        return Reason.NOT_SET
    included, excluded = (_is_at_any(places, sign_in) for places in (named, spared))
    if excluded or included is False:
        return Reason.LOCATION
    return _when(included is True and excluded is False, Reason.NOT_ENOUGH_INFORMATION)


def _is_at_any(places: Collection[str], sign_in: SignIn) -> bool | None:
    """Whether the sign-in comes from one of these places; None when the facts do not tell."""
    if "All" in places:
        return True
    named = [sign_in.tenant.named_locations[place] for place in places if place in sign_in.tenant.named_locations]
    if "AllTrusted" in places:
        named += [place for place in sign_in.tenant.named_locations.values() if place.get("isTrusted")]
    answers = {_is_within(place, sign_in) for place in named}
    return True if True in answers else None if None in answers else False


def _is_within(place: JsonObject, sign_in: SignIn) -> bool | None:
    if "ipRanges" in place:
        ip = sign_in.ip
        return None if ip is None else any(is_in(ip, entry["cidrAddress"]) for entry in place["ipRanges"])
    if sign_in.country is None:
        return bool(place.get("includeUnknownCountriesAndRegions")) if sign_in.is_real else None
    return sign_in.country in place.get("countriesAndRegions", ())


def device(conditions: JsonObject, sign_in: SignIn) -> Reason:
    """A device filter never includes, and never spares, a device that is not registered; no other signs in here."""
    wanted = _part(conditions, "devices").get("deviceFilter")
    if not wanted:
        return Reason.NOT_SET
    if not sign_in.is_real and not sign_in.describes_device:
        return Reason.NOT_ENOUGH_INFORMATION
    return _when(wanted.get("mode") == "exclude", Reason.DEVICES)


def _level(name: str, fact: Callable[[SignIn], str | None], reason: Reason) -> Condition:
    """A condition that lists levels, as an array or as comma-separated flags; nothing listed means any level."""

    def condition(conditions: JsonObject, sign_in: SignIn) -> Reason:
        listed = conditions.get(name) or ()
        named = {level.strip() for level in listed.split(",")} if isinstance(listed, str) else set(listed)
        if not named:
            return Reason.NOT_SET
        level = fact(sign_in)
        if level is None and not sign_in.is_real:
            return Reason.NOT_ENOUGH_INFORMATION
        return _when(level in named, reason)

    return condition


def transfer(conditions: JsonObject, sign_in: SignIn) -> Reason:
    """The policy names how the sign-in is handed over: device code flow, authentication transfer."""
    methods = _part(conditions, "authenticationFlows").get("transferMethods", "none")
    if methods == "none":
        return Reason.NOT_SET
    if sign_in.transfer_method is None:
        return Reason.NOT_ENOUGH_INFORMATION
    return _when(sign_in.transfer_method in {name.strip() for name in methods.split(",")}, Reason.AUTHENTICATION_FLOW)


CONDITIONS: tuple[Condition, ...] = (
    identity,
    target,
    client_app,
    platform,
    location,
    device,
    _level("signInRiskLevels", lambda sign_in: sign_in.sign_in_risk, Reason.SIGN_IN_RISK),
    _level("userRiskLevels", lambda sign_in: sign_in.user_risk, Reason.USER_RISK),
    _level("insiderRiskLevels", lambda sign_in: sign_in.insider_risk, Reason.INSIDER_RISK),
    transfer,
)
