"""What the benchmarks count holds at any size, so it is tested at a small one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import storm
from bench.fleet import Fleet
from bench.lives import lives
from bench.traffic import Service, Traffic
from local.storage import Azurite
from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.table import AzureTable
from shared.domain.secret import Secret
from shared.domain.session import SessionState
from tests.bench.requests_table import with_table
from tests.docs.pages import text_of

DUE = 12


def test_upkeep_asks_as_often_in_a_large_fleet_as_in_a_small_one() -> None:
    assert Fleet(2_000, due=DUE).upkeep() == Fleet(DUE, due=DUE).upkeep()


@pytest.mark.parametrize("state", [None, SessionState.ON])
def test_first_page_costs_the_same_of_a_large_fleet_as_of_a_small_one(state: SessionState | None) -> None:
    assert Fleet(4_000).first_page(state) == Fleet(600).first_page(state)


def test_azure_s_tables_are_asked_as_often_as_the_counted_ones(tmp_path: Path) -> None:
    with Azurite(log=tmp_path / "azurite.log") as azurite:
        azurite.create(tables=("Tenants", "TenantIndex", "Due"))
        account = StorageAccount(Secret(azurite.connection_string))
        fleet = Fleet(3 * DUE, due=DUE, table=lambda name: AzureTable(account, name))
        traffic = Traffic({azurite.ports.table: Service.TABLES})

        with traffic.watched(), traffic.counting() as upkeep:
            fleet.upkeep()
        with traffic.watched(), traffic.counting() as page:
            fleet.first_page()
        account.close()

    assert upkeep == {Service.TABLES: Fleet(3 * DUE, due=DUE).upkeep()}
    assert page == {Service.TABLES: Fleet(3 * DUE, due=DUE).first_page().requests}


def test_everybody_in_a_storm_is_answered_once_after_one_sign_in_a_tenant(tmp_path: Path) -> None:
    sign_ins, granted, twice, *_ = storm.measure(tmp_path, tenants=3, requests=30)

    assert (sign_ins.value, granted.value, twice.value) == (3, 30, 0)


def test_operations_page_says_what_everything_asks_for(tmp_path: Path) -> None:
    page = text_of("operations.md")

    assert page == with_table(page, lives(tmp_path)), "run `python -m tests.bench.requests_table`"
