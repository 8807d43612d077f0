"""What conditional access means for the account, from the policies there are and what a what-if says of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared.domain.allowed_ips import AllowedIps, AllowedIpsState, Outside
from shared.domain.directory_roles import RoleProfile
from shared.domain.ids import TenantId
from shared.domain.policies import NamedLocation, Policy
from shared.domain.policy_check import FOREIGN_IP, Check, Finding, PolicyState, Verdict, WhatIf
from shared.domain.policy_findings import conditional_access, named_location, no_named_location
from shared.domain.resources import Resource
from shared.domain.tenant import AccountState, ServiceAccount, new_tenant
from tests.fakes.clock import START

OURS = AllowedIps(
    AllowedIpsState.ENABLED,
    wanted=AllowedIpsState.ENABLED,
    ranges=("192.0.2.0/24",),
    egress=("203.0.113.10/32",),
    location_id="place",
    policy_id="ours",
)
TENANT = replace(
    new_tenant(TenantId(uuid4()), "Contoso", START, profile=RoleProfile.LEAST_PRIVILEGE),
    account=ServiceAccount(AccountState.CREATED, user_principal_name="management@contoso.onmicrosoft.com"),
    allowed_ips=OURS,
)
ACCOUNT = uuid4()
IP, SECOND_IP = "203.0.113.10", "203.0.113.77"
EGRESS = ("203.0.113.10/32",)
REPORT_ONLY = "enabledForReportingButNotEnforced"
MADE = datetime(2026, 10, 1, tzinfo=UTC)


def policy(name: str, state: str = "enabled", *controls: str, is_managed: bool = False) -> Policy:
    return Policy(name, f"The {name}", state, controls or ("mfa",), (), is_managed, MADE)


def evaluated(*applied: str, ip: str = IP, resource: Resource = Resource.GRAPH, unsure: tuple[str, ...] = ()) -> WhatIf:
    return WhatIf(resource, ip, applied, unsure)


def judged(*policies: Policy, what_ifs: tuple[WhatIf, ...]) -> tuple[Finding, Finding]:
    return conditional_access(TENANT, policies, what_ifs)


@pytest.mark.parametrize(
    ("found", "now", "later"),
    [
        (policy("one"), Verdict.FAIL, Verdict.PASS),
        (policy("one", "enabled", "block"), Verdict.FAIL, Verdict.PASS),
        (policy("one", "enabled", "authenticationStrength"), Verdict.FAIL, Verdict.PASS),
        (policy("one", REPORT_ONLY), Verdict.PASS, Verdict.FAIL),
        (policy("one", "disabled"), Verdict.PASS, Verdict.PASS),
        (replace(policy("one"), controls=()), Verdict.PASS, Verdict.PASS),
        (replace(policy("ours", REPORT_ONLY, "block")), Verdict.PASS, Verdict.PASS),
        (replace(policy("ours", "enabled", "block")), Verdict.FAIL, Verdict.PASS),
    ],
)
def test_policy_that_applies_blocks_now_or_later_or_never(found: Policy, now: Verdict, later: Verdict) -> None:
    rows = judged(found, what_ifs=(evaluated(found.policy_id),))

    assert [(row.check, row.verdict) for row in rows] == [
        (Check.CONDITIONAL_ACCESS, now),
        (Check.COMING_POLICIES, later),
    ]
    assert rows[0].is_obstacle is (now is Verdict.FAIL)
    assert not rows[1].is_obstacle


def test_each_blocking_policy_is_named_with_what_it_demands_where_and_what_cures_it() -> None:
    what_ifs = (
        evaluated("one", "two"),
        evaluated("one", resource=Resource.EXCHANGE),
        evaluated("one", ip=SECOND_IP),
        evaluated("elsewhere", ip=FOREIGN_IP),
    )

    row, _ = judged(policy("one"), policy("two", "enabled", "block"), policy("elsewhere"), what_ifs=what_ifs)

    one, two = row.policies
    assert (one.display_name, one.controls) == ("The one", ("mfa",))
    assert one.resources == (Resource.GRAPH, Resource.EXCHANGE)
    assert one.source_ips == (f"{IP}/32", f"{SECOND_IP}/32")
    assert one.exclusion == "Exclude the user management@contoso.onmicrosoft.com in this policy, and nobody else."
    assert (two.controls, two.resources, two.source_ips) == (("block",), (Resource.GRAPH,), (f"{IP}/32",))
    assert "“The one” (mfa), “The two” (block)" in str(row.cause)


def test_our_own_policy_is_cured_by_its_location_and_never_by_an_exclusion() -> None:
    row, _ = judged(policy("ours", "enabled", "block"), what_ifs=(evaluated("ours"),))

    assert row.policies[0].exclusion.startswith("Exclude nobody.")
    assert row.fix == "Set the allowed IPs again (PUT …/allowed-ips)."


@pytest.mark.parametrize(("state", "doubted"), [("enabled", 0), (REPORT_ONLY, 1)])
def test_policy_that_may_apply_makes_its_own_row_unknown(state: str, doubted: int) -> None:
    rows = judged(policy("one", state), what_ifs=(evaluated(unsure=("one",)),))

    assert rows[doubted].verdict is Verdict.UNKNOWN
    assert "The one" in str(rows[doubted].cause)
    assert rows[1 - doubted].verdict is Verdict.PASS


def test_policy_that_certainly_applies_somewhere_is_no_doubt_any_more() -> None:
    row, _ = judged(policy("one"), what_ifs=(evaluated("one"), evaluated(ip=SECOND_IP, unsure=("one",))))

    assert row.verdict is Verdict.FAIL


def test_microsoft_s_policy_has_a_date_while_it_only_reports() -> None:
    policies = (policy("managed", REPORT_ONLY, is_managed=True), policy("own", REPORT_ONLY))

    _, row = judged(*policies, what_ifs=(evaluated("managed", "own"),))

    assert [hit.blocks_from for hit in row.policies] == [datetime(2026, 11, 15, tzinfo=UTC), None]
    assert [hit.state for hit in row.policies] == [PolicyState.REPORT_ONLY] * 2
    assert "from 2026-11-15 on at the earliest" in str(row.cause)


def test_policies_without_an_address_to_ask_for_are_unknown() -> None:
    rows = judged(policy("one"), what_ifs=(evaluated(ip=FOREIGN_IP),))

    assert {row.verdict for row in rows} == {Verdict.UNKNOWN}
    assert rows[0].fix == "Set EGRESS_IPS for this service."


def test_tenant_without_any_policy_passes_without_a_what_if() -> None:
    assert {row.verdict for row in judged(what_ifs=())} == {Verdict.PASS}


PLACE = NamedLocation("place", "Allowed", ("192.0.2.0/24", "203.0.113.10/32"), False)
POLICY = policy("ours", "enabled", "block")
BITES_ELSEWHERE = (evaluated(), evaluated("ours", ip=FOREIGN_IP))


def test_allowed_ips_as_they_were_asked_for_pass() -> None:
    row = named_location(OURS, EGRESS, [PLACE], POLICY, BITES_ELSEWHERE, account=ACCOUNT)

    assert row == Finding(Check.NAMED_LOCATION, Verdict.PASS)


@pytest.mark.parametrize(
    ("place", "found", "what_ifs", "words"),
    [
        (None, POLICY, BITES_ELSEWHERE, "location of the allowed IPs is gone"),
        (replace(PLACE, is_trusted=True), POLICY, BITES_ELSEWHERE, "trusted"),
        (replace(PLACE, ranges=("203.0.113.10/32",)), POLICY, BITES_ELSEWHERE, "does not hold"),
        (replace(PLACE, ranges=(*PLACE.ranges, "198.51.100.0/24")), POLICY, BITES_ELSEWHERE, "does not hold"),
        (PLACE, None, BITES_ELSEWHERE, "policy of the allowed IPs is gone"),
        (PLACE, replace(POLICY, only_user=str(uuid4())), BITES_ELSEWHERE, "about another account"),
        (PLACE, replace(POLICY, state=REPORT_ONLY), BITES_ELSEWHERE, "not as it was asked for"),
        (PLACE, replace(POLICY, controls=("mfa",)), BITES_ELSEWHERE, "not as it was asked for"),
        (PLACE, POLICY, (evaluated("ours"), *BITES_ELSEWHERE), "concerns our own addresses"),
        (PLACE, POLICY, (evaluated(), evaluated(ip=FOREIGN_IP)), "would not meet"),
    ],
)
def test_allowed_ips_that_do_not_do_what_they_are_for_fail(
    place: NamedLocation | None, found: Policy | None, what_ifs: tuple[WhatIf, ...], words: str
) -> None:
    row = named_location(OURS, EGRESS, [place] if place else [], found, what_ifs, account=ACCOUNT)

    assert row.verdict is Verdict.FAIL
    assert words in str(row.cause)
    assert not row.is_obstacle


def test_report_only_with_mfa_outside_is_as_good_when_it_was_asked_for() -> None:
    asked = replace(OURS, wanted=AllowedIpsState.REPORT_ONLY, outside=Outside.REQUIRE_MFA)

    row = named_location(asked, EGRESS, [PLACE], policy("ours", REPORT_ONLY, "mfa"), BITES_ELSEWHERE, account=ACCOUNT)

    assert row.verdict is Verdict.PASS


@pytest.mark.parametrize("state", AllowedIpsState)
def test_there_is_nothing_to_look_at_before_allowed_ips_are_set_and_while_they_change(state: AllowedIpsState) -> None:
    row = no_named_location(replace(OURS, state=state))

    settled = (AllowedIpsState.ENABLED, AllowedIpsState.REPORT_ONLY, AllowedIpsState.FAILED)
    assert (row is None) is (state in settled)
    assert row is None or row.verdict is Verdict.SKIPPED
