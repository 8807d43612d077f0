"""A check as a whole: the worst of its rows, and what a tenant's row keeps of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.allowed_ips import AllowedIps, AllowedIpsState, Exclusion
from shared.domain.ids import OperationId
from shared.domain.policy_check import (
    Check,
    CheckState,
    CheckSummary,
    Finding,
    PolicyCheck,
    Verdict,
    WhatIf,
    summary_of_check,
    worst,
)
from shared.domain.resources import Resource
from tests.fakes.clock import START

CONSENT = Finding(Check.CONSENT, Verdict.PASS)
LICENCE = Finding(Check.LICENCE, Verdict.FAIL, "No P1.", "Add it.")
DEFAULTS = Finding(Check.SECURITY_DEFAULTS, Verdict.FAIL, "On.", "Turn them off.", is_obstacle=True)
RUNNING = PolicyCheck(
    OperationId(uuid4()), START, findings=(CONSENT, LICENCE), what_ifs=(WhatIf(Resource.GRAPH, "", ()),)
)
ENDED = replace(RUNNING, checked_at=START, findings=(CONSENT, LICENCE, DEFAULTS), what_ifs=())


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ((Verdict.PASS, Verdict.UNKNOWN, Verdict.FAIL, Verdict.SKIPPED), CheckState.FAIL),
        ((Verdict.PASS, Verdict.UNKNOWN, Verdict.SKIPPED), CheckState.UNKNOWN),
        ((Verdict.PASS, Verdict.SKIPPED), CheckState.PASS),
        ((), CheckState.UNKNOWN),
    ],
)
def test_whole_is_the_worst_of_its_rows(verdicts: tuple[Verdict, ...], state: CheckState) -> None:
    assert worst(Finding(Check.CONSENT, verdict) for verdict in verdicts) is state


def test_check_runs_until_it_has_ended() -> None:
    assert RUNNING.state is CheckState.RUNNING
    assert ENDED.state is CheckState.FAIL


def test_only_an_obstacle_stops_a_turn_on() -> None:
    assert RUNNING.stops_turn_on() is None
    assert ENDED.stops_turn_on() == DEFAULTS


def test_what_a_check_that_was_cut_short_did_not_come_to_is_unknown() -> None:
    ended = RUNNING.cut_short(START + timedelta(minutes=1))

    assert {finding.check for finding in ended.findings} == set(Check)
    assert ended.findings[:2] == (CONSENT, LICENCE)
    assert {finding.verdict for finding in ended.findings[2:]} == {Verdict.UNKNOWN}
    assert (ended.checked_at, ended.what_ifs) == (START + timedelta(minutes=1), ())


def test_summary_counts_the_rows_and_keeps_what_stops_a_turn_on() -> None:
    summary = summary_of_check(ENDED)

    assert summary.counts == {Verdict.PASS: 1, Verdict.FAIL: 2, Verdict.UNKNOWN: 0, Verdict.SKIPPED: 0}
    assert (summary.state, summary.checked_at, summary.stopped_by) == (CheckState.FAIL, START, DEFAULTS)


def test_outdated_check_is_unknown_and_due_again() -> None:
    assert summary_of_check(ENDED).outdated() == CheckSummary(CheckState.UNKNOWN)
    assert CheckSummary().outdated() == CheckSummary(), "a check that never was cannot be out of date"


@pytest.mark.parametrize(
    ("ips", "egress", "is_behind"),
    [
        (AllowedIps(AllowedIpsState.ENABLED, egress=("203.0.113.10/32",)), ("203.0.113.10/32",), False),
        (AllowedIps(AllowedIpsState.ENABLED, egress=("203.0.113.10/32",)), ("203.0.113.11/32",), True),
        (AllowedIps(AllowedIpsState.REPORT_ONLY, egress=("203.0.113.10/32",)), ("203.0.113.11/32",), True),
        (AllowedIps(AllowedIpsState.ENABLED, egress=("203.0.113.10/32",)), (), False),
        (AllowedIps(AllowedIpsState.APPLYING, egress=("203.0.113.10/32",)), ("203.0.113.11/32",), False),
        (AllowedIps(), ("203.0.113.11/32",), False),
    ],
)
def test_allowed_ips_are_behind_when_our_known_addresses_are_others(
    ips: AllowedIps, egress: tuple[str, ...], is_behind: bool
) -> None:
    assert ips.is_behind(egress) is is_behind


@pytest.mark.parametrize(
    ("ips", "leaves_traces"),
    [
        (AllowedIps(), False),
        (AllowedIps(exclusions=(Exclusion("one", "One", (), ("us",)),)), False),
        (AllowedIps(exclusions=(Exclusion("one", "One", (), ("us",), is_asked=True),)), True),
        (AllowedIps(exclusions=(Exclusion("one", "One", (), ("us",), is_applied=True),)), True),
        (AllowedIps(location_id="place"), True),
        (AllowedIps(policy_id="policy"), True),
        (AllowedIps(AllowedIpsState.FAILED), True),
    ],
)
def test_whatever_may_be_in_the_tenant_is_a_trace(ips: AllowedIps, leaves_traces: bool) -> None:
    assert ips.leaves_traces is leaves_traces
