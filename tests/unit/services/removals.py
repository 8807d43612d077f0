"""A removal at its end beside what an administrator finds in the tenant then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from shared.domain.directory_roles import PERMISSIONS, ROLE_NAMES
from shared.domain.operation import Operation
from tests.fakes.policies import FakePolicy
from tests.host import Host
from tests.stage import Stage

Named = tuple[str, str, str]
"""A thing in the tenant: its kind, its name, its id."""

MFA: Final = "MFA for everybody"


@dataclass(frozen=True, slots=True)
class Removal:
    """A removal at its end, and the tenant as it is then."""

    stage: Stage
    operation: Operation

    def rows(self, *states: str) -> list[Mapping[str, Any]]:
        """The report's rows of those states."""
        assert self.operation.result is not None
        rows = cast(list[Mapping[str, Any]], self.operation.result["removal"])
        return [row for row in rows if row["state"] in states]

    def told(self, *states: str) -> list[Named]:
        """The things in the tenant that it reports to be in those states."""
        in_tenant = [row for row in self.rows(*states) if row["kind"] not in ("session", "secret")]
        return sorted((row["kind"], row["name"], row["id"]) for row in in_tenant)

    @property
    def there(self) -> list[Named]:
        """What of ours an administrator of the tenant finds."""
        return there(self.stage)


def there(stage: Stage) -> list[Named]:
    """What of ours an administrator of the tenant finds."""
    users = [user for user in stage.microsoft365.users if not user.is_deleted]
    rules = stage.rules
    ours = {str(user.object_id) for user in stage.microsoft365.users}
    policies = rules.policies.values()
    return sorted(
        [
            *(("user", user.user_principal_name, str(user.object_id)) for user in users),
            *(("roleAssignment", ROLE_NAMES[role], str(role)) for user in users for role in user.roles.values()),
            *(("conditionalAccessPolicy", p.display_name, p.policy_id) for p in policies if p.display_name != MFA),
            *(("namedLocation", place.display_name, place.location_id) for place in rules.locations.values()),
            *(("exclusion", p.display_name, p.policy_id) for p in policies if ours & set(p.excluded_users)),
        ]
    )


def withdraw(stage: Stage) -> None:
    """The customer takes the consent back."""
    stage.microsoft365.permissions = None


def consent(stage: Stage, *, but: str = "") -> None:
    """The customer grants every permission but that one."""
    stage.microsoft365.permissions = set(PERMISSIONS) - {but}


def remove(stage: Stage) -> Removal:
    """Asked for, and carried out to its end."""
    host = Host(stage)
    accepted = stage.remove_account()
    host.settle()
    return Removal(stage, stage.operation(accepted))


def a_restricted_tenant() -> Stage:
    """With an account, allowed IPs and exclusions in two policies of one name; to be forked, never used."""
    stage = Stage()
    host = Host(stage)
    stage.onboard()
    stage.create_account()
    host.settle()
    for _ in range(2):
        stage.rules.add(FakePolicy(MFA, state="enabledForReportingButNotEnforced"))
    stage.set_allowed_ips()
    host.settle()
    return stage
