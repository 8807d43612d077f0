"""docs/data.md has every table, row, column, size, queue and secret name of the code, and no others."""

from __future__ import annotations

import re
from dataclasses import fields
from importlib import import_module
from uuid import UUID

from local.stack import QUEUES, TABLES
from shared.adapters.storage import rows
from shared.adapters.storage.gates import gate_entity, gate_key
from shared.domain.allowed_ips import LOCATION_NAME, POLICY_NAME
from shared.domain.ids import GATES, AccountId, TenantId
from shared.domain.lease import Gate, Lease
from shared.domain.poison import PoisonMessage
from shared.domain.store import Due
from shared.domain.tenant import password_secret, session_secret
from tests.docs.pages import ROOT, inline_code, section, table, text_of
from tests.fakes import sample_rows

PAGE = text_of("data.md")
WORDS = " ".join(PAGE.split())
KINDS = table(PAGE, "Kind", "RowKey", "Class", "Fields of its document")
DOCUMENTS = {kind: document for document, kind in rows._KINDS.items()}
ID = UUID("11111111-1111-4111-8111-111111111111")


def bullet(title: str, beginning: str) -> str:
    """The item of a section's list that begins so."""
    items = re.split(r"^- ", section(PAGE, title), flags=re.MULTILINE)
    return next(item for item in items if item.startswith(beginning)).split("\n\n")[0]


def test_every_table_is_described() -> None:
    assert [row["Table"].strip("`") for row in table(PAGE, "Table", "PartitionKey", "RowKey", "Holds")] == list(TABLES)


def test_every_kind_of_row_is_described_by_its_class() -> None:
    classes = {rows.Kind.GATE: Gate, rows.Kind.DUE: Due, **DOCUMENTS}

    described = {row["Kind"].strip("`"): row["Class"].strip("`") for row in KINDS}

    assert described == {kind.value: classes[kind].__name__ for kind in rows.Kind}


def test_a_document_has_the_fields_that_are_listed() -> None:
    listed = {row["Kind"].strip("`"): row["Fields of its document"].split(", ") for row in KINDS}

    for kind, document in DOCUMENTS.items():
        assert listed[kind.value] == [each.name for each in fields(document)]


def test_a_row_lies_under_the_key_that_is_shown() -> None:
    shown = {row["Kind"].strip("`"): row["RowKey"].strip("`") for row in KINDS}
    tenant_id = TenantId(ID)
    samples: list[rows.Document] = [
        sample_rows.tenant_row(tenant_id),
        sample_rows.operation_row(tenant_id),
        sample_rows.action_row(tenant_id),
        sample_rows.parked_row(tenant_id),
        sample_rows.activity_row(tenant_id),
        sample_rows.replay_row(),
        sample_rows.policy_check_row(),
        PoisonMessage(ID, "operations", "{}", sample_rows.NOW, sample_rows.PROBLEM),
    ]

    keys = {rows._KINDS[type(sample)]: rows.row_key(sample) for sample in samples}

    assert keys.keys() == DOCUMENTS.keys() - {rows.Kind.TENANT_SUMMARY}
    for kind, key in keys.items():
        assert re.fullmatch(re.sub(r"\{[^}]*\}", "[0-9A-Za-z-]+", shown[kind.value]), key)
    assert shown["gate"] == f"{gate_key(0)}` … `{gate_key(GATES - 1)}"


def test_a_gate_has_the_columns_and_a_lease_the_fields_that_are_listed() -> None:
    text = bullet("Tables", "**Gates**")
    columns = [name for name in gate_entity("partition", Gate(0)) if name not in rows.header("", "", rows.Kind.GATE)]

    assert inline_code(text)[: len(columns)] == columns
    assert ", ".join(each.name for each in fields(Lease)) in text


def test_sizes_are_the_codes() -> None:
    for row in table(PAGE, "What", "Value", "Symbol", "File"):
        module = import_module(row["File"].strip("`").removesuffix(".py").replace("/", "."))

        assert getattr(module, row["Symbol"].strip("`")) == int(row["Value"]), row["Symbol"]


def test_every_queue_is_described() -> None:
    described = {row["Queue"].strip("`") for row in table(PAGE, "Queue", "From, to", "Schema")}

    doors = "".join(path.read_text("utf-8") for path in (ROOT / "functions").glob("*.py"))

    assert described == {*QUEUES, *re.findall(r'queue_name="([^"]+)"', doors)}


def test_every_secret_is_described() -> None:
    shown = [
        row["Secret"].strip("`") for row in table(PAGE, "Secret", "Holds", "A new version", "A version is disabled")
    ]

    names = [name.replace("{account id}", str(ID)).replace("{tenant id}", str(ID)) for name in shown]

    account, tenant = AccountId(ID), TenantId(ID)
    assert names == [password_secret(account), session_secret(tenant, account), session_secret(tenant, None)]


def test_what_we_make_in_a_tenant_is_called_as_it_is_said() -> None:
    assert f"“{LOCATION_NAME}”" in WORDS
    assert f"“{POLICY_NAME}”" in WORDS


def test_what_azure_keeps_is_kept_as_long_as_it_is_said() -> None:
    files = ("modules/vault.bicep", "environments/prod.bicepparam", "environments/dev.bicepparam")
    vault, production, development = ((ROOT / "infra" / path).read_text("utf-8") for path in files)

    assert "softDeleteRetentionInDays: 90" in vault
    assert "param logRetentionDays = 365" in production
    assert "param logRetentionDays = 30" in development
    assert "| deleted secrets | 90 days after" in PAGE
    assert "| logs | 365 days in production, 30 in development" in PAGE
