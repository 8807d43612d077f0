"""The whole service on one machine: Azurite, the simulated Microsoft 365 and the app, started and stopped together."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from infra.console_site import BUILT
from local.addresses import LOCAL, PROJECT, Addresses
from local.children import Child, free_ports
from local.host.admin import MASTER_KEY_SETTING
from local.host.queues import MESSAGE_LEASE
from local.simulator import seed
from local.simulator.entra.caller_tokens import SCOPE
from local.storage import Azurite, StoragePorts

_READY_WITHIN = 30.0  # seconds

# What Bicep creates in Azure. The poison queues are made by the platform.
TABLES = ("Tenants", "TenantIndex", "Due")
QUEUES = (
    "operations",
    "action-requests",
    "action-completions",
    "action-results-playbook-remediation",
    "action-results-management-action",
    "action-results-custom-action",
    "action-results-workflow",
)

# Settings of a stack in which one application makes accounts and another runs sessions. As in Azure there is no secret:
# the managed identity vouches for both.
TWO_REGISTRATIONS = {
    "APP_CLIENT_ID": seed.RUNTIME_CLIENT_ID,
    "APP_CLIENT_SECRET": "",
    "ONBOARDING_CLIENT_ID": seed.ONBOARDING_CLIENT_ID,
}

# The simulated world's callers come from this address (RFC 5737, for documentation).
_EGRESS_IPS = "203.0.113.10/32"


@dataclass(frozen=True, slots=True)
class StackPorts:
    """Where everything listens on 127.0.0.1; the defaults are the documented ones."""

    api: int = 7071
    simulator: int = 8443
    key_vault: int = 8444
    console: int = 7080
    storage: StoragePorts = field(default_factory=StoragePorts)

    @classmethod
    def free(cls) -> StackPorts:
        """Ports that nobody uses, so that several stacks can run side by side."""
        api, simulator, key_vault, console, *storage = free_ports(7)
        return cls(api, simulator, key_vault, console, StoragePorts(*storage))


class Stack:
    """The stack, ready while the `with` block lasts. Its logs, certificates and stack.json are in `directory`.

    Whatever ends the block or this process, kill -9 included, ends the children.
    """

    def __init__(
        self,
        ports: StackPorts | None = None,
        *,
        directory: Path = LOCAL,
        app_directory: Path = PROJECT,
        settings: Mapping[str, str] | None = None,
        message_lease: float = MESSAGE_LEASE.total_seconds(),
        origins: Sequence[str] = (),
    ) -> None:
        """`ports` are free ones by default; `settings` replace or add to those of the app in `app_directory`.

        `message_lease` is after how many seconds a message comes back that a killed app was working on; pages of
        `origins` may call the API, besides the console's own.
        """
        self._ports = ports or StackPorts.free()
        self._directory = directory
        self._app_directory = app_directory
        self._overrides = dict(settings or {})
        self._message_lease = message_lease
        self._origins = tuple(origins)
        self._master_key = secrets.token_urlsafe(32)
        self._azurite = Azurite(self._ports.storage, log=self._log("azurite"))
        self._children: dict[str, Child] = {}
        self._addresses: Addresses | None = None

    @property
    def addresses(self) -> Addresses:
        """Where everything is. Raises RuntimeError before the stack is ready."""
        if self._addresses is None:
            raise RuntimeError("The stack is not ready.")
        return self._addresses

    def __enter__(self) -> Self:
        """Starts everything and returns when it is ready.

        Raises:
            ChildFailed: a child died or did not get ready in time.
            InstallFailed: Azurite could not be installed.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def watch(self) -> NoReturn:
        """Waits for what should not happen.

        Raises:
            ChildFailed: a child ended.
        """
        while True:
            for child in self._children.values():
                child.require_alive()
            time.sleep(0.2)

    def kill_app(self) -> None:
        """Ends the app where it stands, as a scale-in or a crash would."""
        self._children["app"].kill()

    def start_app(self) -> None:
        """Starts the app, for the first time or after `kill_app`, and returns when it answers.

        Raises:
            ChildFailed: it did not get ready.
        """
        if "app" in self._children:
            self._children["app"].stop()
        addresses = self.addresses
        self._children["app"] = app = self._python(
            "app",
            "local.host",
            *("--port", str(self._ports.api), "--app", str(self._app_directory)),
            *("--message-lease", str(self._message_lease)),
            *(word for origin in (self._console_origin, *self._origins) for word in ("--cors", origin)),
            environment={**addresses.settings, MASTER_KEY_SETTING: self._master_key},
        )
        app.announcement(within=_READY_WITHIN)
        self._addresses = replace(addresses, pids={**addresses.pids, "app": app.pid})
        self._addresses.write(self._directory / "stack.json")

    def stop(self) -> None:
        """Ends all children, the app first so that it can finish what it is doing."""
        (self._directory / "stack.json").unlink(missing_ok=True)
        for child in reversed(self._children.values()):
            child.stop()
        self._children.clear()

    def _start(self) -> None:
        for log in self._log("*").parent.glob("*.log"):
            log.unlink()
        self._children["azurite"] = self._azurite.start()
        self._children["simulator"] = simulator = self._python(
            "simulator",
            "local.simulator",
            *("--port", str(self._ports.simulator), "--key-vault-port", str(self._ports.key_vault)),
            *("--ca-directory", str(self._directory / "certificates")),
        )
        announced = simulator.announcement(within=_READY_WITHIN)
        self._azurite.wait_until_ready()
        self._azurite.create(tables=TABLES, queues=QUEUES)
        connection, bundle = self._azurite.connection_string, announced["caBundle"]
        settings = app_settings(announced["simulator"], announced["keyVault"], connection, bundle)
        self._addresses = Addresses(
            api=f"http://127.0.0.1:{self._ports.api}/api",
            simulator=announced["simulator"],
            key_vault=announced["keyVault"],
            ca_bundle=Path(bundle),
            storage_connection_string=connection,
            settings=settings | self._overrides,
            master_key=self._master_key,
            pids={"stack": os.getpid()} | {name: child.pid for name, child in self._children.items()},
        )
        self.start_app()
        self._start_console()

    @property
    def _console_origin(self) -> str:
        return f"http://127.0.0.1:{self._ports.console}"

    def _start_console(self) -> None:
        """Serves the console if it was built: the stack needs no Node."""
        if not (BUILT / "index.html").exists():
            return
        addresses = self.addresses
        self._children["console"] = child = self._python(
            "console",
            "local.console",
            *("--port", str(self._ports.console), "--api", addresses.api),
            *("--authority", f"{addresses.simulator}/{seed.HOME}"),
            *("--client-id", seed.CONSOLE_CLIENT_ID),
            *("--scope", f"api://{seed.API_AUDIENCE}/{SCOPE}"),
        )
        child.announcement(within=_READY_WITHIN)
        pids = {**addresses.pids, "console": child.pid}
        self._addresses = replace(addresses, console=self._console_origin, pids=pids)
        self._addresses.write(self._directory / "stack.json")

    def _python(self, name: str, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Child:
        command = [sys.executable, "-m", module, *arguments]
        return Child(name, command, log=self._log(name), environment=environment)

    def _log(self, name: str) -> Path:
        return self._directory / "logs" / f"{name}.log"


def app_settings(simulator: str, key_vault: str, connection_string: str, ca_bundle: str) -> dict[str, str]:
    """The environment of the app. In Azure, Bicep sets the same names; docs/operations.md explains them.

    The app signs in to the vault with a managed identity, which App Service would offer at IDENTITY_ENDPOINT.
    """
    return {
        "AzureWebJobsStorage": connection_string,
        "SessionStorage": connection_string,
        "KEY_VAULT_URL": key_vault,
        "ENTRA_AUTHORITY_HOST": simulator,
        "GRAPH_ENDPOINT": simulator,
        "APP_CLIENT_ID": seed.APP_CLIENT_ID,
        "APP_CLIENT_SECRET": seed.APP_CLIENT_SECRET,
        "API_AUDIENCE": seed.API_AUDIENCE,
        "API_ISSUER": f"{simulator}/{seed.HOME}/v2.0",
        "EGRESS_IPS": _EGRESS_IPS,
        "EGRESS_COUNTRY": "NL",
        "UPKEEP_SCHEDULE": "*/10 * * * * *",
        "AZURE_CLIENT_ID": seed.MANAGED_IDENTITY.client_id,
        "IDENTITY_ENDPOINT": f"{simulator}/msi/token",
        "IDENTITY_HEADER": seed.MANAGED_IDENTITY.header,
        # Python's three ways of trusting: requests (azure-core, msal), curl's name for the same, and ssl (PyJWT).
        "REQUESTS_CA_BUNDLE": ca_bundle,
        "CURL_CA_BUNDLE": ca_bundle,
        "SSL_CERT_FILE": ca_bundle,
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "PYTHON_THREADPOOL_THREAD_COUNT": "16",
    }
