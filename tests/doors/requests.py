"""One good request for every operation of the contract, so that a test can go to all doors without knowing them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.contract.test_contract_files import operations
from tests.doors.people import EXECUTOR, LIMITED_EXECUTOR, Person, Place
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
            "messageId": service.messages_kept.get(place, _NOT_THERE),
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
