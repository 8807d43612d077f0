"""Who asks something of the service in the tests: one of each right, and a customer's own administrator."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid4

from shared.domain.actors import Caller, Right

_NOWHERE: Final[frozenset[Right]] = frozenset()


def _person(name: str, *rights: Right) -> Caller:
    return Caller(uuid4(), UUID(int=1), False, name, frozenset(rights), _NOWHERE)


ADMINISTRATOR: Final = _person("Ada Administrator", Right.ADMINISTRATOR)
OPERATOR: Final = _person("Olga Operator", Right.OPERATOR)
READER: Final = _person("Rita Reader", Right.READER)
EXECUTOR: Final = Caller(uuid4(), uuid4(), True, None, frozenset({Right.EXECUTOR}), _NOWHERE)

ADMIN_NAME: Final = "admin@fake.onmicrosoft.com"
ADMIN_PASSWORD: Final = "only-for-tests-Adm1n!"
