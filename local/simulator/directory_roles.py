"""The built-in directory roles this directory knows, and which of them may do what to whom."""

from __future__ import annotations

# learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference: role template id -> display name.
BUILT_IN_ROLES: dict[str, str] = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "e8611ab8-c189-46e8-94e1-60213ab1f814": "Privileged Role Administrator",
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13": "Privileged Authentication Administrator",
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "Authentication Administrator",
    "0526716b-113d-4c15-b2c8-68e3c22b9f80": "Authentication Policy Administrator",
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "User Administrator",
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "Helpdesk Administrator",
    "966707d0-3269-4727-9be2-8c3a10f19b9d": "Password Administrator",
    "29232cdf-9323-42fd-ade2-1d097af3e4de": "Exchange Administrator",
    "31392ffb-586c-42d1-9346-e59415a2cc4e": "Exchange Recipient Administrator",
    "f28a1f50-f6e7-4571-818b-6a12f2af6b6c": "SharePoint Administrator",
    "69091246-20e8-4a56-aa4d-066075b2a7a8": "Teams Administrator",
    "194ae4cb-b126-40b2-bd5b-6091b380977d": "Security Administrator",
    "17315797-102d-40b4-93e0-432062caca18": "Compliance Administrator",
    "3a2c62db-5318-420d-8d74-23affee5d9d5": "Intune Administrator",
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9": "Conditional Access Administrator",
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "Groups Administrator",
    "4d6ac14f-3453-41d0-bef9-a3e0c569773a": "License Administrator",
    "f2ef992c-3afb-46b9-b7cf-a126ee74c451": "Global Reader",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "b0f54661-2d74-4c50-afa3-1ec803f12efe": "Billing Administrator",
    "45d8d3c5-c802-45c6-b32a-1d70b5e1e86e": "Identity Governance Administrator",
}

_BY_NAME = {name: template_id for template_id, name in BUILT_IN_ROLES.items()}


def roles(*names: str) -> frozenset[str]:
    """The template ids of these roles.

    Raises:
        KeyError: a name is not one of `BUILT_IN_ROLES`.
    """
    return frozenset(_BY_NAME[name] for name in names)


GLOBAL_ADMINISTRATOR = roles("Global Administrator")

# "Who can perform sensitive actions" (privileged-roles-permissions): on a user who holds an administrator role only
# these may set the password, disable, delete or restore.
OVER_ADMINISTRATORS = GLOBAL_ADMINISTRATOR | roles("Privileged Authentication Administrator")
OVER_USERS = OVER_ADMINISTRATORS | roles("User Administrator")
OVER_PASSWORDS = OVER_USERS | roles("Authentication Administrator", "Helpdesk Administrator", "Password Administrator")
OVER_ROLES = GLOBAL_ADMINISTRATOR | roles("Privileged Role Administrator")
OVER_POLICIES = GLOBAL_ADMINISTRATOR | roles("Conditional Access Administrator", "Security Administrator")

# learn.microsoft.com/entra/fundamentals/security-defaults: who must pass MFA at every sign-in.
SECURITY_DEFAULTS_ADMINISTRATORS = roles(
    "Global Administrator",
    "Application Administrator",
    "Authentication Administrator",
    "Authentication Policy Administrator",
    "Billing Administrator",
    "Cloud Application Administrator",
    "Conditional Access Administrator",
    "Exchange Administrator",
    "Helpdesk Administrator",
    "Identity Governance Administrator",
    "Password Administrator",
    "Privileged Authentication Administrator",
    "Privileged Role Administrator",
    "Security Administrator",
    "SharePoint Administrator",
    "User Administrator",
)
