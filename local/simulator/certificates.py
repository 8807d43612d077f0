"""TLS for localhost: a throw-away certificate authority, and a bundle that trusts it beside the public ones."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import trustme

HOSTS = ("localhost", "127.0.0.1")


def server_context(bundle: Path) -> ssl.SSLContext:
    """A server's TLS context for `HOSTS`; writes the bundle (PEM: certifi's authorities and ours) that trusts it.

    The authority's key lives and dies with this process.
    """
    # trustme makes P-256 keys: a handshake costs a tenth of what RSA would cost.
    authority = trustme.CA(organization_name="simulated Microsoft 365, for local use only")
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + b"\n" + authority.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    return context
