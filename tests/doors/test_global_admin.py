"""A session on a Global Administrator's credentials: short, warned of, ended for good, and its password nowhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from functions import bodies, reading
from shared.domain.directory_roles import GLOBAL_ADMINISTRATOR
from shared.domain.ids import TenantId
from shared.domain.limits import Limits
from shared.domain.secret import Secret
from shared.services.turn_on_as_admin import Credentials
from tests.doors.people import ADMINISTRATOR, EXECUTOR, OPERATOR, READER, Place
from tests.doors.service import Json, Service, content_of, refusal_of
from tests.fakes.microsoft365 import FakeTenant, FakeUser
from tests.fakes.policies import FakePolicy, FakeTenantPolicies

OWN = f"/v1/tenants/{Place.OWN.value}"
TENANT = TenantId(UUID(Place.OWN.value))
NAME = "admin@fake.onmicrosoft.com"
PASSWORD = "only-for-tests-Adm1n-passw0rd!"
WRONG = "only-for-tests-wr0ng-passw0rd!"
TURN_ON: Json = {"state": "on", "method": "globalAdmin", "username": NAME, "password": PASSWORD}


@pytest.fixture
def administered(service: Service) -> Service:
    """The doors over a tenant that has a Global Administrator without MFA, and no service account."""
    service.done("PUT", OWN, ADMINISTRATOR, {"displayName": "Own"})
    administrator(service)
    return service


def administrator(service: Service) -> FakeUser:
    """The customer's own Global Administrator."""
    tenant: FakeTenant = service.tenants[TENANT]
    known = tenant.find(lambda user: user.user_principal_name == NAME)
    if known is None:
        known = tenant.add_user(NAME, Secret(PASSWORD))
        known.roles[str(uuid4())] = GLOBAL_ADMINISTRATOR.template_id
    return known


def sign_ins(service: Service) -> int:
    return sum(call.method == "with_password" for call in service.log.calls)


def session(service: Service) -> Json:
    return service.read(f"{OWN}/session", READER)


@pytest.mark.parametrize(
    "username",
    [
        "admin@federated.example",
        "bob_other.example#EXT#@fake.onmicrosoft.com",
        "bob_other.example#ext#@FAKE.onmicrosoft.com",
        "admin@sub.fake.onmicrosoft.com",
    ],
)
def test_federated_and_guest_users_are_refused_before_the_password_goes_anywhere(
    administered: Service, username: str
) -> None:
    answer = administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON | {"username": username})

    assert refusal_of(answer) == (409, "methodNotSupported", "username")
    assert sign_ins(administered) == 0


def test_session_is_short_and_its_warning_is_part_of_every_answer(administered: Service) -> None:
    before = session(administered)
    accepted = administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON | {"duration": "PT2H"})
    administered.work()

    shown = session(administered)
    assert accepted.status == 202
    assert "MFA" in content_of(accepted)["warning"]["text"]
    assert content_of(accepted)["warning"] == shown["warning"]
    assert before["methods"] == [
        {"method": "serviceAccount"},
        {"method": "globalAdmin", "warning": shown["warning"]},
    ], "who chooses is told before"
    assert (shown["state"], shown["method"]) == ("on", "globalAdmin")
    until, since = (datetime.fromisoformat(shown[name]) for name in ("expiresAt", "since"))
    assert until - since == Limits().global_admin_longest == timedelta(hours=2)


@pytest.mark.parametrize("duration", ["PT121M", "PT2H1M", "PT8H"])
def test_a_longer_session_than_there_is_is_refused_in_words(administered: Service, duration: str) -> None:
    answer = administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON | {"duration": duration})

    assert refusal_of(answer) == (400, "invalidValue", "duration")
    assert "1 minute to 2 hours" in content_of(answer)["error"]["message"]
    assert sign_ins(administered) == 0


def test_session_ends_by_itself_when_its_time_is_up(administered: Service) -> None:
    administered.done("PUT", f"{OWN}/session", OPERATOR, TURN_ON | {"duration": "PT5M"})

    administered.clock.advance(timedelta(minutes=6))
    assert administered.host.tick("upkeep").succeeded
    administered.work()

    assert session(administered)["state"] == "off"


def test_off_revokes_the_sign_ins_and_makes_the_refresh_token_unreadable(administered: Service) -> None:
    administered.done("PUT", f"{OWN}/session", OPERATOR, TURN_ON)
    tenant = administered.tenants[TENANT]
    assert administrator(administered).object_id in tenant.refresh_tokens.values()

    administered.done("PUT", f"{OWN}/session", OPERATOR, {"state": "off"})

    assert administrator(administered).object_id not in tenant.refresh_tokens.values()
    assert [version.is_enabled for versions in administered.vault.names.values() for version in versions.values()] == [
        False
    ]


def test_session_never_turns_itself_on_again(administered: Service) -> None:
    administered.done("PUT", f"{OWN}/session", OPERATOR, TURN_ON)
    administered.done("PUT", f"{OWN}/session", OPERATOR, {"state": "off"})
    administered.done("PUT", f"{OWN}/auto-enable", ADMINISTRATOR, {"enabled": True})
    before = sign_ins(administered)

    action = administered.ask(Place.OWN, EXECUTOR)
    administered.work()

    decision = administered.read(f"{OWN}/actions/{action}", EXECUTOR)
    assert (decision["decision"], decision["error"]["code"]) == ("denied", "serviceAccountMissing")
    assert sign_ins(administered) == before


def test_who_is_no_global_administrator_gets_no_session(administered: Service) -> None:
    administrator(administered).roles.clear()

    operation = administered.done("PUT", f"{OWN}/session", OPERATOR, TURN_ON)

    assert (operation["status"], operation["error"]["code"]) == ("failed", "roleMissing")
    assert operation["nextStep"]["text"]
    assert session(administered)["state"] == "failed"
    assert not any(v.is_enabled for versions in administered.vault.names.values() for v in versions.values())


def test_wrong_password_is_refused_recorded_and_leaves_the_session_as_it_was(administered: Service) -> None:
    answer = administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON | {"password": WRONG})

    assert refusal_of(answer) == (409, "credentialRejected", None)
    assert content_of(answer)["error"]["nextStep"]["text"] == "Check the user name and the password, then try again."
    assert session(administered)["state"] == "off"
    refused = [entry for entry in administered.read(f"{OWN}/activity")["value"] if entry["kind"] == "requestRefused"]
    assert [entry["facts"]["code"] for entry in refused] == ["credentialRejected"]


def test_tenant_that_demands_mfa_is_told_which_policy_does(administered: Service) -> None:
    policies = administered.world.policies
    assert isinstance(policies, FakeTenantPolicies)
    policies.rules[TENANT].add(FakePolicy("MFA for admins"))
    administered.tenants[TENANT].sign_in_code = 50076

    answer = administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON)

    assert refusal_of(answer) == (409, "signInBlocked", None)
    error = content_of(answer)["error"]
    assert [detail["message"] for detail in error["details"]] == ["The policy “MFA for admins” demands mfa."]
    assert "service account" in error["nextStep"]["text"]


def test_tenant_with_security_defaults_is_told_so(administered: Service) -> None:
    policies = administered.world.policies
    assert isinstance(policies, FakeTenantPolicies)
    policies.rules[TENANT].security_defaults = True
    administered.tenants[TENANT].sign_in_code = 530035

    error = content_of(administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON))["error"]

    assert "Security defaults are on" in error["details"][0]["message"]


def test_policies_that_cannot_be_looked_at_leave_the_refusal_as_it_is(administered: Service) -> None:
    administered.tenants[TENANT].sign_in_code = 50076
    tenant = administered.tenants[TENANT]
    tenant.permissions = (tenant.permissions or set()) - {"Policy.Read.All"}

    answer = administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON)

    assert refusal_of(answer) == (409, "signInBlocked", None)
    assert "details" not in content_of(answer)["error"]


def test_key_used_again_gives_the_same_operation_whatever_the_password_and_signs_in_once(administered: Service) -> None:
    key = {"Idempotency-Key": "again"}
    first = content_of(administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON, headers=key))

    again = content_of(administered.call("PUT", f"{OWN}/session", OPERATOR, TURN_ON | {"password": WRONG}, headers=key))

    assert again["id"] == first["id"]
    assert sign_ins(administered) == 1


BODIES = {
    "right": json.dumps(TURN_ON),
    "wrong": json.dumps(TURN_ON | {"password": WRONG}),
    "unknown user": json.dumps(TURN_ON | {"username": "nobody@fake.onmicrosoft.com"}),
    "federated": json.dumps(TURN_ON | {"username": "admin@federated.example"}),
    "unknown field": json.dumps(TURN_ON | {"passwort": WRONG}),
    "in another place": json.dumps({"state": "on", "method": "serviceAccount", "password": PASSWORD}),
    "nested": json.dumps(TURN_ON | {"password": {"value": PASSWORD}}),
    "twice": json.dumps(TURN_ON)[:-1] + f', "password": "{WRONG}"}}',
    "too long": json.dumps(TURN_ON | {"password": PASSWORD * 10}),
    "broken": json.dumps(TURN_ON)[:-1],
    "as a name": json.dumps({"state": "on", "method": "globalAdmin", "username": PASSWORD, "password": WRONG}),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_password_is_in_no_row_message_secret_or_log_line(
    administered: Service, caplog: pytest.LogCaptureFixture, body: str
) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Idempotency-Key": "once", "Content-Type": "application/json"}

    answer = administered.call("PUT", f"{OWN}/session", OPERATOR, body=body, headers=headers)
    sent = [sent.text for sent in administered.messages.operations]
    administered.work()
    administered.call("GET", f"{OWN}/support-bundle", READER)

    for place, text in everything(administered, caplog, answer.text, sent):
        for password in (PASSWORD, WRONG):
            assert password not in text, place


def test_what_is_kept_of_an_idempotency_key_does_not_depend_on_the_password() -> None:
    kept = {reading.without_password(json.dumps(TURN_ON | {"password": typed}).encode()) for typed in (PASSWORD, WRONG)}

    assert kept == {json.dumps({name: TURN_ON[name] for name in sorted(TURN_ON.keys() - {"password"})}).encode()}


def test_nothing_that_holds_the_password_shows_it_when_printed() -> None:
    body = reading.read_session(json.dumps(TURN_ON).encode())
    assert isinstance(body, bodies.TurnOnAsAdminBody)
    assert body.password == PASSWORD
    credentials = Credentials(NAME, Secret(PASSWORD))

    for printed in (repr(body), str(body), f"{body}", repr(credentials), str([credentials]), f"{credentials.password}"):
        assert PASSWORD not in printed


def everything(
    service: Service, caplog: pytest.LogCaptureFixture, answer: str, sent: list[str]
) -> Iterator[tuple[str, str]]:
    """Wherever something could be left behind, and what is there."""
    yield "the answer", answer
    yield "the log", caplog.text
    yield "the tables", "\n".join(table.text() for table in service.tables())
    yield "the queues", "\n".join([*sent, *map(repr, service.messages.sent)])
    for name, versions in service.vault.names.items():
        for version in versions.values():
            yield f"the vault, under {name}", version.secret.reveal()
