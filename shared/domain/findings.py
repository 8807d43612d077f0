"""From facts to findings: what each fact about a tenant means for its management session, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.directory_roles import (
    ONBOARDING,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    PROFILES,
    ROLE_NAMES,
    RUNTIME,
    SINGLE,
)
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.policy_check import Check, Finding, Verdict
from shared.domain.ports import Organization
from shared.domain.tenant import ServiceAccount, Tenant

_PORTAL = "https://entra.microsoft.com/#view/"
_CONSENT = "https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent"
_ROLES = _PORTAL + "Microsoft_AAD_IAM/RolesManagementMenuBlade"
_SECURITY_DEFAULTS = "https://learn.microsoft.com/entra/fundamentals/security-defaults"
_PER_USER_MFA = "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userstates"
_LICENCES = "https://learn.microsoft.com/entra/fundamentals/licensing"
_DOMAINS = "https://learn.microsoft.com/entra/identity/users/domains-manage"
_METHODS = "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userdevicesettings"
_USERS = _PORTAL + "Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade"
_HEALTH = "https://learn.microsoft.com/microsoft-365/enterprise/view-service-health"

_GRANT = NextStep("Grant admin consent with the tenant's consent link.", _CONSENT)
_AGAIN = NextStep("Run the check again; if it says so for long, look at Microsoft's service health.", _HEALTH)


def passed(check: Check) -> Finding:
    """Nothing is in the way."""
    return Finding(check, Verdict.PASS)


def skipped(check: Check, why: str) -> Finding:
    """It does not apply."""
    return Finding(check, Verdict.SKIPPED, why)


def unknown(check: Check, problem: Problem) -> Finding:
    """It could not be found out."""
    step = problem.next_step or _AGAIN
    return Finding(check, Verdict.UNKNOWN, problem.message, step.text, step.link)


def consent(held: frozenset[str]) -> Finding:
    """Whether the application permissions are consented to, where one application asks for all."""
    missing = SINGLE.missing(held)
    if not missing:
        return passed(Check.CONSENT)
    cause = f"Admin consent is missing for {', '.join(missing)}."
    return Finding(Check.CONSENT, Verdict.FAIL, cause, _GRANT.text, _GRANT.link, code=Code.CONSENT_MISSING)


def consent_to_both(held: frozenset[str], onboarding: frozenset[str] | Problem, *, has_account: bool) -> Finding:
    """Whether each application holds what it asks for; `onboarding` is what that one holds, or why it gets no token.

    Once there is an account, it is as it should be that the onboarding application is switched off.
    """
    lacks, off = {RUNTIME.name: RUNTIME.missing(held)}, None
    if isinstance(onboarding, Problem):
        off = onboarding.message
    else:
        lacks[ONBOARDING.name] = ONBOARDING.missing(onboarding)
    causes = [f"{name} lacks admin consent for {', '.join(missing)}." for name, missing in lacks.items() if missing]
    if not causes and (has_account or off is None):
        return Finding(Check.CONSENT, Verdict.PASS, off)
    cause = " ".join([*causes, off] if off else causes)
    fix = "Grant each application admin consent with its own consent link."
    return Finding(Check.CONSENT, Verdict.FAIL, cause, fix, _GRANT.link, code=Code.CONSENT_MISSING)


def no_consent(problem: Problem, name: str = "") -> Finding:
    """No token can be had in the tenant at all; when our own credential is to blame, that tells nothing of consent.

    `name` is the application's, where there is more than one.
    """
    if problem.code is Code.INTERNAL_ERROR:
        return unknown(Check.CONSENT, problem)
    step = problem.next_step or _GRANT
    cause = f"{name}: {problem.message}" if name else problem.message
    found = Finding(Check.CONSENT, Verdict.FAIL, cause, step.text, step.link)
    return replace(found, is_obstacle=True, code=Code.CONSENT_MISSING)


def admin_role(held: frozenset[UUID], name: str = SINGLE.name) -> Finding:
    """Whether the application of that name may act on an account that holds administrator roles."""
    needed = PRIVILEGED_AUTHENTICATION_ADMINISTRATOR
    if needed.template_id in held:
        return passed(Check.ADMIN_ROLE)
    return Finding(
        Check.ADMIN_ROLE,
        Verdict.FAIL,
        f"{name} does not hold {needed.name}, so it cannot reset or restore an account that holds roles.",
        f"Assign {needed.name} to the enterprise application {name}.",
        _ROLES,
    )


def tenant_facts(found: Organization) -> Finding:
    """Whether accounts in the initial domain have passwords of their own."""
    if found.initial_domain_is_managed:
        return passed(Check.TENANT_FACTS)
    cause = f"The domain {found.initial_domain} is federated: its accounts have no password in Entra."
    fix = "Make the initial domain a managed one."
    return Finding(Check.TENANT_FACTS, Verdict.FAIL, cause, fix, _DOMAINS, is_obstacle=True)


def licence(has_premium: bool) -> Finding:
    """Whether there is conditional access at all."""
    if has_premium:
        return passed(Check.LICENCE)
    cause = "The tenant has no Entra ID P1: no conditional access, and so no allowed IPs."
    return Finding(
        Check.LICENCE, Verdict.FAIL, cause, "Add Entra ID P1 to restrict where the account signs in.", _LICENCES
    )


def security_defaults(is_on: bool) -> Finding:
    """Security defaults demand MFA of administrators, without exception."""
    if not is_on:
        return passed(Check.SECURITY_DEFAULTS)
    cause = "Security defaults are on: every account with an administrator role must do MFA."
    fix = "Replace security defaults by conditional access policies that exclude the service account."
    return Finding(Check.SECURITY_DEFAULTS, Verdict.FAIL, cause, fix, _SECURITY_DEFAULTS, is_obstacle=True)


def per_user_mfa(state: str) -> Finding:
    """Per-user MFA asks for a second factor whatever the policies say."""
    if state == "disabled":
        return passed(Check.PER_USER_MFA)
    cause = f"Per-user MFA is {state} for the service account."
    fix = "Disable per-user MFA for the service account."
    return Finding(Check.PER_USER_MFA, Verdict.FAIL, cause, fix, _PER_USER_MFA, is_obstacle=True)


def roles(tenant: Tenant, held: frozenset[UUID]) -> Finding:
    """Whether the account holds its profile's roles, and no others."""
    wanted = {role.template_id for role in PROFILES[tenant.role_profile]}
    lacking, extra = wanted - held, held - wanted
    more = f"The service account holds more than its profile: {_names(extra)}." if extra else ""
    if lacking:
        cause = f"The service account lacks {_names(lacking)}. {more}".strip()
        fix = "Retry the service account creation, which gives the roles back."
        return Finding(Check.ROLES, Verdict.FAIL, cause, fix, _ROLES, is_obstacle=True, code=Code.ROLE_MISSING)
    if extra:
        return Finding(Check.ROLES, Verdict.FAIL, more, "Remove these roles, or choose a wider role profile.", _ROLES)
    return passed(Check.ROLES)


def credential_age(account: ServiceAccount, now: datetime) -> Finding:
    """Whether the password is rotated when it is due."""
    if account.next_rotation_at is None:
        return skipped(Check.CREDENTIAL_AGE, "The account has no password yet.")
    if now <= account.next_rotation_at + timedelta(days=1):
        return passed(Check.CREDENTIAL_AGE)
    cause = f"The password should have been rotated on {account.next_rotation_at:%Y-%m-%d}."
    fix = "Rotate the password (POST …/service-account/rotate)."
    return Finding(Check.CREDENTIAL_AGE, Verdict.FAIL, cause, fix, _USERS)


def other_methods(methods: Sequence[str]) -> Finding:
    """Whether somebody registered another way to sign in as the account."""
    if not methods:
        return passed(Check.OTHER_SIGN_IN_METHODS)
    cause = f"The service account has other sign-in methods: {', '.join(methods)}. We registered none."
    fix = "Find out who registered them, remove them, and rotate the password."
    return Finding(Check.OTHER_SIGN_IN_METHODS, Verdict.FAIL, cause, fix, _METHODS)


def sign_in_refused(problem: Problem) -> Finding:
    """The real sign-in was refused: the last word, whatever the other rows say."""
    found = unknown(Check.SIGN_IN, problem)
    return replace(found, verdict=Verdict.FAIL, is_obstacle=True, code=problem.code)


def _names(template_ids: Iterable[UUID]) -> str:
    return ", ".join(sorted(ROLE_NAMES.get(role, str(role)) for role in template_ids))
