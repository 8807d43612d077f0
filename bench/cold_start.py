"""Mark 5: what an instance costs that has just begun: the import of the app, and the first request of each door.

Instructions are counted by callgrind (valgrind): they say the same on every machine and at every load.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from statistics import median
from typing import Any, Final
from uuid import uuid4

from bench.figures import Figure, at_most, counted, ratio, timed
from bench.mailbox import action_completion, action_request, encoded
from bench.measuring import in_turns
from bench.place import Place
from bench.processes import Processes, can_count
from functions.contract import document
from local.tokens import bearer

Json = dict[str, Any]

_APP: Final = ("-c", "import function_app")
_AZURE_FUNCTIONS: Final = ("-c", "import azure.functions")
_FIVE: Final = ("-c", "import azure.functions, azure.identity, azure.keyvault.secrets, azure.data.tables, msal")
"""The packages that the platform and the task fix."""
_FIRST_TOKEN: Final = ("-m", "bench.first_requests", "--alone")
_IMPORT: Final = "import function_app to import azure.functions"
_TOKEN: Final = "first token request to import of the five packages"  # noqa: S105 - a heading
_TYPICAL: Final = 0.5
_LIBRARIES: Final = (
    "azure.data.tables",
    "azure.storage.queue",
    "azure.keyvault",
    "azure.identity",
    "msal",
    "jwt",
    "yaml",
)
"""What a first request may load that costs more than our own modules."""

_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class ColdStart:
    """Starts of processes that know the way to a running stack."""

    def __init__(self, place: Place, processes: Processes) -> None:
        self._processes = processes
        self._requests = list(_requests(place))
        self._token = next(f"{json.dumps(each)}\n" for each in self._requests if each["function"] == "redeemLease")

    def timed(self, *, times: int) -> Iterator[Figure]:
        """Each start is timed so often, in turns."""
        run = self._processes.run
        acts = {
            "alone": partial(run, *_AZURE_FUNCTIONS),
            "app": partial(run, *_APP),
            "five": partial(run, *_FIVE),
            "token": partial(run, *_FIRST_TOKEN, text=self._token),
        }
        in_turns(acts, rounds=1, times=1)  # now everything is compiled
        found = in_turns(acts, rounds=1, times=times)
        yield ratio(5, f"{_IMPORT}, time", found.ratio("app", "alone", _TYPICAL), at_most(1.15))
        request = found.typical("token", _TYPICAL) - found.typical("app", _TYPICAL)
        yield ratio(5, f"{_TOKEN}, time", request / found.typical("five", _TYPICAL), at_most(1.3))
        yield timed(5, "import function_app", 1000 * found.typical("app", _TYPICAL), "ms")
        yield timed(5, "start to first token", 1000 * found.typical("token", _TYPICAL), "ms")

    def counted(self) -> Iterator[Figure]:
        """The same in instructions; nothing where there is no valgrind."""
        if not can_count():
            return
        runs = _AZURE_FUNCTIONS, _APP, _FIVE, _FIRST_TOKEN
        alone, app, five, token = self._processes.instructions(*runs, text=self._token)
        yield counted(5, f"{_IMPORT}, instructions", app / alone, "x", at_most(1.15))
        yield counted(5, f"{_TOKEN}, instructions", (token - app) / five, "x", at_most(1.3))
        yield counted(5, "start to first token, to the same, instructions", token / five, "x")

    def doors(self) -> Iterator[Figure]:
        """The doors, grouped by the libraries that their first request loads; afterwards the customers are no use."""
        text = "".join(f"{json.dumps(request)}\n" for request in self._requests)
        answers = map(json.loads, self._processes.run("-m", "bench.first_requests", text=text).splitlines())
        groups: defaultdict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
        for request, answer in zip(self._requests, answers, strict=True):
            if answer["status"] >= 500:
                raise RuntimeError(f"the first request of {request['function']} was answered {answer['status']}")
            loads = tuple(name for name in _LIBRARIES if name in answer["loads"])
            groups[loads][request["function"]] = answer["seconds"]
        for loads, doors in sorted(groups.items()):
            which = next(iter(doors)) if len(doors) == 1 else f"{len(doors)} doors"
            what = f"first request of {which}: loads {', '.join(loads) or 'none of the libraries'}"
            yield timed(5, what, 1000 * median(doors.values()), "ms")


def _requests(place: Place) -> Iterator[Json]:
    """A request for each function: of HTTP doors the contract's own example, first those that change nothing."""
    tenant_id, lease_id, action_id = place.lease()
    known = {"tenantId": tenant_id, "leaseId": lease_id, "actionId": action_id}
    operations = [
        (method.upper(), path, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if "operationId" in operation
    ]
    for method, path, operation in sorted(operations, key=_harm):
        rights = operation.get("x-rights")
        body = json.dumps(_example(operation))
        token = {"authorization": f"Bearer {bearer(place.client, rights[0])}"} if rights else {}
        yield {
            "function": operation["operationId"],
            "method": method,
            "url": f"{place.stack.addresses.api}{path}",
            "parameters": {name: known.get(name, str(uuid4())) for name in _PARAMETER.findall(path)},
            "headers": {"content-type": "application/json", "content-length": str(len(body))} | token,
            "body": body if method != "GET" else "",
        }
    executor = str(uuid4())
    for function, message in (
        ("decideOnAction", action_request(tenant_id, executor=executor)),
        ("completeAction", action_completion(tenant_id, action_id)),
        ("closeActionRequest", action_request(tenant_id, executor=executor)),
        ("closeActionCompletion", action_completion(tenant_id, action_id)),
    ):
        yield {"function": function, "message": encoded(message)}
    yield {"function": "upkeep"}


def _harm(found: tuple[str, str, Json]) -> tuple[int, bool]:
    """The later, the more of what others need is gone afterwards; of POSTs those to a lease come first."""
    method, path, _ = found
    return ("GET", "POST", "PUT", "DELETE").index(method), "{leaseId}" not in path


def _example(operation: Json) -> object:
    """The body that the contract shows; an empty one where it shows none."""
    media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = [each["value"] for each in media.get("examples", {}).values()]
    return media.get("example", examples[0] if examples else {})
