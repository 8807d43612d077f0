"""What the code names exists in Azure, and nothing exists there that the code does not name."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from local.stack import QUEUES, TABLES
from shared.adapters.storage import due_table, tenant_index_table, tenant_table
from shared.adapters.storage.messages import OPERATIONS, RESULTS
from shared.domain.limits import Limits
from tests.infra import code
from tests.infra.bicep_syntax import Declaration, Node, read
from tests.infra.bicep_template import Deployment
from tests.infra.environments import INFRA, PROJECT, worked_out
from tests.infra.promises import ROLE, SETTINGS, SITE, STORAGE, settings

HOST = json.loads((PROJECT / "host.json").read_text("utf-8"))
TRIGGERS = {queue for queue in code.trigger_queues() if not queue.endswith("-poison")}
SENT = {OPERATIONS, *RESULTS.values()}

ONLY_LOCAL = {"SessionStorage", "APP_CLIENT_SECRET", "ONBOARDING_CLIENT_SECRET"}
"""A connection string and client secrets: what the cloud has an identity for."""
OF_THE_PLATFORM = re.compile(
    r"AzureWebJobsStorage__\w+|AzureWebJobsDisableHomepage|AzureFunctionsJobHost__\w+|APPLICATIONINSIGHTS_\w+"
    r"|PYTHON_\w+|SessionStorage__(queueServiceUri|credential)"
)
"""What the host, its storage connections or the Python worker read."""

BLOB_OWNER = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
QUEUE_PROCESSOR = "8a0f0c08-91a1-4084-bc3d-661d67233fed"
QUEUE_SENDER = "c6a89b2d-59bc-44d0-9896-0b6e12d7b80a"
TABLE_CONTRIBUTOR = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3"
SECRETS_OFFICER = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"


def named(deployment: Deployment, kind: str) -> set[str]:
    """Names, without their parents', of the session storage's tables or queues."""
    return {each.name.rpartition("/")[2] for each in deployment.of(f"{STORAGE}/{kind}")}


def configured() -> set[str]:
    """Every setting that Bicep may set, whatever its parameters are."""
    app = next(d for d in read((INFRA / "main.bicep").read_text("utf-8")) if d.kind == "module" and d.name == "app")
    site = next(d for d in read((INFRA / "modules/functionApp.bicep").read_text("utf-8")) if d.name == "site")
    own = next(inner for inner in site.inner if inner.name == "appSettings")
    return {key for key in [*_keys(app), *_keys(own)] if "_" in key or key.startswith("AzureWebJobs")}


def _keys(declaration: Declaration) -> list[str]:
    assert declaration.body is not None
    return [str(node.parts[0].value) for node in _walk(declaration.body) if node.kind == "entry"]


def _walk(node: Node) -> list[Node]:
    return [node, *(each for part in node.parts for each in _walk(part))]


def span(text: str) -> timedelta:
    hours, minutes, seconds = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def test_the_tables_are_those_that_the_code_opens(prod: Deployment) -> None:
    opened = {tenant_table.NAME, tenant_index_table.NAME, due_table.NAME}
    wiring = (PROJECT / "shared" / "wiring.py").read_text("utf-8")

    assert named(prod, "tableServices/tables") == opened == set(TABLES)
    assert wiring.count("AzureTable(") == len(opened)


def test_the_queues_are_those_that_the_code_reads_and_writes(prod: Deployment) -> None:
    poison = {f"{queue}-poison" for queue in TRIGGERS}

    assert named(prod, "queueServices/queues") == TRIGGERS | poison | SENT
    assert code.trigger_queues() == TRIGGERS | poison
    assert set(QUEUES) == TRIGGERS | SENT  # the local platform makes the poison queues, as Azure's would


def test_every_trigger_uses_the_connection_that_is_configured(prod: Deployment) -> None:
    assert code.connections() == {"SessionStorage"}
    assert settings(prod)["SessionStorage__accountName"] == prod.of(STORAGE)[1].name


def test_every_setting_that_a_binding_names_is_configured(dev: Deployment, prod: Deployment) -> None:
    assert code.placeholders() == {"UPKEEP_SCHEDULE"}
    assert code.placeholders() <= settings(dev).keys() & settings(prod).keys()


def test_every_setting_that_the_code_reads_is_configured_but_those_for_local_use(prod: Deployment) -> None:
    assert code.settings_read() - settings(prod).keys() == ONLY_LOCAL


def test_every_setting_that_is_configured_is_read_by_the_code_or_by_the_platform() -> None:
    known = code.settings_read() | code.placeholders()

    assert {name for name in configured() - known if not OF_THE_PLATFORM.fullmatch(name)} == set()


def test_the_app_has_the_roles_it_needs_and_no_other(prod: Deployment) -> None:
    host, session = (each.name for each in prod.of(STORAGE))
    vault, component = (
        prod.of(type_)[0].name for type_ in ("Microsoft.KeyVault/vaults", "Microsoft.Insights/components")
    )
    needed = {
        (host, BLOB_OWNER),
        (session, TABLE_CONTRIBUTOR),
        (vault, SECRETS_OFFICER),
        (component, METRICS_PUBLISHER),
    }
    needed |= {(f"{session}/default/{queue}", QUEUE_CONTRIBUTOR) for queue in code.trigger_queues()}
    needed |= {(f"{session}/default/{queue}", QUEUE_SENDER) for queue in SENT - code.trigger_queues()}

    assert assigned(prod) == {(scope, role, prod.outputs["IDENTITY_PRINCIPAL_ID"]) for scope, role in needed}


def test_an_executor_may_ask_and_complete_and_read_the_answers_of_its_kind_only(tmp_path: Path) -> None:
    infra = shutil.copytree(INFRA, tmp_path / "infra")
    with (infra / "environments" / "prod.bicepparam").open("a", encoding="utf-8") as file:
        file.write("param executors = [\n  { principalId: 'robot', kind: 'workflow' }\n")
        file.write("  { principalId: 'robot', kind: 'custom-action' }\n]\n")

    deployment = worked_out("prod", infra=infra)

    queues = f"{deployment.of(STORAGE)[1].name}/default"
    assert {each for each in assigned(deployment) if each[2] == "robot"} == {
        (f"{queues}/action-requests", QUEUE_SENDER, "robot"),
        (f"{queues}/action-completions", QUEUE_SENDER, "robot"),
        (f"{queues}/action-results-workflow", QUEUE_PROCESSOR, "robot"),
        (f"{queues}/action-results-custom-action", QUEUE_PROCESSOR, "robot"),
    }


def assigned(deployment: Deployment) -> set[tuple[str, str, str]]:
    """Who may do what where: scope, role and principal."""
    return {
        (each.scope, each["properties.roleDefinitionId"].rpartition("/")[2], each["properties.principalId"])
        for each in deployment.of(ROLE)
    }


def test_the_host_leaves_it_to_us_to_decode_what_senders_encode() -> None:
    sender, receiver = (
        (PROJECT / path).read_text("utf-8") for path in ("shared/adapters/storage/queues.py", "functions/envelope.py")
    )

    assert HOST["extensions"]["queues"]["messageEncoding"] == "none"
    assert "message_encode_policy=TextBase64EncodePolicy()" in sender
    assert "b64decode(" in receiver


def test_no_invocation_waits_for_a_thread(prod: Deployment) -> None:
    queues, threads = HOST["extensions"]["queues"], int(settings(prod)["PYTHON_THREADPOOL_THREAD_COUNT"])
    scale = "properties.functionAppConfig.scaleAndConcurrency.triggers.http.perInstanceConcurrency"

    assert prod.of(SITE)[0][scale] <= threads
    assert queues["batchSize"] + queues["newBatchThreshold"] <= threads


def test_a_message_outlasts_a_minute_without_tables_and_is_tried_well_within_its_deadline() -> None:
    queues = HOST["extensions"]["queues"]
    tried_for = (queues["maxDequeueCount"] - 1) * span(queues["visibilityTimeout"])

    assert timedelta(minutes=1) < tried_for < Limits().answer_within / 2


def test_the_log_level_lets_the_host_s_poison_warning_and_our_events_through() -> None:
    levels = HOST["logging"]["logLevel"]

    assert levels["default"] in ("Warning", "Information")
    assert levels["Function"] == "Information"


def test_the_address_of_the_api_has_the_prefix_of_its_routes(prod: Deployment) -> None:
    assert prod.outputs["SERVICE_API_URI"].endswith(f"/{HOST['extensions']['http']['routePrefix']}")


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_settings_stand_in_one_resource(environment: str) -> None:
    assert len(worked_out(environment).of(SETTINGS)) == 1
