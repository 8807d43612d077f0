"""The console in the cloud is optional, and sent with the strict headers that the browser tests run under."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from infra.console_site import EMBEDDED, ConsoleSettings, NotBuilt, lay_out
from tests.infra.bicep_template import deploy
from tests.infra.console_promise import STATIC_SITE
from tests.infra.environments import DEPLOYER, INFRA
from tests.infra.promises import SITE

SETTINGS: Final = ConsoleSettings(
    "https://func.example.net/api", "https://login.example.net/home", "the-client", "api://audience/Sessions.Access"
)


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A console of a page and an asset."""
    files = tmp_path / "dist"
    (files / "assets").mkdir(parents=True)
    (files / "index.html").write_text("<title>page</title>")
    (files / "assets" / "a-1234.js").write_text("run()")
    return files


def laid_out(name: str, built: Path) -> Any:
    """A JSON file of the site."""
    lay_out(SETTINGS, built.parent / "site", built=built)
    return json.loads((built.parent / "site" / name).read_text("utf-8"))


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_who_asks_for_no_console_gets_none_and_opens_the_api_to_no_page(environment: str) -> None:
    asked = {name: value for name, value in DEPLOYER.items() if name != "CONSOLE_LOCATION"}

    deployment = deploy(INFRA / "environments" / f"{environment}.bicepparam", asked)

    assert deployment.of(STATIC_SITE) == ()
    assert deployment.of(SITE)[0]["properties.siteConfig.cors.allowedOrigins"] == []
    assert (deployment.outputs["CONSOLE_URL"], deployment.outputs["CONSOLE_NAME"]) == ("", "")


def test_every_file_is_sent_with_a_policy_of_named_hosts_only(built: Path) -> None:
    headers = laid_out("staticwebapp.config.json", built)["globalHeaders"]

    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert headers == SETTINGS.headers()
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self' https://func.example.net https://login.example.net"
    assert not any(word in headers["Content-Security-Policy"] for word in ("unsafe", "*", "http:"))


def test_no_route_takes_the_policy_away_and_the_platform_s_sign_in_is_closed(built: Path) -> None:
    routes = {route["route"]: route for route in laid_out("staticwebapp.config.json", built)["routes"]}

    assert routes.keys() == {*EMBEDDED, "/.auth/*"}
    assert routes["/.auth/*"] == {"route": "/.auth/*", "statusCode": 404}
    for embedded in EMBEDDED:
        assert routes[embedded]["headers"].keys() <= {"Access-Control-Allow-Origin", "Cache-Control"}
        assert {**SETTINGS.headers(), **routes[embedded]["headers"]} == SETTINGS.headers_of(embedded)


def test_another_place_needs_another_configuration_and_no_other_build(built: Path) -> None:
    config = laid_out("config.json", built)

    assert config == {
        "api": "https://func.example.net/api",
        "authority": "https://login.example.net/home",
        "clientId": "the-client",
        "scope": "api://audience/Sessions.Access",
    }
    assert (built.parent / "site" / "assets" / "a-1234.js").read_text() == "run()"
    assert not (built / "config.json").exists()


def test_what_was_published_before_is_gone(built: Path) -> None:
    laid_out("config.json", built)
    (built / "assets" / "a-1234.js").rename(built / "assets" / "a-5678.js")

    laid_out("config.json", built)

    assert [path.name for path in (built.parent / "site" / "assets").iterdir()] == ["a-5678.js"]


def test_without_a_build_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt, match="make console"):
        lay_out(SETTINGS, tmp_path / "site", built=tmp_path / "dist")

    assert not (tmp_path / "site").exists()


def test_the_script_needs_nothing_but_python(tmp_path: Path) -> None:
    words = [f"--{name}=x" for name in ("api", "authority", "client-id", "audience")]
    command = [sys.executable, "-I", str(INFRA / "console_site.py"), *words, f"--output={tmp_path / 'site'}"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    is_built = (INFRA.parent / "console" / "dist" / "index.html").exists()
    assert (done.returncode, "make console" in done.stderr) == ((0, False) if is_built else (1, True))


_TOOL = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path
words = [Path(sys.argv[0]).name, *sys.argv[1:]]
with open({{log!r}}, "a", encoding="utf-8") as log:
    log.write(json.dumps([words, os.environ.get("SWA_CLI_DEPLOYMENT_TOKEN")]) + "\\n")
answers = {{{{"cloud": "https://login.example.net/", "account": "home", "staticwebapp": "only-for-tests-token"}}}}
if words[0] == "az":
    print(answers[words[1]])
"""


def test_publishing_builds_lays_out_and_tells_the_token_to_nobody_but_the_publisher(tmp_path: Path) -> None:
    project, tools, log = tmp_path / "project", tmp_path / "tools", tmp_path / "log"
    for name in ("publish-console.sh", "console_site.py"):
        (project / "infra").mkdir(parents=True, exist_ok=True)
        shutil.copy2(INFRA / name, project / "infra" / name)
    (project / "console" / "dist").mkdir(parents=True)
    (project / "console" / "dist" / "index.html").write_text("<title>page</title>")
    tools.mkdir()
    for name in ("az", "make", "npx"):
        (tools / name).write_text(_TOOL.format(log=str(log)), "utf-8")
        (tools / name).chmod(0o755)
    told = {
        "AZURE_RESOURCE_GROUP": "group",
        "CONSOLE_NAME": "stapp",
        "SERVICE_API_URI": "https://func.example.net/api",
        "API_AUDIENCE": "audience",
        "CONSOLE_CLIENT_ID": "the-client",
    }

    done = subprocess.run(
        [project / "infra" / "publish-console.sh"],
        env={**told, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    calls = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    (published, token) = calls[-1]
    assert (done.returncode, done.stderr) == (0, "")
    assert calls[0] == [["make", "console"], None]
    assert (published[0], published[3:]) == (
        "npx",
        ["deploy", str(project / ".local" / "console"), "--env", "production"],
    )
    assert token == "only-for-tests-token"
    assert not any("only-for-tests-token" in word for words, _ in calls for word in words)
    config = json.loads((project / ".local" / "console" / "config.json").read_text("utf-8"))
    assert (config["authority"], config["scope"]) == (
        "https://login.example.net/home",
        "api://audience/Sessions.Access",
    )
