"""What the TenantPolicies port promises, kept by the fake and by Microsoft Graph's adapter alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from local.simulator.server import Simulator
from shared.domain.directory_roles import PRIVILEGED_AUTHENTICATION_ADMINISTRATOR
from shared.domain.errors import Code, NotFound, Refused, Transient
from shared.domain.policies import Applied
from tests.contract.ports.policy_scenes import ASKS, ASKS_OF_PREMIUM, Ask
from tests.contract.ports.policy_stages import (
    EXCHANGE,
    FOREIGN_IP,
    GRAPH,
    OUR_IP,
    Drafted,
    FakePolicyStage,
    PolicyStage,
    SimulatedPolicyStage,
    make_restriction,
    what_if,
)
from tests.fakes.clock import START


class TenantPoliciesPromises:
    """Every implementation passes these."""

    @pytest.fixture
    def stage(self) -> PolicyStage:
        raise NotImplementedError

    # ── the tenant and its account ───────────────────────────────────────────────────────────────────────────────────

    def test_licence_that_ended_is_no_licence(self, stage: PolicyStage) -> None:
        assert stage.policies.has_premium(stage.tenant_id)

        stage.end_licence()

        assert not stage.policies.has_premium(stage.tenant_id)

    def test_security_defaults_are_off_until_somebody_turns_them_on(self, stage: PolicyStage) -> None:
        assert not stage.policies.security_defaults(stage.tenant_id)

        stage.turn_on_security_defaults()

        assert stage.policies.security_defaults(stage.tenant_id)

    @pytest.mark.parametrize("state", ["disabled", "enabled", "enforced"])
    def test_per_user_mfa_is_told_in_microsoft_s_words(self, stage: PolicyStage, state: str) -> None:
        stage.demand_mfa(state)

        assert stage.policies.per_user_mfa(stage.tenant_id, stage.user_id) == state

    def test_password_is_no_other_method(self, stage: PolicyStage) -> None:
        assert stage.policies.other_methods(stage.tenant_id, stage.user_id) == ()

        stage.register_method("microsoftAuthenticatorAuthenticationMethod")

        assert stage.policies.other_methods(stage.tenant_id, stage.user_id) == (
            "microsoftAuthenticatorAuthenticationMethod",
        )

    @pytest.mark.parametrize("ask", ["per_user_mfa", "other_methods"])
    def test_user_who_is_gone_may_yet_be_replicated(self, stage: PolicyStage, ask: str) -> None:
        with pytest.raises(Transient) as lag:
            getattr(stage.policies, ask)(stage.tenant_id, uuid4())

        assert lag.value.problem.code is Code.ACCOUNT_LOST

    def test_application_s_own_role_is_seen_until_it_is_taken(self, stage: PolicyStage) -> None:
        held = stage.policies.application_roles(stage.tenant_id, stage.application_id)
        assert held == {PRIVILEGED_AUTHENTICATION_ADMINISTRATOR.template_id}

        stage.take_directory_role()

        assert stage.policies.application_roles(stage.tenant_id, stage.application_id) == set()

    # ── what blocks ──────────────────────────────────────────────────────────────────────────────────────────────────

    def test_policy_is_told_with_what_it_demands_and_whom_it_spares(self, stage: PolicyStage) -> None:
        policy_id = stage.add_policy(Drafted("Compliant devices", control="compliantDevice"))

        (found,) = stage.policies.policies(stage.tenant_id)

        assert found == stage.policies.policy(stage.tenant_id, policy_id)
        assert (found.policy_id, found.display_name, found.state) == (policy_id, "Compliant devices", "enabled")
        assert (found.controls, len(found.excluded_users)) == (("compliantDevice",), 1)
        assert (found.is_microsoft_managed, found.created_at) == (False, START)

    def test_policy_that_is_not_there_is_none(self, stage: PolicyStage) -> None:
        assert stage.policies.policy(stage.tenant_id, str(uuid4())) is None

    def test_policies_that_apply_are_found_report_only_ones_too(self, stage: PolicyStage) -> None:
        applying = [
            stage.add_policy(Drafted(state="enabled")),
            stage.add_policy(Drafted(state="enabledForReportingButNotEnforced")),
            stage.add_policy(Drafted(resource=GRAPH)),
        ]
        stage.add_policy(Drafted(state="disabled"))
        stage.add_policy(Drafted(resource=EXCHANGE))

        assert what_if(stage) == [Applied(policy_id) for policy_id in sorted(applying)]

    def test_policy_that_cannot_be_judged_is_found_as_uncertain(self, stage: PolicyStage) -> None:
        policy_id = stage.add_policy(Drafted(for_country="NL"))
        stage.add_policy(Drafted(for_country="NL", resource=EXCHANGE))

        assert what_if(stage) == [Applied(policy_id, is_certain=False)]

    def test_tenant_without_policies_has_none_that_apply(self, stage: PolicyStage) -> None:
        assert stage.policies.policies(stage.tenant_id) == ()
        assert what_if(stage) == []

    # ── allowed addresses ────────────────────────────────────────────────────────────────────────────────────────────

    def test_location_is_made_changed_and_deleted_and_is_never_trusted(self, stage: PolicyStage) -> None:
        location_id = stage.policies.create_location(stage.tenant_id, "Egress", ("203.0.113.10/32", "2001:db8::/48"))
        (made,) = stage.policies.named_locations(stage.tenant_id)
        assert (made.location_id, made.display_name, made.is_trusted) == (location_id, "Egress", False)
        assert made.ranges == ("203.0.113.10/32", "2001:db8::/48")

        stage.trust_location(location_id)
        assert stage.policies.named_locations(stage.tenant_id)[0].is_trusted
        stage.policies.set_location(stage.tenant_id, location_id, "New egress", ("198.51.100.0/24",))
        (changed,) = stage.policies.named_locations(stage.tenant_id)
        assert (changed.display_name, changed.ranges, changed.is_trusted) == ("New egress", ("198.51.100.0/24",), False)

        stage.policies.delete_location(stage.tenant_id, location_id)
        stage.policies.delete_location(stage.tenant_id, location_id)
        assert stage.policies.named_locations(stage.tenant_id) == ()

    def test_location_that_somebody_trusted_is_deleted_all_the_same(self, stage: PolicyStage) -> None:
        location_id = stage.policies.create_location(stage.tenant_id, "Egress", ("203.0.113.10/32",))
        stage.trust_location(location_id)

        stage.policies.delete_location(stage.tenant_id, location_id)

        assert stage.policies.named_locations(stage.tenant_id) == ()

    def test_location_that_a_policy_refers_to_is_deleted_later(self, stage: PolicyStage) -> None:
        location_id, policy_id = make_restriction(stage)

        with pytest.raises(Transient) as in_use:
            stage.policies.delete_location(stage.tenant_id, location_id)
        assert in_use.value.problem.code is Code.CLEANUP_INCOMPLETE

        stage.policies.delete_policy(stage.tenant_id, policy_id)
        stage.policies.delete_location(stage.tenant_id, location_id)
        assert stage.policies.named_locations(stage.tenant_id) == ()

    def test_policy_can_name_a_new_location_only_when_it_is_known(self, stage: PolicyStage) -> None:
        stage.hide_new_locations()

        with pytest.raises(Transient) as unknown:
            make_restriction(stage)
        assert unknown.value.retry_after == timedelta(seconds=5)

        stage.show_new_locations()
        (location,) = stage.policies.named_locations(stage.tenant_id)
        assert stage.policies.create_policy(
            stage.tenant_id, "Elsewhere", user_id=stage.user_id, location_id=location.location_id, control="block"
        )

    def test_new_policy_reports_only_and_is_about_one_user_elsewhere(self, stage: PolicyStage) -> None:
        _, policy_id = make_restriction(stage)

        (made,) = stage.policies.policies(stage.tenant_id)

        assert (made.policy_id, made.state) == (policy_id, "enabledForReportingButNotEnforced")
        assert (made.controls, made.excluded_users, made.only_user) == (("block",), (), str(stage.user_id))
        assert what_if(stage, ip=FOREIGN_IP) == [Applied(policy_id)]
        assert what_if(stage, ip=OUR_IP) == []

    def test_policy_is_enforced_with_another_control_and_deleted(self, stage: PolicyStage) -> None:
        _, policy_id = make_restriction(stage)

        stage.policies.set_policy(stage.tenant_id, policy_id, state="enabled", control="mfa")

        changed = stage.policies.policy(stage.tenant_id, policy_id)
        assert changed is not None
        assert (changed.state, changed.controls) == ("enabled", ("mfa",))
        assert what_if(stage, ip=FOREIGN_IP) == [Applied(policy_id)]
        stage.policies.delete_policy(stage.tenant_id, policy_id)
        stage.policies.delete_policy(stage.tenant_id, policy_id)
        assert stage.policies.policies(stage.tenant_id) == ()

    def test_nothing_is_enforced_beside_security_defaults(self, stage: PolicyStage) -> None:
        stage.turn_on_security_defaults()
        _, policy_id = make_restriction(stage)

        with pytest.raises(Refused) as refusal:
            stage.policies.set_policy(stage.tenant_id, policy_id, state="enabled", control="block")

        problem = refusal.value.problem
        assert problem.code is Code.SIGN_IN_BLOCKED
        assert "ecurity defaults" in problem.message
        assert problem.next_step

    def test_what_is_gone_cannot_be_changed(self, stage: PolicyStage) -> None:
        policies, tenant_id, gone = stage.policies, stage.tenant_id, str(uuid4())
        changes: tuple[Callable[[], None], ...] = (
            lambda: policies.set_location(tenant_id, gone, "Egress", ("203.0.113.10/32",)),
            lambda: policies.set_policy(tenant_id, gone, state="enabled", control="block"),
            lambda: policies.exclude_users(tenant_id, gone, (str(stage.user_id),)),
        )

        for change in changes:
            with pytest.raises(NotFound) as refusal:
                change()

            assert refusal.value.problem.code is Code.NOT_FOUND

    # ── exclusions ───────────────────────────────────────────────────────────────────────────────────────────────────

    def test_exclusion_spares_our_user_changes_nothing_else_and_can_be_undone(self, stage: PolicyStage) -> None:
        policy_id = stage.add_policy(Drafted())
        policy = stage.policies.policy(stage.tenant_id, policy_id)
        assert policy is not None
        rest = stage.everything_but_exclusions(policy_id)
        before, after = policy.excluded_users, (*policy.excluded_users, str(stage.user_id))

        stage.policies.exclude_users(stage.tenant_id, policy_id, after)

        excluded = stage.policies.policy(stage.tenant_id, policy_id)
        assert excluded is not None
        assert excluded.excluded_users == after
        assert stage.everything_but_exclusions(policy_id) == rest
        assert what_if(stage) == []

        stage.policies.exclude_users(stage.tenant_id, policy_id, before)

        assert stage.policies.policy(stage.tenant_id, policy_id) == policy
        assert stage.everything_but_exclusions(policy_id) == rest
        assert what_if(stage) == [Applied(policy_id)]

    # ── what the tenant has not agreed to, or does not have ──────────────────────────────────────────────────────────

    @pytest.mark.parametrize(("ask", "_"), ASKS_OF_PREMIUM.values(), ids=ASKS_OF_PREMIUM)
    def test_no_conditional_access_without_a_licence(self, stage: PolicyStage, ask: Ask, _: str) -> None:
        stage.end_licence()

        with pytest.raises(Refused) as refusal:
            ask(stage)

        problem = refusal.value.problem
        assert problem.code is Code.LICENCE_MISSING
        assert problem.next_step
        assert "Entra ID P1" in problem.next_step.text

    @pytest.mark.parametrize(("ask", "permission"), ASKS.values(), ids=ASKS)
    def test_missing_permission_is_named_with_what_to_do(self, stage: PolicyStage, ask: Ask, permission: str) -> None:
        stage.withdraw_permissions()

        with pytest.raises(Refused) as refusal:
            ask(stage)

        problem = refusal.value.problem
        assert problem.code is Code.PERMISSION_MISSING
        assert problem.next_step
        assert permission in problem.next_step.text
        assert problem.next_step.link

    @pytest.mark.parametrize(("ask", "_"), ASKS.values(), ids=ASKS)
    def test_nothing_is_asked_in_a_tenant_that_took_its_consent_back(
        self, stage: PolicyStage, ask: Ask, _: str
    ) -> None:
        stage.withdraw_consent()

        with pytest.raises(Refused) as refusal:
            ask(stage)

        assert refusal.value.problem.code is Code.CONSENT_MISSING


class TestFakeTenantPolicies(TenantPoliciesPromises):
    """The fake that services are tested with."""

    @pytest.fixture
    def stage(self) -> PolicyStage:
        return FakePolicyStage()


class TestGraphPolicies(TenantPoliciesPromises):
    """Microsoft Graph's adapter, on the simulated Microsoft 365, which is asked no faster than it may be."""

    @pytest.fixture
    def stage(self, cloud: Simulator) -> PolicyStage:
        return SimulatedPolicyStage(cloud)
