"""Break a flow at one of its calls, let it come to rest, see what holds, and that the tenant can still be managed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache

from shared.domain.action import Verdict
from shared.domain.session import SessionState
from shared.domain.standing_refusal import drift
from shared.domain.tenant import AccountState
from tests.fakes.calls import Call
from tests.faults.faults import Fault
from tests.faults.flows import Act, Flow
from tests.faults.fork import fork
from tests.faults.promises import broken_promises, users_of_ours
from tests.host import Host, NotAtRest
from tests.stage import Stage

_AFTERWARDS = timedelta(minutes=12)
"""What a crash left unsaid is said by then: upkeep comes twice."""
_EVERY = 4
"""How many of the broken runs go on until all is managed and cleared again: one in so many, to keep the suite short."""


@cache
def calls_of(flow: Flow) -> tuple[Call, ...]:
    """The calls that the flow makes when nothing goes wrong: what is broken one by one."""
    stage, host = _begin(flow)
    _run(flow, stage, host)
    return tuple(stage.log.calls)


def broken(flow: Flow, fault: Fault, number: int) -> list[str]:
    """What does not hold after the fault at the flow's call of that number, counted from 1."""
    with _listening() as lines:
        stage, host = _begin(flow)
        fault.strike(stage, host, number)
        try:
            _run(flow, stage, host)
            host.run(_AFTERWARDS)
            host.settle()
            if not fault.is_foreseen:
                host.surprises.clear()
            wrong = broken_promises(stage, host, "\n".join(lines))
            if number % _EVERY == 1:
                wrong = wrong or [*_recovered(stage, host), *_cleared(stage, host)]
            return wrong
        except NotAtRest as error:
            return [f"it does not come to rest: {error}"]


@cache
def _given(*acts: Act) -> Stage:
    """The world after these acts, without any fault; to be forked, never used."""
    if not acts:
        return Stage()
    stage = fork(_given(*acts[:-1]))
    host = Host(stage)
    acts[-1](stage, host)
    host.settle()
    return stage


def _begin(flow: Flow) -> tuple[Stage, Host]:
    stage = fork(_given(*flow.given))
    return stage, Host(stage)


def _run(flow: Flow, stage: Stage, host: Host) -> None:
    for act in flow.when:
        act(stage, host)
    host.settle()


def _recovered(stage: Stage, host: Host) -> Iterator[str]:
    """The same calls as ever bring the tenant to where an executor can act."""
    stage.microsoft365.has_directory_role = True
    stage.onboard()
    stage.create_account()
    host.settle()
    if stage.tenant.account.state is not AccountState.CREATED:
        yield f"afterwards the account is {stage.tenant.account.state}: {stage.tenant.account.problem}"
        return
    if drift(stage.tenant):
        stage.rotate()
        host.settle()
    stage.turn_on()
    host.settle()
    if stage.tenant.session.state is not SessionState.ON:
        yield f"afterwards the session is {stage.tenant.session.state}: {stage.tenant.session.problem}"
        return
    request = stage.ask()
    if stage.decision(request).verdict is not Verdict.READY:
        yield f"afterwards an action is {stage.decision(request).verdict}"
    stage.redeem(request)
    yield from (f"afterwards {promise}" for promise in broken_promises(stage, host, ""))


def _cleared(stage: Stage, host: Host) -> Iterator[str]:
    """And then everything can be taken away again."""
    stage.remove_account()
    host.settle()
    if stage.tenant.account.state is not AccountState.NONE:
        yield f"in the end the account is {stage.tenant.account.state}: {stage.tenant.account.problem}"
    if users_of_ours(stage):
        yield "in the end a user is left"
    if set(stage.vault.names) - stage.vault.deleted:
        yield "in the end a secret is left"
    yield from (f"in the end {promise}" for promise in broken_promises(stage, host, ""))


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Everything that is logged inside, at every level."""
    lines: list[str] = []
    handler, logger = logging.Handler(), logging.getLogger()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
