"""Onboarding takes a tenant in once, tells what it has consented to, and keeps what its administrators set."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.domain.action import ActionKind
from shared.domain.activity import Event
from shared.domain.actors import Caller, Grant, Right
from shared.domain.directory_roles import PERMISSIONS
from shared.domain.errors import Code, Conflict, NotFound, Refused, unavailable
from shared.domain.ids import GATES
from shared.domain.lease import GateState
from shared.domain.tenant import MAX_OPERATORS, ConsentState
from shared.services.accept import Asking
from shared.services.onboard import admin_consent_url
from tests.people import ADMINISTRATOR, OPERATOR, READER
from tests.stage import Stage

NOWHERE: frozenset[Right] = frozenset()
LOCAL = Caller(uuid4(), UUID(int=1), False, "Lea Local", NOWHERE, frozenset({Right.ADMINISTRATOR}))


def onboard(stage: Stage, asking: Asking, name: str = "Contoso") -> bool:
    """Whether the request made the tenant."""
    return stage.services.onboard.onboard(stage.tenant_id, asking, display_name=name, profile=None).is_new


def grant(stage: Stage, *rights: Right, to: UUID, asking: Asking | None = None) -> bool:
    """Whether somebody new was let in."""
    asked = asking or Asking(ADMINISTRATOR)
    return stage.services.onboard.grant(stage.tenant_id, asked, to, Grant(rights))[1]


def test_tenant_taken_in_is_off_with_every_gate_closed_and_says_so_in_the_trail(onboarded: Stage) -> None:
    assert onboarded.tenant.display_name == "Contoso"
    assert [gate.state for gate in onboarded.gates] == [GateState.CLOSED] * GATES
    assert onboarded.events == [Event.TENANT_ONBOARDED]
    assert [line.display_name for line in onboarded.listed] == ["Contoso"]


def test_onboarding_again_changes_the_name_and_makes_nothing_new(onboarded: Stage) -> None:
    assert not onboard(onboarded, Asking(ADMINISTRATOR), "Fabrikam")

    assert onboarded.tenant.display_name == "Fabrikam"
    assert [line.display_name for line in onboarded.listed] == ["Fabrikam"]


def test_consent_is_told_permission_by_permission(stage: Stage) -> None:
    stage.microsoft365.permissions = set(PERMISSIONS) - {"Policy.Read.All"}

    consent = stage.onboard().consent

    assert (consent.state, consent.missing) == (ConsentState.PARTIAL, ("Policy.Read.All",))
    assert set(consent.held) == set(PERMISSIONS) - {"Policy.Read.All"}


def test_tenant_that_does_not_know_us_has_not_consented_to_anything(stage: Stage) -> None:
    stage.microsoft365.permissions = None

    consent = stage.onboard().consent

    assert (consent.state, consent.missing) == (ConsentState.MISSING, tuple(PERMISSIONS))
    assert consent.problem is not None
    assert consent.problem.code is Code.CONSENT_MISSING


def test_consent_that_cannot_be_looked_at_is_unknown_and_never_granted(stage: Stage) -> None:
    stage.log.fail(2, unavailable("Microsoft Entra"))

    consent = stage.onboard().consent

    assert stage.log.calls[1].method == "permissions"
    assert (consent.state, consent.held, consent.missing) == (ConsentState.UNKNOWN, (), ())


def test_consent_granted_later_is_seen_by_onboarding_again(stage: Stage) -> None:
    stage.microsoft365.permissions = None
    stage.onboard()
    stage.microsoft365.permissions = set(PERMISSIONS)

    assert stage.onboard().consent.state is ConsentState.GRANTED


@pytest.mark.parametrize("caller", [OPERATOR, READER])
def test_only_an_administrator_onboards(stage: Stage, caller: Caller) -> None:
    with pytest.raises(Refused) as refusal:
        onboard(stage, Asking(caller))

    assert refusal.value.problem.code is Code.CALLER_NOT_ALLOWED
    assert not stage.is_onboarded


def test_administrator_of_some_tenants_takes_none_in_and_cannot_tell_it_from_another_s(stage: Stage) -> None:
    with pytest.raises(NotFound) as nowhere:
        onboard(stage, Asking(LOCAL))
    assert not stage.is_onboarded
    stage.onboard()

    with pytest.raises(NotFound) as another_s:
        onboard(stage, Asking(LOCAL))

    assert nowhere.value.problem == another_s.value.problem
    assert nowhere.value.problem.code is Code.TENANT_NOT_FOUND


def test_administrator_of_this_tenant_changes_it(onboarded: Stage) -> None:
    grant(onboarded, Right.ADMINISTRATOR, to=LOCAL.object_id)

    assert not onboard(onboarded, Asking(LOCAL), "Fabrikam")

    assert onboarded.tenant.display_name == "Fabrikam"


def test_same_key_is_the_same_request_and_says_nothing_new(stage: Stage) -> None:
    onboard(stage, Asking(ADMINISTRATOR, "key", "a name"))

    assert not onboard(stage, Asking(ADMINISTRATOR, "key", "a name"), "Fabrikam")

    assert stage.tenant.display_name == "Contoso"
    assert stage.events == [Event.TENANT_ONBOARDED]


def test_same_key_for_something_else_is_refused(stage: Stage) -> None:
    onboard(stage, Asking(ADMINISTRATOR, "key", "a name"))

    with pytest.raises(Refused) as refusal:
        onboard(stage, Asking(ADMINISTRATOR, "key", "another name"), "Fabrikam")

    assert refusal.value.problem.code is Code.IDEMPOTENCY_KEY_REUSED


def test_same_key_of_another_caller_is_another_key(stage: Stage) -> None:
    onboard(stage, Asking(ADMINISTRATOR, "key", "a name"))
    another = replace(ADMINISTRATOR, object_id=uuid4())

    onboard(stage, Asking(another, "key", "another name"), "Fabrikam")

    assert stage.tenant.display_name == "Fabrikam"


def test_change_goes_only_over_what_its_caller_has_seen(onboarded: Stage) -> None:
    seen = onboarded.records.tenant(onboarded.tenant_id).etag
    onboard(onboarded, Asking(ADMINISTRATOR, if_match=seen), "Fabrikam")

    with pytest.raises(Conflict):
        onboard(onboarded, Asking(ADMINISTRATOR, if_match=seen), "Woodgrove")

    assert onboarded.tenant.display_name == "Fabrikam"


def test_if_match_on_a_tenant_that_is_not_there_takes_nothing_in(stage: Stage) -> None:
    with pytest.raises(Conflict):
        onboard(stage, Asking(ADMINISTRATOR, if_match="*"))

    assert not stage.is_onboarded


def test_operator_let_in_may_do_just_that_and_is_let_out_again(onboarded: Stage) -> None:
    somebody = Caller(uuid4(), UUID(int=1), False, "Sam", NOWHERE, frozenset(Right))

    first = grant(onboarded, Right.OPERATOR, to=somebody.object_id)
    again = grant(onboarded, Right.OPERATOR, Right.READER, to=somebody.object_id)

    assert (first, again) == (True, False)
    assert somebody.rights(onboarded.tenant.grants) == {Right.OPERATOR, Right.READER}
    onboarded.services.onboard.remove_grant(onboarded.tenant_id, Asking(ADMINISTRATOR), somebody.object_id)
    assert somebody.rights(onboarded.tenant.grants) == NOWHERE
    assert onboarded.events.count(Event.OPERATOR_REMOVED) == 1


def test_nobody_lets_himself_in(onboarded: Stage) -> None:
    somebody = Caller(uuid4(), UUID(int=1), False, "Sam", NOWHERE, frozenset(Right))

    with pytest.raises(NotFound):
        grant(onboarded, Right.ADMINISTRATOR, to=somebody.object_id, asking=Asking(somebody))
    with pytest.raises(Refused):
        grant(onboarded, Right.ADMINISTRATOR, to=OPERATOR.object_id, asking=Asking(OPERATOR))

    assert onboarded.tenant.grants == {}


def test_tenant_has_room_for_so_many_operators_and_no_more(onboarded: Stage) -> None:
    for _ in range(MAX_OPERATORS):
        grant(onboarded, Right.READER, to=uuid4())

    with pytest.raises(Refused) as refusal:
        grant(onboarded, Right.READER, to=uuid4())

    assert refusal.value.problem.code is Code.TOO_MANY_OPERATORS


def test_auto_enable_keeps_what_is_not_said_again(onboarded: Stage) -> None:
    onboarded.auto_enable(ActionKind.WORKFLOW, idle_timeout=timedelta(minutes=5))

    onboarded.services.onboard.set_auto_enable(
        onboarded.tenant_id, Asking(ADMINISTRATOR), enabled=False, kinds=None, idle_timeout=None
    )

    wanted = onboarded.tenant.auto_enable
    assert (wanted.enabled, wanted.kinds, wanted.idle_timeout) == (
        False,
        (ActionKind.WORKFLOW,),
        timedelta(minutes=5),
    )


def test_change_that_loses_a_race_is_made_over_the_winner_s(onboarded: Stage) -> None:
    def another_is_faster() -> None:
        grant(onboarded, Right.READER, to=READER.object_id)

    onboarded.log.at_next("TenantStore.commit", another_is_faster)

    onboarded.auto_enable(ActionKind.WORKFLOW)

    assert onboarded.tenant.auto_enable.kinds == (ActionKind.WORKFLOW,)
    assert str(READER.object_id) in onboarded.tenant.grants


def test_consent_is_asked_for_in_that_tenant_by_that_application() -> None:
    tenant_id, application_id = Stage().tenant_id, UUID(int=5)

    url = admin_consent_url("https://login.example", tenant_id, application_id, "https://console.example/back")

    assert url == (
        f"https://login.example/{tenant_id}/adminconsent?client_id={application_id}"
        f"&state={tenant_id}&redirect_uri=https%3A%2F%2Fconsole.example%2Fback"
    )
