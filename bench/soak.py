"""`python -m bench.soak` takes a great many requests for a token in one process and tells how much memory it has then.

It is a program of its own because its memory is what is measured. The app is as in production, but for the tables:
they are in memory, so that a hundred thousand requests take a minute. It reads one JSON object from standard input,
`{"rows": [entity], "requests": [arguments of func.HttpRequest], "count", "settled"}`, and writes the resident kibibytes
after `settled` requests and after `count` as a JSON array.
"""

from __future__ import annotations

import gc
import json
import sys
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import azure.functions as func

import function_app
from bench.counted_tables import Asked, CountedTable
from shared import wiring
from shared.adapters.clock import SystemClock
from shared.adapters.storage import tenant_table

_EVERY: Final = 10
"""Every tenth request is for a lease that never was, so that what is asked for by strangers is seen to be forgotten."""


def main() -> None:
    """Runs to the end; fails when a request is not answered as it should be."""
    given = json.load(sys.stdin)
    tables: dict[str, CountedTable] = {}

    def table(_: object, name: str) -> CountedTable:
        return tables.setdefault(name, CountedTable(Asked(), SystemClock()))

    setattr(wiring, "AzureTable", table)  # noqa: B010 - production's own module is what has to be told
    wiring.services()
    for row in given["rows"]:
        tables[tenant_table.NAME].put(row)
    (redeem,) = (
        each.get_user_function()
        for each in function_app.app.get_functions()
        if each.get_function_name() == "redeemLease"
    )
    requests = cycle([func.HttpRequest(**{**each, "body": each["body"].encode()}) for each in given["requests"]])
    settled = 0
    for number, request in enumerate(islice(requests, given["count"])):
        _expect(redeem(request), 200)
        if number % _EVERY == 0:
            _expect(redeem(_for_no_lease(request)), 404)
        if number == given["settled"]:
            settled = _resident()
    sys.stdout.write(json.dumps([settled, _resident()]))


def _for_no_lease(request: func.HttpRequest) -> func.HttpRequest:
    parameters = {**request.route_params, "leaseId": str(uuid4())}
    return func.HttpRequest(
        request.method, request.url, headers=request.headers, route_params=parameters, body=request.get_body()
    )


def _expect(answer: Any, status: int) -> None:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.status_code} instead of {status}: {answer.get_body()[:200]!r}")


def _resident() -> int:
    """KiB of this process in memory, without what is only waiting to be collected (proc_pid_status(5))."""
    gc.collect()
    status = Path("/proc/self/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


if __name__ == "__main__":
    main()
