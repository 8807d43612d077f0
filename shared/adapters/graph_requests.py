"""Requests to Microsoft Graph as our application: each names the tenant it is made in and what it takes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from shared.adapters.graph_calls import NAME, GraphCalls, Reply, Request
from shared.adapters.graph_refusals import Need, refusal
from shared.adapters.token_claims import claims_in, grants_in
from shared.domain.directory_roles import Registration
from shared.domain.errors import unavailable
from shared.domain.ids import TenantId
from shared.domain.secret import AccessToken, Secret


class TokenFor(Protocol):
    """Where app-only tokens come from; `fresh` asks Entra anew."""

    def __call__(self, tenant_id: TenantId, *, fresh: bool = False) -> AccessToken: ...


class GraphRequests:
    """Requests with the tenant's token, whose refusals are told in our own codes.

    Args:
        asked: what the application asks tenants for that the tokens are of.
    """

    def __init__(self, calls: GraphCalls, token_for: TokenFor, asked: Registration) -> None:
        self._calls = calls
        self._token_for = token_for
        self._asked = asked

    def send(self, tenant_id: TenantId, need: Need, request: Request, *, also: AbstractSet[int] = frozenset()) -> Reply:
        """The reply: a success, or one of the statuses in `also`, which the caller judges.

        A token at hand may be older than the consent or the role that was just given. So a refusal is believed only
        of a token that allows as much as a fresh one.

        Raises:
            Refused: every other refusal.
            Transient, ReplyLost: as GraphCalls does.
        """
        token = self._token_for(tenant_id).value
        reply = self._exchange(tenant_id, request, token)
        if reply.status in (401, 403):
            fresh = self._token_for(tenant_id, fresh=True).value
            if reply.status == 401 or grants_in(claims_in(fresh)) != grants_in(claims_in(token)):
                reply = self._exchange(tenant_id, request, fresh)
            token = fresh
        if reply.is_success or reply.status in also:
            return reply
        raise refusal(reply, need, claims_in(token), self._asked)

    def pages(self, tenant_id: TenantId, need: Need, request: Request) -> Iterator[Mapping[str, object]]:
        """Every entry of a collection, page after page (https://learn.microsoft.com/graph/paging)."""
        while True:
            reply = self.send(tenant_id, need, request)
            yield from entries_of(reply)
            link = reply.body.get("@odata.nextLink")
            if not link:
                return
            # Only the page's parameters are taken over: our token goes nowhere else, whatever the link says.
            request = replace(request, query=dict(parse_qsl(urlsplit(str(link)).query)))

    def _exchange(self, tenant_id: TenantId, request: Request, token: Secret) -> Reply:
        """One reply; a kind of request that has rules of its own for a tenant keeps them here."""
        return self._calls.send(request, token)


def entries_of(reply: Reply) -> list[Mapping[str, object]]:
    """The entries of a collection, or of one page of it.

    Raises:
        Transient: there is no collection in the reply, which is not the same as an empty one.
    """
    entries = reply.body.get("value")
    if not isinstance(entries, list):
        raise unavailable(NAME)
    return objects(entries)


def objects(entries: object) -> list[Mapping[str, object]]:
    """The JSON objects in a JSON array; none when it is no array."""
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
