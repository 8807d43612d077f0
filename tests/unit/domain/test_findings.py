"""Facts about a tenant become rows: what each means for the session, what to do about it and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.domain import findings
from shared.domain.directory_roles import (
    EXCHANGE_ADMINISTRATOR,
    PERMISSIONS,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    PROFILES,
    RoleProfile,
)
from shared.domain.errors import Code, NextStep, Problem
from shared.domain.ids import TenantId
from shared.domain.policy_check import Check, Finding, Verdict
from shared.domain.ports import Organization
from shared.domain.tenant import AccountState, ServiceAccount, new_tenant
from tests.fakes.clock import START

TENANT = replace(
    new_tenant(TenantId(uuid4()), "Contoso", START, profile=RoleProfile.LEAST_PRIVILEGE),
    account=ServiceAccount(AccountState.CREATED, next_rotation_at=START + timedelta(days=30)),
)
WANTED = frozenset(role.template_id for role in PROFILES[RoleProfile.LEAST_PRIVILEGE])
STRANGE = UUID("11111111-2222-4333-8444-555555555555")
ALL_PERMISSIONS = frozenset(PERMISSIONS)
DOMAIN = "contoso.onmicrosoft.com"


def organization(*, is_managed: bool) -> Organization:
    return Organization("Contoso", DOMAIN, initial_domain_is_managed=is_managed)


def aged(since_due: timedelta) -> Finding:
    """The row of the credential's age, so long after the rotation was due."""
    due = START + timedelta(days=30)
    return findings.credential_age(TENANT.account, due + since_due)


@pytest.mark.parametrize(
    "found",
    [
        findings.consent(ALL_PERMISSIONS),
        findings.consent(ALL_PERMISSIONS | {"Mail.Read"}),
        findings.admin_role(frozenset({PRIVILEGED_AUTHENTICATION_ADMINISTRATOR.template_id, STRANGE})),
        findings.tenant_facts(organization(is_managed=True)),
        findings.licence(True),
        findings.security_defaults(False),
        findings.per_user_mfa("disabled"),
        findings.roles(TENANT, WANTED),
        aged(timedelta(hours=-1)),
        aged(timedelta(hours=23)),
        findings.other_methods(()),
    ],
    ids=lambda found: found.check.value,
)
def test_nothing_in_the_way_is_pass_and_needs_no_words(found: Finding) -> None:
    assert found == Finding(found.check, Verdict.PASS)


@pytest.mark.parametrize(
    ("found", "words", "is_obstacle"),
    [
        (findings.consent(ALL_PERMISSIONS - {"Policy.Read.All"}), "missing for Policy.Read.All.", False),
        (findings.no_consent(Problem(Code.CONSENT_MISSING, "Nobody has consented.")), "Nobody has consented.", True),
        (findings.admin_role(frozenset()), "does not hold Privileged Authentication Administrator", False),
        (findings.tenant_facts(organization(is_managed=False)), f"{DOMAIN} is federated", True),
        (findings.licence(False), "no Entra ID P1", False),
        (findings.security_defaults(True), "Security defaults are on", True),
        (findings.per_user_mfa("enabled"), "Per-user MFA is enabled", True),
        (findings.per_user_mfa("enforced"), "Per-user MFA is enforced", True),
        (findings.roles(TENANT, WANTED - {EXCHANGE_ADMINISTRATOR.template_id}), "lacks Exchange Administrator.", True),
        (findings.roles(TENANT, WANTED | {STRANGE}), f"more than its profile: {STRANGE}", False),
        (aged(timedelta(hours=25)), "rotated on 2026-12-23", False),
        (findings.other_methods(("phoneAuthenticationMethod",)), "phoneAuthenticationMethod", False),
        (findings.sign_in_refused(Problem(Code.CREDENTIAL_REJECTED, "AADSTS50126: Wrong.")), "AADSTS50126", True),
    ],
)
def test_what_is_wrong_fails_with_cause_fix_and_link(found: Finding, words: str, is_obstacle: bool) -> None:
    assert found.verdict is Verdict.FAIL
    assert words in str(found.cause)
    assert found.fix
    assert str(found.link).startswith("https://")
    assert found.is_obstacle is is_obstacle


def test_lacking_and_surplus_roles_are_told_together() -> None:
    found = findings.roles(TENANT, (WANTED | {STRANGE}) - {EXCHANGE_ADMINISTRATOR.template_id})

    assert found.is_obstacle
    assert "lacks Exchange Administrator. The service account holds more" in str(found.cause)


def test_refusal_of_our_own_credential_says_nothing_of_the_tenant_s_consent() -> None:
    found = findings.no_consent(Problem(Code.INTERNAL_ERROR, "Microsoft does not accept this service's credential."))

    assert (found.verdict, found.is_obstacle) == (Verdict.UNKNOWN, False)


def test_refusal_that_knows_its_own_remedy_is_not_told_to_grant_consent() -> None:
    step = NextStep("Let users sign in to the application again.", "https://learn.microsoft.com/entra/")
    disabled = Problem(Code.CONSENT_MISSING, "The enterprise application is disabled.", next_step=step)

    found = findings.no_consent(disabled)

    assert (found.fix, found.link) == (step.text, step.link)


@pytest.mark.parametrize("step", [None, NextStep("Wait.", "https://learn.microsoft.com/")])
def test_what_cannot_be_found_out_is_unknown_and_never_pass(step: NextStep | None) -> None:
    found = findings.unknown(Check.LICENCE, Problem(Code.UPSTREAM_UNAVAILABLE, "It is away.", next_step=step))

    assert found.verdict is Verdict.UNKNOWN
    assert found.cause == "It is away."
    assert found.fix == (
        step.text if step else "Run the check again; if it says so for long, look at Microsoft's service health."
    )
    assert str(found.link).startswith("https://")


def test_account_without_a_password_has_no_age() -> None:
    assert findings.credential_age(ServiceAccount(), START).verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (findings.consent(frozenset()), Code.CONSENT_MISSING),
        (findings.roles(TENANT, frozenset()), Code.ROLE_MISSING),
        (findings.security_defaults(True), Code.SIGN_IN_BLOCKED),
        (findings.sign_in_refused(Problem(Code.CREDENTIAL_REJECTED, "Wrong.")), Code.CREDENTIAL_REJECTED),
    ],
)
def test_row_becomes_the_reason_of_a_refusal_under_the_code_it_is_about(found: Finding, code: Code) -> None:
    problem = found.as_problem()

    assert (problem.code, problem.message) == (code, found.cause)
    assert problem.next_step == NextStep(str(found.fix), found.link)
