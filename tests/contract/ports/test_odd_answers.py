"""Answers that Microsoft never gives, but proxies, outages and impostors do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.adapters import entra_http, graph_calls
from shared.adapters.entra_http import EntraHttp
from shared.adapters.graph import GraphDirectory
from shared.adapters.graph_calls import GraphCalls, Request
from shared.domain.directory_roles import GLOBAL_READER, USER_ADMINISTRATOR
from shared.domain.errors import ReplyLost, Transient
from shared.domain.ids import TenantId
from shared.domain.secret import AccessToken, Secret
from tests.contract.ports.scripted_server import Answer, ScriptedServer, answer_with, serving
from tests.fakes.clock import START

TOKEN = Secret("only-for-tests-token")
TENANT = TenantId(UUID("d0000000-0000-4000-8000-00000000abcd"))

Ask = Callable[[], object]

NOT_ENTRA_NOR_GRAPH = {
    "a web page": Answer(200, b"<html>sign in to the hotel's network</html>"),
    "a list": Answer(200, b"[]"),
    "a redirect": Answer(307, b"", {"Location": "/elsewhere"}),
    "a page that says no": Answer(403, b"<html>blocked by the proxy</html>"),
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as running:
        yield running


@pytest.fixture
def calls(server: ScriptedServer) -> GraphCalls:
    return GraphCalls(server.url, pause=lambda _: None)


@pytest.fixture
def sign_in(server: ScriptedServer) -> Ask:
    """A token request."""
    http = EntraHttp()
    return lambda: http.post(f"{server.url}/tenant/oauth2/v2.0/token", data={"password": "only-for-tests"})


@pytest.fixture
def read(calls: GraphCalls) -> Ask:
    """A read of Graph."""
    return lambda: calls.send(Request("GET", "/v1.0/organization"), TOKEN)


@pytest.fixture
def write(calls: GraphCalls) -> Ask:
    """A write to Graph."""
    return lambda: calls.send(Request("POST", "/v1.0/users", body={"displayName": "Adele"}), TOKEN)


@pytest.mark.parametrize("answer", NOT_ENTRA_NOR_GRAPH.values(), ids=NOT_ENTRA_NOR_GRAPH)
def test_answer_that_is_not_entra_s_or_graph_s_refuses_nothing_and_leads_nowhere(
    server: ScriptedServer, sign_in: Ask, read: Ask, write: Ask, answer: Answer
) -> None:
    server.answers = [answer]

    for ask in (sign_in, read, write):
        with pytest.raises(Transient):
            ask()

    assert "/elsewhere" not in [asked.path for asked in server.asked]


def test_answer_that_breaks_off_is_a_reply_lost(server: ScriptedServer, sign_in: Ask, read: Ask, write: Ask) -> None:
    server.answers = [Answer(200, b'{"access_token": "only-for-', length=1000)]

    for ask in (sign_in, read, write):
        with pytest.raises(ReplyLost):
            ask()


def test_answer_that_does_not_come_in_time_is_a_reply_lost(
    server: ScriptedServer, sign_in: Ask, write: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (entra_http, graph_calls):
        monkeypatch.setattr(module, "READ_SECONDS", 0.1)
    server.answers = [Answer(seconds=0.4)]

    for ask in (sign_in, write):
        with pytest.raises(ReplyLost):
            ask()


def test_date_to_come_back_at_is_measured_by_the_other_side_s_clock(server: ScriptedServer, write: Ask) -> None:
    server.answers = [
        Answer(503, headers={"Date": "Mon, 23 Nov 2026 09:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 09:05:00 GMT"})
    ]

    with pytest.raises(Transient) as busy:
        write()

    assert busy.value.retry_after == timedelta(minutes=5)


def test_cookie_of_one_sign_in_is_not_sent_with_another(server: ScriptedServer, sign_in: Ask) -> None:
    server.answers = [Answer(400, b'{"error": "invalid_grant"}', {"Set-Cookie": "fpc=only-for-tests; path=/"})]

    sign_in()
    sign_in()

    assert [asked.headers.get("Cookie") for asked in server.asked] == [None, None]


def test_msal_s_other_questions_are_answered_without_asking_anybody(server: ScriptedServer) -> None:
    http = EntraHttp()

    realm = http.get(f"{server.url}/common/userrealm/adele@tailspin.onmicrosoft.com?api-version=1.0")
    discovery = http.get(f"{server.url}/tenant/v2.0/.well-known/openid-configuration")

    assert realm.status_code == 404, "a federated account's password would go to another identity provider"
    assert f'"token_endpoint": "{server.url}/tenant/oauth2/v2.0/token"' in discovery.text
    assert server.asked == []


def test_next_page_is_asked_of_graph_wherever_the_link_points(server: ScriptedServer, calls: GraphCalls) -> None:
    def page(role: UUID, **more: str) -> Answer:
        row = {"id": str(role), "roleDefinitionId": str(role), "directoryScopeId": "/"}
        return answer_with({"value": [row], **more})

    link = "https://elsewhere.example/v1.0/other?%24filter=f&%24skiptoken=two"
    server.answers = [
        page(GLOBAL_READER.template_id, **{"@odata.nextLink": link}),
        page(USER_ADMINISTRATOR.template_id),
    ]
    directory = GraphDirectory(calls, lambda tenant_id, *, fresh=False: AccessToken(TOKEN, START))

    held = directory.role_assignments(TENANT, uuid4())

    assert [row.role_template_id for row in held] == [GLOBAL_READER.template_id, USER_ADMINISTRATOR.template_id]
    assert server.asked[1].path == "/v1.0/roleManagement/directory/roleAssignments?$filter=f&$skiptoken=two"
