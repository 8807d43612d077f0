"""`python -m bench.first_requests` imports the app and takes the first request of each door, each as a new process.

It is a program of its own because its start is what is measured. It reads requests as JSON lines from standard input
and answers each with a line: the status, the seconds of processor time, and the modules that were loaded for it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import azure.functions as func
from azure.functions.timer import TimerRequest

import function_app

Json = dict[str, Any]


def main() -> None:
    """With `--alone` only the first request is taken, by this process itself; otherwise each by one forked from it."""
    doors = {str(each.get_function_name()): each.get_user_function() for each in function_app.app.get_functions()}
    if "--alone" in sys.argv:
        _answer(doors, json.loads(sys.stdin.readline()))
        return
    for line in sys.stdin:
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            _answer(doors, json.loads(line))
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)


def _answer(doors: Mapping[str, Callable[..., Any]], request: Json) -> None:
    loaded, start = set(sys.modules), time.process_time()
    status = _knock(doors[request["function"]], request)
    seconds = time.process_time() - start
    sys.stdout.write(json.dumps({"status": status, "seconds": seconds, "loads": sorted(set(sys.modules) - loaded)}))
    sys.stdout.write("\n")


def _knock(door: Callable[..., Any], request: Json) -> int:
    """The status of the door's answer; 200 when it is one that answers nothing and has not raised."""
    if "message" in request:
        door(func.QueueMessage(body=request["message"].encode()))
        return 200
    if "method" not in request:
        door(TimerRequest(past_due=False))
        return 200
    body = request["body"].encode()
    asked = func.HttpRequest(
        request["method"], request["url"], headers=request["headers"], route_params=request["parameters"], body=body
    )
    return int(door(asked).status_code)


if __name__ == "__main__":
    main()
