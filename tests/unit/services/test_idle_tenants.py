"""A tenant in which nothing happens costs little: what a day of it asks of storage, of the vault and of Microsoft."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.allowed_ips import AllowedIpsState
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.stage import EGRESS, Stage
from tests.unit.services.restricted import place, set_to
from tests.unit.services.scripted import with_account

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
STORAGE = ("TenantStore", "TenantIndex", "DueList", "Messages")
MICROSOFT_365 = ("Directory", "SignIn", "TenantPolicies")


@pytest.fixture
def stage() -> Stage:
    return with_account()


@pytest.fixture
def host(stage: Stage) -> Host:
    return Host(stage)


def a_day(stage: Stage, host: Host) -> Counter[str]:
    """The calls of a day, by port; the second of two, so that all is at rest."""
    host.run(DAY)
    return Counter(call.partition(".")[0] for call in stage.calls(lambda: host.run(DAY)))


def of_storage(calls: Counter[str]) -> int:
    return sum(calls[port] for port in STORAGE)


def test_tenant_without_an_account_costs_twelve_calls_of_storage_and_one_of_the_vault(stage: Stage, host: Host) -> None:
    stage.remove_account()
    host.settle()

    calls = a_day(stage, host)

    assert calls == {"TenantStore": 8, "TenantIndex": 1, "DueList": 3, "Vault": 1}


def test_tenant_with_an_account_costs_its_check_and_forty_nine_calls_of_storage_a_day(stage: Stage, host: Host) -> None:
    calls = a_day(stage, host)

    assert of_storage(calls) <= 49
    assert calls["Vault"] <= 10, "the password of the real sign-in, and what no record names"
    assert sum(calls[port] for port in MICROSOFT_365) <= 14


def test_where_allowed_ips_are_in_force_each_hour_costs_five_calls_of_storage_more(stage: Stage, host: Host) -> None:
    without = of_storage(a_day(stage, host))
    set_to(stage, host, AllowedIpsState.ENABLED)

    calls = a_day(stage, host)

    assert of_storage(calls) - without <= 24 * 5
    assert calls["Vault"] <= 10
    assert sum(calls[port] for port in MICROSOFT_365) <= 20


def test_hourly_look_asks_nobody_but_our_own_tables(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    host.run(2 * HOUR)

    calls = stage.calls(lambda: host.run(HOUR))

    assert calls == [
        "DueList.until",
        "TenantStore.overview",
        "DueList.add",
        "TenantStore.parked",
        "DueList.remove",
    ]


def test_new_addresses_of_ours_are_in_force_within_an_hour(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    host.run(2 * HOUR)
    stage.world = replace(stage.world, egress_ips=(EGRESS, "198.51.100.64/28"))
    stage.restart()

    host.run(HOUR)
    host.settle()

    assert "198.51.100.64/28" in place(stage).ranges


def test_tenants_are_looked_at_when_they_were_made_and_not_all_at_once(stage: Stage, host: Host) -> None:
    set_to(stage, host, AllowedIpsState.ENABLED)
    minutes = (stage.clock.now() - stage.tenant.created_at) % HOUR
    host.run(HOUR - minutes + timedelta(minutes=1))

    calls = stage.calls(lambda: host.run(timedelta(minutes=58)))

    assert "TenantStore.overview" not in calls


def test_policies_of_the_customer_s_cost_one_evaluation_for_each_resource_and_one_more(
    stage: Stage, host: Host
) -> None:
    before = sum(a_day(stage, host)[port] for port in MICROSOFT_365)
    stage.rules.add(FakePolicy("Not ours", users=frozenset()))

    calls = a_day(stage, host)

    assert sum(calls[port] for port in MICROSOFT_365) - before == 4 + 1
