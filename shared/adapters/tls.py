"""Connections that share one TLS context: reading whom to trust takes 30 ms, and requests would do so for each of them.

We trust whom the machine trusts, and where it names no file of authorities, those that requests brings along too;
OpenSSL's own SSL_CERT_FILE and SSL_CERT_DIR can name others.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import certifi
import requests
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from azure.core.pipeline.transport import RequestsTransport

_KEPT_OPEN: Final = 32
"""Connections to one host, as many as functions run at once; requests keep ten, and the others begin anew each time."""


def context() -> ssl.SSLContext:
    """The context: certificates and host names are checked, TLS 1.2 is the least."""
    return _read(ssl.get_default_verify_paths())


@lru_cache(maxsize=4)
def _read(paths: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=paths.cafile, capath=paths.capath)
    if paths.cafile is None:
        made.load_verify_locations(certifi.where())
    return made


class _Adapter(HTTPAdapter):
    """requests' adapter, whose connections have the context instead of a list of certificates to read."""

    def __init__(self) -> None:
        self._context = context()
        super().__init__(pool_maxsize=_KEPT_OPEN)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: object, cert: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, _ = super().build_connection_pool_key_attributes(request, verify=True)
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: object, url: str, verify: object, cert: object) -> None:
        """Leave the connection as it is: what `verify` names is no longer read, nor can it turn checking off."""


def session() -> requests.Session:
    """A session of requests whose connections share the context."""
    made, adapter = requests.Session(), _Adapter()
    for scheme in ("https://", "http://"):
        made.mount(scheme, adapter)
    return made


def transport(*, connect_seconds: float, read_seconds: float) -> RequestsTransport:
    """The same for Azure's client libraries, whose own limits of time count for nothing then: these are the limits."""
    from azure.core.pipeline.transport import RequestsTransport

    return RequestsTransport(session=session(), connection_timeout=connect_seconds, read_timeout=read_seconds)
