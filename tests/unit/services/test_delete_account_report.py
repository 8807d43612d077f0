"""The removal report calls each thing by its name, and says of it what is known and no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME
from shared.domain.directory_roles import PROFILES
from shared.domain.errors import Code, ReplyLost, refused, unavailable
from shared.domain.operation import Status
from shared.domain.secret import Secret
from shared.domain.store import Replace
from shared.domain.tenant import AccountState
from tests.faults.fork import fork
from tests.host import Host
from tests.stage import Stage
from tests.unit.services.removals import MFA, a_restricted_tenant, consent, remove, there, withdraw
from tests.unit.services.scripted import answers

ROLES = "RoleManagement.ReadWrite.Directory"


@pytest.fixture(scope="module")
def restricted() -> Stage:
    """A tenant in which there is something of each kind; to be forked, never used."""
    return a_restricted_tenant()


def test_each_sentence_names_what_is_to_be_removed_and_from_whom(restricted: Stage) -> None:
    stage = fork(restricted)
    withdraw(stage)
    user = stage.microsoft365.users[0]

    removal = remove(stage)

    problem = removal.operation.problem
    assert problem is not None
    assert problem.next_step is not None
    assert problem.code is Code.CLEANUP_INCOMPLETE
    sentences = {(row["kind"], row["name"]): row["nextStep"]["text"] for row in removal.rows("left")}
    whom = f"{user.user_principal_name} (object id {user.object_id})"
    assert sentences["user", user.user_principal_name] == f"In Entra, under Users, delete {whom}."
    assert whom in sentences["roleAssignment", "Global Reader"]
    assert whom in sentences["exclusion", MFA]
    for (kind, name), sentence in sentences.items():
        assert name in sentence, kind
        assert name in problem.message, kind
        assert name in problem.next_step.text, kind
    assert {POLICY_NAME, LOCATION_NAME} <= {name for _, name in sentences}


def test_what_was_removed_but_for_one_missing_permission_is_verified(restricted: Stage) -> None:
    stage = fork(restricted)
    consent(stage, but=ROLES)

    removal = remove(stage)

    assert {kind for kind, *_ in removal.told("left")} == {"roleAssignment"}
    assert {row["kind"] for row in removal.rows("removed")} >= {
        "user",
        "exclusion",
        "conditionalAccessPolicy",
        "secret",
    }
    assert removal.rows("unverified") == []
    assert "verifiedAt" not in (removal.operation.result or {})


def test_what_the_customer_removed_by_hand_in_between_is_verified_when_consent_is_back(
    created: Stage, host: Host
) -> None:
    withdraw(created)
    left = remove(created).told("left")
    created.microsoft365.users[0].is_deleted = True
    consent(created)

    removal = remove(created)

    assert removal.operation.status is Status.SUCCEEDED
    assert removal.told("removed") == left


def test_account_that_is_made_again_is_left_again(created: Stage, host: Host) -> None:
    created.log.at_next("Vault.delete", lambda: withdraw(created))
    was_gone = remove(created)
    consent(created)
    created.create_account()
    host.settle()
    withdraw(created)

    removal = remove(created)

    assert {kind for kind, *_ in was_gone.told("unverified")} == {"user", "roleAssignment"}
    assert was_gone.told("left") == []
    assert removal.told("left") == removal.there != []


def test_account_that_was_never_asked_for_is_not_left(onboarded: Stage, host: Host) -> None:
    withdraw(onboarded)
    onboarded.create_account()
    host.settle()

    removal = remove(onboarded)

    assert removal.operation.status is Status.SUCCEEDED
    assert removal.rows("left", "unverified") == []


def test_account_whose_making_was_not_recorded_is_left_by_its_name(onboarded: Stage, host: Host) -> None:
    def lose_consent_and_reply() -> None:
        withdraw(onboarded)
        raise ReplyLost(unavailable("Graph").problem)

    onboarded.create_account()
    onboarded.log.at_next("Directory.assign_role", lose_consent_and_reply)
    host.settle()

    removal = remove(onboarded)

    assert [each for each in removal.told("left") if each[0] == "user"] == removal.there


def test_somebody_else_under_the_recorded_id_is_not_to_be_deleted_unseen(created: Stage) -> None:
    boss = created.microsoft365.add_user("boss@fake.onmicrosoft.com", Secret("only-for-tests-B0ss"), marker="4711")
    stored = created.records.tenant(created.tenant_id)
    forged = replace(stored.row, account=replace(stored.row.account, object_id=boss.object_id))
    created.records.commit(created.tenant_id, [Replace(forged, stored.etag)])

    removal = remove(created)

    assert not boss.is_deleted
    for row in removal.rows("left"):
        assert "find out whose it is before anything is taken from it" in row["nextStep"]["text"]


def test_sign_ins_of_an_administrator_that_could_not_be_revoked_are_told(created: Stage, host: Host) -> None:
    admin = created.add_global_administrator()
    created.turn_on_as_admin()
    host.settle()
    consent(created, but="User.RevokeSessions.All")

    removal = remove(created)

    (row,) = removal.rows("unverified")
    assert row["kind"] == "session"
    assert str(admin.object_id) in row["nextStep"]["text"]
    assert created.tenant.account.state is AccountState.NONE


def test_removal_that_never_came_to_look_reports_what_is_recorded(created: Stage, host: Host) -> None:
    def breakdown(call: object) -> None:
        if getattr(call, "port", "") == "Directory":
            raise unavailable("Graph", timedelta(minutes=30))

    created.log.breakdown = breakdown

    removal = remove(created)

    assert removal.operation.status is Status.FAILED
    assert removal.told("left") == removal.there


def test_what_could_not_be_looked_for_afterwards_is_not_said_to_be_removed(restricted: Stage) -> None:
    stage = fork(restricted)
    everything = there(stage)
    stage.log.at_next("Vault.delete", lambda: withdraw(stage))

    removal = remove(stage)

    assert removal.told("unverified") == everything
    assert {row["kind"] for row in removal.rows("removed")} == {"session", "secret"}
    assert removal.operation.status is Status.FAILED


def test_one_thing_refused_does_not_keep_the_next_of_its_kind(restricted: Stage) -> None:
    def refuse() -> None:
        raise refused(Code.PERMISSION_MISSING, "This policy is not to be changed.")

    stage = fork(restricted)
    exclusions = [thing for thing in there(stage) if thing[0] == "exclusion"]
    stage.log.at_next("TenantPolicies.exclude_users", refuse)

    removal = remove(stage)

    assert removal.told("left") == removal.there
    assert len(removal.there) == 1
    assert set(removal.there) < set(exclusions)


def test_what_can_still_be_seen_is_looked_for_again(created: Stage, host: Host) -> None:
    (user,) = created.microsoft365.users

    def show(*, deleted: bool) -> None:
        user.is_deleted = deleted

    created.log.at_next("Vault.delete", lambda: show(deleted=False))
    host.later(timedelta(seconds=20), lambda: show(deleted=True))
    accepted = created.remove_account()
    host.settle()

    operation = created.operation(accepted)
    assert operation.status is Status.SUCCEEDED
    assert operation.updated_at is not None
    assert operation.updated_at - operation.created_at >= timedelta(seconds=20)


def test_what_was_set_again_since_a_removal_that_failed_is_left_and_not_gone(restricted: Stage) -> None:
    stage = fork(restricted)
    consent(stage, but="User.DeleteRestore.All")
    remove(stage)
    consent(stage)
    stage.set_allowed_ips()
    Host(stage).settle()
    withdraw(stage)

    again = remove(stage)

    assert {kind for kind, _, _ in again.there} >= {"exclusion", "conditionalAccessPolicy", "namedLocation", "user"}
    assert again.told("left") == again.there


def test_roles_that_a_creation_gave_back_and_did_not_live_to_record_are_left(created: Stage, host: Host) -> None:
    consent(created, but="User.DeleteRestore.All")
    remove(created)
    consent(created)
    created.create_account()
    given: list[object] = []

    def give(before: Callable[..., object], *to: object) -> object:
        given.append(before(*to))
        if len(given) == len(PROFILES[created.tenant.role_profile]):
            withdraw(created)
        return given[-1]

    answers(created.directory, "assign_role", give)
    host.settle()

    again = remove(created)

    assert len(again.there) == len(given) + 1
    assert again.told("left") == again.there
