"""Where the local stack is: what `.local/stack.json` says to whoever wants to talk to a running one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[1]
LOCAL = PROJECT / ".local"
STACK_FILE = LOCAL / "stack.json"


class StackNotUp(Exception):
    """There is no local stack to talk to."""

    def __init__(self) -> None:
        super().__init__("The local stack is not up. Start it with `make run`, in another terminal.")


@dataclass(frozen=True, slots=True)
class Addresses:
    """A running stack: URLs, the file that trusts its certificates, and the app's settings."""

    api: str  # http://127.0.0.1:7071/api
    simulator: str  # Entra, Graph and the control interface under /_simulator
    key_vault: str
    ca_bundle: Path
    storage_connection_string: str = field(repr=False)
    settings: Mapping[str, str] = field(repr=False)  # the environment of the app
    master_key: str = field(repr=False)  # opens the app's /admin
    pids: Mapping[str, int]  # by name: stack, Azurite, simulator, app, console
    console: str | None = None  # where the console is; None when it was not built

    @property
    def host(self) -> str:
        """The address that the API and /admin are below."""
        return self.api.removesuffix("/api")

    def write(self, path: Path) -> None:
        """Writes the file for this user alone, whole or not at all."""
        content = {
            "api": self.api,
            "simulator": self.simulator,
            "keyVault": self.key_vault,
            "storageConnectionString": self.storage_connection_string,
            "caBundle": str(self.ca_bundle),
            "masterKey": self.master_key,
            "console": self.console,
            "pids": dict(self.pids),
            "settings": dict(self.settings),
        }
        unfinished = path.with_suffix(".unfinished")
        unfinished.touch(mode=0o600)
        unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(path)

    @classmethod
    def read(cls, path: Path = STACK_FILE) -> Addresses:
        """The stack that the file describes.

        Raises:
            StackNotUp: there is no such file, or the process that wrote it is gone.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            os.kill(content["pids"]["stack"], 0)
        except (FileNotFoundError, ProcessLookupError):
            raise StackNotUp from None
        return cls(
            api=content["api"],
            simulator=content["simulator"],
            key_vault=content["keyVault"],
            ca_bundle=Path(content["caBundle"]),
            storage_connection_string=content["storageConnectionString"],
            settings=content["settings"],
            master_key=content["masterKey"],
            pids=content["pids"],
            console=content["console"],
        )
