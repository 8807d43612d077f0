"""A worker keeps its operation as long as it lives, however long a step takes it; one that is gone does not."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.operation import Status
from shared.domain.session import SessionState
from tests.host import Host
from tests.mortal import Killed
from tests.stage import Stage

MINUTE = timedelta(minutes=1)


def test_step_that_takes_long_is_not_begun_by_anybody_else(created: Stage, host: Host) -> None:
    accepted = created.turn_on()
    assert accepted.operation is not None
    ids = created.tenant_id, accepted.operation.operation_id

    def others_come_by() -> None:
        for _ in range(6):
            created.clock.pause(MINUTE)
            created.services.upkeep()
            created.services.carry_out(*ids)

    created.log.at_next("SignIn.with_password", others_come_by)
    created.services.carry_out(*ids)

    assert [call.method for call in created.log.calls].count("with_password") == 1
    assert created.operation(accepted).status is Status.SUCCEEDED
    assert created.tenant.session.state is SessionState.ON


def test_worker_that_has_kept_silent_may_go_on_when_nobody_took_its_place(created: Stage, host: Host) -> None:
    accepted = created.turn_on()
    created.log.at_next("SignIn.with_password", lambda: created.clock.advance(5 * MINUTE))

    host.run()

    assert created.operation(accepted).status is Status.SUCCEEDED


def test_what_a_dead_worker_had_in_its_hands_is_taken_up_within_minutes(created: Stage, host: Host) -> None:
    def die() -> None:
        raise Killed

    accepted = created.turn_on()
    started = created.clock.now()
    created.log.at_next("SignIn.with_password", die)

    host.settle()

    operation = created.operation(accepted)
    assert operation.status is Status.SUCCEEDED
    assert operation.updated_at is not None
    assert operation.updated_at - started <= 2 * created.world.limits.stuck_after + MINUTE


def test_end_of_a_step_is_the_end_of_saying_so(created: Stage, host: Host) -> None:
    accepted = created.turn_on()
    host.settle()
    before = created.operation(accepted)

    created.clock.pause(10 * MINUTE)

    assert created.operation(accepted) == before
