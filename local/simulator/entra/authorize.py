"""Interactive sign-in of the vendor's own people: the authorize endpoint is an account picker, and a pick is a code."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from local.simulator.entra.admin_consent import HTML
from local.simulator.entra.errors import SignInRefused
from local.simulator.state import AuthorizationCode, Caller, Tenant, World
from local.simulator.wire import Request, Response

_LOOPBACK = frozenset({"127.0.0.1", "localhost"})

# What a pick sends back, apart from the person: the request as the client made it.
_CARRIED = ("client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce")
_CHALLENGE = ("code_challenge", "code_challenge_method")

_STYLE = (
    "body{font:16px/1.4 system-ui,sans-serif;background:#f2f2f2;color:#1b1b1b;margin:0}"
    "main{max-width:26rem;margin:12vh auto;background:#fff;padding:2rem;box-shadow:0 2px 6px #0003}"
    "h1{font-size:1.4rem;margin:0 0 .3rem}p{color:#555;margin:0 0 1.2rem}"
    "button{display:block;width:100%;text-align:left;font:inherit;padding:.8rem;border:0;border-top:1px solid #ddd;"
    "background:none;cursor:pointer}button:hover,button:focus-visible{background:#eef4fb}small{color:#555}"
)


@dataclass(frozen=True, slots=True)
class AuthorizeEndpoint:
    """GET and POST /{tenant}/oauth2/v2.0/authorize of the vendor's tenant (RFC 6749 §4.1, RFC 7636)."""

    world: World

    def show(self, request: Request, tenant: Tenant) -> Response:
        """The account picker; a request that must not be answered with a redirect is refused on the page.

        Raises:
            SignInRefused: 700016, 50011, 9002325 or 501481, as Entra shows them on its own page.
        """
        self._check(request.query, tenant)
        if request.query.get("prompt") == "none":
            return _back(request.query, {"error": "login_required", "error_description": "AADSTS50058: no session."})
        return Response(200, headers=HTML, text=_picker(request.query, self._people(request.query["client_id"])))

    def pick(self, request: Request, tenant: Tenant) -> Response:
        """The redirect that carries the code of the person who was picked.

        Raises:
            SignInRefused: as `show`, or 50034 for somebody who is not there.
            ValueError: the body is no form.
        """
        form = request.form()
        self._check(form, tenant)
        username = form.get("login", "")
        caller = next((each for each in self._people(form["client_id"]) if each.username == username), None)
        if caller is None:
            raise SignInRefused(50034, user=username, tenant=tenant.display_name)
        code = f"1.{secrets.token_urlsafe(48)}"
        self.world.authorization_codes[code] = AuthorizationCode(
            client_id=form["client_id"],
            redirect_uri=form["redirect_uri"],
            challenge=form["code_challenge"],
            object_id=caller.object_id,
            scope=form.get("scope", ""),
            nonce=form.get("nonce"),
            issued_at=self.world.clock.now(),
        )
        return _back(form, {"code": code, "session_state": secrets.token_hex(16)})

    def leave(self, request: Request, tenant: Tenant) -> Response:
        """Sign-out (OpenID Connect RP-Initiated Logout): no session is kept here, so it only goes back.

        Raises:
            SignInRefused: 50011 for an address that is not on this machine.
        """
        target = request.query.get("post_logout_redirect_uri", "")
        if urlsplit(target).hostname not in _LOOPBACK:
            raise SignInRefused(50011, redirect=target, client=request.query.get("client_id", ""))
        return Response(303, headers={"Location": target})

    def _people(self, client_id: str) -> list[Caller]:
        return [each for each in self.world.callers.values() if each.idtyp == "user" and each.client_id == client_id]

    def _check(self, given: Mapping[str, str], tenant: Tenant) -> None:
        client_id = given.get("client_id", "")
        if tenant.id != self.world.home_tenant_id or not self._people(client_id):
            raise SignInRefused(700016, client=client_id, tenant=tenant.display_name)
        redirect = urlsplit(given.get("redirect_uri", ""))
        if redirect.scheme not in ("http", "https") or redirect.hostname not in _LOOPBACK:
            raise SignInRefused(50011, redirect=redirect.geturl(), client=client_id)
        if given.get("response_type") != "code":
            raise SignInRefused(90014, field="response_type=code")
        if not given.get("code_challenge"):
            raise SignInRefused(9002325)
        if given.get("code_challenge_method") != "S256":
            raise SignInRefused(501481)


def _picker(query: Mapping[str, str], people: list[Caller]) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(query[name])}">'
        for name in (*_CARRIED, *_CHALLENGE)
        if name in query
    )
    buttons = "".join(
        f'<button name="login" value="{escape(each.username or "")}"><b>{escape(each.name)}</b><br>'
        f"<small>{escape(each.username or '')} · {escape(', '.join(each.roles) or 'no role')}</small></button>"
        for each in people
    )
    return (
        '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">'
        f"<title>Pick an account</title><style>{_STYLE}</style><main><h1>Pick an account</h1>"
        f"<p>A simulated Microsoft Entra ID: nobody here is real, and no password is asked.</p>"
        f'<form method="post" action="?">{hidden}{buttons}</form></main></html>'
    )


def _back(given: Mapping[str, str], answer: Mapping[str, str]) -> Response:
    """To the client's address: in the fragment unless it asked for the query."""
    whole = {**answer, "state": given["state"]} if "state" in given else dict(answer)
    mark = "?" if given.get("response_mode") == "query" else "#"
    return Response(303, headers={"Location": f"{given['redirect_uri']}{mark}{urlencode(whole)}"})
