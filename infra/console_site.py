"""What the console's files are sent with is said once: the local stack sends them so, and Azure Static Web Apps too.

`python3 infra/console_site.py --api … --authority … --client-id … --audience …` puts the built console, `config.json`
and `staticwebapp.config.json` into `.local/console`, ready to be published. Another place needs another `config.json`
and other headers, but no other build.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PROJECT: Final = Path(__file__).parents[1]
BUILT: Final = PROJECT / "console" / "dist"

EMBEDDED: Final = ("/management-session.js", "/management-session.css", "/assets/*")
"""What pages of other origins load (console/README.md, "Embed the panel"); the last are named by their content."""

# Fluent UI makes empty <style> elements and fills them through the CSSOM. The hash is that of the empty text: it lets
# those elements be, and no style that came as markup.
_EMPTY_STYLE: Final = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


class NotBuilt(Exception):
    """There is nothing to publish yet."""


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """What the console is told of its surroundings."""

    api: str  # where /v1/… is
    authority: str  # Entra's, with the vendor's tenant
    client_id: str  # the console's own application
    scope: str  # what it asks a token for

    def document(self) -> Mapping[str, object]:
        """`config.json`, as console/src/config.ts reads it."""
        return {"api": self.api, "authority": self.authority, "clientId": self.client_id, "scope": self.scope}

    def headers(self) -> Mapping[str, str]:
        """What every file is sent with.

        The policy names what the page needs and nothing else (https://www.w3.org/TR/CSP3/): its own files, the API, and
        Entra, where tokens are fetched.
        """
        policy = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": f"'self' {_EMPTY_STYLE}",
            "img-src": "'self' data:",
            "connect-src": f"'self' {_origin(self.api)} {_origin(self.authority)}",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        return {
            "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        }

    def headers_of(self, path: str) -> Mapping[str, str]:
        """What the file at that address is sent with."""
        special = next((route for route in EMBEDDED if path.startswith(route.rstrip("*"))), None)
        return {**self.headers(), **(_of_embedded(special) if special else {})}

    def static_web_app(self) -> Mapping[str, object]:
        """`staticwebapp.config.json`: the same headers, and nothing of the platform's own sign-in.

        https://learn.microsoft.com/azure/static-web-apps/configuration
        """
        return {
            "globalHeaders": self.headers(),
            "routes": [
                *({"route": route, "headers": _of_embedded(route)} for route in EMBEDDED),
                {"route": "/.auth/*", "statusCode": 404},
            ],
        }


def lay_out(settings: ConsoleSettings, into: Path, *, built: Path = BUILT) -> None:
    """Fill the directory with what is published; what was in it before is gone.

    Raises:
        NotBuilt: there is no built console.
    """
    if not (built / "index.html").exists():
        raise NotBuilt("The console is not built: `make console` does it.")
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(built, into)
    for name, content in (
        ("config.json", settings.document()),
        ("staticwebapp.config.json", settings.static_web_app()),
    ):
        (into / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


def _of_embedded(route: str) -> Mapping[str, str]:
    """Headers of what other origins may load: a module script is always fetched with CORS (HTML standard)."""
    caching = {"Cache-Control": "public, max-age=31536000, immutable"} if route.endswith("*") else {}
    return {"Access-Control-Allow-Origin": "*", **caching}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def main() -> None:
    """Lay the site out and say where it is."""
    parser = argparse.ArgumentParser(description="Lay out the console as it is published.")
    parser.add_argument("--api", required=True, help="address of the API: SERVICE_API_URI of the deployment")
    parser.add_argument("--authority", required=True, help="Entra with the home tenant: CONSOLE_AUTHORITY of the same")
    parser.add_argument("--client-id", required=True, help="the console's application")
    parser.add_argument("--audience", required=True, help="the API's application: API_AUDIENCE")
    parser.add_argument("--output", type=Path, default=PROJECT / ".local" / "console")
    given = parser.parse_args()
    scope = f"api://{given.audience}/Sessions.Access"
    try:
        lay_out(ConsoleSettings(given.api, given.authority, given.client_id, scope), given.output)
    except NotBuilt as error:
        sys.exit(str(error))
    print(given.output)


if __name__ == "__main__":
    main()
