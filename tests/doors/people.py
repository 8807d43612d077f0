"""Everybody who may knock at a door: what their token says, and which rights it comes to in which tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Final

from tests.doors.tokens import app_claims, bearer, private_key, user_claims


class Place(Enum):
    """A tenant, seen from a caller whose rights hold only where they were granted."""

    OWN = "11111111-1111-4111-8111-111111111111"
    OTHER = "22222222-2222-4222-8222-222222222222"
    UNKNOWN = "33333333-3333-4333-8333-333333333333"


ROLES: Final = {
    "reader": "Tenants.Read",
    "operator": "Sessions.Operate",
    "administrator": "Tenants.Manage",
    "executor": "Actions.Execute",
}
IMPLIED: Final[Mapping[str, frozenset[str]]] = {
    "reader": frozenset({"reader"}),
    "operator": frozenset({"operator", "reader"}),
    "administrator": frozenset({"administrator", "reader"}),
    "executor": frozenset({"executor"}),
}
"""As the contract's table of rights has it: operators and administrators may also read, and nothing else follows."""

NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class Person:
    """A caller, or somebody who is none.

    Attributes:
        everywhere: the rights that hold in every tenant.
        in_own: the rights that hold in `Place.OWN` alone, where they were granted.
        authorization: the Authorization header; None for none.
    """

    name: str
    object_id: str
    application_id: str
    authorization: str | None = field(repr=False)
    everywhere: frozenset[str] = NOTHING
    in_own: frozenset[str] = NOTHING
    is_caller: bool = True

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.authorization} if self.authorization else {}

    def rights(self, place: Place) -> frozenset[str]:
        """What this caller may do there, implied rights included."""
        held = self.everywhere | (self.in_own if place is Place.OWN else NOTHING)
        return frozenset(implied for right in held for implied in IMPLIED[right])


_made: dict[str, Person] = {}


def _identity() -> tuple[str, str]:
    number = f"{len(_made) + 1:012x}"
    return f"aaaaaaaa-0000-4000-8000-{number}", f"bbbbbbbb-0000-4000-8000-{number}"


def _person(name: str, *roles: str, everywhere: str = "", in_own: str = "", is_application: bool = False) -> Person:
    object_id, application_id = _identity()
    claims = app_claims if is_application else user_claims
    token = bearer(claims(oid=object_id, azp=application_id, roles=list(roles), name=name.title()))
    held = frozenset(everywhere.split()), frozenset(in_own.split())
    return _made.setdefault(name, Person(name, object_id, application_id, token, *held))


def _nobody(name: str, authorization: str | None) -> Person:
    return _made.setdefault(name, Person(name, *_identity(), authorization, is_caller=False))


READER: Final = _person("reader", "Tenants.Read.All", everywhere="reader")
OPERATOR: Final = _person("operator", "Sessions.Operate.All", everywhere="operator")
ADMINISTRATOR: Final = _person("administrator", "Tenants.Manage.All", everywhere="administrator")
EXECUTOR: Final = _person("executor", "Actions.Execute.All", everywhere="executor", is_application=True)
SECOND_EXECUTOR: Final = _person("second executor", "Actions.Execute.All", everywhere="executor", is_application=True)
LIMITED_OPERATOR: Final = _person("limited operator", "Sessions.Operate", in_own="operator")
LIMITED_ADMINISTRATOR: Final = _person("limited administrator", "Tenants.Manage", in_own="administrator")
LIMITED_EXECUTOR: Final = _person("limited executor", "Actions.Execute", in_own="executor", is_application=True)
STRANGER: Final = _person("stranger")
NOBODY: Final = _nobody("nobody", None)

_person("limited reader", "Tenants.Read", in_own="reader")
_person("reading program", "Tenants.Read.All", everywhere="reader", is_application=True)
_person(
    "person with every role", *(f"{role}.All" for role in ROLES.values()), everywhere="reader operator administrator"
)
_person(
    "program with every role",
    *(f"{role}.All" for role in ROLES.values()),
    everywhere="reader executor",
    is_application=True,
)
_person("person as executor", "Actions.Execute.All")
_person("program as operator", "Sessions.Operate.All", is_application=True)
_person("program as administrator", "Tenants.Manage.All", is_application=True)
_nobody("forger", bearer(user_claims(roles=["Tenants.Manage.All"]), key=private_key("forger")))
_nobody("caller of yesterday", bearer(user_claims(roles=["Tenants.Manage.All"], exp=1)))
_nobody("caller of another service", bearer(user_claims(roles=["Tenants.Manage.All"], aud=Place.OTHER.value)))

PEOPLE: Final[Mapping[str, Person]] = MappingProxyType(_made)
"""By name."""

GRANTS: Final[Mapping[Person, tuple[str, ...]]] = {
    **{person: tuple(sorted(person.in_own)) for person in _made.values() if person.in_own},
    # Granted, but without the app role in the token: it counts for nothing.
    STRANGER: ("operator", "administrator", "reader"),
}
"""What was granted in `Place.OWN`."""
