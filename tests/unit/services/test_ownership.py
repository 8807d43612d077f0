"""Whatever the record says, a user without our mark is not removed, restricted, spared or given anything."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from shared.domain.allowed_ips import AllowedIpsState
from shared.domain.errors import Code
from shared.domain.operation import Status
from shared.domain.secret import Secret
from shared.domain.store import Replace
from tests.fakes.microsoft365 import FakeUser
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.restricted import demanding, excluded_in, wish


@pytest.fixture
def somebody(created: Stage) -> FakeUser:
    """An administrator of the customer's, whom a forged record of ours names in the account's place."""
    user = created.microsoft365.add_user("boss@fake.onmicrosoft.com", Secret("only-for-tests-B0ss"), marker="4711")
    user.roles[str(uuid4())] = uuid4()
    stored = created.records.tenant(created.tenant_id)
    forged = replace(stored.row, account=replace(stored.row.account, object_id=user.object_id))
    created.records.commit(created.tenant_id, [Replace(forged, stored.etag)])
    return user


def test_removal_leaves_somebody_else_alone_and_says_so(created: Stage, host: Host, somebody: FakeUser) -> None:
    roles = dict(somebody.roles)

    accepted = created.remove_account()
    host.settle()

    operation = created.operation(accepted)
    assert operation.status is Status.FAILED
    assert operation.problem is not None
    assert operation.problem.code is Code.CLEANUP_INCOMPLETE
    assert (somebody.is_deleted, somebody.roles) == (False, roles)


def test_allowed_ips_neither_restrict_nor_spare_somebody_else(created: Stage, host: Host, somebody: FakeUser) -> None:
    theirs = demanding(created)

    operation = wish(created, AllowedIpsState.ENABLED, apply_exclusions=True)
    host.settle()

    problem = operation().problem
    assert problem is not None
    assert problem.code is Code.ACCOUNT_CONFLICT
    assert set(created.rules.policies) == {theirs.policy_id}
    assert (excluded_in(created, theirs), created.rules.locations) == ((), {})


def test_creation_gives_somebody_else_neither_password_nor_roles(
    created: Stage, host: Host, somebody: FakeUser
) -> None:
    password, roles = somebody.password, dict(somebody.roles)
    somebody.is_enabled = False
    created.turn_on()
    host.settle()

    created.create_account()
    host.settle()

    assert (somebody.password, somebody.roles, somebody.is_enabled) == (password, roles, False)
    assert created.tenant.account.object_id != somebody.object_id
