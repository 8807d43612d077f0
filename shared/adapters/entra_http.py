"""What MSAL sends its requests through: token requests go out, everything else MSAL asks is answered here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Final

import requests
from urllib3.exceptions import ProtocolError

from shared.adapters import tls
from shared.adapters.patience import CONNECT_SECONDS, READ_SECONDS, asked_to_wait
from shared.domain.errors import Code, Problem, ReplyLost, Transient, unavailable

NAME: Final = "Microsoft Entra"

_DISCOVERY: Final = "/v2.0/.well-known/openid-configuration"
_ANSWERS: Final = frozenset({200, 400, 401, 403})
"""A token, or a refusal as OAuth words it (RFC 6749 §5.2); anything else did not come from the token endpoint."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as MSAL reads one (msal.oauth2cli.http.Response)."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        """Never called by MSAL for the statuses that get as far as here."""
        raise unavailable(NAME)


class EntraHttp:
    """An HTTP client for MSAL (msal.oauth2cli.http.HttpClient) that makes one request a sign-in.

    It follows no redirect and keeps no cookie: what it carries is for one endpoint and one user.
    """

    def __init__(self) -> None:
        self._session = tls.session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))

    def get(self, url: str, params: object = None, headers: object = None) -> Answer:
        """Answer MSAL without asking anybody.

        Discovery: an authority's v2.0 endpoints are fixed
        (https://learn.microsoft.com/entra/identity-platform/v2-protocols#endpoints). User realm: 404 says that every
        account is a managed one; for a federated one MSAL would hand its password to another identity provider.
        """
        if not url.endswith(_DISCOVERY):
            return Answer(404, "{}")
        authority = url.removesuffix(_DISCOVERY)
        endpoints = {
            "issuer": f"{authority}/v2.0",
            "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
            "token_endpoint": f"{authority}/oauth2/v2.0/token",
        }
        return Answer(200, json.dumps(endpoints))

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a token request; a token or an OAuth refusal comes back.

        Raises:
            Transient: Entra was not reached, is busy, or did not answer as a token endpoint does.
            ReplyLost: the request was sent and no whole answer came.
        """
        try:
            response = self._session.post(
                url,
                params=params,
                data=data,
                headers=headers,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # The request, with the password in it, hangs on the exception: leave it behind, not only its text.
            failure = _failure(error)
        else:
            return _understood(response)
        raise failure

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _understood(response: requests.Response) -> Answer:
    if response.status_code not in _ANSWERS or not _is_json_object(response.text):
        raise unavailable(NAME, asked_to_wait(response.headers))
    return Answer(response.status_code, response.text, response.headers)


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _failure(error: requests.RequestException) -> Transient:
    cut_off = bool(error.args) and isinstance(error.args[0], ProtocolError)
    sent = requests.ReadTimeout | requests.exceptions.ChunkedEncodingError | requests.exceptions.ContentDecodingError
    if cut_off or isinstance(error, sent):
        return ReplyLost(Problem(Code.UPSTREAM_UNAVAILABLE, f"{NAME} did not answer in time."))
    return unavailable(NAME)
