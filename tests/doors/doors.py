"""One good request for every operation of the contract, so that a test can go to all doors without knowing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from local.host.http import Response
from tests.contract.test_contract_files import operations
from tests.doors.people import ADMINISTRATOR, EXECUTOR, LIMITED_EXECUTOR, OPERATOR, Person, Place
from tests.doors.service import Service

OBJECT_ID: Final = "cccccccc-0000-4000-8000-000000000001"
_NOT_THERE: Final = "eeeeeeee-0000-4000-8000-000000000001"


@dataclass(frozen=True)
class Door:
    """An operation of the contract.

    Attributes:
        rights: any one of them opens it; empty for a door that is open to anyone.
        body: the contract's own example; None where no body is taken.
    """

    name: str
    method: str
    path: str
    rights: frozenset[str]
    body: Any
    parameters: frozenset[str]
    statuses: frozenset[str]

    @property
    def is_write(self) -> bool:
        return self.method != "GET"

    @property
    def of_tenant(self) -> bool:
        """True for what belongs to one tenant."""
        return "{tenantId}" in self.path

    @property
    def path_parameters(self) -> list[str]:
        return re.findall(r"\{(\w+)\}", self.path)

    def at(self, **values: str) -> str:
        """The path with these values in it."""
        return self.path.format_map(values)

    def place(self, service: Service, place: Place, by: Person) -> str:
        """The path of what `by` may meet there: its own action and lease where it has any."""
        executor = LIMITED_EXECUTOR if by is LIMITED_EXECUTOR and place is Place.OWN else EXECUTOR
        known = (place, executor) in service.actions
        values = {
            "tenantId": place.value,
            "objectId": OBJECT_ID,
            "operationId": service.operations.get(place, _NOT_THERE),
            "actionId": service.actions[place, executor] if known else _NOT_THERE,
            "messageId": service.messages_kept.get(place if self.of_tenant else Place.UNKNOWN, _NOT_THERE),
            "leaseId": service.lease(place, executor) if known else _NOT_THERE,
        }
        return self.at(**values)


def _door(method: str, path: str, operation: Mapping[str, Any]) -> Door:
    names = (parameter.get("name") or parameter["$ref"].rpartition("/")[2] for parameter in operation["parameters"])
    return Door(
        operation["operationId"],
        method.upper(),
        path,
        frozenset(operation.get("x-rights", ())),
        _example(operation),
        frozenset(names),
        frozenset(operation["responses"]),
    )


def _example(operation: Mapping[str, Any]) -> Any:
    if "requestBody" not in operation:
        return None
    media = operation["requestBody"]["content"]["application/json"]
    examples = (
        [media["example"]] if "example" in media else [each["value"] for each in media.get("examples", {}).values()]
    )
    return examples[0] if examples else {}


DOORS: Final[Mapping[str, Door]] = {
    operation["operationId"]: _door(*found) for found in operations() for operation in found[2:]
}
"""By operation id."""

WITH_BODY: Final = [door for door in DOORS.values() if door.body is not None]
WRITES: Final = [door for door in DOORS.values() if door.is_write and "idempotencyKey" in door.parameters]
CONDITIONAL: Final = [door for door in DOORS.values() if "ifMatch" in door.parameters]
LISTS: Final = [door for door in DOORS.values() if "top" in door.parameters]


def caller_of(door: Door) -> Person:
    """Somebody who may come in at this door."""
    return next(by for by in (OPERATOR, ADMINISTRATOR, EXECUTOR) if door.rights & by.rights(Place.OWN))


def named(door: object) -> str | None:
    """How a test shows a door that is its parameter."""
    return door.name if isinstance(door, Door) else None


def knock(service: Service, door: Door, by: Person | None = None, place: Place = Place.OWN) -> Response:
    """A good request to a door, by somebody who may come in unless told otherwise."""
    by = by or caller_of(door)
    return service.call(door.method, door.place(service, place, by), by, door.body)
