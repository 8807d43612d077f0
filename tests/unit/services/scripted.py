"""Ports of a stage that refuse when a test says so, and people who change the tenant behind our back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.domain.secret import Secret
from tests.fakes.microsoft365 import FakeUser
from tests.host import Host
from tests.stage import Stage


def answers(port: object, method: str, answer: Callable[..., Any]) -> None:
    """From now on the port's method answers as `answer`, which is given what the method did before."""
    before = getattr(port, method)
    setattr(port, method, lambda *given, **named: answer(before, *given, **named))


def refuses(port: object, method: str, error: Exception, *, times: int = 1_000) -> list[Exception]:
    """The next calls of a port's method raise the error; emptied, the list it returns ends that."""
    left = [error] * times

    def answer(before: Callable[..., Any], *given: object, **named: object) -> Any:
        if left:
            raise left.pop()
        return before(*given, **named)

    answers(port, method, answer)
    return left


def refuses_every_second(port: object, method: str, error: Exception) -> Counter[str]:
    """Every other call of a port's method raises the error, the first one too; how many were refused, and answered."""
    counted: Counter[str] = Counter()

    def answer(before: Callable[..., Any], *given: object, **named: object) -> Any:
        outcome = "refused" if counted["refused"] == counted["answered"] else "answered"
        counted[outcome] += 1
        if outcome == "refused":
            raise error
        return before(*given, **named)

    answers(port, method, answer)
    return counted


def with_account() -> Stage:
    """A tenant with its service account, for longer than Entra may need to know it everywhere; checked by itself."""
    stage = Stage()
    stage.onboard()
    stage.create_account()
    Host(stage).run(timedelta(hours=1))
    assert stage.tenant.account.is_usable
    return stage


def our_user(stage: Stage) -> FakeUser:
    """The service account, as the tenant has it."""
    user = stage.microsoft365.find(lambda user: user.object_id == stage.tenant.account.object_id)
    assert user is not None
    return user


def change_password(stage: Stage) -> None:
    """Somebody in the tenant sets another password."""
    our_user(stage).password = Secret("only-for-tests-changed-by-somebody")
