"""A key vault in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from shared.domain.errors import Code, refused
from shared.domain.ports import Clock, Vault
from shared.domain.secret import Secret
from tests.fakes.calls import CallLog, logs
from tests.fakes.clock import FakeClock


@dataclass(slots=True)
class FakeVersion:
    """One version of a secret."""

    secret: Secret
    purpose: str
    made_at: datetime
    is_enabled: bool = True


@logs(Vault)
class FakeVault:
    """A vault (Vault port).

    Attributes:
        names: every name ever put, with its versions, oldest first.
        deleted: the names in the recycle bin.
    """

    def __init__(self, log: CallLog | None = None, clock: Clock | None = None) -> None:
        self.log = CallLog() if log is None else log
        self._clock = FakeClock() if clock is None else clock
        self.names: dict[str, dict[str, FakeVersion]] = {}
        self.deleted: set[str] = set()

    def put(self, name: str, secret: Secret, *, purpose: str) -> str:
        self.deleted.discard(name)
        version = uuid4().hex
        self.names.setdefault(name, {})[version] = FakeVersion(secret, purpose, self._clock.now())
        return version

    def get(self, name: str, version: str | None = None) -> Secret:
        versions = {} if name in self.deleted else self.names.get(name, {})
        found = versions.get(version or next(reversed(versions), ""))
        if found is None or not found.is_enabled:
            raise refused(Code.SECRET_MISSING, f"There is no readable secret {name}.")
        return found.secret

    def newest(self, name: str) -> str | None:
        versions = {} if name in self.deleted else self.names.get(name, {})
        newest = next(reversed(versions), "")
        return newest if newest and versions[newest].is_enabled else None

    def readable(self, name: str, *, before: datetime) -> tuple[str, ...]:
        versions = {} if name in self.deleted else self.names.get(name, {})
        return tuple(version for version, kept in versions.items() if kept.is_enabled and kept.made_at < before)

    def retire(self, name: str, version: str) -> None:
        if name not in self.deleted and version in self.names.get(name, {}):
            self.names[name][version].is_enabled = False

    def delete(self, name: str) -> None:
        if name in self.names:
            self.deleted.add(name)

    def exists(self, name: str) -> bool:
        return name in self.names and name not in self.deleted
