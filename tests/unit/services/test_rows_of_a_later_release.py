"""Whatever row a later release has left, it is left as it is, and no other tenant is worse off for it.

The kinds of rows are the code's own list, so a new kind is tried the day it is written: until the story below leaves
a row of it, its tests fail.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.adapters.storage.rows import Kind
from shared.domain.errors import Code, Problem
from shared.domain.ids import TenantId
from shared.domain.session import SessionState
from tests.fakes.later_release import rewrite_kind
from tests.fakes.tables import MemoryTable
from tests.host import Host
from tests.people import OPERATOR, READER
from tests.stage import Stage

GIVEN_UP = Problem(Code.INTERNAL_ERROR, "This could not be done after several attempts.")
QUEUE, TEXT = "action-requests", '{"schemaVersion":1}'


@pytest.fixture
def well(on: Stage) -> TenantId:
    """A tenant whose session is on, and that no later release has seen."""
    return on.tenant_id


@pytest.fixture
def written(on: Stage, host: Host, well: TenantId) -> TenantId:
    """The stage's tenant from now on: it has a row of every kind, and its session is being turned on."""
    on.tenant_id = TenantId(uuid4())
    on.onboard()
    on.create_account()
    host.settle()
    on.check_policies()
    host.settle()
    on.services.poison.keep(QUEUE, on.tenant_id, TEXT, GIVEN_UP)
    on.turn_on("only-for-tests-key")
    on.ask()
    assert on.parked
    return on.tenant_id


def tables(stage: Stage) -> tuple[MemoryTable, ...]:
    return stage.store.table, stage.index.table, stage.due.table


def state(stage: Stage, tenant_id: TenantId) -> SessionState:
    return stage.records.tenant(tenant_id).row.session.state


@pytest.mark.parametrize("kind", Kind)
def test_emergency_stop_stops_the_others_and_names_the_tenant_that_it_could_not_stop(
    on: Stage, well: TenantId, written: TenantId, kind: Kind
) -> None:
    rewrite_kind(tables(on), kind, written)

    done = on.services.emergency_stop(OPERATOR, reason=None)

    assert (done.stopped, done.failed) in ((2, ()), (1, (written,)))
    assert done.is_complete
    assert state(on, well) is SessionState.TURNING_OFF


@pytest.mark.parametrize("kind", Kind)
def test_upkeep_ends_the_others_sessions_in_time(on: Stage, well: TenantId, written: TenantId, kind: Kind) -> None:
    rewrite_kind(tables(on), kind, written)
    expires_at = on.records.tenant(well).row.session.expires_at
    assert expires_at is not None
    on.clock.advance(expires_at - on.clock.now())

    for _ in range(3):
        on.services.upkeep()
        on.clock.advance(timedelta(minutes=1))

    assert state(on, well) is SessionState.TURNING_OFF


@pytest.mark.parametrize("kind", Kind)
def test_the_others_are_listed(on: Stage, well: TenantId, written: TenantId, kind: Kind) -> None:
    rewrite_kind(tables(on), kind, written)

    page = on.services.look.tenants(READER, state=None, limit=50, continuation=None)

    assert {line.tenant_id for line in page.items} >= {well}
    assert len(page.items) == (1 if kind is Kind.TENANT_SUMMARY else 2)


@pytest.mark.parametrize("kind", Kind)
def test_message_that_was_given_up_on_is_kept_once_and_the_rows_are_left_as_they_are(
    on: Stage, well: TenantId, written: TenantId, kind: Kind
) -> None:
    rewrite_kind(tables(on), kind, written)
    before = {found.etag for table in tables(on) for found in table.rows()}

    for text in (TEXT, "another", "another"):
        on.services.poison.keep(QUEUE, written, text, GIVEN_UP)

    kept = [found for found in on.store.table.rows() if found.entity["Kind"] == Kind.POISON_MESSAGE]
    assert len(kept) == 2
    assert before <= {found.etag for table in tables(on) for found in table.rows()}
