"""A token is fetched once however many ask, costs one table read while it is warm, and is never had after off."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest

from shared.domain.errors import Code, ManagementSessionError, Refused, Transient, unavailable
from shared.domain.resources import Resource
from shared.domain.tenant import session_secret_of
from tests.fakes.microsoft365 import TOKEN_LIFE
from tests.host import Host
from tests.stage import Stage

MANY = 24


def counted(stage: Stage, since: int) -> Counter[str]:
    return Counter(f"{call.port}.{call.method}" for call in stage.log.calls[since:])


def test_warm_token_costs_one_table_request_and_nothing_else(on: Stage) -> None:
    request = on.ask()
    first = on.redeem(request)

    calls = on.calls(lambda: on.redeem(request))

    assert calls == ["TenantStore.gate"]
    assert on.tokens[-1] == first


def test_cold_token_costs_one_vault_read_and_one_request_to_entra(on: Stage) -> None:
    request = on.ask()

    cost = Counter(on.calls(lambda: on.redeem(request)))

    assert cost["Vault.get"] == cost["SignIn.redeem"] == 1
    assert sum(cost.values()) - cost["TenantStore.gate"] - cost["TenantStore.tenant"] == 2


def test_however_many_ask_together_it_is_fetched_once(on: Stage) -> None:
    requests = [on.ask() for _ in range(MANY)]
    together, entra_answers, since = Barrier(MANY), Event(), len(on.log)

    def redeem(number: int) -> str:
        together.wait()
        return on.redeem(requests[number]).value.reveal()

    on.log.at_next("SignIn.redeem", lambda: entra_answers.wait(0.2))
    with ThreadPoolExecutor(MANY) as executors:
        tokens = set(executors.map(redeem, range(MANY)))

    assert len(tokens) == 1
    assert (counted(on, since)["Vault.get"], counted(on, since)["SignIn.redeem"]) == (1, 1)


def test_each_resource_has_its_own_token(on: Stage) -> None:
    request = on.ask()

    graph, exchange = on.redeem(request, Resource.GRAPH), on.redeem(request, Resource.EXCHANGE)

    assert graph != exchange


def test_token_about_to_end_is_replaced(on: Stage) -> None:
    request = on.a_request(duration=timedelta(hours=6))
    on.services.act.request(request)
    first = on.redeem(request)

    on.clock.advance(TOKEN_LIFE - on.world.limits.token_margin)
    still = on.redeem(request)
    on.clock.advance(timedelta(seconds=1))
    fresh = on.redeem(request)

    assert still == first
    assert fresh.expires_at > first.expires_at


def test_warm_token_is_not_had_after_off_nor_in_the_next_session(on: Stage, host: Host) -> None:
    before = on.ask()
    warm = on.redeem(before)

    on.turn_off()
    with pytest.raises(Refused) as refusal:
        on.redeem(before)
    host.settle()
    on.turn_on()
    host.settle()

    assert refusal.value.problem.code is Code.SESSION_NOT_ON
    assert on.redeem(on.ask()) != warm
    with pytest.raises(ManagementSessionError):
        on.redeem(before)


def test_session_that_ends_while_the_token_is_fetched_hands_it_to_nobody(on: Stage) -> None:
    request = on.ask()
    on.log.at_next("SignIn.redeem", on.turn_off)

    with pytest.raises(Refused) as refusal:
        on.redeem(request)

    assert refusal.value.problem.code is Code.SESSION_NOT_ON


def test_refresh_token_that_was_revoked_is_replaced_by_one_sign_in(on: Stage) -> None:
    request = on.ask()
    before = on.tenant.session.secret_version
    on.microsoft365.refresh_tokens.clear()
    since = len(on.log)

    on.redeem(request)

    after = on.tenant.session.secret_version
    versions = on.vault.names[session_secret_of(on.tenant)]
    assert counted(on, since)["SignIn.with_password"] == 1
    assert after != before
    assert [version for version, kept in versions.items() if kept.is_enabled] == [after]


def test_refresh_token_that_cannot_be_read_is_replaced_like_one_that_was_revoked(on: Stage) -> None:
    request = on.ask()
    on.vault.retire(session_secret_of(on.tenant), str(on.tenant.session.secret_version))

    assert on.redeem(request)


def test_account_that_may_not_sign_in_any_more_gives_the_reason_and_no_token(on: Stage) -> None:
    request = on.ask()
    on.microsoft365.sign_in_code = 53003
    on.microsoft365.refresh_tokens.clear()

    with pytest.raises(Refused) as refusal:
        on.redeem(request)

    assert refusal.value.problem.code is Code.SIGN_IN_BLOCKED


def test_sign_in_again_that_loses_a_race_leaves_no_second_token_and_is_asked_for_again(on: Stage) -> None:
    request = on.ask()
    on.microsoft365.refresh_tokens.clear()
    on.log.at_next("TenantStore.commit", lambda: on.auto_enable())

    with pytest.raises(Transient):
        on.redeem(request)
    on.redeem(request)

    versions = on.vault.names[session_secret_of(on.tenant)]
    assert [v for v, kept in versions.items() if kept.is_enabled] == [on.tenant.session.secret_version]


def test_failed_fetch_is_not_remembered(on: Stage) -> None:
    def away() -> None:
        raise unavailable("Key Vault")

    request = on.ask()
    on.log.at_next("Vault.get", away)

    with pytest.raises(Transient):
        on.redeem(request)

    assert on.redeem(request)


def test_process_that_was_restarted_fetches_its_own(on: Stage) -> None:
    request = on.ask()
    on.redeem(request)
    on.restart()

    cost = Counter(on.calls(lambda: on.redeem(request)))

    assert cost["SignIn.redeem"] == 1
