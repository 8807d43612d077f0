"""The console's files are served with their policy, and config.json says where everything is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from infra.console_site import ConsoleSettings
from local.console import server

SETTINGS = ConsoleSettings("http://127.0.0.1:7071/api", "https://127.0.0.1:8443/home", "the-client", "the-scope")


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A server of one page and one asset, with another file beside them."""
    files = tmp_path / "dist"
    (files / "assets").mkdir(parents=True)
    (files / "index.html").write_text("<title>page</title>")
    (files / "management-session.js").write_text("define()")
    (files / "assets" / "a-1234.js").write_text("run()")
    (tmp_path / "beside.txt").write_text("only-for-tests-not-served")
    with server(0, SETTINGS, files) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


def test_every_file_comes_with_a_policy_that_names_only_our_own_hosts(address: str) -> None:
    for path in ("/", "/assets/a-1234.js", "/config.json"):
        with urlopen(address + path) as answer:
            policy = answer.headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "connect-src 'self' http://127.0.0.1:7071 https://127.0.0.1:8443;" in policy
        assert "unsafe" not in policy


def test_configuration_names_api_client_and_entras_addresses(address: str) -> None:
    with urlopen(f"{address}/config.json") as answer:
        config = json.load(answer)

    assert (config["api"], config["clientId"], config["scope"]) == (SETTINGS.api, "the-client", "the-scope")
    assert config["authorityMetadata"]["token_endpoint"] == f"{SETTINGS.authority}/oauth2/v2.0/token"


def test_only_files_named_by_their_content_may_be_kept(address: str) -> None:
    with urlopen(f"{address}/assets/a-1234.js") as asset, urlopen(address) as page:
        assert "immutable" in asset.headers["Cache-Control"]
        assert page.headers["Cache-Control"] == "no-cache"


def test_other_pages_may_load_what_they_embed_and_nothing_else(address: str) -> None:
    permission = "Access-Control-Allow-Origin"
    with urlopen(f"{address}/management-session.js") as element, urlopen(f"{address}/assets/a-1234.js") as asset:
        assert (element.headers[permission], asset.headers[permission]) == ("*", "*")
        assert element.headers["Cache-Control"] == "no-cache"
    with urlopen(address) as page, urlopen(f"{address}/config.json") as config:
        assert (page.headers[permission], config.headers[permission]) == (None, None)


@pytest.mark.parametrize("path", ["/beside.txt", "/../beside.txt", "/assets/../../beside.txt", "/%2e%2e/beside.txt"])
def test_nothing_beside_the_built_files_is_served(address: str, path: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(address + path)

    with refused.value as answer:
        assert answer.code == 404
