"""Cross-origin answers as the platform gives them: App Service adds them in front of the app, from a list of origins.

In Azure the list is `siteConfig.cors.allowedOrigins`; Core Tools takes it as `func start --cors`. The app never sees a
preflight, and which of its headers a page may read it says itself (`customHeaders` in host.json).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from http import HTTPStatus

from local.host.http import Request, Response

_PREFLIGHT_MAX_AGE = 600  # seconds


@dataclass(frozen=True, slots=True)
class Cors:
    """The origins whose pages may call the app; none by default, as on the platform."""

    allowed_origins: Collection[str] = ()

    def preflight(self, request: Request) -> Response | None:
        """The answer to a preflight (Fetch standard, CORS-preflight request); None when the request is none.

        A foreign origin's is answered without permission, which the browser takes for a no.
        """
        wanted = request.headers.get("access-control-request-method")
        if request.method != "OPTIONS" or wanted is None or "origin" not in request.headers:
            return None
        permission = {
            "access-control-allow-methods": wanted,
            "access-control-allow-headers": request.headers.get("access-control-request-headers", ""),
            "access-control-max-age": str(_PREFLIGHT_MAX_AGE),
        }
        answer = Response(HTTPStatus.NO_CONTENT, permission if self._allows(request) else {})
        return self.permit(request, answer)

    def permit(self, request: Request, response: Response) -> Response:
        """The response, readable by the page that asked if its origin is on the list."""
        if not self._allows(request):
            return response
        permission = {"access-control-allow-origin": request.headers["origin"], "vary": "Origin"}
        return replace(response, headers={**response.headers, **permission})

    def _allows(self, request: Request) -> bool:
        return request.headers.get("origin") in self.allowed_origins
