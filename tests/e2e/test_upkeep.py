"""Upkeep finds by itself, on the timer of the running host, what a customer and a dead attempt have left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.client import Client
from local.stack import Stack
from tests.e2e.customer import Customer
from tests.e2e.policy_changes import leaves_an_account

BRISK = {"UPKEEP_SCHEDULE": "* * * * * *", "STUCK_AFTER_SECONDS": "3"}
"""Upkeep comes every second, and looks at what has changed after three."""


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """A tenant whose session is on, on a stack of its own."""
    with Stack(directory=tmp_path_factory.mktemp("upkeep"), settings=BRISK) as stack:
        yield Customer.turned_on(Client(stack.addresses))


def test_lost_account_ends_its_session_is_healed_by_a_retry_and_what_nobody_owns_is_removed(customer: Customer) -> None:
    customer.auto_enable()
    customer.change(users={customer.account_name: {"properties": {"accountEnabled": False}}})

    customer.finish(customer.call("POST", "/policy-checks", content={}))
    customer.wait(lambda: customer.session()["state"] == "off")
    denied = customer.decision(customer.ask())
    lost = customer.shown()

    leaves_an_account(customer)
    customer.finish(customer.call("PUT", "/service-account", "administrator", {}))
    customer.wait(lambda: len(customer.users()) == 1)
    ready = customer.decision(customer.ask())
    healed = customer.shown()

    assert lost["serviceAccount"]["error"]["code"] == "accountLost"
    assert "is disabled" in lost["serviceAccount"]["error"]["message"]
    assert "retry the service account creation" in lost["nextStep"]["text"]
    assert (denied["decision"], denied["error"]["code"]) == ("denied", "accountLost")
    assert ready["decision"] == "ready"
    assert "error" not in healed["serviceAccount"]
    (left,) = customer.users(deleted=True)
    assert left["userPrincipalName"].endswith(customer.account_name.replace("@", "-2@"))
    story = ["sessionAccountLost", "sessionTurnedOff", "actionDenied", "serviceAccountCreated", "orphanRemoved"]
    told = [entry["kind"] for entry in reversed(customer.activity())]
    told = told[told.index("sessionTurnedOn") :]
    assert [kind for kind in told if kind in story][: len(story)] == story
