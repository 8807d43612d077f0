"""What a death left in the vault or out of the list is mended, however late the look comes; nothing else is touched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.adapters.storage.due_table import DueTable
from shared.domain.allowed_ips import AllowedIpsState
from shared.domain.errors import Code, Problem, ReplyLost, unavailable
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from shared.domain.store import Due, summary_of
from shared.domain.tenant import session_secret
from tests.fakes.calls import Call
from tests.faults.fork import fork
from tests.host import Host
from tests.mortal import Killed
from tests.stage import Stage
from tests.unit.services.restricted import set_to

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def restricted(created: Stage, host: Host) -> Stage:
    """A tenant at rest that is looked at hourly, for its allowed IPs."""
    host.run(HOUR)
    set_to(created, host, AllowedIpsState.ENABLED)
    host.run(2 * HOUR)
    return created


@pytest.fixture
def lent(onboarded: Stage, host: Host) -> Stage:
    """A tenant at rest for an hour, whose Global Administrator lends us the credentials."""
    onboarded.add_global_administrator()
    host.run(HOUR)
    return onboarded


def die() -> None:
    raise Killed


def die_before_the_record(stage: Stage) -> None:
    """An attempt to turn on as administrator that ends when the token is kept and no record says so."""
    stage.log.at_next("TenantStore.commit", die)
    with pytest.raises(Killed):
        stage.turn_on_as_admin()
    stage.restart()


def put(stage: Stage, name: str) -> str:
    """A version that no record names."""
    return stage.vault.put(name, Secret("only-for-tests-left-behind"), purpose="session refresh token")


def entries(stage: Stage) -> list[Due]:
    return list(DueTable(stage.due.table).until(stage.clock.now() + 2 * DAY, limit=100))


def readable(stage: Stage) -> set[str]:
    """Every version, of whatever name, that can still be read."""
    return {version for versions in stage.vault.names.values() for version, kept in versions.items() if kept.is_enabled}


def look_now(stage: Stage) -> None:
    """Upkeep comes to an entry that somebody made for this moment."""
    stage.due.add(Due(stage.tenant_id, stage.clock.now()))
    stage.services.upkeep()


# ── in the vault ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_administrator_s_token_without_an_owner_goes_however_long_ago_the_tenant_changed(
    lent: Stage, host: Host
) -> None:
    die_before_the_record(lent)
    kept = readable(lent)

    host.run(3 * MINUTE)

    assert len(kept) == 1
    assert readable(lent) == set()


def test_so_does_one_that_was_kept_without_an_answer(lent: Stage, host: Host) -> None:
    twin = fork(lent)
    number = len(lent.log) + 1 + twin.calls(twin.turn_on_as_admin).index("Vault.put")
    lent.log.fail(number, ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, "No answer came.")), after_effect=True)

    with pytest.raises(ReplyLost):
        lent.turn_on_as_admin()
    kept = readable(lent)
    host.run(3 * MINUTE)

    assert len(kept) == 1
    assert readable(lent) == set()


@pytest.mark.parametrize("late", [20 * MINUTE, 5 * HOUR, 3 * DAY])
def test_look_that_comes_late_finds_it_too(lent: Stage, late: timedelta) -> None:
    die_before_the_record(lent)
    lent.clock.advance(late)

    lent.services.upkeep()

    assert readable(lent) == set()


def test_regular_look_that_is_due_in_the_same_run_does_not_hide_it(restricted: Stage) -> None:
    regular, *_ = entries(restricted)
    left = put(restricted, session_secret(restricted.tenant_id, None))
    restricted.due.add(Due(restricted.tenant_id, regular.at + MINUTE))
    restricted.clock.advance(regular.at + 2 * MINUTE - restricted.clock.now())

    restricted.services.upkeep()

    assert left not in readable(restricted)
    assert entries(restricted)[0].at > restricted.clock.now(), "both entries are done with"


def test_every_one_goes_when_several_attempts_died_at_once(lent: Stage, host: Host) -> None:
    for _ in range(3):
        die_before_the_record(lent)
    kept = readable(lent)

    host.run(4 * MINUTE)

    assert len(kept) == 3
    assert readable(lent) == set()


def test_one_that_lies_behind_a_newer_one_goes_within_a_day_though_a_session_is_on(created: Stage, host: Host) -> None:
    host.run(HOUR)
    created.turn_on(lifetime=DAY)
    host.settle()
    in_use, name = readable(created), session_secret(created.tenant_id, None)
    left = put(created, name)
    created.vault.retire(name, put(created, name))

    host.run(DAY - 2 * HOUR)
    before = readable(created)
    host.run(HOUR + MINUTE)

    assert created.tenant.session.state is SessionState.ON
    assert (before, readable(created)) == (in_use | {left}, in_use)


def test_what_a_request_may_be_about_to_record_stays(lent: Stage) -> None:
    left = put(lent, session_secret(lent.tenant_id, None))

    look_now(lent)
    young = readable(lent)
    lent.clock.advance(2 * MINUTE)
    look_now(lent)

    assert (young, readable(lent)) == ({left}, set())


def test_what_an_operation_may_be_about_to_record_stays(created: Stage, host: Host) -> None:
    host.run(DAY - MINUTE / 2)
    in_use, left = readable(created), put(created, session_secret(created.tenant_id, None))
    created.clock.advance(MINUTE / 4)
    created.turn_on()
    created.clock.advance(50 * MINUTE)

    created.services.upkeep()

    assert created.tenant.operation is not None
    assert readable(created) == in_use | {left}


def test_what_is_in_use_or_staged_stays(on: Stage, host: Host) -> None:
    on.microsoft365.sign_in_code = 53003
    on.rotate()
    host.settle()
    in_use = readable(on)

    host.run(3 * HOUR)

    assert on.tenant.account.staged_version in in_use
    assert readable(on) == in_use


# ── out of the list ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("late", [0 * MINUTE, 15 * MINUTE, 30 * HOUR])
def test_tenant_whose_onboarding_died_before_the_list_is_listed_however_late_the_look_comes(
    stage: Stage, host: Host, late: timedelta
) -> None:
    stage.log.at_next("TenantIndex.put", die)
    with pytest.raises(Killed):
        stage.onboard()
    stage.restart()
    stage.clock.advance(late)

    host.run(3 * MINUTE)

    assert stage.listed == (summary_of(stage.tenant),)


def test_list_that_was_away_for_hours_is_mended_when_it_is_back_and_all_else_went_on(
    created: Stage, host: Host
) -> None:
    host.run(HOUR)

    def breakdown(call: Call) -> None:
        if call.port == "TenantIndex":
            raise unavailable("The list")

    created.turn_on(lifetime=HOUR)
    host.settle()
    created.log.breakdown = breakdown
    created.auto_enable()
    host.run(3 * HOUR)
    state = created.tenant.session.state
    created.log.breakdown = lambda call: None
    host.run(5 * MINUTE)

    assert state is SessionState.OFF, "its time was up"
    assert [(line.state, line.auto_enabled) for line in created.listed] == [(SessionState.OFF, True)]


def test_line_that_somebody_took_out_of_the_list_is_there_again_within_a_day(onboarded: Stage, host: Host) -> None:
    host.run(HOUR)
    onboarded.index.table.delete(SessionState.OFF, str(onboarded.tenant_id))

    host.run(DAY)

    assert onboarded.listed == (summary_of(onboarded.tenant),)
