"""What a function costs that makes the same storage requests as a door of ours, and does nothing else.

No token is checked, no body is read strictly, no rule is applied, nothing is logged: only Azure's libraries, with
their own defaults.
"""

import json
import os
import uuid
from base64 import b64decode
from collections.abc import Iterator
from functools import cache

import azure.functions as func
from azure.data.tables import TableClient, UpdateMode
from azure.storage.queue import QueueClient, TextBase64EncodePolicy

bp = func.Blueprint()

READ_ROUTE = "bare/rows/{partition}/{row}"
REQUESTS = "bare-requests"
RESULTS = "bare-results"
TABLE = "Bare"

_GATES = 16

_CONNECTION = "SessionStorage"  # the setting that the triggers name too

_ACTION = json.dumps({"text": "as long as the record of an action " * 20})
_ENTRY = json.dumps({"text": "as long as an entry of the trail " * 15})


@cache
def _table(name: str) -> TableClient:
    return TableClient.from_connection_string(os.environ[_CONNECTION], name)


@cache
def _results() -> QueueClient:
    policy = TextBase64EncodePolicy()
    return QueueClient.from_connection_string(os.environ[_CONNECTION], RESULTS, message_encode_policy=policy)


def gates(partition: str) -> Iterator[dict[str, str | bool]]:
    """The rows that requests read and write: as many as a tenant has gates, so that as many are in each other's way."""
    for number in range(_GATES):
        yield {"PartitionKey": partition, "RowKey": _gate(number), "State": "open", "Used": False, "Leases": "[]"}


def _gate(number: int) -> str:
    return f"gate-{number % _GATES:x}"


@bp.function_name("bareRead")
@bp.route(route=READ_ROUTE, methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def bare_read(req: func.HttpRequest) -> func.HttpResponse:
    """One point read of a row of the service's."""
    entity = _table("Tenants").get_entity(req.route_params["partition"], req.route_params["row"])
    return func.HttpResponse(json.dumps({"state": entity["State"]}), mimetype="application/json")


@bp.function_name("bareRequest")
@bp.queue_trigger(arg_name="msg", queue_name=REQUESTS, connection=_CONNECTION)
def bare_request(msg: func.QueueMessage) -> None:
    """One table read, one transaction of three rows, one message: what granting a lease takes."""
    message = json.loads(b64decode(msg.get_body()))
    partition, number = message["partition"], message["number"]
    gate = _table(TABLE).get_entity(partition, _gate(number))
    entry = uuid.uuid4()
    _table(TABLE).submit_transaction(
        [
            ("update", {**gate, "Used": True}, {"mode": UpdateMode.REPLACE}),
            ("create", {"PartitionKey": partition, "RowKey": f"action-{entry}", "Document": _ACTION}),
            ("create", {"PartitionKey": partition, "RowKey": f"entry-{entry}", "Document": _ENTRY}),
        ]
    )
    _results().send_message(json.dumps({"number": number, "partition": partition}))
