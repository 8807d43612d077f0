"""Tenants as customers have them, each with what the policy check must say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.e2e.customer import Customer
from tests.e2e.policy_changes import (
    EXCHANGE_ADMINISTRATOR,
    PLACE,
    account_changed,
    blocks_the_country,
    change_consent,
    change_roles,
    changed,
    has_policy,
    leaves_an_account,
    loses_consent_half_way,
    then_in_allowed_ips,
)

ROWS: Final = (
    "consent",
    "adminRole",
    "serviceAccount",
    "unrecordedAccounts",
    "tenantFacts",
    "licence",
    "securityDefaults",
    "perUserMfa",
    "conditionalAccess",
    "comingPolicies",
    "namedLocation",
    "unrecordedPolicies",
    "roles",
    "credentialAge",
    "otherSignInMethods",
    "signIn",
)
"""In the order in which to put things right."""


@dataclass(frozen=True)
class Case:
    """A tenant whose service account was created, and the check made of it.

    Attributes:
        rows: the verdicts that are not a healthy tenant's: `pass`, but for `namedLocation`, which is `skipped`.
        says: words that the row's cause, fix or policies hold.
        given: what happened in the tenant after that.
        seed: what the tenant was from the beginning.
        has_account: whether the service account was created at all.
    """

    name: str
    rows: Mapping[str, str]
    says: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given: Callable[[Customer], None] = lambda customer: None
    seed: Mapping[str, object] = field(default_factory=dict)
    has_account: bool = True

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """Every row with its verdict, in order."""
        healthy = {name: "skipped" if name == "namedLocation" else "pass" for name in ROWS}
        return list((healthy | dict(self.rows)).items())


_NOT_TRIED: Final = {"signIn": "skipped"}
_NOTHING_FOUND_OUT: Final = {"conditionalAccess": "unknown", "comingPolicies": "unknown"}
_OF_THE_ACCOUNT: Final = tuple(name for name in ROWS[ROWS.index("perUserMfa") :] if name != "unrecordedPolicies")
_WITHOUT_ACCOUNT: Final = dict.fromkeys(_OF_THE_ACCOUNT, "skipped")

CASES: Final = (
    Case("healthy", {}),
    Case(
        "security defaults on",
        {"securityDefaults": "fail", **_NOT_TRIED},
        {"securityDefaults": ("Security defaults are on",), "signIn": ("securityDefaults",)},
        changed(securityDefaults=True),
    ),
    Case(
        "MFA for admins",
        {"conditionalAccess": "fail", **_NOT_TRIED},
        {
            "conditionalAccess": (
                "Require MFA for administrators",
                "'controls': ['mfa']",
                "'resources': ['graph', 'exchange', 'sharePoint', 'teams']",
                "'sourceIps': ['203.0.113.10/32']",
                "Exclude the user management-",
            )
        },
        has_policy("Require MFA for administrators"),
    ),
    Case(
        "block by country",
        {"conditionalAccess": "fail", **_NOT_TRIED},
        {"conditionalAccess": ("No sign-ins from there", "'controls': ['block']")},
        blocks_the_country,
    ),
    Case(
        "no licence",
        {"licence": "fail", **dict.fromkeys(("conditionalAccess", "comingPolicies", "unrecordedPolicies"), "skipped")},
        {"licence": ("Entra ID P1",), "conditionalAccess": ("Entra ID P1",)},
        seed={"skus": ["STANDARDPACK"]},
    ),
    Case(
        "per-user MFA enforced",
        {"perUserMfa": "fail", **_NOT_TRIED},
        {"perUserMfa": ("enforced",)},
        account_changed(perUserMfa="enforced"),
    ),
    Case(
        "federated",
        {"tenantFacts": "fail", **_NOT_TRIED},
        {"tenantFacts": ("federated",)},
        lambda customer: customer.change(domains=[{"name": customer.initial_domain, "type": "Federated"}]),
    ),
    Case(
        "consent revoked half way",
        {
            **_NOTHING_FOUND_OUT,
            **dict.fromkeys(("perUserMfa", "unrecordedPolicies", "roles", "otherSignInMethods"), "unknown"),
            "signIn": "fail",
        },
        {"perUserMfa": ("consent",), "signIn": ("AADSTS7000229",)},
        loses_consent_half_way,
    ),
    Case(
        "consent revoked before",
        {"consent": "fail", **dict.fromkeys(ROWS[1:], "skipped")},
        {"consent": ("AADSTS7000229",), "signIn": ("consent is missing",)},
        lambda customer: change_consent(customer, grant=False),
    ),
    Case(
        "consent in part",
        {
            "consent": "fail",
            **_NOTHING_FOUND_OUT,
            **dict.fromkeys(("securityDefaults", "perUserMfa", "unrecordedPolicies"), "unknown"),
        },
        {"consent": ("Policy.Read.All",), "conditionalAccess": ("Policy.Read.All",)},
        lambda customer: change_consent(customer, grant=False, appRoles=["Policy.Read.All"]),
    ),
    Case(
        "report-only that will bite",
        {"comingPolicies": "fail"},
        {"comingPolicies": ("MFA, soon", "'state': 'reportOnly'", "'isMicrosoftManaged': False")},
        has_policy("MFA, soon", state="enabledForReportingButNotEnforced"),
    ),
    Case(
        "Microsoft-managed that will bite",
        {"comingPolicies": "fail"},
        {
            "comingPolicies": (
                "from 2026-11-15 on",
                "'isMicrosoftManaged': True",
                "'blocksFrom': '2026-11-15T08:00:00Z'",
            )
        },
        has_policy("Microsoft-managed: MFA for admins", state="enabledForReportingButNotEnforced"),
    ),
    Case(
        "allowed IPs as they should be",
        {"namedLocation": "pass"},
        given=then_in_allowed_ips(lambda place, policy: {}, "enabled"),
    ),
    Case(
        "location out of date",
        {"namedLocation": "fail"},
        {"namedLocation": ("does not hold the allowed addresses",)},
        then_in_allowed_ips(
            lambda place, policy: {"namedLocations": {place["id"]: {"ipRanges": place["ipRanges"][:1]}}}
        ),
    ),
    Case(
        "location gone",
        {"namedLocation": "fail"},
        {"namedLocation": ("is gone", "Set the allowed IPs again")},
        then_in_allowed_ips(lambda place, policy: {"namedLocations": {place["id"]: None}}),
    ),
    Case(
        "location trusted",
        {"namedLocation": "fail"},
        {"namedLocation": ("trusted",)},
        then_in_allowed_ips(lambda place, policy: {"namedLocations": {place["id"]: {"isTrusted": True}}}),
    ),
    Case(
        "allowed IPs policy gone",
        {"namedLocation": "fail"},
        {"namedLocation": ("The policy of the allowed IPs is gone",)},
        then_in_allowed_ips(lambda place, policy: {"policies": {policy["id"]: None}}, "enabled"),
    ),
    Case(
        "allowed IPs policy weakened",
        {"namedLocation": "fail"},
        {"namedLocation": ("not as it was asked for",)},
        then_in_allowed_ips(
            lambda place, policy: {"policies": {policy["id"]: {"state": "enabledForReportingButNotEnforced"}}},
            "enabled",
        ),
    ),
    Case(
        "extra role",
        {"roles": "fail"},
        {"roles": ("holds more than its profile: Privileged Role Administrator",)},
        lambda customer: change_roles(customer, add="e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ),
    Case(
        "missing role",
        {"roles": "fail", **_NOT_TRIED},
        {"roles": ("lacks Exchange Administrator",)},
        lambda customer: change_roles(customer, remove=EXCHANGE_ADMINISTRATOR),
    ),
    Case(
        "other sign-in method",
        {"otherSignInMethods": "fail"},
        {"otherSignInMethods": ("phoneAuthenticationMethod",)},
        account_changed(methods=[{"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": PLACE}]),
    ),
    Case(
        "admin role missing",
        {"adminRole": "fail"},
        {"adminRole": ("Privileged Authentication Administrator",)},
        changed(directoryRoles=[]),
    ),
    Case(
        "password changed a moment after it was made",
        {"signIn": "unknown"},
        {"signIn": ("AADSTS50126",)},
        account_changed(password="only-for-tests-0ther!"),
    ),
    Case(
        "no account yet",
        {"serviceAccount": "skipped", **_WITHOUT_ACCOUNT},
        {"signIn": ("no service account yet",)},
        has_account=False,
    ),
    Case(
        "account disabled",
        {"serviceAccount": "fail", **_WITHOUT_ACCOUNT},
        {"serviceAccount": ("is disabled", "retry the service account creation")},
        account_changed(properties={"accountEnabled": False}),
    ),
    Case(
        "account without our mark",
        {"serviceAccount": "fail", **_WITHOUT_ACCOUNT},
        {"serviceAccount": ("does not carry our mark",)},
        account_changed(properties={"employeeId": "E-4711"}),
    ),
    Case(
        "account that nobody owns",
        {"unrecordedAccounts": "fail"},
        {"unrecordedAccounts": ("-2@", "the daily look removes it")},
        leaves_an_account,
    ),
)
