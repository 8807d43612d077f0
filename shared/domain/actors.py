"""Who is calling, and what that caller may do in which tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Right(StrEnum):
    """What somebody may do in a tenant. An administrator sets the tenant up; only an operator turns its session on."""

    READER = "reader"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"
    EXECUTOR = "executor"


IMPLIED: Mapping[Right, frozenset[Right]] = {
    Right.READER: frozenset({Right.READER}),
    Right.OPERATOR: frozenset({Right.OPERATOR, Right.READER}),
    Right.ADMINISTRATOR: frozenset({Right.ADMINISTRATOR, Right.READER}),
    Right.EXECUTOR: frozenset({Right.EXECUTOR}),
}
"""Each right with those it brings. Administrator does not bring operator: separation of duties."""


class ActorKind(StrEnum):
    """A person, another program, or this service by itself."""

    USER = "user"
    APPLICATION = "application"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, as the activity trail keeps it."""

    kind: ActorKind
    object_id: UUID | None = None
    name: str | None = None


SERVICE = Actor(ActorKind.SERVICE, None, "Management Sessions")


@dataclass(frozen=True, slots=True)
class Grant:
    """What an administrator let somebody do in one tenant."""

    rights: tuple[Right, ...]
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller whose token was verified.

    Attributes:
        everywhere: rights that hold in every tenant (app roles that end in `.All`).
        where_granted: rights that hold only in tenants where an administrator granted them to `object_id`.
    """

    object_id: UUID
    application_id: UUID
    is_application: bool
    name: str | None
    everywhere: frozenset[Right]
    where_granted: frozenset[Right]

    @property
    def actor(self) -> Actor:
        """This caller as the activity trail names it."""
        kind = ActorKind.APPLICATION if self.is_application else ActorKind.USER
        return Actor(kind, self.object_id, self.name)

    def rights(self, granted: Mapping[str, Grant]) -> frozenset[Right]:
        """The caller's rights in a tenant whose grants are `granted` (by object id)."""
        grant = granted.get(str(self.object_id))
        here = self.where_granted & frozenset(grant.rights) if grant else frozenset()
        return frozenset(implied for right in self.everywhere | here for implied in IMPLIED[right])
