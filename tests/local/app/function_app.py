"""A small app with one function of each kind, which tells what it was given."""

from __future__ import annotations

import json
import logging
import threading

import azure.functions as func

app = func.FunctionApp()

messages: list[func.QueueMessage] = []  # what Record was given
poisoned: list[str] = []  # what Poisoned was given
ticks: list[func.TimerRequest] = []  # what Tick was given
released = threading.Event()  # ends a slow run of Record
meeting = threading.Barrier(2)  # two requests that must be under way at the same time


@app.function_name("Echo")
@app.route("things/{thing:guid}/{number:int?}", methods=["GET", "POST"], auth_level=func.AuthLevel.ANONYMOUS)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "route": dict(req.route_params),
        "body": req.get_body().decode(),
    }
    logging.getLogger("app").info("echoed")
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"X-Served-By": "Echo"})


@app.function_name("Files")
@app.route("files/{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def files(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(dict(req.route_params)))


@app.function_name("Behave")
@app.route("behave/{how}", auth_level=func.AuthLevel.ANONYMOUS)
def behave(req: func.HttpRequest) -> func.HttpResponse:
    match req.route_params["how"]:
        case "raise":
            raise RuntimeError("only-for-tests-raised")
        case "text":
            return "just text"  # type: ignore[return-value]
        case "inject":
            return func.HttpResponse(headers={"X-Split": "one\r\nX-Other: two"})
        case "no-content":
            return func.HttpResponse(status_code=204)
        case "meet":
            meeting.wait(timeout=10)
    return func.HttpResponse("done")


@app.function_name("Guarded")
@app.route("guarded", auth_level=func.AuthLevel.FUNCTION)
def guarded(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("let in")


@app.function_name("Record")
@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%", connection="SessionStorage")
def record(msg: func.QueueMessage) -> None:
    messages.append(msg)
    if b"slow" in msg.get_body():
        released.wait(timeout=10)
    if b"fail" in msg.get_body():
        raise RuntimeError("only-for-tests-raised")


@app.function_name("Poisoned")
@app.queue_trigger(arg_name="msg", queue_name="%WORK_QUEUE%-poison", connection="SessionStorage")
def poisoned_work(msg: func.QueueMessage) -> None:
    poisoned.append(msg.get_body().decode())
    if b"fail again" in msg.get_body():
        raise RuntimeError("only-for-tests-raised")


@app.function_name("Tick")
@app.timer_trigger(arg_name="timer", schedule="%TICK_SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    ticks.append(timer)
    if len(ticks) == 1:
        raise RuntimeError("only-for-tests-raised")
