"""What could not be accepted, and what the platform gave up on, is found in the trail of the tenant it concerns."""

from __future__ import annotations

from uuid import uuid4

import pytest

from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.activity import Event
from shared.domain.errors import Code, NotFound, Problem, Refused
from shared.domain.ids import TenantId
from shared.services.record_refusal import NOBODY
from tests.people import ADMINISTRATOR, READER
from tests.stage import Stage

MALFORMED = Problem(Code.INVALID_VALUE, "This is not a kind of action.", "kind")
GIVEN_UP = Problem(Code.INTERNAL_ERROR, "This could not be done after several attempts.")
QUEUE, TEXT = "action-requests", '{"schemaVersion":1}'


def nobodys_events(stage: Stage) -> list[Event]:
    page = TenantTable(stage.store.table).activity(NOBODY, limit=200, continuation=None)
    return [entry.event for entry in page.items]


def test_refused_message_is_told_in_the_trail_of_the_tenant_it_names(onboarded: Stage) -> None:
    onboarded.services.refusals.record(QUEUE, MALFORMED, str(onboarded.tenant_id))

    entry = next(entry for entry in onboarded.trail if entry.event is Event.MESSAGE_REFUSED)
    assert entry.facts == {"queue": QUEUE, "code": "invalidValue", "target": "kind"}
    assert nobodys_events(onboarded) == []


@pytest.mark.parametrize("claimed", [None, str(uuid4())])
def test_message_that_names_no_tenant_of_ours_is_told_in_nobody_s_trail(onboarded: Stage, claimed: str | None) -> None:
    onboarded.services.refusals.record(QUEUE, MALFORMED, claimed)

    assert nobodys_events(onboarded) == [Event.MESSAGE_REFUSED]
    assert Event.MESSAGE_REFUSED not in onboarded.events


def test_caller_who_was_told_no_is_named_in_the_trail_and_nothing_is_written_for_a_tenant_we_do_not_know(
    onboarded: Stage,
) -> None:
    onboarded.services.refusals.request(onboarded.tenant_id, READER, "turnOn", MALFORMED)
    onboarded.services.refusals.request(TenantId(uuid4()), READER, "turnOn", MALFORMED)

    (entry,) = (entry for entry in onboarded.trail if entry.event is Event.REQUEST_REFUSED)
    assert entry.actor == READER.actor
    assert nobodys_events(onboarded) == []


def test_poisoned_message_is_kept_shown_and_told_once(onboarded: Stage) -> None:
    poison = onboarded.services.poison

    for _ in range(3):
        poison.keep(QUEUE, onboarded.tenant_id, TEXT, GIVEN_UP)

    (kept,) = poison.kept(ADMINISTRATOR, onboarded.tenant_id)
    assert (kept.queue, kept.text, kept.replayed_at) == (QUEUE, TEXT, None)
    assert onboarded.events.count(Event.MESSAGE_POISONED) == 1


def test_poisoned_message_of_a_tenant_we_do_not_know_is_nobody_s(onboarded: Stage) -> None:
    onboarded.services.poison.keep(QUEUE, TenantId(uuid4()), TEXT, GIVEN_UP)

    assert nobodys_events(onboarded) == [Event.MESSAGE_POISONED]


def test_replayed_message_lies_in_the_queue_it_came_from(onboarded: Stage) -> None:
    onboarded.services.poison.keep(QUEUE, onboarded.tenant_id, TEXT, GIVEN_UP)
    (kept,) = onboarded.services.poison.kept(ADMINISTRATOR, onboarded.tenant_id)

    replayed = onboarded.services.poison.replay(ADMINISTRATOR, onboarded.tenant_id, kept.message_id)

    assert replayed.replayed_at == onboarded.clock.now()
    assert [(sent.queue, sent.text) for sent in onboarded.messages.sent if sent.queue == QUEUE] == [(QUEUE, TEXT)]
    assert Event.MESSAGE_REPLAYED in onboarded.events


def test_only_an_administrator_of_the_tenant_sees_and_replays(onboarded: Stage) -> None:
    onboarded.services.poison.keep(QUEUE, onboarded.tenant_id, TEXT, GIVEN_UP)
    (kept,) = onboarded.services.poison.kept(ADMINISTRATOR, onboarded.tenant_id)

    with pytest.raises(Refused):
        onboarded.services.poison.kept(READER, onboarded.tenant_id)
    with pytest.raises(Refused):
        onboarded.services.poison.replay(READER, onboarded.tenant_id, kept.message_id)
    with pytest.raises(NotFound):
        onboarded.services.poison.replay(ADMINISTRATOR, onboarded.tenant_id, uuid4())

    assert Event.MESSAGE_REPLAYED not in onboarded.events
