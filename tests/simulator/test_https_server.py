"""The server under the services: HTTP/1.1 over TLS, the gate of Graph, and the process that runs it all."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import certifi
import pytest
import requests

from local.simulator.seed import FABRIKAM, TAILSPIN
from local.simulator.server import Simulator
from local.simulator.signing import SigningKey
from tests.simulator.clients import Microsoft

ROOT = Path(__file__).parents[2]
ORGANIZATION = "/v1.0/organization"


def connection(simulator: Simulator) -> http.client.HTTPSConnection:
    """A bare HTTPS connection."""
    address = urlsplit(simulator.url)
    context = ssl.create_default_context(cafile=simulator.ca_bundle)
    return http.client.HTTPSConnection(str(address.hostname), address.port, context=context, timeout=5)


def test_certificate_is_good_for_localhost_but_only_with_its_own_authority(microsoft: Microsoft) -> None:
    by_name = microsoft.session.get(f"{microsoft.simulator.url.replace('127.0.0.1', 'localhost')}/_simulator/clock")

    with pytest.raises(requests.exceptions.SSLError):
        microsoft.session.get(f"{microsoft.simulator.url}/_simulator/clock", verify=certifi.where())

    assert by_name.status_code == 200


def test_connection_serves_one_request_after_the_other(simulator: Simulator) -> None:
    client = connection(simulator)
    client.connect()
    first_socket = client.sock

    for _ in range(3):
        client.request("GET", "/_simulator/clock")
        assert client.getresponse().read()
    same_socket = client.sock is first_socket
    client.close()

    assert same_socket


def test_chunked_body_is_read(microsoft: Microsoft) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"adv'
        yield b'ance": 3600}'

    response = microsoft.session.post(f"{microsoft.simulator.url}/_simulator/clock", data=chunks())

    assert response.status_code == 200
    assert response.request.headers["Transfer-Encoding"] == "chunked"


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ("Content-Length: much", "", 400),
        ("Content-Length: -1", "", 400),
        ("Content-Length: 99999999", "", 413),
        ("Transfer-Encoding: chunked", "zz\r\n", 400),
    ],
)
def test_body_that_cannot_be_read_ends_the_connection(
    simulator: Simulator, headers: str, body: str, status: int
) -> None:
    client = connection(simulator)
    client.connect()

    client.sock.sendall(f"POST /_simulator/clock HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}".encode())
    answer = http.client.HTTPResponse(client.sock)
    answer.begin()
    content = answer.read()
    client.close()

    assert answer.status == status
    assert answer.getheader("Connection") == "close"
    assert json.loads(content)["error"]["code"] == "BadRequest"


def test_line_that_is_not_http_is_answered_with_json(simulator: Simulator) -> None:
    client = connection(simulator)
    client.connect()

    client.sock.sendall(b"GET / HTTP/9.9.9\r\n\r\n")
    answer = client.sock.recv(4096)
    client.close()

    assert json.loads(answer)["error"]["message"] == "the request is not HTTP"


def test_slow_client_holds_up_nobody(microsoft: Microsoft) -> None:
    address = urlsplit(microsoft.simulator.url)

    with socket.create_connection((str(address.hostname), int(address.port or 0))):
        answered = microsoft.session.get(f"{microsoft.simulator.url}/_simulator/clock", timeout=5)

    assert answered.status_code == 200


@pytest.mark.parametrize("method", ["QUERY", "HEAD", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", [ORGANIZATION, f"/{TAILSPIN}/oauth2/v2.0/token", "/_simulator/clock", "/msi/token"])
def test_unknown_method_is_405_everywhere(microsoft: Microsoft, method: str, path: str) -> None:
    response = microsoft.session.request(method, f"{microsoft.simulator.url}{path}")

    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_known_path_with_another_method_is_405_and_says_what_is_allowed(microsoft: Microsoft) -> None:
    graph = microsoft.graph("DELETE", ORGANIZATION)
    entra = microsoft.session.get(f"{microsoft.simulator.url}/{TAILSPIN}/oauth2/v2.0/token")

    assert (graph.status_code, graph.headers["Allow"]) == (405, "GET")
    assert (entra.status_code, entra.headers["Allow"]) == (405, "POST")


def test_every_answer_carries_request_ids(microsoft: Microsoft) -> None:
    microsoft.session.headers["client-request-id"] = "only-for-tests"

    response = microsoft.graph("GET", ORGANIZATION)

    assert response.headers["request-id"]
    assert response.headers["x-ms-request-id"] == response.headers["request-id"]
    assert response.headers["client-request-id"] == "only-for-tests"
    assert response.headers["Content-Type"].startswith("application/json")


def test_graph_refuses_callers_without_a_good_token(microsoft: Microsoft, strange_key: SigningKey) -> None:
    token = str(microsoft.app_token()["access_token"])
    claims = microsoft.simulator.world.signing_key.read(token)
    exchange_token = microsoft.app_token(scope="https://outlook.office365.com/.default")["access_token"]

    for bad in ("", "not-a-token", strange_key.sign(claims), exchange_token):
        response = microsoft.graph("GET", ORGANIZATION, bad)

        assert response.status_code == 401
        assert response.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert microsoft.graph("GET", ORGANIZATION, token).status_code == 200


def test_graph_refuses_an_expired_token(microsoft: Microsoft) -> None:
    token = microsoft.app_token()["access_token"]

    microsoft.control("POST", "clock", {"advance": 2 * 3600})

    response = microsoft.graph("GET", ORGANIZATION, token)
    assert response.status_code == 401
    assert "expired" in response.json()["error"]["message"]


def test_graph_refuses_an_application_without_the_permission(microsoft: Microsoft) -> None:
    token = microsoft.app_token(FABRIKAM)["access_token"]

    response = microsoft.graph("POST", "/v1.0/identity/conditionalAccess/namedLocations", token, json={})

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "Authorization_RequestDenied"
    assert response.json()["error"]["message"] == "Insufficient privileges to complete the operation."


def test_graph_knows_only_its_own_paths_and_only_json(microsoft: Microsoft) -> None:
    unknown = microsoft.graph("GET", "/v1.0/unicorns")
    broken = microsoft.graph("POST", "/v1.0/users", data=b"{")

    assert unknown.status_code == 400
    assert unknown.json()["error"]["message"] == "Resource not found for the segment 'unicorns'."
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/{TAILSPIN}/oauth2/v2.0/devicecode"),
        ("POST", f"/{TAILSPIN}/oauth2/token"),
        ("GET", "/common/userrealm/admin@tailspin.onmicrosoft.com"),
        ("GET", "/common/discovery/instance"),
        ("GET", "/msi/other"),
        ("GET", "/_simulator/other"),
        ("GET", "/"),
    ],
)
def test_what_is_absent_is_refused(microsoft: Microsoft, method: str, path: str) -> None:
    assert microsoft.session.request(method, f"{microsoft.simulator.url}{path}").status_code == 404


def test_failure_of_the_simulator_is_a_500_that_says_so(
    microsoft: Microsoft, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(microsoft.simulator.world, "tenants", None)

    response = microsoft.session.get(f"{microsoft.simulator.url}/{TAILSPIN}/discovery/v2.0/keys")

    assert response.status_code == 500
    assert "the simulator failed at GET" in caplog.text


def test_simulator_starts_in_well_under_a_second_and_leaves_nothing_behind() -> None:
    started = time.perf_counter()
    with Simulator() as simulator:
        seconds = time.perf_counter() - started
        bundle = simulator.ca_bundle
        existed = bundle.exists()

    assert seconds < 1
    assert existed
    assert not bundle.exists()


def test_port_that_is_taken_is_an_error(simulator: Simulator) -> None:
    taken = int(simulator.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        Simulator(key_vault_port=taken)


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_process_prints_its_addresses_and_stops_when_told(tmp_path: Path, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "local.simulator", "--port", "0", "--key-vault-port", "0"]
    with subprocess.Popen(
        [*command, "--ca-directory", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        addresses = json.loads(process.stdout.readline())
        with requests.Session() as session:
            session.trust_env = False
            session.verify = addresses["caBundle"]
            simulator = session.get(f"{addresses['simulator']}/_simulator/clock", timeout=5)
            vault = session.get(f"{addresses['keyVault']}/secrets?api-version=7.4", timeout=5)
        process.send_signal(stop)
        complaints = process.stderr.read()

    assert (simulator.status_code, vault.status_code) == (200, 401)
    assert addresses["caBundle"] == str(tmp_path / "ca-bundle.pem")
    assert (process.returncode, complaints) == (0, "")
