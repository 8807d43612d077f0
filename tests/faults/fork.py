"""A second world that stands where the first one stands: what was done before is done once for all broken runs."""

from __future__ import annotations

from dataclasses import replace

from tests.fakes.clock import START
from tests.fakes.microsoft365 import FakeTenant
from tests.fakes.policies import FakeRules
from tests.stage import Stage


def fork(stage: Stage) -> Stage:
    """The same tenant in a world of its own; no call is logged yet, no fault entered, and the process is a new one."""
    twin = Stage()
    twin.tenant_id = stage.tenant_id
    if stage.world.onboarding is not None:
        twin.register_onboarding()
    twin.clock.advance(stage.clock.now() - START)
    for theirs, ours in ((stage.store, twin.store), (stage.index, twin.index), (stage.due, twin.due)):
        ours.table.take_over(theirs.table)
    twin.messages.sent += stage.messages.sent
    twin.vault.deleted |= stage.vault.deleted
    for name, versions in stage.vault.names.items():
        twin.vault.names[name] = {version: replace(kept) for version, kept in versions.items()}
    for tenant_id, tenant in stage.tenants.items():
        twin.tenants[tenant_id] = _tenant(tenant)
    for tenant_id, rules in stage.policies.rules.items():
        twin.policies.rules[tenant_id] = _rules(rules)
    twin.requests += stage.requests
    twin.tokens += stage.tokens
    return twin


def _tenant(tenant: FakeTenant) -> FakeTenant:
    return replace(
        tenant,
        permissions=None if tenant.permissions is None else set(tenant.permissions),
        onboarding_permissions=set(tenant.onboarding_permissions or ()),
        users=[replace(user, roles=dict(user.roles)) for user in tenant.users],
        refresh_tokens=dict(tenant.refresh_tokens),
    )


def _rules(rules: FakeRules) -> FakeRules:
    return replace(
        rules,
        per_user_mfa=dict(rules.per_user_mfa),
        other_methods=dict(rules.other_methods),
        policies={policy_id: replace(policy) for policy_id, policy in rules.policies.items()},
        locations=dict(rules.locations),
    )
