"""A Global Administrator's password lives in one request; the session that comes of it is short and ends for good."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from shared.domain.errors import Code, Refused
from shared.domain.operation import OperationKind
from shared.domain.ports import Organization
from shared.domain.secret import Secret
from shared.domain.session import Method, SessionState
from shared.domain.tenant import session_secret
from shared.services.accept import Asking
from shared.services.turn_on_as_admin import Credentials
from tests.host import Host
from tests.mortal import Killed
from tests.people import ADMIN_NAME, ADMIN_PASSWORD, OPERATOR
from tests.stage import Stage

HOUR = timedelta(hours=1)


@pytest.fixture
def given(onboarded: Stage) -> Stage:
    """A tenant without a service account, whose Global Administrator lends us the credentials."""
    onboarded.add_global_administrator()
    return onboarded


def turn_on(stage: Stage, username: str, *, lifetime: timedelta = HOUR) -> None:
    credentials = Credentials(username, Secret(ADMIN_PASSWORD))
    stage.services.admin_sessions(
        stage.tenant_id, Asking(OPERATOR), credentials, lifetime=lifetime, reason="a day's work"
    )


def readable(stage: Stage) -> int:
    """How many refresh tokens can still be read."""
    return sum(kept.is_enabled for versions in stage.vault.names.values() for kept in versions.values())


def test_session_stands_on_the_administrator_and_lends_tokens(given: Stage, host: Host) -> None:
    given.turn_on_as_admin()
    host.settle()

    session = given.tenant.session
    assert (session.state, session.method) == (SessionState.ON, Method.GLOBAL_ADMIN)
    assert session.user_id == given.microsoft365.users[0].object_id
    assert given.redeem(given.ask())


def test_session_is_short_whatever_is_asked_for(given: Stage, host: Host) -> None:
    turn_on(given, ADMIN_NAME, lifetime=100 * HOUR)
    host.settle()

    session = given.tenant.session
    assert session.expires_at == session.since + given.world.limits.global_admin_longest


def test_password_is_nowhere_but_in_the_request(given: Stage, host: Host) -> None:
    given.turn_on_as_admin()
    host.settle()

    kept = [version.secret.reveal() for versions in given.vault.names.values() for version in versions.values()]
    assert ADMIN_PASSWORD not in given.store.table.text()
    assert ADMIN_PASSWORD not in "".join(host.texts)
    assert ADMIN_PASSWORD not in kept
    assert ADMIN_PASSWORD not in repr(Credentials(ADMIN_NAME, Secret(ADMIN_PASSWORD)))


def test_wrong_password_is_refused_at_once_and_changes_nothing(given: Stage) -> None:
    with pytest.raises(Refused) as refusal:
        given.turn_on_as_admin(password="only-for-tests-wrong")

    assert refusal.value.problem.code is Code.CREDENTIAL_REJECTED
    assert given.tenant.session.state is SessionState.OFF
    assert given.vault.names == {}


@pytest.mark.parametrize("username", ["admin@federated.example", "guest#EXT#@fake.onmicrosoft.com", "admin"])
def test_password_of_somebody_who_signs_in_elsewhere_goes_nowhere(given: Stage, username: str) -> None:
    since = len(given.log)

    with pytest.raises(Refused) as refusal:
        turn_on(given, username)

    assert refusal.value.problem.code is Code.METHOD_NOT_SUPPORTED
    assert refusal.value.problem.target == "username"
    assert "with_password" not in [call.method for call in given.log.calls[since:]]


def test_account_that_is_no_global_administrator_fails_and_leaves_no_token(given: Stage, host: Host) -> None:
    given.microsoft365.users[0].roles.clear()

    given.turn_on_as_admin()
    host.settle()

    problem = given.tenant.session.problem
    assert given.tenant.session.state is SessionState.FAILED
    assert problem is not None
    assert problem.code is Code.ROLE_MISSING
    assert readable(given) == 0


def test_off_revokes_the_administrator_s_sign_ins_and_forgets_the_token(given: Stage, host: Host) -> None:
    given.turn_on_as_admin()
    host.settle()

    given.turn_off()
    host.settle()

    assert given.microsoft365.refresh_tokens == {}
    assert readable(given) == 0
    assert given.tenant.session.method is None


def test_session_whose_token_died_ends_with_the_reason_and_no_password_is_tried(given: Stage, host: Host) -> None:
    given.turn_on_as_admin()
    host.settle()
    request = given.ask()
    given.microsoft365.refresh_tokens.clear()
    since = len(given.log)

    with pytest.raises(Refused) as refusal:
        given.redeem(request)

    assert refusal.value.problem.code is Code.CREDENTIAL_REJECTED
    assert "with_password" not in [call.method for call in given.log.calls[since:]]


def test_session_whose_time_is_up_is_turned_off_before_a_password_goes_anywhere(given: Stage, host: Host) -> None:
    given.turn_on_as_admin()
    host.settle()
    given.clock.advance(HOUR)
    before = len(given.log)

    with pytest.raises(Refused) as refusal:
        given.turn_on_as_admin()
    assert "SignIn" not in {call.port for call in given.log.calls[before:]}
    host.run()
    given.turn_on_as_admin()
    host.settle()

    assert refusal.value.problem.code is Code.OPERATION_IN_PROGRESS
    assert given.tenant.session.is_on(given.clock.now())


def test_session_that_is_on_already_asks_for_no_password(on: Stage) -> None:
    since = len(on.log)

    accepted = on.turn_on_as_admin()

    assert accepted.operation is None
    assert "with_password" not in [call.method for call in on.log.calls[since:]]


def test_process_killed_between_the_sign_in_and_the_record_leaves_nothing_readable(given: Stage, host: Host) -> None:
    def die() -> None:
        raise Killed

    given.log.at_next("TenantStore.commit", die)
    with pytest.raises(Killed):
        given.turn_on_as_admin()
    given.restart()
    kept = readable(given)

    host.run(timedelta(minutes=5))

    assert kept == 1
    assert readable(given) == 0


def test_double_click_is_one_session_and_one_token(given: Stage, host: Host) -> None:
    given.log.at_next("Vault.put", lambda: given.turn_on_as_admin("key"))

    given.turn_on_as_admin("key")
    host.settle()

    assert [operation.kind for operation in given.operations] == [OperationKind.TURN_ON]
    assert given.tenant.session.state is SessionState.ON
    assert readable(given) == 1
    assert given.redeem(given.ask())


def test_domain_that_is_managed_here_is_known_by_the_tenant_s_own_word(given: Stage, host: Host) -> None:
    name = f"admin-{uuid4()}@contoso.example"
    given.microsoft365.organization = Organization(
        "Contoso",
        "fake.onmicrosoft.com",
        initial_domain_is_managed=True,
        managed_domains=frozenset({"fake.onmicrosoft.com", "contoso.example"}),
    )
    given.microsoft365.users[0].user_principal_name = name

    turn_on(given, name)
    host.settle()

    assert given.tenant.session.state is SessionState.ON
    assert set(given.vault.names) == {session_secret(given.tenant_id, None)}
