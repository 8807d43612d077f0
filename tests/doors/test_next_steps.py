"""Whatever is refused or has failed says what to do now; and a support bundle holds all that helps, and no secret."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import pytest

from local.host.http import Response
from shared.domain.errors import unavailable
from shared.domain.ids import TenantId
from tests.doors.doors import DOORS, WITH_BODY, Door, caller_of, named
from tests.doors.people import ADMINISTRATOR, EXECUTOR, NOBODY, OPERATOR, READER, STRANGER, Place
from tests.doors.service import Json, Service, content_of
from tests.fakes.policies import FakePolicy, FakeTenantPolicies

OWN = f"/v1/tenants/{Place.OWN.value}"
TENANT = TenantId(UUID(Place.OWN.value))
GUARDED = [door for door in DOORS.values() if door.rights]

Knock = Callable[[Service, Door], Response]


def path_of(service: Service, door: Door) -> str:
    return door.place(service, Place.OWN, caller_of(door))


def broken(service: Service, number: int, error: Exception) -> None:
    service.log.fail(len(service.log) + number, error)


def by_nobody(service: Service, door: Door) -> Response:
    return service.call(door.method, path_of(service, door), NOBODY, door.body)


def by_a_stranger(service: Service, door: Door) -> Response:
    return service.call(door.method, path_of(service, door), STRANGER, door.body)


def by_somebody_else(service: Service, door: Door) -> Response:
    other = READER if "reader" not in door.rights else EXECUTOR
    return service.call(door.method, path_of(service, door), other, door.body)


def while_storage_is_away(service: Service, door: Door) -> Response:
    broken(service, 1, unavailable("Storage", timedelta(seconds=3)))
    return service.call(door.method, path_of(service, door), caller_of(door), door.body)


def when_nobody_foresaw_it(service: Service, door: Door) -> Response:
    broken(service, 1, RuntimeError("only-for-tests"))
    return service.call(door.method, path_of(service, door), caller_of(door), door.body)


@pytest.mark.parametrize(
    "knock", [by_nobody, by_a_stranger, by_somebody_else, while_storage_is_away, when_nobody_foresaw_it]
)
@pytest.mark.parametrize("door", GUARDED, ids=named)
def test_every_refusal_at_every_door_says_what_to_do(open_service: Service, door: Door, knock: Knock) -> None:
    answer = knock(open_service, door)

    if answer.status >= 400:
        assert content_of(answer)["error"]["nextStep"]["text"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("{", {"Content-Type": "application/json"}),
        ("[]", {"Content-Type": "application/json"}),
        ('{"strange": 1}', {"Content-Type": "application/json"}),
        ('{"a": 1, "a": 2}', {"Content-Type": "application/json"}),
        ("{}", {"Content-Type": "text/plain"}),
        (f'{{"a": "{"x" * 70_000}"}}', {"Content-Type": "application/json"}),
        ("{}", {"Content-Type": "application/json", "Idempotency-Key": "a b"}),
    ],
    ids=["broken", "no object", "unknown field", "twice", "no JSON", "too large", "bad key"],
)
@pytest.mark.parametrize("door", WITH_BODY, ids=named)
def test_every_bad_request_at_every_door_says_what_to_do(
    shared: Service, door: Door, body: str, headers: Mapping[str, str]
) -> None:
    answer = shared.call(door.method, path_of(shared, door), caller_of(door), body=body, headers=headers)

    assert answer.status in (400, 413, 415)
    assert content_of(answer)["error"]["nextStep"]["text"]


def test_what_was_seen_by_somebody_before_it_changed_says_what_to_do(shared: Service) -> None:
    answer = shared.call("PUT", OWN, ADMINISTRATOR, {"displayName": "Own"}, headers={"If-Match": 'W/"stale"'})

    assert answer.status == 412
    assert content_of(answer)["error"]["nextStep"]["text"]


# ── refusals of what is asked for ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def created(service: Service) -> Service:
    """A tenant with its service account, for longer than Entra may need to know it everywhere."""
    service.done("PUT", OWN, ADMINISTRATOR, {"displayName": "Own"})
    service.done("PUT", f"{OWN}/service-account", ADMINISTRATOR, {})
    service.clock.advance(timedelta(minutes=10))
    return service


def policies_of(service: Service) -> FakeTenantPolicies:
    policies = service.world.policies
    assert isinstance(policies, FakeTenantPolicies)
    return policies


@pytest.mark.parametrize(
    ("method", "path", "by", "body", "code"),
    [
        ("PUT", "/session", OPERATOR, {"state": "on", "method": "serviceAccount"}, "serviceAccountMissing"),
        ("POST", "/service-account/rotate", ADMINISTRATOR, {}, "serviceAccountMissing"),
        (
            "PUT",
            "/allowed-ips",
            ADMINISTRATOR,
            {"ranges": [], "outside": "block", "state": "reportOnly"},
            "serviceAccountMissing",
        ),
        (
            "PUT",
            "/session",
            OPERATOR,
            {"state": "on", "method": "globalAdmin", "username": "a@elsewhere.example", "password": "only-for-tests"},
            "methodNotSupported",
        ),
        (
            "PUT",
            "/session",
            OPERATOR,
            {
                "state": "on",
                "method": "globalAdmin",
                "username": "a@fake.onmicrosoft.com",
                "password": "only-for-tests",
            },
            "accountLost",
        ),
        ("GET", "/policy-checks/latest", READER, None, "policyCheckNotFound"),
    ],
)
def test_every_refusal_of_what_is_asked_for_says_what_to_do(
    service: Service, method: str, path: str, by: object, body: Json | None, code: str
) -> None:
    service.done("PUT", OWN, ADMINISTRATOR, {"displayName": "Own"})

    answer = service.call(method, f"{OWN}{path}", by, body)  # type: ignore[arg-type]

    assert content_of(answer)["error"]["code"] == code
    assert content_of(answer)["error"]["nextStep"]["text"]


def test_another_operation_in_the_way_says_what_to_do(created: Service) -> None:
    created.call("POST", f"{OWN}/service-account/rotate", ADMINISTRATOR, {})

    answer = created.call("PUT", f"{OWN}/session", OPERATOR, {"state": "on", "method": "serviceAccount"})

    assert content_of(answer)["error"]["code"] == "operationInProgress"
    assert content_of(answer)["error"]["nextStep"]["text"]


def test_failed_turn_on_says_the_same_on_the_tenant_the_session_and_the_operation(created: Service) -> None:
    policies_of(created).rules[TENANT].add(FakePolicy("MFA for everybody"))

    operation = created.done("PUT", f"{OWN}/session", OPERATOR, {"state": "on", "method": "serviceAccount"})

    tenant = created.read(OWN, READER)
    assert operation["status"] == "failed"
    assert "MFA for everybody" in operation["error"]["message"]
    steps = [
        operation["nextStep"],
        operation["error"]["nextStep"],
        tenant["nextStep"],
        tenant["session"]["error"]["nextStep"],
    ]
    assert steps == [steps[0]] * 4
    assert steps[0]["link"].startswith("https://entra.microsoft.com/")


def test_an_error_that_is_kept_names_the_request_that_led_to_it(created: Service) -> None:
    policies_of(created).rules[TENANT].add(FakePolicy("MFA for everybody"))
    body, mine = {"state": "on", "method": "serviceAccount"}, {"x-correlation-id": "Only-for.tests_1"}

    accepted = content_of(created.call("PUT", f"{OWN}/session", OPERATOR, body, headers=mine))
    created.work()

    kept = [
        created.read(f"{OWN}/operations/{accepted['id']}")["error"],
        created.read(f"{OWN}/session")["error"],
        created.read(OWN)["session"]["error"],
    ]
    assert [error["correlationId"] for error in kept] == ["Only-for.tests_1"] * 3
    assert [
        entry["correlationId"]
        for entry in created.read(f"{OWN}/activity")["value"]
        if entry["kind"] in ("sessionTurningOn", "sessionFailed")
    ] == ["Only-for.tests_1"] * 2


def test_what_turning_off_could_not_do_names_the_request_that_asked_for_it(created: Service) -> None:
    created.done("PUT", f"{OWN}/session", OPERATOR, {"state": "on", "method": "serviceAccount"})
    mine = {"x-correlation-id": "Only-for.tests_2"}
    created.tenants[TENANT].permissions = None
    created.call("PUT", f"{OWN}/session", OPERATOR, {"state": "off"}, headers=mine)
    created.work()

    error = created.read(f"{OWN}/session")["error"]

    assert (error["code"], error["correlationId"]) == ("cleanupIncomplete", "Only-for.tests_2")


def test_account_that_could_not_be_made_names_the_request_that_asked_for_it(service: Service) -> None:
    service.done("PUT", OWN, ADMINISTRATOR, {})
    mine = {"x-correlation-id": "Only-for.tests_3"}
    service.tenants[TENANT].permissions = set()
    service.call("PUT", f"{OWN}/service-account", ADMINISTRATOR, {}, headers=mine)
    service.work()

    error = service.read(OWN)["serviceAccount"]["error"]

    assert (error["code"], error["correlationId"]) == ("permissionMissing", "Only-for.tests_3")


def test_tenant_whose_check_fails_says_what_is_in_the_way_before_anybody_turns_it_on(created: Service) -> None:
    policies_of(created).rules[TENANT].add(FakePolicy("MFA for everybody"))

    created.done("POST", f"{OWN}/policy-checks", OPERATOR, {})

    (row,) = (row for row in created.read(f"{OWN}/policy-checks/latest", READER)["rows"] if row["verdict"] == "fail")
    assert created.read(OWN, READER)["nextStep"] == {"text": row["fix"], "link": row["link"]}


def test_body_without_a_length_says_what_to_do(created: Service) -> None:
    answer = created.call("PUT", OWN, ADMINISTRATOR, headers={"Transfer-Encoding": "chunked"})

    assert answer.status == 411
    assert content_of(answer)["error"]["nextStep"]["text"]


def test_running_operation_says_to_wait(created: Service) -> None:
    accepted = content_of(created.call("POST", f"{OWN}/policy-checks", OPERATOR, {}))

    assert "Wait" in accepted["nextStep"]["text"]
    assert "the policies are being checked" in created.read(OWN, READER)["nextStep"]["text"]


# ── the support bundle ───────────────────────────────────────────────────────────────────────────────────────────────


def test_bundle_has_tenant_check_operations_and_trail(created: Service) -> None:
    policies_of(created).rules[TENANT].add(FakePolicy("MFA for everybody"))
    created.done("POST", f"{OWN}/policy-checks", OPERATOR, {})
    failed = created.done("PUT", f"{OWN}/session", OPERATOR, {"state": "on", "method": "serviceAccount"})

    bundle = created.read(f"{OWN}/support-bundle", READER)

    assert bundle["tenant"] == created.read(OWN, READER)
    assert bundle["policyCheck"] == created.read(f"{OWN}/policy-checks/latest", READER)
    assert [each["kind"] for each in bundle["operations"]] == ["turnOn", "checkPolicies", "createServiceAccount"]
    assert bundle["operations"][0] == failed
    assert [entry["kind"] for entry in bundle["activity"]][-1] == "tenantOnboarded"
    assert failed["correlationId"] in {entry["correlationId"] for entry in bundle["activity"]}


def test_bundle_of_a_tenant_just_onboarded_is_there_already(service: Service) -> None:
    service.done("PUT", OWN, ADMINISTRATOR, {"displayName": "Own"})

    bundle = service.read(f"{OWN}/support-bundle", READER)

    assert "policyCheck" not in bundle
    assert bundle["operations"] == []


def test_bundle_holds_no_secret_and_stays_small_enough(open_service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lease = open_service.lease(Place.OWN)
    redeemed = open_service.call("POST", f"{OWN}/leases/{lease}/token", EXECUTOR, {"resource": "graph"})
    for _ in range(25):
        open_service.done("POST", f"{OWN}/policy-checks", OPERATOR, {})

    answer = open_service.call("GET", f"{OWN}/support-bundle", READER)

    bundle = content_of(answer)
    assert (len(bundle["operations"]), len(bundle["activity"])) == (20, min(200, len(bundle["activity"])))
    kept = [version.secret.reveal() for versions in open_service.vault.names.values() for version in versions.values()]
    assert len(kept) >= 4
    for secret in (*kept, content_of(redeemed)["accessToken"]):
        assert secret not in answer.text
        assert secret not in caplog.text
