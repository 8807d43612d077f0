"""Record and tenant compared become rows: what is gone, what is not ours, what nobody owns, and what to do about it."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.domain import record_findings
from shared.domain.allowed_ips import AllowedIps, AllowedIpsState
from shared.domain.errors import Code, Problem
from shared.domain.policy_check import Check, Finding, Orphan, OrphanKind, Verdict
from shared.domain.ports import DirectoryUser
from shared.domain.tenant import ServiceAccount

NAME = "management-12345678@contoso.onmicrosoft.com"
MARK = "0123456789abcdef"
FOUND = DirectoryUser(uuid4(), NAME, MARK, is_enabled=True)
USER = Orphan(OrphanKind.USER, str(uuid4()), "management-12345678-2@contoso.onmicrosoft.com", may_go=True)
POLICY = Orphan(OrphanKind.POLICY, str(uuid4()), "A policy", may_go=True)
PLACE = Orphan(OrphanKind.LOCATION, str(uuid4()), "A place", may_go=False)
ITSELF = "Nothing needs to be done: the daily look removes it."


def judged(found: DirectoryUser, *, is_ours: bool = True) -> Finding:
    return record_findings.account(NAME, found, MARK, is_ours=is_ours)


def test_account_as_it_is_recorded_passes_in_whatever_case_its_name_is_written() -> None:
    assert judged(FOUND) == Finding(Check.SERVICE_ACCOUNT, Verdict.PASS)
    assert judged(replace(FOUND, user_principal_name=NAME.upper())).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("row", "code", "cause", "fix"),
    [
        (record_findings.account_gone(NAME, is_in_bin=True), Code.ACCOUNT_LOST, "recycle bin", "Restore it, or"),
        (record_findings.account_gone(NAME, is_in_bin=False), Code.ACCOUNT_LOST, "any more", "Retry"),
        (judged(replace(FOUND, is_enabled=False)), Code.ACCOUNT_LOST, "is disabled", "Enable it, or"),
        (judged(replace(FOUND, user_principal_name="b@c")), Code.ACCOUNT_LOST, "renamed to b@c", "name back"),
        (judged(FOUND, is_ours=False), Code.ACCOUNT_CONFLICT, "does not carry our mark", f"Write {MARK} into"),
    ],
)
def test_account_that_is_not_as_recorded_stands_in_the_way_and_a_retry_is_a_way_out(
    row: Finding, code: Code, cause: str, fix: str
) -> None:
    assert (row.verdict, row.is_obstacle, row.code) == (Verdict.FAIL, True, code)
    assert cause in str(row.cause)
    assert fix in str(row.fix)
    assert "etry the service account creation" in str(row.fix)
    assert str(row.link).startswith("https://")


def test_account_that_is_not_ours_is_told_as_that_whatever_else_it_is() -> None:
    assert judged(replace(FOUND, is_enabled=False), is_ours=False).code is Code.ACCOUNT_CONFLICT


def test_nothing_that_nobody_owns_passes() -> None:
    assert record_findings.unrecorded_accounts([POLICY, PLACE]) == Finding(Check.UNRECORDED_ACCOUNTS, Verdict.PASS)
    assert record_findings.unrecorded_policies([USER]) == Finding(Check.UNRECORDED_POLICIES, Verdict.PASS)


def test_what_goes_by_itself_needs_nobody() -> None:
    accounts, policies = record_findings.unrecorded_accounts([USER]), record_findings.unrecorded_policies([POLICY])

    assert (accounts.verdict, policies.verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert (accounts.fix, policies.fix) == (ITSELF, ITSELF)
    assert not accounts.is_obstacle


def test_of_several_only_those_are_for_people_that_do_not_go_by_themselves() -> None:
    row = record_findings.unrecorded_policies([USER, POLICY, PLACE])

    assert "“A policy”, “A place”" in str(row.cause)
    assert "“A place”" in str(row.fix)
    assert "“A policy”" not in str(row.fix)


@pytest.mark.parametrize("state", [AllowedIpsState.APPLYING, AllowedIpsState.REMOVING, AllowedIpsState.FAILED])
def test_policies_are_not_judged_while_the_record_is_being_made_true(state: AllowedIpsState) -> None:
    row = record_findings.no_unrecorded_policies(AllowedIps(state))

    assert row is not None
    assert row.verdict is Verdict.SKIPPED


@pytest.mark.parametrize("state", [AllowedIpsState.NONE, AllowedIpsState.ENABLED, AllowedIpsState.REPORT_ONLY])
def test_policies_are_judged_where_the_record_is_at_rest(state: AllowedIpsState) -> None:
    assert record_findings.no_unrecorded_policies(AllowedIps(state)) is None


# ── what the record makes of it ──────────────────────────────────────────────────────────────────────────────────────

LOST = Problem(Code.ACCOUNT_LOST, "It is disabled.")
NO_ROLE = Problem(Code.ROLE_MISSING, "A role is missing.")


@pytest.mark.parametrize(
    ("before", "seen", "after"),
    [
        (None, None, None),
        (None, LOST, LOST),
        (LOST, None, None),
        (Problem(Code.ACCOUNT_CONFLICT, "Not ours."), None, None),
        (NO_ROLE, LOST, LOST),
        (NO_ROLE, None, NO_ROLE),
    ],
)
def test_account_that_was_seen_well_has_no_problem_of_that_kind_any_more(
    before: Problem | None, seen: Problem | None, after: Problem | None
) -> None:
    assert ServiceAccount(problem=before).seen(seen).problem == after


@pytest.mark.parametrize(
    ("state", "code", "is_gone"),
    [
        (AllowedIpsState.ENABLED, Code.NOT_FOUND, True),
        (AllowedIpsState.REPORT_ONLY, Code.NOT_FOUND, True),
        (AllowedIpsState.ENABLED, Code.POLICY_CHANGED, False),
        (AllowedIpsState.FAILED, Code.NOT_FOUND, False),
    ],
)
def test_only_what_is_in_force_and_not_there_is_gone(state: AllowedIpsState, code: Code, is_gone: bool) -> None:
    assert AllowedIps(state, problem=Problem(code, "Something.")).is_gone is is_gone
