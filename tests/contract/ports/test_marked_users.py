"""How the Directory port finds what carries our mark, by the fake and by Microsoft Graph's adapter alike."""

from __future__ import annotations

import pytest

from tests.contract.ports.stages import MARKER, FakeStage, SimulatedStage, Stage, asked_of, create

OWNER = MARKER[:8]


class MarkedUsersPromises:
    """Every implementation passes these."""

    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    def test_users_are_found_by_the_beginning_of_their_mark_and_nobody_else_is(self, stage: Stage) -> None:
        ours = create(stage, "management")
        former = create(stage, "management-2", marker=OWNER + "00000000")
        create(stage, "somebody", marker="E-4711")

        found = stage.directory.marked_users(stage.tenant_id, OWNER)

        assert sorted(found, key=lambda user: user.user_principal_name) == sorted(
            [ours, former], key=lambda user: user.user_principal_name
        )

    def test_whole_mark_finds_the_one_that_carries_it(self, stage: Stage) -> None:
        ours = create(stage, "management")
        create(stage, "management-2", marker=OWNER + "00000000")

        assert stage.directory.marked_users(stage.tenant_id, MARKER) == (ours,)

    def test_mark_that_nobody_carries_finds_nobody(self, stage: Stage) -> None:
        create(stage, "management")

        assert stage.directory.marked_users(stage.tenant_id, "none-of'them") == ()

    def test_disabled_user_is_found_and_a_deleted_one_is_not(self, stage: Stage) -> None:
        disabled, deleted = create(stage, "management"), create(stage, "management-2")
        stage.disable(disabled.object_id)
        stage.directory.delete_user(stage.tenant_id, deleted.object_id)

        (found,) = stage.directory.marked_users(stage.tenant_id, OWNER)

        assert (found.object_id, found.is_enabled) == (disabled.object_id, False)

    def test_user_who_is_not_replicated_is_not_found_yet(self, stage: Stage) -> None:
        stage.hide_new_users()
        user = create(stage, "management")

        assert stage.directory.marked_users(stage.tenant_id, OWNER) == ()

        stage.show_new_users()
        assert stage.directory.marked_users(stage.tenant_id, OWNER) == (user,)


class TestMarkedUsersOfFakeDirectory(MarkedUsersPromises):
    """The fake that services are tested with."""

    @pytest.fixture
    def stage(self) -> Stage:
        return FakeStage()


class TestMarkedUsersOfGraphDirectory(MarkedUsersPromises):
    """Microsoft Graph's adapter, on the simulated Microsoft 365."""

    @pytest.fixture
    def stage(self, simulated: SimulatedStage) -> Stage:
        return simulated

    def test_a_hundred_of_them_are_two_requests(self, simulated: SimulatedStage) -> None:
        for number in range(101):
            create(simulated, f"management-{number}")

        found = simulated.directory.marked_users(simulated.tenant_id, OWNER)

        listed = [
            call for call in asked_of(simulated.simulator, "graph") if call.partition("?")[0] == "GET /v1.0/users"
        ]
        assert (len(found), len(listed)) == (101, 2)
