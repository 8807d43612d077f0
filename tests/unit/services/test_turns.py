"""Who looks at a tenant that is off does so alone in its process; where the session is on nobody waits."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from uuid import UUID, uuid4

from shared.domain.ids import TenantId
from shared.services.turns import Turns
from tests.fakes.clock import FakeClock

TENANT = TenantId(UUID(int=1))
ANOTHER = TenantId(UUID(int=2))


def can_look(turns: Turns, tenant_id: TenantId) -> bool:
    """Whether somebody else gets a turn while this thread holds one."""
    came = Event()

    def look() -> None:
        with turns.of(tenant_id):
            came.set()

    Thread(target=look, daemon=True).start()
    return came.wait(timeout=0.2)


def test_next_one_looks_when_the_turn_is_passed_on() -> None:
    turns = Turns(FakeClock())

    with turns.of(TENANT) as turn:
        assert not can_look(turns, TENANT)
        assert can_look(turns, ANOTHER)
        turn.close()
        assert can_look(turns, TENANT)


def test_nobody_waits_for_a_minute_after_the_session_was_seen_on() -> None:
    clock = FakeClock()
    turns = Turns(clock)
    turns.saw_open(TENANT)

    with turns.of(TENANT):
        assert can_look(turns, TENANT)
    clock.advance(timedelta(minutes=1, seconds=1))

    with turns.of(TENANT):
        assert not can_look(turns, TENANT)


def test_who_has_the_turn_does_not_wait_for_itself() -> None:
    turns, came = Turns(FakeClock()), Event()

    def look_twice() -> None:
        with turns.of(TENANT), turns.of(TENANT):
            came.set()

    Thread(target=look_twice, daemon=True).start()

    assert came.wait(timeout=5)


def test_turn_that_fails_is_passed_on() -> None:
    turns = Turns(FakeClock())

    try:
        with turns.of(TENANT):
            raise LookupError
    except LookupError:
        pass

    assert can_look(turns, TENANT)


def test_memory_of_tenants_does_not_grow_without_end() -> None:
    turns = Turns(FakeClock())

    for _ in range(20_001):
        turns.saw_open(TenantId(uuid4()))

    assert len(turns._seen_open) <= 10_000
