"""Who is let in, with which rights, and that every refusal looks the same."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.callers import Reason, TokenVerifier, Unauthenticated
from shared.domain.actors import Caller, Right
from shared.domain.errors import Code, Transient, unavailable
from tests.doors.tokens import (
    AUDIENCE,
    CONSOLE,
    ISSUER,
    KEY_ID,
    NOW,
    PERSON,
    PROGRAM,
    FakeSigningKeys,
    StoppedClock,
    app_claims,
    base64url,
    bearer,
    reason_of,
    signed_octets,
    user_claims,
    verifier,
)

NONE: frozenset[Right] = frozenset()


def test_a_person_is_named_and_has_the_rights_of_the_roles() -> None:
    token = bearer(user_claims(roles=["Tenants.Read.All", "Sessions.Operate", "Something.Else"]))

    caller = verifier().verify(token)

    assert caller == Caller(
        object_id=UUID(PERSON),
        application_id=UUID(CONSOLE),
        is_application=False,
        name="Ada Operator",
        everywhere=frozenset({Right.READER}),
        where_granted=frozenset({Right.OPERATOR}),
    )


def test_an_executor_has_no_name_and_the_rights_of_the_roles() -> None:
    caller = verifier().verify(bearer(app_claims(roles=["Actions.Execute.All", "Tenants.Read"])))

    assert caller == Caller(
        object_id=UUID(PROGRAM),
        application_id=UUID(CONSOLE),
        is_application=True,
        name=None,
        everywhere=frozenset({Right.EXECUTOR}),
        where_granted=frozenset({Right.READER}),
    )


@pytest.mark.parametrize(
    ("role", "for_users", "for_applications"),
    [
        ("Tenants.Read", frozenset({Right.READER}), frozenset({Right.READER})),
        ("Sessions.Operate", frozenset({Right.OPERATOR}), NONE),
        ("Tenants.Manage", frozenset({Right.ADMINISTRATOR}), NONE),
        ("Actions.Execute", NONE, frozenset({Right.EXECUTOR})),
        ("tenants.read", NONE, NONE),
        ("Tenants.Read.all", NONE, NONE),
        ("Tenants.Read ", NONE, NONE),
    ],
)
def test_a_role_counts_only_in_the_kind_of_token_it_is_made_for(
    role: str, for_users: frozenset[Right], for_applications: frozenset[Right]
) -> None:
    person = verifier().verify(bearer(user_claims(roles=[role])))
    program = verifier().verify(bearer(app_claims(roles=[role])))
    everywhere = verifier().verify(bearer(user_claims(roles=[f"{role}.All"])))

    assert (person.where_granted, person.everywhere) == (for_users, NONE)
    assert (program.where_granted, program.everywhere) == (for_applications, NONE)
    assert (everywhere.where_granted, everywhere.everywhere) == (NONE, for_users)


def test_a_token_without_roles_is_a_caller_who_may_do_nothing() -> None:
    caller = verifier().verify(bearer(user_claims(roles=None)))

    assert (caller.everywhere, caller.where_granted) == (NONE, NONE)


@pytest.mark.parametrize("scopes", ["Sessions.Access", "openid Sessions.Access", "Sessions.Access profile"])
def test_the_scope_may_stand_among_others(scopes: str) -> None:
    assert not verifier().verify(bearer(user_claims(scp=scopes))).is_application


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        (user_claims(name=None), "ada@vendor.example"),
        (user_claims(name=None, preferred_username=None), None),
        (user_claims(name=["Ada"]), "ada@vendor.example"),
        (user_claims(name="Ada\nadministrator"), "ada@vendor.example"),
        (user_claims(name="\ud800", preferred_username="\u202eadA"), None),
        (user_claims(name="A" * 1000), "A" * 256),
        (app_claims(name="Not a person"), None),
    ],
)
def test_a_strange_name_is_left_out_and_decides_nothing(claims: dict[str, object], name: str | None) -> None:
    assert verifier().verify(bearer(claims)).name == name


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    token = bearer(user_claims()).removeprefix("Bearer ")

    assert verifier().verify(f"{scheme} {token}").object_id == UUID(PERSON)


@pytest.mark.parametrize(
    ("claim", "seconds", "reason"),
    [
        ("exp", -59, None),
        ("exp", -60, Reason.EXPIRED),
        ("nbf", 60, None),
        ("nbf", 61, Reason.NOT_YET_VALID),
        ("iat", 60, None),
        ("iat", 61, Reason.NOT_YET_VALID),
    ],
)
def test_clocks_may_differ_by_a_minute(claim: str, seconds: int, reason: Reason | None) -> None:
    token = bearer(user_claims(**{claim: int(NOW.timestamp()) + seconds}))

    outcome = reason_of(token)

    assert outcome == reason


def test_time_is_told_by_the_clock_that_was_given() -> None:
    token = bearer(user_claims())

    later = verifier(now=NOW + timedelta(hours=1, seconds=59))
    too_late = verifier(now=NOW + timedelta(hours=1, seconds=60))

    assert later.verify(token).object_id == UUID(PERSON)
    assert reason_of(token, too_late) is Reason.EXPIRED


def test_a_refusal_tells_the_caller_one_sentence_and_the_log_a_reason() -> None:
    sentences, reasons = set(), []
    for token in (
        None,
        "Basic x",
        bearer(app_claims(aud="x")),
        bearer(user_claims(exp=1)),
        bearer({}, header={"kid": "strange"}),
    ):
        with pytest.raises(Unauthenticated) as refusal:
            verifier().verify(token)
        sentences.add((str(refusal.value), repr(refusal.value), refusal.value.problem))
        reasons.append(refusal.value.reason)

    assert len(sentences) == 1
    assert sentences.pop()[2].code is Code.UNAUTHENTICATED
    assert reasons == [
        Reason.MISSING,
        Reason.NOT_BEARER,
        Reason.WRONG_AUDIENCE,
        Reason.EXPIRED,
        Reason.FOREIGN,
    ]


@pytest.mark.parametrize(
    "authorization",
    [
        "only-for-tests",
        "Bearer only-for-tests.only-for-tests.only-for-tests",
        f"Bearer {base64url(b'{only-for-tests}')}.x.x",
        signed_octets(b"only-for-tests\xff", b"{}"),
        bearer(user_claims(sub=["only-for-tests"])),
        bearer(user_claims(oid="only-for-tests")),
    ],
)
def test_no_part_of_a_token_is_in_what_is_raised(authorization: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        verifier().verify(authorization)

    error: BaseException | None = refusal.value
    while error is not None:
        assert "only-for-tests" not in f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


def test_that_the_keys_cannot_be_had_is_not_held_against_the_caller() -> None:
    class NoKeys:
        def key(self, key_id: str) -> object:
            raise unavailable("Microsoft's list of signing keys", timedelta(seconds=30))

    deprived = TokenVerifier(issuer=ISSUER, audience=AUDIENCE, keys=NoKeys(), clock=StoppedClock())

    with pytest.raises(Transient) as error:
        deprived.verify(bearer(user_claims()))
    assert error.value.retry_after == timedelta(seconds=30)


def test_one_key_is_asked_for_by_its_id() -> None:
    keys = FakeSigningKeys()

    verifier(keys).verify(bearer(user_claims()))

    assert keys.asked == [KEY_ID]


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        ISSUER.replace("https", "http"),
        ISSUER.removesuffix("/v2.0"),
        f"{ISSUER}/",
        "https://login.example/common/v2.0",
        "https://login.example/contoso.example/v2.0",
    ],
)
def test_an_issuer_that_is_no_tenant_of_its_own_is_refused_at_the_start(issuer: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        TokenVerifier(issuer=issuer, audience=AUDIENCE, keys=FakeSigningKeys(), clock=StoppedClock())


def test_neither_loading_the_module_nor_an_implausible_token_loads_cryptography() -> None:
    script = f"""
import sys
import shared.adapters.signing_keys
from functions.callers import TokenVerifier, Unauthenticated
verifier = TokenVerifier(issuer={ISSUER!r}, audience={AUDIENCE!r}, keys=None, clock=None)
for token in (None, "Bearer x", "Bearer e30.e30.e30", {bearer(user_claims(tid="x"))!r}):
    try:
        verifier.verify(token)
    except Unauthenticated:
        continue
    sys.exit("accepted")
sys.exit(str([name for name in ("jwt", "cryptography") if name in sys.modules] or ""))
"""

    run = subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True)

    assert run.stderr.strip() == ""


@settings(deadline=None)
@given(st.text() | st.text().map("Bearer {}".format) | st.from_regex(r"Bearer [\w-]+\.[\w-]+\.[\w-]+", fullmatch=True))
def test_no_text_whatever_raises_anything_but_the_one_refusal(authorization: str) -> None:
    assert reason_of(authorization) is not None
