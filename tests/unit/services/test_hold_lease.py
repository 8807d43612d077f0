"""A lease is its executor's alone: redeemed, renewed within bounds, released as often as one likes, dead after off."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.action import ActionRequest
from shared.domain.activity import Event
from shared.domain.actors import Caller, Right
from shared.domain.errors import Code, ManagementSessionError
from shared.domain.ids import TenantId
from shared.domain.resources import Resource
from tests.host import Host
from tests.people import ADMINISTRATOR, EXECUTOR, OPERATOR
from tests.stage import Stage

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ANOTHER = replace(EXECUTOR, object_id=uuid4(), application_id=uuid4())


def refusal_of_redeeming(
    stage: Stage,
    request: ActionRequest,
    *,
    caller: Caller = EXECUTOR,
    tenant_id: TenantId | None = None,
    resource: Resource = Resource.GRAPH,
) -> Code:
    with pytest.raises(ManagementSessionError) as refusal:
        stage.services.leases.redeem(caller, tenant_id or stage.tenant_id, stage.lease_id(request), resource)
    return refusal.value.problem.code


def renew(stage: Stage, request: ActionRequest, duration: timedelta) -> timedelta:
    """For how long from now the lease then lasts."""
    lease = stage.services.leases.renew(EXECUTOR, stage.tenant_id, stage.lease_id(request), duration)
    return lease.expires_at - stage.clock.now()


def leases(stage: Stage) -> int:
    return sum(len(gate.live(stage.clock.now())) for gate in stage.gates)


def test_lease_gives_a_token_of_one_resource_in_its_tenant(on: Stage) -> None:
    token = on.redeem(on.ask(), Resource.EXCHANGE)

    assert "outlook.office365.com" in token.value.reveal()
    assert token.expires_at > on.clock.now()


def test_token_is_told_to_end_with_its_lease_at_the_latest(on: Stage) -> None:
    request = on.a_request(duration=5 * MINUTE)
    on.services.act.request(request)

    fetched, held = on.redeem(request), on.redeem(request)

    assert fetched.expires_at == held.expires_at == on.clock.now() + 5 * MINUTE


def test_another_executor_s_lease_is_no_lease(on: Stage) -> None:
    assert refusal_of_redeeming(on, on.ask(), caller=ANOTHER) is Code.LEASE_NOT_FOUND


def test_another_executor_is_not_even_told_that_the_lease_has_ended(on: Stage) -> None:
    request = on.ask()
    on.clock.advance(2 * HOUR)

    assert refusal_of_redeeming(on, request, caller=ANOTHER) is Code.LEASE_NOT_FOUND
    assert refusal_of_redeeming(on, request) is Code.LEASE_ENDED


def test_lease_of_one_tenant_gives_nothing_in_another(on: Stage, host: Host) -> None:
    request = on.ask()
    home, on.tenant_id = on.tenant_id, TenantId(uuid4())
    on.onboard()
    on.create_account()
    host.settle()
    on.turn_on()
    host.settle()
    elsewhere, on.tenant_id = on.tenant_id, home

    assert refusal_of_redeeming(on, request, tenant_id=elsewhere) is Code.LEASE_NOT_FOUND
    assert refusal_of_redeeming(on, request, tenant_id=TenantId(uuid4())) is Code.LEASE_NOT_FOUND


@pytest.mark.parametrize(
    "caller",
    [
        OPERATOR,
        ADMINISTRATOR,
        replace(EXECUTOR, is_application=False),
        replace(EXECUTOR, everywhere=frozenset({Right.READER})),
    ],
)
def test_only_a_program_with_the_right_redeems(on: Stage, caller: Caller) -> None:
    request = on.a_request(executor=caller.application_id)
    on.services.act.request(request)

    assert refusal_of_redeeming(on, request, caller=caller) is Code.CALLER_NOT_ALLOWED


def test_executor_is_known_by_its_service_principal_too(on: Stage) -> None:
    request = on.a_request(executor=EXECUTOR.object_id)
    on.services.act.request(request)

    assert on.redeem(request)


def test_resource_that_was_not_asked_for_is_not_lent(on: Stage) -> None:
    request = on.a_request(resources=(Resource.GRAPH,))
    on.services.act.request(request)

    assert refusal_of_redeeming(on, request, resource=Resource.TEAMS) is Code.RESOURCE_NOT_LEASED
    assert on.redeem(request, Resource.GRAPH)


def test_after_its_end_a_lease_gives_nothing(on: Stage) -> None:
    request = on.ask()
    on.redeem(request)

    on.clock.advance(HOUR)

    assert refusal_of_redeeming(on, request) is Code.LEASE_ENDED


def test_after_the_session_s_end_a_lease_gives_nothing_though_nobody_has_turned_it_off_yet(on: Stage) -> None:
    request = on.a_request(duration=100 * HOUR)
    on.services.act.request(request)
    on.redeem(request)

    on.clock.advance(on.world.limits.session_lifetime)

    assert refusal_of_redeeming(on, request) is Code.SESSION_NOT_ON


def test_renewed_lease_lasts_as_long_as_asked_from_now(on: Stage) -> None:
    request = on.ask()
    on.clock.advance(30 * MINUTE)

    assert renew(on, request, HOUR) == HOUR
    assert on.events.count(Event.LEASE_RENEWED) == 1


def test_renewing_for_less_takes_nothing_away(on: Stage) -> None:
    request = on.ask()

    assert renew(on, request, MINUTE) == HOUR


def test_renewed_lease_lasts_no_longer_than_the_session(created: Stage, host: Host) -> None:
    created.turn_on(lifetime=2 * HOUR)
    host.settle()

    assert renew(created, created.ask(), 5 * HOUR) == 2 * HOUR


def test_lease_renewed_again_and_again_ends_with_the_longest_a_lease_may_last(created: Stage, host: Host) -> None:
    created.turn_on(lifetime=24 * HOUR)
    host.settle()
    request = created.ask()

    for _ in range(20):
        created.clock.advance(30 * MINUTE)
        try:
            renew(created, request, HOUR)
        except ManagementSessionError as refusal:
            ended = refusal.problem.code
            break

    assert ended is Code.LEASE_ENDED
    assert created.clock.now() == created.requests[0].deadline - 15 * MINUTE + created.world.limits.lease_longest


def test_renewed_lease_never_comes_back_from_its_end(on: Stage) -> None:
    request = on.ask()
    on.clock.advance(HOUR)

    with pytest.raises(ManagementSessionError) as refusal:
        renew(on, request, HOUR)

    assert refusal.value.problem.code is Code.LEASE_ENDED


def test_released_lease_gives_nothing_and_may_be_released_again(on: Stage) -> None:
    request = on.ask()

    for _ in range(3):
        on.services.leases.release(EXECUTOR, on.tenant_id, on.lease_id(request))

    assert refusal_of_redeeming(on, request) is Code.LEASE_NOT_FOUND
    assert on.events.count(Event.LEASE_RELEASED) == 1


def test_another_executor_releases_nothing_and_is_not_told(on: Stage) -> None:
    request = on.ask()

    on.services.leases.release(ANOTHER, on.tenant_id, on.lease_id(request))

    assert leases(on) == 1
    assert on.redeem(request)


def test_release_of_one_leaves_the_others(on: Stage) -> None:
    released, kept = on.ask(), on.ask()

    on.services.leases.release(EXECUTOR, on.tenant_id, on.lease_id(released))

    assert leases(on) == 1
    assert on.redeem(kept)


def test_release_that_loses_a_race_is_done_over_the_winner_s_change(on: Stage) -> None:
    request = on.ask()
    on.log.at_next("TenantStore.commit", lambda: renew(on, request, HOUR))

    on.services.leases.release(EXECUTOR, on.tenant_id, on.lease_id(request))

    assert leases(on) == 0
