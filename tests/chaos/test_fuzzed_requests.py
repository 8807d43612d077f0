"""The API is fuzzed from its own OpenAPI file: no request, however strange, gets an answer outside the contract."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation

from local.addresses import PROJECT
from local.client import Client
from local.stack import Stack
from local.tokens import claims_of
from tests.chaos.callers import Caller
from tests.chaos.customers import consented
from tests.chaos.evidence import Evidence
from tests.chaos.mailbox import Mailbox
from tests.chaos.story import People, Story
from tests.chaos.tally import Tally

_SERVED: Final = ["2xx", "4xx", "503"]
_REFUSED: Final = ["4xx", "503"]
"""What the contract forbids may be refused for any reason: the caller is another role's, or the tenant unknown."""
_CHECKS: Final = {
    "not_a_server_error": {"expected-statuses": _SERVED},
    "negative_data_rejection": {"expected-statuses": _REFUSED},
    "positive_data_acceptance": {"enabled": False},  # what is well-formed may still not be possible now
    "unsupported_method": {"enabled": False},  # the platform answers 404, not 405
    "ignored_auth": {"enabled": False},  # tests/doors/test_rights.py has a row for every door and every caller
}
_FRAMING: Final = {"content-length", "transfer-encoding", "connection", "host", "expect", "upgrade"}
_LAST: Final = ("deleteServiceAccount", "stopAllSessions")
"""What ends sessions comes when everything else has met them."""


Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Any]


def _operations() -> dict[str, Operation]:
    schema = schemathesis.openapi.from_path(
        PROJECT / "contracts" / "openapi.yaml", config=SchemathesisConfig.from_dict({"checks": _CHECKS})
    )
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    assert len(found) == sum(1 for _ in schema.get_all_operations())
    named = {str(operation.definition.raw["operationId"]): operation for operation in found}
    return dict(sorted(named.items(), key=lambda pair: pair[0] in _LAST))


def _takes_input(operation: Operation) -> bool:
    """Whether there is anything in it to be wrong; the caller's token is given."""
    return bool(operation.body) or any(each.name != "Authorization" for each in operation.iter_parameters())


OPERATIONS: Final = _operations()


@dataclass(frozen=True, slots=True)
class Target:
    """A running service with customers in several states, and who calls it."""

    client: Client
    callers: tuple[Caller, ...]
    paths: tuple[dict[str, str], ...]  # path parameters that mean something: what they name exists


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, is_quick: bool) -> Iterator[Target]:
    with Stack(directory=tmp_path_factory.mktemp("fuzzed")) as stack:
        client = Client(stack.addresses)
        people = People.of(client)
        executor = str(claims_of(people.executor.token)["azp"])
        with Mailbox(stack.addresses.storage_connection_string, executor=executor) as mailbox:
            tenants = consented(client, 3 if is_quick else 24)
            with closing(Evidence(client)) as evidence:
                paths = tuple(
                    _prepared(Story(tenant_id, people, mailbox, threading.Event()), number, evidence)
                    for number, tenant_id in enumerate(tenants)
                )
            yield Target(client, (people.administrator, people.operator, people.executor), paths)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        pytest.param(name, mode, id=f"{name}-{mode.value}")
        for name, operation in OPERATIONS.items()
        for mode in GenerationMode
        if mode is GenerationMode.POSITIVE or _takes_input(operation)
    ],
)
def test_every_answer_is_one_that_the_contract_knows(
    name: str, mode: GenerationMode, target: Target, tally: Tally, is_quick: bool, seed: int
) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=5 if is_quick else 60,
        phases=[Phase.generate],  # the failing request is printed as it was; making it smaller takes minutes
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
    )
    @hypothesis.given(_requests(OPERATIONS[name], mode, target))
    def answered(case: Request) -> None:
        tally.fuzzed += 1
        try:
            case.call_and_validate(base_url=target.client.addresses.api)
        except FailureGroup:
            tally.astray += 1
            raise

    answered()


def test_nothing_the_fuzzer_began_was_given_up(target: Target) -> None:
    tenants = {path["tenantId"] for path in target.paths}

    with closing(Evidence(target.client)) as evidence:
        assert [message for tenant_id in tenants for message in evidence.poison(tenant_id)] == []


def _requests(operation: Operation, mode: GenerationMode, target: Target) -> st.SearchStrategy[Request]:
    """Requests of every caller: about what there is in most cases, and about what there is not."""
    named = set(re.findall(r"\{(\w+)\}", operation.path))
    paths = st.sampled_from([{}, *target.paths]).map(lambda path: {key: path[key] for key in path if key in named})
    tokens = st.sampled_from([caller.token for caller in target.callers])
    return (
        st.tuples(paths, tokens)
        .flatmap(
            lambda chosen: operation.as_strategy(
                generation_mode=mode,
                path_parameters=chosen[0],
                headers={"Authorization": f"Bearer {chosen[1]}"},
            )
        )
        .filter(_arrives)
    )


def _arrives(case: Request) -> bool:
    """False for what the platform keeps from us: it drops empty query parameters, and answers broken framing itself."""
    is_whole = not {name.lower() for name in case.headers} & _FRAMING
    return is_whole and "" not in case.query.values()


def _prepared(story: Story, number: int, evidence: Evidence) -> dict[str, str]:
    """A customer in one of three states, and the path parameters that are about it."""
    story.onboard()
    known = {"tenantId": story.tenant_id}
    if number % 3 == 0:
        return known
    story.create()
    story.allow_auto_enable()
    known["operationId"] = str(evidence.operations(story.tenant_id)[0].operation_id)
    if number % 3 == 1:
        return known
    story.ask_for(1)
    action_id, lease_id = story.leases[0]
    return known | {"actionId": action_id, "leaseId": lease_id}
