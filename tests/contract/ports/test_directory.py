"""What the Directory port promises, kept by the fake and by Microsoft Graph's adapter alike."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from shared.domain.directory_roles import EXCHANGE_ADMINISTRATOR, GLOBAL_READER
from shared.domain.errors import Code, Refused, ReplyLost, Transient
from shared.domain.ports import NewUser
from shared.domain.secret import new_password
from tests.contract.ports.stages import MARKER, PASSWORD, FakeStage, SimulatedStage, Stage, create, name_in

Act = Callable[[Stage, UUID], object]

ON_ROLE_HOLDERS: dict[str, Act] = {
    "set_password": lambda stage, user: stage.directory.set_password(stage.tenant_id, user, new_password()),
    "adopt_user": lambda stage, user: stage.directory.adopt_user(stage.tenant_id, user, MARKER),
    "delete_user": lambda stage, user: stage.directory.delete_user(stage.tenant_id, user),
}

PERMISSIONS: dict[str, tuple[Act, str]] = {
    "organization": (lambda stage, _: stage.directory.organization(stage.tenant_id), "Organization.Read.All"),
    "user": (lambda stage, user: stage.directory.user(stage.tenant_id, str(user)), "User.ReadWrite.All"),
    "marked_users": (lambda stage, _: stage.directory.marked_users(stage.tenant_id, MARKER), "User.ReadWrite.All"),
    "deleted_user": (lambda stage, _: stage.directory.deleted_user(stage.tenant_id, "a@b"), "User.ReadWrite.All"),
    "create_user": (
        lambda stage, _: stage.directory.create_user(stage.tenant_id, NewUser("a@b", "A", MARKER, PASSWORD)),
        "User.ReadWrite.All",
    ),
    "restore_user": (
        lambda stage, user: stage.directory.restore_user(stage.tenant_id, user, "a@b"),
        "User.DeleteRestore.All",
    ),
    "adopt_user": (ON_ROLE_HOLDERS["adopt_user"], "User.ReadWrite.All"),
    "set_password": (ON_ROLE_HOLDERS["set_password"], "User-PasswordProfile.ReadWrite.All"),
    "delete_user": (ON_ROLE_HOLDERS["delete_user"], "User.DeleteRestore.All"),
    "revoke_sign_ins": (
        lambda stage, user: stage.directory.revoke_sign_ins(stage.tenant_id, user),
        "User.RevokeSessions.All",
    ),
    "role_assignments": (
        lambda stage, user: stage.directory.role_assignments(stage.tenant_id, user),
        "RoleManagement.ReadWrite.Directory",
    ),
    "assign_role": (
        lambda stage, user: stage.directory.assign_role(stage.tenant_id, user, GLOBAL_READER.template_id),
        "RoleManagement.ReadWrite.Directory",
    ),
    "remove_role": (
        lambda stage, _: stage.directory.remove_role(stage.tenant_id, "an-assignment"),
        "RoleManagement.ReadWrite.Directory",
    ),
}


class DirectoryPromises:
    """Every implementation passes these."""

    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    def test_organization_tells_the_initial_domain_and_who_keeps_its_passwords(self, stage: Stage) -> None:
        found = stage.directory.organization(stage.tenant_id)

        assert found.display_name
        assert found.initial_domain.endswith(".onmicrosoft.com")
        assert found.initial_domain_is_managed
        assert found.managed_domains == {found.initial_domain}

    def test_user_who_was_never_created_is_none(self, stage: Stage) -> None:
        assert stage.directory.user(stage.tenant_id, name_in(stage)) is None
        assert stage.directory.user(stage.tenant_id, str(uuid4())) is None

    def test_created_user_is_found_by_id_and_by_name_with_its_marker(self, stage: Stage) -> None:
        created = create(stage)

        assert created.marker == MARKER
        assert created.is_enabled
        assert stage.directory.user(stage.tenant_id, str(created.object_id)) == created
        assert stage.directory.user(stage.tenant_id, created.user_principal_name) == created

    def test_name_with_characters_that_mean_something_in_a_url_is_found(self, stage: Stage) -> None:
        created = create(stage, "o'neil#1")

        assert stage.directory.user(stage.tenant_id, created.user_principal_name) == created

    def test_name_that_is_taken_is_a_conflict(self, stage: Stage) -> None:
        create(stage)

        with pytest.raises(Refused) as refusal:
            create(stage)

        assert refusal.value.problem.code is Code.ACCOUNT_CONFLICT

    def test_role_for_a_user_who_is_not_replicated_is_tried_again_later(self, stage: Stage) -> None:
        stage.hide_new_users()
        user = create(stage)

        assert stage.directory.user(stage.tenant_id, str(user.object_id)) is None
        with pytest.raises(Transient) as lag:
            stage.directory.assign_role(stage.tenant_id, user.object_id, GLOBAL_READER.template_id)
        assert not isinstance(lag.value, ReplyLost)

        stage.show_new_users()
        stage.directory.assign_role(stage.tenant_id, user.object_id, GLOBAL_READER.template_id)
        (held,) = stage.directory.role_assignments(stage.tenant_id, user.object_id)
        assert held.role_template_id == GLOBAL_READER.template_id

    def test_role_is_held_once_however_often_it_is_given(self, stage: Stage) -> None:
        user = create(stage)

        stage.directory.assign_role(stage.tenant_id, user.object_id, GLOBAL_READER.template_id)
        stage.directory.assign_role(stage.tenant_id, user.object_id, GLOBAL_READER.template_id)
        stage.directory.assign_role(stage.tenant_id, user.object_id, EXCHANGE_ADMINISTRATOR.template_id)

        held = stage.directory.role_assignments(stage.tenant_id, user.object_id)
        assert sorted(assignment.role_template_id for assignment in held) == sorted(
            [GLOBAL_READER.template_id, EXCHANGE_ADMINISTRATOR.template_id]
        )

    def test_role_taken_back_is_gone_and_taking_it_back_again_is_fine(self, stage: Stage) -> None:
        user = create(stage)
        stage.directory.assign_role(stage.tenant_id, user.object_id, GLOBAL_READER.template_id)
        (held,) = stage.directory.role_assignments(stage.tenant_id, user.object_id)

        stage.directory.remove_role(stage.tenant_id, held.assignment_id)
        stage.directory.remove_role(stage.tenant_id, held.assignment_id)

        assert stage.directory.role_assignments(stage.tenant_id, user.object_id) == ()

    def test_deleted_user_is_in_the_recycle_bin_under_its_former_name(self, stage: Stage) -> None:
        user = create(stage)

        stage.directory.delete_user(stage.tenant_id, user.object_id)
        stage.directory.delete_user(stage.tenant_id, user.object_id)

        assert stage.directory.user(stage.tenant_id, user.user_principal_name) is None
        deleted = stage.directory.deleted_user(stage.tenant_id, user.user_principal_name)
        assert deleted is not None
        assert (deleted.object_id, deleted.user_principal_name, deleted.marker) == (
            user.object_id,
            user.user_principal_name,
            MARKER,
        )

    def test_recycle_bin_has_nobody_whose_name_only_ends_alike(self, stage: Stage) -> None:
        other = create(stage, "another-management")
        stage.directory.delete_user(stage.tenant_id, other.object_id)

        assert stage.directory.deleted_user(stage.tenant_id, name_in(stage, "management")) is None

    def test_of_two_deleted_users_of_a_name_the_last_one_counts(self, stage: Stage) -> None:
        for marker in ("ms-first", "ms-second"):
            user = create(stage, marker=marker)
            stage.directory.delete_user(stage.tenant_id, user.object_id)

        deleted = stage.directory.deleted_user(stage.tenant_id, user.user_principal_name)

        assert deleted is not None
        assert deleted.marker == "ms-second"

    def test_restored_user_is_back_under_its_former_name(self, stage: Stage) -> None:
        user = create(stage)
        stage.directory.delete_user(stage.tenant_id, user.object_id)

        stage.directory.restore_user(stage.tenant_id, user.object_id, user.user_principal_name)

        assert stage.directory.user(stage.tenant_id, user.user_principal_name) == user
        assert stage.directory.deleted_user(stage.tenant_id, user.user_principal_name) is None

    def test_user_is_not_restored_over_one_who_took_its_name(self, stage: Stage) -> None:
        user = create(stage)
        stage.directory.delete_user(stage.tenant_id, user.object_id)
        create(stage)

        with pytest.raises(Refused) as refusal:
            stage.directory.restore_user(stage.tenant_id, user.object_id, user.user_principal_name)

        assert refusal.value.problem.code is Code.ACCOUNT_CONFLICT

    def test_user_who_left_the_recycle_bin_is_lost(self, stage: Stage) -> None:
        with pytest.raises(Refused) as refusal:
            stage.directory.restore_user(stage.tenant_id, uuid4(), name_in(stage))

        assert refusal.value.problem.code is Code.ACCOUNT_LOST

    def test_adopted_user_is_enabled_and_carries_the_new_marker(self, stage: Stage) -> None:
        user = create(stage)
        stage.disable(user.object_id)

        stage.directory.adopt_user(stage.tenant_id, user.object_id, "ms-new")

        found = stage.directory.user(stage.tenant_id, str(user.object_id))
        assert found is not None
        assert (found.is_enabled, found.marker) == (True, "ms-new")

    def test_user_who_is_gone_cannot_be_changed_but_may_yet_be_replicated(self, stage: Stage) -> None:
        for change in ("set_password", "adopt_user"):
            with pytest.raises(Transient) as lag:
                ON_ROLE_HOLDERS[change](stage, uuid4())

            assert lag.value.problem.code is Code.ACCOUNT_LOST

    def test_sign_ins_of_a_deleted_user_are_ended_already(self, stage: Stage) -> None:
        user = create(stage)
        stage.directory.delete_user(stage.tenant_id, user.object_id)

        stage.directory.revoke_sign_ins(stage.tenant_id, user.object_id)

        assert stage.directory.user(stage.tenant_id, str(user.object_id)) is None

    @pytest.mark.parametrize("act", ON_ROLE_HOLDERS.values(), ids=ON_ROLE_HOLDERS)
    def test_acting_on_a_role_holder_takes_a_directory_role(self, stage: Stage, act: Act) -> None:
        user = create(stage)
        stage.directory.assign_role(stage.tenant_id, user.object_id, GLOBAL_READER.template_id)
        stage.take_directory_role()

        with pytest.raises(Refused) as refusal:
            act(stage, user.object_id)

        problem = refusal.value.problem
        assert problem.code is Code.ADMIN_ROLE_MISSING
        assert problem.next_step
        assert "Privileged Authentication Administrator" in problem.next_step.text
        assert problem.next_step.link

    def test_restoring_a_role_holder_takes_a_directory_role(self, stage: Stage) -> None:
        user = create(stage)
        stage.directory.assign_role(stage.tenant_id, user.object_id, GLOBAL_READER.template_id)
        stage.directory.delete_user(stage.tenant_id, user.object_id)
        stage.take_directory_role()

        with pytest.raises(Refused) as refusal:
            stage.directory.restore_user(stage.tenant_id, user.object_id, user.user_principal_name)

        assert refusal.value.problem.code is Code.ADMIN_ROLE_MISSING

    @pytest.mark.parametrize(("act", "permission"), PERMISSIONS.values(), ids=PERMISSIONS)
    def test_missing_permission_is_named_with_what_to_do(self, stage: Stage, act: Act, permission: str) -> None:
        stage.withdraw_permissions()

        with pytest.raises(Refused) as refusal:
            act(stage, uuid4())

        problem = refusal.value.problem
        assert problem.code is Code.PERMISSION_MISSING
        assert problem.next_step
        assert permission in problem.next_step.text
        assert problem.next_step.link

    @pytest.mark.parametrize(("act", "_"), PERMISSIONS.values(), ids=PERMISSIONS)
    def test_nothing_is_done_in_a_tenant_that_took_its_consent_back(self, stage: Stage, act: Act, _: str) -> None:
        stage.withdraw_consent()

        with pytest.raises(Refused) as refusal:
            act(stage, uuid4())

        assert refusal.value.problem.code is Code.CONSENT_MISSING

    def test_permission_given_later_is_used_at_once(self, stage: Stage) -> None:
        stage.withdraw_permissions()
        with pytest.raises(Refused):
            stage.directory.organization(stage.tenant_id)

        stage.grant_permissions()

        assert stage.directory.organization(stage.tenant_id).initial_domain


class TestFakeDirectory(DirectoryPromises):
    """The fake that services are tested with."""

    @pytest.fixture
    def stage(self) -> Stage:
        return FakeStage()


class TestGraphDirectory(DirectoryPromises):
    """Microsoft Graph's adapter, on the simulated Microsoft 365."""

    @pytest.fixture
    def stage(self, simulated: SimulatedStage) -> Stage:
        return simulated

    def test_domain_whose_passwords_are_kept_elsewhere_is_not_a_managed_one(self, simulated: SimulatedStage) -> None:
        before = simulated.directory.organization(simulated.tenant_id)
        simulated.add_domain("tailspin.example", kind="Federated")
        simulated.add_domain("Toys.example", kind="Managed")

        found = simulated.directory.organization(simulated.tenant_id)

        assert found.managed_domains == {before.initial_domain, "toys.example"}
