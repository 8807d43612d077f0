"""Every method of the three adapters, ready to be called, with all the secrets that may show nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from local.simulator.seed import APP_CLIENT_SECRET, MANAGED_IDENTITY
from shared.adapters.key_vault import KeyVaultSecrets
from shared.domain.directory_roles import GLOBAL_READER, TEAMS_ADMINISTRATOR
from shared.domain.ports import NewUser, SignedIn
from shared.domain.secret import Secret
from tests.contract.ports.stages import EXCHANGE_SCOPE, MARKER, PASSWORD, SimulatedStage, create

NEW_PASSWORD = Secret("only-for-tests-N3w-Passw0rd")
SECRET_NAME = "account-only-for-tests-password"
LATER = datetime(2126, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scene:
    """A user of ours who is signed in and holds a role, a former one in the recycle bin, and a secret in the vault."""

    stage: SimulatedStage
    vault: KeyVaultSecrets
    user: UUID
    name: str
    deleted: UUID
    assignment_id: str
    signed_in: SignedIn
    version: str

    @property
    def domain(self) -> str:
        """The tenant's initial domain."""
        return self.name.partition("@")[2]

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be seen."""
        kept = (PASSWORD, NEW_PASSWORD, self.signed_in.refresh_token)
        return (*(secret.reveal() for secret in kept), APP_CLIENT_SECRET, MANAGED_IDENTITY.header)


def set_up(stage: SimulatedStage, vault: KeyVaultSecrets) -> Scene:
    """The scene, with every token used so far forgotten."""
    directory, tenant_id = stage.directory, stage.tenant_id
    former = create(stage, "former")
    directory.delete_user(tenant_id, former.object_id)
    user = create(stage)
    directory.assign_role(tenant_id, user.object_id, GLOBAL_READER.template_id)
    (held,) = directory.role_assignments(tenant_id, user.object_id)
    signed_in = stage.sign_in.with_password(tenant_id, user.user_principal_name, PASSWORD)
    version = vault.put(SECRET_NAME, PASSWORD, purpose="service account password")
    return Scene(
        stage,
        vault,
        user.object_id,
        user.user_principal_name,
        former.object_id,
        held.assignment_id,
        signed_in,
        version,
    )


Act = Callable[[Scene], object]


def _wanted(scene: Scene) -> NewUser:
    return NewUser(f"another@{scene.domain}", "Management session service account", MARKER, PASSWORD)


READS: dict[str, Act] = {
    "organization": lambda on: on.stage.directory.organization(on.stage.tenant_id),
    "user": lambda on: on.stage.directory.user(on.stage.tenant_id, on.name),
    "marked_users": lambda on: on.stage.directory.marked_users(on.stage.tenant_id, MARKER),
    "deleted_user": lambda on: on.stage.directory.deleted_user(on.stage.tenant_id, on.name),
    "role_assignments": lambda on: on.stage.directory.role_assignments(on.stage.tenant_id, on.user),
}
WRITES: dict[str, Act] = {
    "restore_user": lambda on: on.stage.directory.restore_user(on.stage.tenant_id, on.deleted, f"restored@{on.domain}"),
    "adopt_user": lambda on: on.stage.directory.adopt_user(on.stage.tenant_id, on.user, MARKER),
    "set_password": lambda on: on.stage.directory.set_password(on.stage.tenant_id, on.user, NEW_PASSWORD),
    "delete_user": lambda on: on.stage.directory.delete_user(on.stage.tenant_id, on.user),
    "revoke_sign_ins": lambda on: on.stage.directory.revoke_sign_ins(on.stage.tenant_id, on.user),
    "assign_role": lambda on: on.stage.directory.assign_role(
        on.stage.tenant_id, on.user, TEAMS_ADMINISTRATOR.template_id
    ),
    "remove_role": lambda on: on.stage.directory.remove_role(on.stage.tenant_id, on.assignment_id),
}
CREATE: dict[str, Act] = {
    "create_user": lambda on: on.stage.directory.create_user(on.stage.tenant_id, _wanted(on)),
}
SIGN_INS: dict[str, Act] = {
    "permissions": lambda on: on.stage.sign_in.permissions(on.stage.tenant_id),
    "with_password": lambda on: on.stage.sign_in.with_password(on.stage.tenant_id, on.name, PASSWORD),
    "redeem": lambda on: on.stage.sign_in.redeem(on.stage.tenant_id, on.signed_in.refresh_token, EXCHANGE_SCOPE),
    "change_own_password": lambda on: on.stage.sign_in.change_own_password(
        on.stage.tenant_id, on.name, PASSWORD, NEW_PASSWORD
    ),
}
VAULT: dict[str, Act] = {
    "put": lambda on: on.vault.put(SECRET_NAME, NEW_PASSWORD, purpose="service account password"),
    "get": lambda on: on.vault.get(SECRET_NAME, on.version),
    "newest": lambda on: on.vault.newest(SECRET_NAME),
    "readable": lambda on: on.vault.readable(SECRET_NAME, before=LATER),
    "retire": lambda on: on.vault.retire(SECRET_NAME, on.version),
    "delete": lambda on: on.vault.delete(SECRET_NAME),
    "exists": lambda on: on.vault.exists(SECRET_NAME),
}
EVERYTHING: dict[str, Act] = {**READS, **WRITES, **CREATE, **SIGN_INS, **VAULT}
