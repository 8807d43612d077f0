"""Signing keys are asked of Entra seldom, over TLS only, and kept through an outage."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event

import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from shared.adapters import signing_keys
from shared.adapters.signing_keys import FRESH_FOR, PAUSE, SHORT_PAUSE, USABLE_FOR, JwksSigningKeys
from shared.domain.errors import Code, NotFound, Transient
from shared.domain.ports import SigningKeys
from tests.contract.ports.key_endpoint import KeyEndpoint, jwk, key_set, serving
from tests.doors.tokens import KEY_ID, TENANT, FakeSigningKeys, StoppedClock, private_key

SECOND = timedelta(seconds=1)


@pytest.fixture
def entra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeyEndpoint]:
    """A key endpoint that this process trusts by SSL_CERT_FILE."""
    with serving(tmp_path / "ca.pem") as endpoint:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        yield endpoint


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


class SigningKeysContract:
    """What every SigningKeys promises."""

    def test_a_published_key_is_found_by_its_id(self, keys: SigningKeys) -> None:
        key = keys.key(KEY_ID)

        assert isinstance(key, RSAPublicKey)
        assert key.public_numbers() == private_key().public_key().public_numbers()

    def test_an_unknown_id_is_not_found(self, keys: SigningKeys) -> None:
        with pytest.raises(NotFound) as error:
            keys.key("strange")

        assert error.value.problem.code is Code.NOT_FOUND


class TestFakeSigningKeys(SigningKeysContract):
    @pytest.fixture
    def keys(self) -> SigningKeys:
        return FakeSigningKeys()


class TestJwksSigningKeys(SigningKeysContract):
    @pytest.fixture
    def keys(self, entra: KeyEndpoint, clock: StoppedClock) -> JwksSigningKeys:
        return JwksSigningKeys(entra.issuer, clock)

    def test_nothing_is_fetched_before_a_key_is_asked_for(self, keys: JwksSigningKeys, entra: KeyEndpoint) -> None:
        assert entra.asked == []

    def test_the_keys_are_asked_of_the_tenants_own_endpoint_once_an_hour(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, clock: StoppedClock
    ) -> None:
        for _ in range(100):
            keys.key(KEY_ID)
        clock.move(FRESH_FOR - SECOND)
        keys.key(KEY_ID)
        assert entra.asked == [f"/{TENANT}/discovery/v2.0/keys"]

        clock.move(SECOND)
        keys.key(KEY_ID)

        assert len(entra.asked) == 2

    def test_a_flood_of_unknown_ids_is_one_fetch_in_five_minutes(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, clock: StoppedClock
    ) -> None:
        for passed, expected in ((timedelta(), 1), (PAUSE - SECOND, 1), (SECOND, 2), (PAUSE - SECOND, 2), (SECOND, 3)):
            clock.move(passed)
            for number in range(50):
                with pytest.raises(NotFound):
                    keys.key(f"strange-{number}")
            assert len(entra.asked) == expected

    def test_a_new_key_is_found_as_soon_as_it_may_be_looked_for(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, clock: StoppedClock
    ) -> None:
        keys.key(KEY_ID)
        entra.body = key_set(jwk("rolled", key="rolled"))
        clock.move(PAUSE)

        rolled = keys.key("rolled")

        assert rolled.public_numbers() == private_key("rolled").public_key().public_numbers()
        with pytest.raises(NotFound):
            keys.key(KEY_ID)  # withdrawn: no token that it signed gets in any more

    def test_all_who_ask_at_the_same_time_share_one_fetch(self, keys: JwksSigningKeys, entra: KeyEndpoint) -> None:
        together = Barrier(16)

        def ask(number: int) -> bool:
            together.wait()
            return keys.key(KEY_ID) is not None

        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(ask, range(16)))
        assert len(entra.asked) == 1

    def test_whoever_knows_the_key_does_not_wait_for_a_fetch(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, clock: StoppedClock
    ) -> None:
        keys.key(KEY_ID)
        asked, go_on = Event(), Event()

        def hold() -> None:
            asked.set()
            go_on.wait(10)

        entra.before = hold
        clock.move(FRESH_FOR)

        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(keys.key, KEY_ID)
            assert asked.wait(10)
            served = keys.key(KEY_ID)
            still_fetching = not waiting.done()
            go_on.set()

        assert still_fetching
        assert served is not waiting.result()
        assert len(entra.asked) == 2

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (500, key_set(jwk(KEY_ID))),
            (302, key_set(jwk(KEY_ID))),
            (200, b""),
            (200, b"<html>"),
            (200, b"\xff"),
            (200, b"[]"),
            (200, b'{"keys": {}}'),
            (200, key_set()),
            (200, key_set("text", None, jwk("small", bits=1024, key="small"))),
            (200, b"[" * 100_000),
            (200, key_set(jwk(KEY_ID)) + b" " * 256 * 1024),
        ],
    )
    def test_a_broken_answer_leaves_the_last_good_keys_for_a_day(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, clock: StoppedClock, status: int, body: bytes
    ) -> None:
        good = keys.key(KEY_ID)
        entra.status, entra.body = status, body

        clock.move(FRESH_FOR)
        assert keys.key(KEY_ID) is good
        clock.move(USABLE_FOR - FRESH_FOR - SECOND)
        assert keys.key(KEY_ID) is good
        clock.move(SECOND)
        with pytest.raises(Transient) as error:
            keys.key(KEY_ID)

        assert error.value.problem.code is Code.UPSTREAM_UNAVAILABLE
        assert set(entra.asked) == {f"/{TENANT}/discovery/v2.0/keys"}

    def test_an_outage_is_tried_every_five_minutes_while_there_are_keys_to_go_by(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, clock: StoppedClock
    ) -> None:
        keys.key(KEY_ID)
        entra.status = 503
        clock.move(FRESH_FOR)

        for key_id in (KEY_ID, "strange", KEY_ID):
            ask(keys, key_id)
        clock.move(PAUSE - SECOND)
        ask(keys, KEY_ID)
        assert len(entra.asked) == 2
        clock.move(SECOND)
        ask(keys, KEY_ID)

        assert len(entra.asked) == 3

    def test_without_any_keys_an_outage_is_tried_twice_a_minute_and_ends_with_it(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, clock: StoppedClock
    ) -> None:
        entra.status = 503
        for _ in range(10):
            with pytest.raises(Transient) as error:
                keys.key(KEY_ID)
            assert error.value.retry_after == SHORT_PAUSE
        assert len(entra.asked) == 1
        entra.status = 200

        clock.move(SHORT_PAUSE)

        assert keys.key(KEY_ID)
        assert len(entra.asked) == 2

    def test_a_server_that_does_not_answer_is_not_waited_for(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hung_up = Event()
        entra.before = lambda: hung_up.wait(10)
        monkeypatch.setattr(signing_keys, "_TIMEOUT_SECONDS", 0.1)

        with pytest.raises(Transient):
            keys.key(KEY_ID)

        hung_up.set()

    def test_a_server_that_no_authority_vouches_for_is_not_believed(
        self, keys: JwksSigningKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))

        with pytest.raises(Transient):
            keys.key(KEY_ID)

    @pytest.mark.parametrize(
        "entry",
        [
            jwk("odd", key="small", bits=1024),
            jwk("odd", use="enc"),
            jwk("odd", use=None),
            jwk("odd", kty="EC"),
            {"kty": "oct", "use": "sig", "kid": "odd", "k": "b25seS1mb3ItdGVzdHM"},
            jwk("odd", n=None),
            jwk("odd", n=1),
            jwk("odd", e="AA"),
            RSAAlgorithm.to_jwk(private_key(), as_dict=True) | {"use": "sig", "kid": "odd"},
        ],
    )
    def test_a_key_that_is_not_for_signing_or_too_weak_is_passed_over(
        self, keys: JwksSigningKeys, entra: KeyEndpoint, entry: dict[str, object]
    ) -> None:
        entra.body = key_set(jwk(["odd"]), entry, jwk(KEY_ID))

        with pytest.raises(NotFound):
            keys.key("odd")
        assert keys.key(KEY_ID)


def ask(keys: JwksSigningKeys, key_id: str) -> None:
    try:
        keys.key(key_id)
    except NotFound:
        return


@pytest.mark.parametrize("issuer", ["http://login.example/t/v2.0", "login.example/t/v2.0", "", "file:///etc/v2.0"])
def test_an_issuer_without_tls_has_no_keys(issuer: str) -> None:
    with pytest.raises(ValueError, match="https"):
        JwksSigningKeys(issuer, StoppedClock())
