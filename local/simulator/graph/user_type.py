"""The user resource: its properties, what each may hold, and how a stored user is shown."""

from __future__ import annotations

import re

from local.simulator.calls import GraphCall
from local.simulator.graph.odata import EntityType, words
from local.simulator.graph.refusals import invalid, missing
from local.simulator.graph.schema import Shape, each, flag, nullable, record, text
from local.simulator.state import JsonObject, User

_COLLECTIONS = words(
    """
    assignedLicenses assignedPlans businessPhones identities imAddresses licenseAssignmentStates
    onPremisesProvisioningErrors otherMails provisionedPlans proxyAddresses serviceProvisioningErrors
    """
)

# microsoft.graph.user (v1.0 metadata), without the properties that live in SharePoint, Exchange or Intune.
USER = EntityType(
    name="user",
    context="users",
    properties=_COLLECTIONS
    + words(
        """
        id deletedDateTime accountEnabled ageGroup authorizationInfo city companyName consentProvidedForMinor
        country createdDateTime creationType customSecurityAttributes department displayName employeeHireDate
        employeeId employeeLeaveDateTime employeeOrgData employeeType externalUserState
        externalUserStateChangeDateTime faxNumber givenName identityParentId isManagementRestricted
        isResourceAccount jobTitle lastPasswordChangeDateTime legalAgeGroupClassification mail mailNickname
        mobilePhone officeLocation onPremisesDistinguishedName onPremisesDomainName onPremisesExtensionAttributes
        onPremisesImmutableId onPremisesLastSyncDateTime onPremisesSamAccountName onPremisesSecurityIdentifier
        onPremisesSyncEnabled onPremisesUserPrincipalName passwordPolicies passwordProfile postalCode
        preferredDataLocation preferredLanguage securityIdentifier showInAddressList signInActivity
        signInSessionsValidFromDateTime state streetAddress surname usageLocation userPrincipalName userType
        """
    ),
    default=words(
        """
        businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname
        userPrincipalName id
        """
    ),
    is_advanced=True,
)

_TEXTS = words(
    """
    ageGroup city companyName consentProvidedForMinor country department displayName employeeId employeeType
    faxNumber givenName jobTitle mail mailNickname mobilePhone officeLocation onPremisesImmutableId passwordPolicies
    postalCode preferredDataLocation preferredLanguage state streetAddress surname usageLocation userPrincipalName
    userType
    """
)

WRITABLE: dict[str, Shape] = {
    **dict.fromkeys(_TEXTS, nullable(text)),
    "accountEnabled": flag,
    "showInAddressList": nullable(flag),
    "businessPhones": each(text),
    "otherMails": each(text),
    "passwordProfile": record(
        password=text,
        forceChangePasswordNextSignIn=nullable(flag),
        forceChangePasswordNextSignInWithMfa=nullable(flag),
    ),
}

_REQUIRED = ("accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName")

# learn.microsoft.com/graph/api/user-post-users: the characters each property admits.
_PATTERNS = {
    "mailNickname": re.compile(r"[A-Za-z0-9!#$%&'*+\-./=?^_`{|}~]{1,64}"),
    "usageLocation": re.compile(r"[A-Z]{2}"),
    "userType": re.compile(r"Member|Guest"),
    "displayName": re.compile(r"(?s).{1,256}"),
    "employeeId": re.compile(r".{1,16}"),
}
_UPN = re.compile(r"[A-Za-z0-9'.\-_!#^~]{1,64}@([A-Za-z0-9.-]+)")


def show(user: User) -> JsonObject:
    """All properties of a user; what was never set is null, or empty where it is a collection."""
    empty: JsonObject = {name: [] if name in _COLLECTIONS else None for name in USER.properties}
    return empty | user.document


def check_properties(call: GraphCall, body: JsonObject) -> None:
    """Every property is known, writable, of its type, and within its rules.

    Raises:
        GraphRefusal: 400 that names the property.
    """
    for name, value in body.items():
        if name.startswith("@"):
            continue
        if name not in WRITABLE or not WRITABLE[name](value):
            raise invalid("One or more properties contains invalid values.", target=name)
        pattern = _PATTERNS.get(name)
        if pattern and value is not None and not pattern.fullmatch(value):
            raise invalid(f"Invalid value specified for property '{name}' of resource 'User'.", target=name)
    if "userPrincipalName" in body:
        _check_user_principal_name(call, str(body["userPrincipalName"]))


def check_required(body: JsonObject) -> None:
    """A new user has everything Graph insists on.

    Raises:
        GraphRefusal: 400 that names what is missing.
    """
    for name in _REQUIRED:
        if body.get(name) in (None, ""):
            raise missing(name)
    if not body["passwordProfile"].get("password"):
        raise missing("passwordProfile.password")


def _check_user_principal_name(call: GraphCall, name: str) -> None:
    found = _UPN.fullmatch(name)
    if not found or name.startswith(".") or ".@" in name:
        raise invalid("Property userPrincipalName is invalid.", target="userPrincipalName")
    domain = next((entry for entry in call.tenant.domains if entry["name"].lower() == found[1].lower()), None)
    if domain is None or domain.get("type", "Managed") != "Managed":
        raise invalid(
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain "
            "names in your organization.",
            target="userPrincipalName",
        )
