"""Scripted faults: each kind does to a call what it says, as often as it says, and to no other call."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.keyvault.secrets import SecretClient

from local.simulator.faults import Fault, FaultKind, Faults
from local.simulator.wire import Request
from tests.simulator.clients import TAILSPIN_ADMIN, Microsoft, codes

ORGANIZATION = "/v1.0/organization"


def script(microsoft: Microsoft, **fault: Any) -> None:
    """Adds one fault to the script."""
    microsoft.control("POST", "faults", {"faults": [fault]})


def test_zero_fault_meets_no_call() -> None:
    faults = Faults()
    faults.add([Fault()])

    assert faults.take(Request("graph", "GET", ORGANIZATION, {}, {}, b"")) == (0.0, None)


def test_aadsts_fault_refuses_only_the_named_grant(microsoft: Microsoft) -> None:
    script(microsoft, kind="aadsts", code=50076, grantType="password", times=1)

    app = microsoft.app_token()
    refused, accepted = microsoft.sign_in(), microsoft.sign_in()

    assert "access_token" in app
    assert codes(refused) == [50076]
    assert refused["error"] == "invalid_grant"
    assert "access_token" in accepted


def test_status_fault_speaks_in_the_services_own_shape(microsoft: Microsoft) -> None:
    script(microsoft, kind="status", service="graph", status=403, error="AccessDenied", message="not licensed")

    response = microsoft.graph("GET", ORGANIZATION)

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "AccessDenied"
    assert response.json()["error"]["message"] == "not licensed"
    assert response.json()["error"]["innerError"]["request-id"]


@pytest.mark.parametrize(("extra", "header"), [({"retryAfter": 7}, "7"), ({}, None)])
def test_throttling_comes_with_or_without_retry_after(
    microsoft: Microsoft, extra: dict[str, int], header: str | None
) -> None:
    script(microsoft, kind="429", service="graph", path="/organization", **extra)

    throttled, after = microsoft.graph("GET", ORGANIZATION), microsoft.graph("GET", ORGANIZATION)

    assert (throttled.status_code, after.status_code) == (429, 200)
    assert throttled.headers.get("Retry-After") == header


def test_unavailable_fault_is_503_or_the_status_it_names(microsoft: Microsoft) -> None:
    script(microsoft, kind="5xx", service="graph")
    script(microsoft, kind="5xx", service="graph", status=500)

    statuses = [microsoft.graph("GET", ORGANIZATION).status_code for _ in range(3)]

    assert statuses == [503, 500, 200]


def test_latency_delays_the_answer_and_changes_nothing_else(microsoft: Microsoft) -> None:
    token = microsoft.app_token()["access_token"]
    script(microsoft, kind="latency", service="graph", seconds=0.2)

    started = time.perf_counter()
    response = microsoft.graph("GET", ORGANIZATION, token)

    assert time.perf_counter() - started >= 0.2
    assert response.status_code == 200


def test_lost_reply_has_its_effect_all_the_same(microsoft: Microsoft) -> None:
    script(microsoft, kind="replyLost", service="graph", method="PATCH")
    token = microsoft.app_token()["access_token"]

    with pytest.raises(requests.ConnectionError):
        microsoft.graph("PATCH", f"/v1.0/users/{TAILSPIN_ADMIN}", token, json={"accountEnabled": False})

    assert codes(microsoft.sign_in()) == [50057]


def test_lag_hides_an_object_from_the_next_reads(microsoft: Microsoft) -> None:
    script(microsoft, kind="lag", service="graph", path="/users/", times=2)

    statuses = [microsoft.graph("GET", f"/v1.0/users/{TAILSPIN_ADMIN}").status_code for _ in range(3)]

    assert statuses == [404, 404, 200]


def test_faults_reach_key_vault_in_its_shape(microsoft: Microsoft, vault: SecretClient) -> None:
    vault.set_secret("account", "only-for-tests-value")
    script(microsoft, kind="lag", service="keyVault", path="/secrets/account")
    script(microsoft, kind="status", service="keyVault", status=403, error="Forbidden", message="no role")

    with pytest.raises(ResourceNotFoundError):
        vault.get_secret("account")
    with pytest.raises(HttpResponseError) as refused:
        vault.get_secret("account")

    assert refused.value.error is not None
    assert refused.value.error.code == "Forbidden"
    assert vault.get_secret("account").value == "only-for-tests-value"


def test_fault_can_let_calls_pass_first(microsoft: Microsoft) -> None:
    script(microsoft, kind="5xx", service="graph", after=2, times=1)

    statuses = [microsoft.graph("GET", ORGANIZATION).status_code for _ in range(4)]

    assert statuses == [200, 200, 503, 200]


def test_cleared_faults_harm_nobody(microsoft: Microsoft) -> None:
    script(microsoft, kind="5xx", times=100)

    microsoft.control("DELETE", "faults")

    assert microsoft.graph("GET", ORGANIZATION).status_code == 200


def test_control_interface_is_beyond_all_faults() -> None:
    faults = Faults()
    faults.add([Fault(kind=FaultKind.UNAVAILABLE, times=1)])

    assert faults.take(Request("control", "POST", "/_simulator/reset", {}, {}, b"")) == (0.0, None)
    assert len(faults) == 1
