"""Token answers that Entra never gives, but should it, nothing is believed, kept or shown of them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from uuid import UUID, uuid4

import pytest

from shared.adapters import entra
from shared.adapters.entra import EntraSignIn
from shared.adapters.entra_http import Answer, EntraHttp
from shared.adapters.graph_calls import GraphCalls
from shared.domain.errors import Code, Refused, Transient
from shared.domain.ids import TenantId
from shared.domain.secret import Secret
from tests.fakes.clock import FakeClock

TENANT = TenantId(UUID("d0000000-0000-4000-8000-00000000abcd"))
USER = UUID("d0000000-0000-4000-8000-00000000abce")
TOKENS = {"access_token": "only-for-tests-opaque", "expires_in": 3600, "refresh_token": "only-for-tests-refresh"}


class ScriptedEntra(EntraHttp):
    """Entra, as far as MSAL can tell: it answers every token request alike, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.document: Mapping[str, object] = TOKENS
        self.asked = 0

    def post(self, url: str, **_: object) -> Answer:  # type: ignore[override]  # MSAL passes keywords only
        self.asked += 1
        return Answer(200, json.dumps(self.document))


@pytest.fixture
def answers() -> ScriptedEntra:
    return ScriptedEntra()


@pytest.fixture
def sign_in(answers: ScriptedEntra, monkeypatch: pytest.MonkeyPatch) -> EntraSignIn:
    monkeypatch.setattr("shared.adapters.entra_http.EntraHttp", lambda: answers)
    return EntraSignIn(
        authority_host="https://login.example",
        client_id=str(uuid4()),
        credential=Secret("only-for-tests-client-secret"),
        graph_scope="https://graph.example/.default",
        graph=GraphCalls("https://graph.example", pause=lambda _: None),
        clock=FakeClock(),
    )


def id_token(**claims: str) -> str:
    """An ID token that says so; nobody signed it."""
    payload = urlsafe_b64encode(json.dumps({"sub": "s", **claims}).encode()).decode().rstrip("=")
    return f"e30.{payload}.only-for-tests"


def test_token_that_cannot_be_read_leaves_the_permissions_unknown(sign_in: EntraSignIn) -> None:
    with pytest.raises(Transient):
        sign_in.permissions(TENANT)


@pytest.mark.parametrize("lacking", ["access_token", "expires_in"])
def test_answer_without_a_token_or_its_life_is_no_answer(
    sign_in: EntraSignIn, answers: ScriptedEntra, lacking: str
) -> None:
    answers.document = {name: part for name, part in TOKENS.items() if name != lacking}

    with pytest.raises(Transient):
        sign_in.app_token(TENANT)


@pytest.mark.parametrize("token", ["only-for-tests", "a.b.c", id_token(), id_token(oid="adele", tid=str(TENANT)), None])
def test_sign_in_that_does_not_say_whose_it_is_counts_for_nothing(
    sign_in: EntraSignIn, answers: ScriptedEntra, token: str | None
) -> None:
    answers.document = TOKENS | {"id_token": token}

    with pytest.raises(Transient) as unclear:
        sign_in.with_password(TENANT, "adele@tailspin.onmicrosoft.com", Secret("only-for-tests"))

    assert unclear.value.__cause__ is None
    assert unclear.value.__suppress_context__ or unclear.value.__context__ is None


def test_account_of_another_tenant_is_turned_away(sign_in: EntraSignIn, answers: ScriptedEntra) -> None:
    answers.document = TOKENS | {"id_token": id_token(oid=str(USER), tid=str(uuid4()))}

    with pytest.raises(Refused) as refusal:
        sign_in.with_password(TENANT, "adele@elsewhere.onmicrosoft.com", Secret("only-for-tests"))

    assert refusal.value.problem.code is Code.CREDENTIAL_REJECTED


def test_sign_in_without_a_refresh_token_carries_no_session(sign_in: EntraSignIn, answers: ScriptedEntra) -> None:
    answers.document = {
        "access_token": "only-for-tests-opaque",
        "expires_in": 3600,
        "id_token": id_token(oid=str(USER), tid=str(TENANT)),
    }

    with pytest.raises(Refused) as refusal:
        sign_in.with_password(TENANT, "adele@tailspin.onmicrosoft.com", Secret("only-for-tests"))

    assert refusal.value.problem.code is Code.CONSENT_MISSING


def test_tokens_of_the_tenants_used_longest_ago_are_forgotten(
    sign_in: EntraSignIn, answers: ScriptedEntra, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entra, "TENANTS_REMEMBERED", 2)
    first, second, third = (TenantId(uuid4()) for _ in range(3))

    for tenant_id in (first, second, first, third, first, second):
        sign_in.app_token(tenant_id)

    assert answers.asked == 4
