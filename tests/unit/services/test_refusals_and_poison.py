"""What could not be accepted, and what the platform gave up on, is found in the trail of the tenant it concerns."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.adapters.storage import rows
from shared.adapters.storage.tenant_table import TenantTable
from shared.domain.activity import Event
from shared.domain.actors import Caller, Right
from shared.domain.errors import Code, NotFound, Problem, Refused, Transient, unavailable
from shared.domain.ids import TenantId
from shared.domain.poison import PoisonMessage
from shared.services.accept import Asking
from shared.services.record_refusal import NOBODY
from tests.people import ADMINISTRATOR, OPERATOR, READER
from tests.stage import Stage

MALFORMED = Problem(Code.INVALID_VALUE, "This is not a kind of action.", "kind")
GIVEN_UP = Problem(Code.INTERNAL_ERROR, "This could not be done after several attempts.")
LOCAL = Caller(uuid4(), UUID(int=1), False, "Lea Local", frozenset(), frozenset({Right.ADMINISTRATOR}))
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


def keep(stage: Stage, text: str = TEXT, *, tenant_id: TenantId | None = None) -> None:
    stage.services.poison.keep(QUEUE, tenant_id or stage.tenant_id, text, GIVEN_UP)


def kept(stage: Stage) -> PoisonMessage:
    """The only message kept for the tenant."""
    (found,) = stage.services.poison.kept(ADMINISTRATOR, stage.tenant_id)
    return found


def replay(stage: Stage, message: PoisonMessage, by: Caller = ADMINISTRATOR, key: str | None = None) -> PoisonMessage:
    asking = Asking(by, key, fingerprint=str(message.message_id))
    return stage.services.poison.replay(asking, stage.tenant_id, message.message_id)


def sent_again(stage: Stage) -> list[tuple[str, str]]:
    """Queue and text of what was put back."""
    return [(sent.queue, sent.text) for sent in stage.messages.sent if sent.queue == QUEUE]


def test_poisoned_message_is_kept_shown_and_told_once(onboarded: Stage) -> None:
    for _ in range(3):
        keep(onboarded)

    assert (kept(onboarded).queue, kept(onboarded).text, kept(onboarded).replayed_at) == (QUEUE, TEXT, None)
    assert onboarded.events.count(Event.MESSAGE_POISONED) == 1


def test_message_that_fails_again_after_it_was_sent_again_is_told_again(onboarded: Stage) -> None:
    keep(onboarded)
    replay(onboarded, kept(onboarded))
    onboarded.clock.advance(timedelta(minutes=5))

    keep(onboarded)
    keep(onboarded)

    assert (kept(onboarded).at, kept(onboarded).replayed_at) == (onboarded.clock.now(), None)
    assert onboarded.events.count(Event.MESSAGE_POISONED) == 2


def test_message_about_a_tenant_that_a_newer_release_has_written_is_kept_there(onboarded: Stage) -> None:
    table = onboarded.store.table
    (found,) = table.between(str(onboarded.tenant_id), rows.TENANT, f"{rows.TENANT}~")
    table.put({**found.entity, "SchemaVersion": rows.SCHEMA_VERSION + 1})

    keep(onboarded)

    assert [each.row.text for each in onboarded.records.poison_messages(onboarded.tenant_id)] == [TEXT]


def test_poisoned_message_of_a_tenant_we_do_not_know_is_nobody_s(onboarded: Stage) -> None:
    keep(onboarded, tenant_id=TenantId(uuid4()))

    assert nobodys_events(onboarded) == [Event.MESSAGE_POISONED]
    assert onboarded.services.poison.kept(ADMINISTRATOR, onboarded.tenant_id) == ()


def test_what_is_nobody_s_is_shown_and_sent_again_by_an_administrator_of_every_tenant(onboarded: Stage) -> None:
    keep(onboarded, tenant_id=TenantId(uuid4()))
    poison = onboarded.services.poison

    (message,) = poison.kept_of_nobody(ADMINISTRATOR)
    onboarded.clock.advance(timedelta(minutes=1))
    for _ in range(2):
        poison.replay_of_nobody(Asking(ADMINISTRATOR, "key"), message.message_id)

    assert sent_again(onboarded) == [(QUEUE, TEXT)]
    assert nobodys_events(onboarded) == [Event.MESSAGE_REPLAYED, Event.MESSAGE_POISONED]


@pytest.mark.parametrize("caller", [READER, OPERATOR, LOCAL])
def test_what_is_nobody_s_is_nothing_to_others(onboarded: Stage, caller: Caller) -> None:
    keep(onboarded, tenant_id=TenantId(uuid4()))
    poison = onboarded.services.poison
    (message,) = poison.kept_of_nobody(ADMINISTRATOR)

    with pytest.raises(Refused) as listing:
        poison.kept_of_nobody(caller)
    with pytest.raises(Refused) as sending:
        poison.replay_of_nobody(Asking(caller), message.message_id)

    assert listing.value.problem.code is sending.value.problem.code is Code.CALLER_NOT_ALLOWED
    assert sent_again(onboarded) == []


def test_replayed_message_lies_in_the_queue_it_came_from(onboarded: Stage) -> None:
    keep(onboarded)

    replayed = replay(onboarded, kept(onboarded))

    assert replayed == kept(onboarded)
    assert replayed.replayed_at == onboarded.clock.now()
    assert sent_again(onboarded) == [(QUEUE, TEXT)]
    assert Event.MESSAGE_REPLAYED in onboarded.events


def test_replayed_twice_with_one_key_is_sent_once_and_with_another_key_again(onboarded: Stage) -> None:
    keep(onboarded)
    message = kept(onboarded)

    first = replay(onboarded, message, key="one")
    onboarded.clock.advance(timedelta(minutes=1))
    again = replay(onboarded, message, key="one")
    assert (again, len(sent_again(onboarded))) == (first, 1)
    replay(onboarded, message, key="two")

    assert len(sent_again(onboarded)) == onboarded.events.count(Event.MESSAGE_REPLAYED) == 2


def test_key_of_one_message_sends_no_other(onboarded: Stage) -> None:
    keep(onboarded)
    first = kept(onboarded)
    replay(onboarded, first, key="one")
    keep(onboarded, '{"schemaVersion":2}')
    both = onboarded.services.poison.kept(ADMINISTRATOR, onboarded.tenant_id)
    (other,) = (each for each in both if each.message_id != first.message_id)

    with pytest.raises(Refused) as refusal:
        replay(onboarded, other, key="one")

    assert refusal.value.problem.code is Code.IDEMPOTENCY_KEY_REUSED


@pytest.mark.parametrize("away", ["TenantStore.commit", "Messages.send_again"])
def test_replay_that_failed_is_done_when_it_is_asked_for_again(onboarded: Stage, away: str) -> None:
    keep(onboarded)
    onboarded.log.at_next(away, lambda: (_ for _ in ()).throw(unavailable("It")))
    with pytest.raises(Transient):
        replay(onboarded, kept(onboarded), key="one")
    assert sent_again(onboarded) == []

    replay(onboarded, kept(onboarded), key="one")

    assert sent_again(onboarded) == [(QUEUE, TEXT)]


def test_only_an_administrator_of_the_tenant_sees_and_replays(onboarded: Stage) -> None:
    keep(onboarded)
    message = kept(onboarded)

    with pytest.raises(Refused):
        onboarded.services.poison.kept(READER, onboarded.tenant_id)
    with pytest.raises(Refused):
        replay(onboarded, message, READER)
    with pytest.raises(NotFound):
        replay(onboarded, replace(message, message_id=uuid4()))

    assert Event.MESSAGE_REPLAYED not in onboarded.events
