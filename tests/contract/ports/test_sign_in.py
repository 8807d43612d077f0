"""What the SignIn port promises, kept by the fake and by Microsoft Entra's adapter alike."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

import pytest

from local.simulator.faults import Fault, FaultKind
from local.simulator.seed import CONTOSO
from local.simulator.server import Simulator
from shared.adapters.managed_identity import ManagedIdentity
from shared.domain.directory_roles import PERMISSIONS
from shared.domain.errors import Code, Refused, Transient
from shared.domain.ids import TenantId
from shared.domain.ports import DirectoryUser, SignedIn
from shared.domain.secret import Secret
from tests.contract.ports.stages import EXCHANGE_SCOPE, PASSWORD, FakeStage, SimulatedStage, Stage, asked_of, create

WRONG = Secret("only-for-tests-Wr0ng")
NEW = Secret("only-for-tests-N3w-Passw0rd")


def sign_in(stage: Stage, user: DirectoryUser, password: Secret = PASSWORD) -> SignedIn:
    return stage.sign_in.with_password(stage.tenant_id, user.user_principal_name, password)


def refusal_of(act: Callable[[], object]) -> Code:
    """The code `act` is refused with."""
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.problem.code


class SignInPromises:
    """Every implementation passes these."""

    @pytest.fixture
    def stage(self) -> Stage:
        raise NotImplementedError

    def test_permissions_are_what_the_tenant_consents_to_at_this_moment(self, stage: Stage) -> None:
        assert stage.sign_in.permissions(stage.tenant_id) >= set(PERMISSIONS)

        stage.withdraw_permissions()
        assert stage.sign_in.permissions(stage.tenant_id) == frozenset()

        stage.grant_permissions()
        assert stage.sign_in.permissions(stage.tenant_id) >= set(PERMISSIONS)

    def test_password_signs_its_user_in(self, stage: Stage) -> None:
        user = create(stage)

        signed_in = sign_in(stage, user)

        assert (signed_in.object_id, signed_in.tenant_id) == (user.object_id, stage.tenant_id)

    def test_refresh_token_is_good_for_another_resource_again_and_again(self, stage: Stage) -> None:
        signed_in = sign_in(stage, create(stage))

        first = stage.sign_in.redeem(stage.tenant_id, signed_in.refresh_token, EXCHANGE_SCOPE)
        second = stage.sign_in.redeem(stage.tenant_id, signed_in.refresh_token, EXCHANGE_SCOPE)

        assert first.value != second.value
        assert second.expires_at - first.expires_at < timedelta(hours=1)

    def test_wrong_password_is_rejected_and_the_right_one_is_taken_right_after(self, stage: Stage) -> None:
        user = create(stage)
        assert refusal_of(lambda: sign_in(stage, user, NEW)) is Code.CREDENTIAL_REJECTED

        stage.directory.set_password(stage.tenant_id, user.object_id, NEW)

        assert sign_in(stage, user, NEW).object_id == user.object_id
        assert refusal_of(lambda: sign_in(stage, user)) is Code.CREDENTIAL_REJECTED

    def test_nobody_signs_in_under_a_name_that_is_not_there(self, stage: Stage) -> None:
        user = create(stage)
        stage.directory.delete_user(stage.tenant_id, user.object_id)

        assert refusal_of(lambda: sign_in(stage, user)) is Code.ACCOUNT_LOST

    def test_disabled_account_does_not_sign_in(self, stage: Stage) -> None:
        user = create(stage)
        stage.disable(user.object_id)

        assert refusal_of(lambda: sign_in(stage, user)) is Code.ACCOUNT_LOST

    def test_policy_that_blocks_the_account_blocks_the_sign_in_and_the_refresh_token(self, stage: Stage) -> None:
        user = create(stage)
        signed_in = sign_in(stage, user)

        stage.block_sign_ins()

        assert refusal_of(lambda: sign_in(stage, user)) is Code.SIGN_IN_BLOCKED
        assert (
            refusal_of(lambda: stage.sign_in.redeem(stage.tenant_id, signed_in.refresh_token, EXCHANGE_SCOPE))
            is Code.SIGN_IN_BLOCKED
        )

    def test_revoking_ends_the_refresh_token(self, stage: Stage) -> None:
        user = create(stage)
        signed_in = sign_in(stage, user)

        stage.directory.revoke_sign_ins(stage.tenant_id, user.object_id)

        assert (
            refusal_of(lambda: stage.sign_in.redeem(stage.tenant_id, signed_in.refresh_token, EXCHANGE_SCOPE))
            is Code.CREDENTIAL_REJECTED
        )

    def test_new_password_does_not_end_the_refresh_token(self, stage: Stage) -> None:
        user = create(stage)
        signed_in = sign_in(stage, user)

        stage.directory.set_password(stage.tenant_id, user.object_id, NEW)

        assert stage.sign_in.redeem(stage.tenant_id, signed_in.refresh_token, EXCHANGE_SCOPE)

    def test_refresh_token_nobody_was_given_is_rejected(self, stage: Stage) -> None:
        assert (
            refusal_of(lambda: stage.sign_in.redeem(stage.tenant_id, Secret("only-for-tests-token"), EXCHANGE_SCOPE))
            is Code.CREDENTIAL_REJECTED
        )

    def test_user_changes_its_own_password_without_any_role_of_ours(self, stage: Stage) -> None:
        user = create(stage)
        stage.take_directory_role()

        stage.sign_in.change_own_password(stage.tenant_id, user.user_principal_name, PASSWORD, NEW)

        assert sign_in(stage, user, NEW).object_id == user.object_id
        assert refusal_of(lambda: sign_in(stage, user)) is Code.CREDENTIAL_REJECTED

    def test_nobody_changes_a_password_without_knowing_it(self, stage: Stage) -> None:
        user = create(stage)

        assert (
            refusal_of(lambda: stage.sign_in.change_own_password(stage.tenant_id, user.user_principal_name, WRONG, NEW))
            is Code.CREDENTIAL_REJECTED
        )
        assert sign_in(stage, user).object_id == user.object_id

    def test_nobody_signs_in_where_consent_was_taken_back(self, stage: Stage) -> None:
        user = create(stage)
        signed_in = sign_in(stage, user)

        stage.withdraw_consent()

        assert refusal_of(lambda: stage.sign_in.permissions(stage.tenant_id)) is Code.CONSENT_MISSING
        assert refusal_of(lambda: sign_in(stage, user)) is Code.CONSENT_MISSING
        assert (
            refusal_of(lambda: stage.sign_in.redeem(stage.tenant_id, signed_in.refresh_token, EXCHANGE_SCOPE))
            is Code.CONSENT_MISSING
        )


class TestFakeSignIn(SignInPromises):
    """The fake that services are tested with."""

    @pytest.fixture
    def stage(self) -> Stage:
        return FakeStage()


class TestEntraSignIn(SignInPromises):
    """Microsoft Entra's adapter, on the simulated Microsoft 365."""

    @pytest.fixture
    def stage(self, simulated: SimulatedStage) -> Stage:
        return simulated

    def test_each_sign_in_is_one_request(self, simulated: SimulatedStage, cloud: Simulator) -> None:
        user = create(simulated)
        token_request = f"POST /{simulated.tenant_id}/oauth2/v2.0/token"
        cloud.journal.clear()

        signed_in = sign_in(simulated, user)
        simulated.sign_in.redeem(simulated.tenant_id, signed_in.refresh_token, EXCHANGE_SCOPE)
        simulated.sign_in.permissions(simulated.tenant_id)

        assert asked_of(cloud, "entra") == [token_request] * 3

    def test_changing_its_own_password_leaves_no_refresh_token_behind(self, simulated: SimulatedStage) -> None:
        user = create(simulated)

        simulated.sign_in.change_own_password(simulated.tenant_id, user.user_principal_name, PASSWORD, NEW)

        assert not simulated.simulator.world.tenants[str(simulated.tenant_id)].refresh_tokens

    def test_password_the_tenant_does_not_allow_is_not_taken(self, simulated: SimulatedStage) -> None:
        user = create(simulated)

        assert (
            refusal_of(
                lambda: simulated.sign_in.change_own_password(
                    simulated.tenant_id, user.user_principal_name, PASSWORD, Secret("only")
                )
            )
            is Code.CREDENTIAL_REJECTED
        )
        assert sign_in(simulated, user).object_id == user.object_id

    def test_changing_its_own_password_takes_a_delegated_permission(self, simulated: SimulatedStage) -> None:
        user = create(simulated)
        simulated.withdraw_delegated("User-PasswordProfile.ReadWrite.All")

        assert (
            refusal_of(
                lambda: simulated.sign_in.change_own_password(
                    simulated.tenant_id, user.user_principal_name, PASSWORD, NEW
                )
            )
            is Code.PERMISSION_MISSING
        )

    def test_twenty_who_need_the_application_s_token_make_one_request(
        self, simulated: SimulatedStage, cloud: Simulator
    ) -> None:
        together = Barrier(20)

        def ask() -> object:
            together.wait()
            return simulated.sign_in.app_token(simulated.tenant_id)

        with ThreadPoolExecutor(20) as pool:
            tokens = {id(future.result()) for future in [pool.submit(ask) for _ in range(20)]}

        assert len(tokens) == 1
        assert len(asked_of(cloud, "entra")) == 1

    def test_application_s_token_is_replaced_before_it_ends(self, simulated: SimulatedStage, cloud: Simulator) -> None:
        first = simulated.sign_in.app_token(simulated.tenant_id)
        cloud.clock.advance((first.expires_at - cloud.clock.now() - timedelta(minutes=4)).total_seconds())

        second = simulated.sign_in.app_token(simulated.tenant_id)

        assert second.expires_at > first.expires_at
        assert simulated.sign_in.app_token(simulated.tenant_id) is second

    def test_asking_for_permissions_refreshes_the_token_that_graph_gets(self, simulated: SimulatedStage) -> None:
        before = simulated.sign_in.app_token(simulated.tenant_id)

        simulated.sign_in.permissions(simulated.tenant_id)

        assert simulated.sign_in.app_token(simulated.tenant_id).value != before.value

    def test_managed_identity_speaks_for_the_application_without_a_secret(
        self, cloud: Simulator, identity: ManagedIdentity
    ) -> None:
        stage = SimulatedStage(cloud, credential=identity.assertion)

        assert sign_in(stage, create(stage)).refresh_token

    def test_managed_identity_without_a_token_is_our_trouble_and_not_the_tenant_s(
        self, cloud: Simulator, identity: ManagedIdentity, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("IDENTITY_HEADER", "only-for-tests-wrong-header")
        stage = SimulatedStage(cloud, credential=identity.assertion)

        with pytest.raises(Transient) as refusal:
            stage.sign_in.permissions(stage.tenant_id)

        assert refusal.value.problem.code is Code.SERVICE_UNAVAILABLE
        assert asked_of(cloud, "entra") == []

    def test_tenant_that_never_consented_says_so(self, simulated: SimulatedStage) -> None:
        contoso = TenantId(UUID(CONTOSO))

        assert refusal_of(lambda: simulated.sign_in.permissions(contoso)) is Code.CONSENT_MISSING

    def test_refusal_is_not_remembered_once_its_cause_is_gone(
        self, simulated: SimulatedStage, cloud: Simulator
    ) -> None:
        user = create(simulated)
        cloud.faults.add([Fault(FaultKind.AADSTS, times=1, code=50076)])
        assert refusal_of(lambda: sign_in(simulated, user)) is Code.SIGN_IN_BLOCKED

        assert sign_in(simulated, user).object_id == user.object_id
