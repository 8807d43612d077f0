"""A gate lets through whom it should, holds nobody longer than the session, and one lease's end touches no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.domain.errors import Code, NotFound, Refused
from shared.domain.ids import ActionId, LeaseId, SessionId
from shared.domain.lease import MAX_LEASES_A_GATE, Gate, GateState, Lease
from shared.domain.resources import ALL_RESOURCES
from tests.fakes.clock import START

EXECUTOR = UUID(int=3)
END = START + timedelta(hours=8)
MINUTE = timedelta(minutes=1)
SPANS = st.integers(min_value=1, max_value=600).map(lambda minutes: minutes * MINUTE)


def an_open_gate() -> Gate:
    return Gate(0, GateState.OPEN, SessionId(UUID(int=9)), END)


def a_lease(now: datetime = START, duration: timedelta = timedelta(hours=1)) -> Lease:
    return Lease(LeaseId(uuid4()), ActionId(uuid4()), EXECUTOR, ALL_RESOURCES, now, now + duration)


def refusal_of(gate: Gate, lease: Lease, now: datetime) -> Code:
    with pytest.raises((Refused, NotFound)) as refusal:
        gate.find(lease.lease_id, now)
    return refusal.value.problem.code


@pytest.mark.parametrize("state", sorted(set(GateState) - {GateState.OPEN}))
def test_gate_that_is_not_open_lets_nobody_new_in(state: GateState) -> None:
    gate = replace(an_open_gate(), state=state)

    with pytest.raises(Refused) as refusal:
        gate.grant(a_lease(), START)

    assert refusal.value.problem.code is Code.SESSION_NOT_ON


def test_gate_past_the_session_s_end_is_as_good_as_closed() -> None:
    lease = a_lease()
    gate = an_open_gate().grant(lease, START)

    assert not gate.lets_new_in(END)
    assert refusal_of(gate, lease, END) is Code.SESSION_NOT_ON


def test_draining_gate_still_serves_those_who_hold_a_lease() -> None:
    lease = a_lease()
    gate = replace(an_open_gate().grant(lease, START), state=GateState.DRAINING)

    assert gate.find(lease.lease_id, START + MINUTE) == lease


@pytest.mark.parametrize("state", [GateState.CLOSED, GateState.OPENING])
def test_closed_gate_serves_nobody_even_if_it_still_named_a_lease(state: GateState) -> None:
    lease = a_lease()
    gate = replace(an_open_gate().grant(lease, START), state=state)

    assert refusal_of(gate, lease, START) is Code.SESSION_NOT_ON


def test_lease_that_ended_is_told_from_one_that_never_was() -> None:
    lease = a_lease()
    gate = an_open_gate().grant(lease, START)

    assert refusal_of(gate, lease, lease.expires_at) is Code.LEASE_ENDED
    assert refusal_of(gate, a_lease(), START) is Code.LEASE_NOT_FOUND


def test_full_gate_refuses_and_takes_one_in_again_when_one_has_ended() -> None:
    gate = an_open_gate()
    for _ in range(MAX_LEASES_A_GATE):
        gate = gate.grant(a_lease(), START)

    with pytest.raises(Refused) as refusal:
        gate.grant(a_lease(), START)
    emptied = gate.release(gate.leases[0].lease_id, START).grant(a_lease(), START)

    assert refusal.value.problem.code is Code.TOO_MANY_LEASES
    assert len(emptied.leases) == MAX_LEASES_A_GATE


@given(SPANS)
def test_lease_ends_no_later_than_its_session(duration: timedelta) -> None:
    lease = a_lease(duration=duration)

    granted = an_open_gate().grant(lease, START).find(lease.lease_id, START)

    assert granted.expires_at == min(START + duration, END)


@given(first=SPANS, passed=SPANS, again=SPANS, longest=SPANS)
def test_renewed_lease_ends_at_the_least_of_what_bounds_it_but_never_earlier_than_before(
    first: timedelta, passed: timedelta, again: timedelta, longest: timedelta
) -> None:
    lease = a_lease(duration=first)
    gate = an_open_gate().grant(lease, START)
    now = START + min(passed, first - MINUTE / 2, timedelta(hours=7))
    before = gate.find(lease.lease_id, now)

    renewed = gate.renew(lease.lease_id, again, longest=longest, now=now).find(lease.lease_id, now)

    assert renewed.expires_at == max(before.expires_at, min(now + again, START + longest, END))


def test_releasing_twice_changes_nothing() -> None:
    kept, ended = a_lease(), a_lease()
    gate = an_open_gate().grant(kept, START).grant(ended, START)

    once = gate.release(ended.lease_id, START + MINUTE)
    twice = once.release(ended.lease_id, START + 2 * MINUTE)

    assert twice is once
    assert once.leases == (kept,)
    assert once.idle_since is None


def test_gate_is_idle_since_its_last_lease_ended() -> None:
    lease, short = a_lease(), a_lease(duration=MINUTE)
    gate = an_open_gate().grant(lease, START).grant(short, START)

    idle = gate.release(lease.lease_id, START + 10 * MINUTE)

    assert (idle.leases, idle.idle_since, idle.used) == ((), START + 10 * MINUTE, True)


class AnyLife(RuleBasedStateMachine):
    """A gate through any sequence of grants, renewals, releases and hours."""

    @initialize()
    def open(self) -> None:
        self.now = START
        self.gate = an_open_gate()
        self.granted: list[LeaseId] = []

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        self.now += span / 10

    @rule()
    def drain(self) -> None:
        self.gate = replace(self.gate, state=GateState.DRAINING)

    @precondition(lambda self: len(self.gate.live(self.now)) < MAX_LEASES_A_GATE)
    @rule(duration=SPANS)
    def grant(self, duration: timedelta) -> None:
        lease = a_lease(self.now, duration)
        if self.gate.lets_new_in(self.now):
            others = self.gate.live(self.now)
            self.gate = self.gate.grant(lease, self.now)
            self.granted.append(lease.lease_id)
            assert set(others) < set(self.gate.leases)

    @precondition(lambda self: self.gate.live(self.now) and self.now < END)
    @rule(duration=SPANS, which=st.integers(min_value=0))
    def renew(self, duration: timedelta, which: int) -> None:
        live = self.gate.live(self.now)
        lease_id = live[which % len(live)].lease_id
        self.gate = self.gate.renew(lease_id, duration, longest=timedelta(hours=8), now=self.now)
        assert {lease.lease_id for lease in self.gate.leases} == {lease.lease_id for lease in live}

    @precondition(lambda self: self.granted)
    @rule(which=st.integers(min_value=0))
    def release(self, which: int) -> None:
        lease_id = self.granted[which % len(self.granted)]
        others = {lease for lease in self.gate.live(self.now) if lease.lease_id != lease_id}
        self.gate = self.gate.release(lease_id, self.now)
        assert set(self.gate.leases) == others

    @invariant()
    def nobody_stays_longer_than_the_session_or_is_counted_twice(self) -> None:
        ids = [lease.lease_id for lease in self.gate.leases]
        assert len(ids) == len(set(ids)) <= MAX_LEASES_A_GATE
        assert all(lease.expires_at <= END for lease in self.gate.leases)
        assert self.gate.used == bool(self.granted)

    @invariant()
    def an_empty_gate_that_was_used_knows_since_when(self) -> None:
        if self.gate.used and not self.gate.leases:
            assert self.gate.idle_since is not None
            assert self.gate.idle_since <= self.now


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
