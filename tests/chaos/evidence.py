"""What is really there: the rows as they lie in the tables, the simulated tenant as it is, the vault as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from local.client import Client
from local.simulator.seed import MANAGED_IDENTITY
from shared.adapters.storage import tenant_index_table, tenant_table
from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.rows import document_row
from shared.adapters.storage.table import AzureTable
from shared.adapters.storage.tenant_index_table import TenantIndexTable
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.action import Action
from shared.domain.ids import TenantId
from shared.domain.lease import Gate
from shared.domain.operation import Operation
from shared.domain.poison import PoisonMessage
from shared.domain.secret import Secret
from shared.domain.store import TenantSummary
from shared.domain.tenant import Tenant
from tests.chaos.callers import Json

_API_VERSION: Final = "2025-07-01"


@dataclass(frozen=True, slots=True)
class Kept:
    """One version of a secret that can be read."""

    name: str
    version: str


class Evidence:
    """Looks, and changes nothing."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._account = StorageAccount(Secret(client.addresses.storage_connection_string))
        self._table = AzureTable(self._account, tenant_table.NAME)
        self._rows = TenantTable(self._table)
        self._index = TenantIndexTable(AzureTable(self._account, tenant_index_table.NAME))

    def close(self) -> None:
        """Give the connections back."""
        self._account.close()

    # ── the tables ───────────────────────────────────────────────────────────────────────────────────────────────────

    def tenant(self, tenant_id: str) -> Tenant:
        return self._rows.tenant(_id(tenant_id)).row

    def gates(self, tenant_id: str) -> list[Gate]:
        return [gate.row for gate in self._rows.overview(_id(tenant_id)).gates]

    def parked(self, tenant_id: str) -> int:
        """How many requests wait for an answer."""
        return len(self._rows.parked(_id(tenant_id)))

    def poison(self, tenant_id: str) -> list[PoisonMessage]:
        return [message.row for message in self._rows.poison_messages(_id(tenant_id))]

    def operations(self, tenant_id: str) -> list[Operation]:
        """Every operation there ever was, in no order."""
        found = self._table.between(tenant_id, "operation-", "operation.")
        return [document_row(each.entity, Operation) for each in found]

    def actions(self, tenant_id: str) -> list[Action]:
        """Every action that was taken in, in no order."""
        return [document_row(each.entity, Action) for each in self._table.between(tenant_id, "action-", "action.")]

    def listed(self) -> list[TenantSummary]:
        """The list of tenants, every line of it."""
        lines: list[TenantSummary] = []
        continuation = None
        while True:
            page = self._index.list(state=None, limit=200, continuation=continuation)
            lines += page.items
            continuation = page.continuation
            if continuation is None:
                return lines

    # ── the simulated Microsoft 365 ──────────────────────────────────────────────────────────────────────────────────

    def microsoft365(self, tenant_id: str) -> Json:
        """The tenant as its own administrators know it; deleted users included."""
        return _object(self._client.control("GET", f"/tenants/{tenant_id}").json)

    def sign_ins(self, tenant_id: str) -> int:
        """How often a password was sent to the tenant's token endpoint."""
        lines = self._client.control("GET", "/journal?service=entra").body.decode().splitlines()
        return sum(tenant_id in line and '"grant_type": "password"' in line for line in lines)

    def readable_secrets(self) -> list[Kept]:
        """Every version of every secret that is enabled and not deleted."""
        names = [_name(item) for item in self._vault("/secrets")]
        return [
            Kept(name, str(item["id"]).rpartition("/")[2])
            for name in names
            for item in self._vault(f"/secrets/{name}/versions")
            if item["attributes"]["enabled"]
        ]

    def _vault(self, path: str) -> Iterator[Json]:
        origin = self._client.addresses.key_vault
        url: str | None = f"{origin}{path}?{urlencode({'api-version': _API_VERSION})}"
        while url:
            page = _object(self._client.send("GET", url, None, {"Authorization": f"Bearer {self._token()}"}).json)
            yield from page["value"]
            url = page["nextLink"]

    def _token(self) -> str:
        """What App Service gives the app to open the vault with."""
        host, _, port = urlsplit(self._client.addresses.key_vault).netloc.partition(":")
        resource = f"https://{host.partition('.')[2]}:{port}"
        query = urlencode({"api-version": "2019-08-01", "resource": resource})
        url = f"{self._client.addresses.simulator}/msi/token?{query}"
        return str(
            _object(self._client.send("GET", url, None, {"X-IDENTITY-HEADER": MANAGED_IDENTITY.header}).json)[
                "access_token"
            ]
        )


def _id(tenant_id: str) -> TenantId:
    return TenantId(UUID(tenant_id))


def _name(item: Json) -> str:
    return str(item["id"]).rpartition("/")[2]


def _object(found: object) -> Json:
    if not isinstance(found, dict):
        raise TypeError(f"an object was expected, not {type(found).__name__}")
    return found
