"""What a request may cost is counted where it leaves the process: requests to Tables, Queues, Key Vault and Entra."""

from __future__ import annotations

import json
import subprocess
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import requests
from azure.storage.queue import QueueClient

from local.addresses import PROJECT
from local.host import FunctionHost
from local.host.http import Response
from local.simulator.entra.caller_tokens import caller_token
from local.simulator.licences import subscribed_sku
from local.simulator.seed import TAILSPIN
from local.simulator.server import Simulator
from local.stack import QUEUES, TABLES, app_settings
from local.storage import Azurite
from shared import wiring
from shared.domain.ids import ActionId, TenantId, lease_id_for
from tests.e2e.customer import WITHOUT_PREMIUM

TENANT = f"/api/v1/tenants/{TAILSPIN}"
TABLE_READ, TRANSACTION, QUEUE_SEND = "tables GET", "tables POST", "queues POST"
VAULT, ENTRA = "keyVault GET 200", "entra POST 200"


class App:
    """The app in this process, as production builds it, over Azurite and a simulated Microsoft 365 beside it."""

    def __init__(
        self, host: FunctionHost, simulator: Simulator, storage: Azurite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._host = host
        self._simulator = simulator
        self._storage = storage
        self._sent: list[str] = []
        ports = {storage.ports.table: "tables", storage.ports.queue: "queues"}
        send = requests.adapters.HTTPAdapter.send

        def counted(adapter: Any, request: requests.PreparedRequest, **how: Any) -> requests.Response:
            response = send(adapter, request, **how)
            service = ports.get(urlsplit(request.url or "").port or 0)
            if service:
                self._sent.append(f"{service} {request.method}")
            return response

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", counted)

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """What is asked of whom inside the block; filled in at its end."""
        self._sent.clear()
        self._simulator.journal.clear()
        counts: Counter[str] = Counter()
        yield counts
        counts.update(self._sent)
        counts.update(
            f"{call['service']} {call['method']} {call['status']}" for call in self._simulator.journal.calls()
        )

    def call(self, method: str, path: str, caller: str, content: object = None) -> Response:
        """One request, as a seeded caller."""
        world = self._simulator.world
        token, _ = caller_token(
            world, world.callers[caller], tenant_id=world.home_tenant_id, lifetime=3600, overrides={}
        )
        headers = {"Authorization": f"Bearer {token}"}
        answer = self._host.call(method, f"{TENANT}{path}", headers=headers, json=content)
        assert answer.status < 300, answer.text
        return answer

    def work(self) -> None:
        """Deliver what lies in the queue `operations` until it is empty."""
        with QueueClient.from_connection_string(self._storage.connection_string, "operations") as queue:
            while messages := list(queue.receive_messages()):
                for message in messages:
                    queue.delete_message(message)
                    assert self._host.deliver("operations", message.content).succeeded

    def ask(self) -> str:
        """An action request, delivered by hand; the id of the lease it gets while the session is on."""
        action_id = uuid4()
        message = {
            "schemaVersion": 1,
            "actionId": str(action_id),
            "tenantId": TAILSPIN,
            "kind": "workflow",
            "executor": self._simulator.world.callers["executor"].client_id,
            "operator": {"objectId": str(uuid4()), "name": "Olga Operator"},
        }
        assert self._host.deliver("action-requests", b64encode(json.dumps(message).encode()).decode()).succeeded
        return str(lease_id_for(TenantId(UUID(TAILSPIN)), ActionId(action_id)))

    def redeem(self, lease_id: str, resource: str) -> str:
        """An access token."""
        answer = self.call("POST", f"/leases/{lease_id}/token", "executor", {"resource": resource}).json()
        assert isinstance(answer, dict)
        return str(answer["accessToken"])


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Tables and queues of the app's names, empty."""
    with Azurite(log=tmp_path_factory.mktemp("budgets") / "azurite.log") as storage:
        storage.create(tables=TABLES, queues=QUEUES)
        yield storage


@pytest.fixture(scope="module")
def app(storage: Azurite, running_simulator: Simulator) -> Iterator[App]:
    """The app with a session that is on."""
    simulator = running_simulator
    simulator.reset()
    simulator.world.tenants[TAILSPIN].skus = [subscribed_sku(TAILSPIN, "Tailspin Toys", WITHOUT_PREMIUM)]
    settings = app_settings(simulator.url, simulator.key_vault_url, storage.connection_string, str(simulator.ca_bundle))
    wiring.services.cache_clear()
    with pytest.MonkeyPatch.context() as monkeypatch, FunctionHost(PROJECT, settings) as host:
        app = App(host, simulator, storage, monkeypatch)
        app.call("PUT", "", "administrator", {})
        app.call("PUT", "/service-account", "administrator", {})
        app.work()
        app.call("PUT", "/session", "operator", {"state": "on", "method": "serviceAccount"})
        app.work()
        yield app
    wiring.services.cache_clear()


def test_reading_a_tenant_is_one_table_request(app: App) -> None:
    with app.counting() as counts:
        app.call("GET", "", "reader")

    assert counts == {TABLE_READ: 1}


@pytest.mark.parametrize("path", ["/session", "/auto-enable", "/allowed-ips", "/operators"])
def test_reading_a_part_of_it_costs_no_more(app: App, path: str) -> None:
    with app.counting() as counts:
        app.call("GET", path, "administrator")

    assert counts == {TABLE_READ: 1}


def test_an_action_while_the_session_is_on_is_one_read_one_transaction_and_one_message(app: App) -> None:
    app.ask()

    with app.counting() as counts:
        app.ask()

    assert counts == {TABLE_READ: 1, TRANSACTION: 1, QUEUE_SEND: 1}


def test_redeeming_warm_is_one_table_request(app: App) -> None:
    lease_id = app.ask()
    first = app.redeem(lease_id, "exchange")

    with app.counting() as counts:
        again = app.redeem(lease_id, "exchange")

    assert again == first
    assert counts == {TABLE_READ: 1}


@pytest.mark.parametrize("is_new_process", [False, True])
def test_redeeming_cold_asks_the_vault_once_and_entra_once_however_many_ask_together(
    app: App, *, is_new_process: bool
) -> None:
    lease_id, resource = app.ask(), "compliance" if is_new_process else "teams"
    if is_new_process:
        wiring.services.cache_clear()

    with app.counting() as counts, ThreadPoolExecutor(20) as pool:
        tokens = set(pool.map(lambda _: app.redeem(lease_id, resource), range(20)))

    assert len(tokens) == 1
    assert (counts[VAULT], counts[ENTRA]) == (1, 1)
    assert not [asked for asked in counts if asked.startswith("graph")]
    assert counts[TABLE_READ] <= 20 + 20 + 1, "each looks at its lease before and after, and one at the session"
    assert counts[TRANSACTION] == counts[QUEUE_SEND] == 0


def test_a_lease_that_is_none_costs_one_table_request_and_no_sign_in(app: App) -> None:
    with app.counting() as counts, pytest.raises(AssertionError, match="leaseNotFound"):
        app.redeem(str(uuid4()), "graph")

    assert counts == {TABLE_READ: 1}


def test_an_action_that_turns_the_session_on_costs_eight_table_requests_and_one_sign_in(app: App) -> None:
    app.call("PUT", "/session", "operator", {"state": "off"})
    app.call("PUT", "/auto-enable", "administrator", {"enabled": True})
    app.work()
    app.call("POST", "/policy-checks", "operator")
    app.work()

    with app.counting() as counts:
        lease_id = app.ask()

    assert app.redeem(lease_id, "graph")
    reads, lines = 3, 3  # the gate, the tenant and who else waits; the due entry, and in the list one line for another
    assert counts[TABLE_READ] == reads
    assert counts[TRANSACTION] == 2
    assert sum(asked.startswith("tables") for asked in counts.elements()) == reads + lines + 2
    assert counts[QUEUE_SEND] == 1
    assert counts[ENTRA] <= 2, "the account, and the application that reads its roles"


LATE = ("msal", "azure.identity", "azure.keyvault", "azure.data.tables", "azure.storage.queue", "azure.core")
LATER = ("jwt", "cryptography", "yaml", "requests", "urllib3", "jsonschema")


def test_importing_the_app_loads_no_library_and_no_service_that_a_first_request_does_not_need_yet() -> None:
    script = "import json, sys, function_app; json.dump(sorted(sys.modules), sys.stdout)"

    run = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True)

    loaded = set(json.loads(run.stdout))
    assert "functions.tenants" in loaded
    assert loaded & {*LATE, *LATER} == set()
    assert {name for name in loaded if name.startswith("shared.")} == {"shared.domain", "shared.domain.ids"}


def test_answering_who_has_no_token_loads_none_of_them_either() -> None:
    script = """
import json, sys
from pathlib import Path
import azure.functions as func
import function_app
from functions.health import get_liveness
from functions.tenants import get_tenant
request = func.HttpRequest("GET", "http://localhost/api/v1/tenants/x", body=b"")
answers = [door._function.get_user_function()(request).status_code for door in (get_liveness, get_tenant)]
json.dump([answers, sorted(sys.modules)], sys.stdout)
"""
    settings = app_settings("https://127.0.0.1", "https://127.0.0.1", "UseDevelopmentStorage=true", "")

    run = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, env=settings, check=True
    )

    answers, loaded = json.loads(run.stdout)
    assert answers == [200, 401]
    assert set(loaded) & {*LATE, "cryptography", "jwt", "yaml"} == set()
