"""Tell what became of everything that was to be removed: a row for each thing, by its name, and what is left to do."""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.domain.errors import Code, NextStep, Problem
from shared.domain.removal import Kind, State, Stock, Thing, of_kind
from shared.domain.tenant import Tenant

_USERS: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_UsersAndTenants/UserManagementMenuBlade"
_ROLES: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_IAM/RolesManagementMenuBlade"
_POLICIES: Final = "https://entra.microsoft.com/#view/Microsoft_AAD_ConditionalAccess/ConditionalAccessBlade/~/Policies"


class _ByHand(NamedTuple):
    """How people remove things of a kind, and how they see that these are gone."""

    label: str
    remove: str
    check: str
    link: str | None


_BY_HAND: Final = {
    Kind.EXCLUSION: _ByHand(
        "policies that exclude it",
        "In Entra, under Conditional Access, take {account} out of the excluded users of {names}.",
        "In Entra, under Conditional Access, see that {account} is not among the excluded users of {names}.",
        _POLICIES,
    ),
    Kind.POLICY: _ByHand(
        "policy",
        "In Entra, under Conditional Access, delete the policy {names}.",
        "In Entra, under Conditional Access, see that there is no policy {names}.",
        _POLICIES,
    ),
    Kind.LOCATION: _ByHand(
        "named location",
        "In Entra, under Conditional Access, Named locations, delete {names}.",
        "In Entra, under Conditional Access, Named locations, see that there is no {names}.",
        _POLICIES,
    ),
    Kind.ROLE: _ByHand(
        "roles",
        "In Entra, under Roles and administrators, take from {account}: {names}.",
        "In Entra, under Roles and administrators, see that {account} does not hold: {names}.",
        _ROLES,
    ),
    Kind.USER: _ByHand(
        "user",
        "In Entra, under Users, delete {names}.",
        "In Entra, under Users, see that there is no {names}.",
        _USERS,
    ),
    Kind.SECRET: _ByHand(
        "secrets",
        "Disable advanced management again: {names} is in the Key Vault of this service.",
        "Disable advanced management again: it looks whether {names} is in the Key Vault of this service.",
        None,
    ),
}
_NOT_OURS: Final = "{account} does not bear our mark: find out whose it is before anything is taken from it. "


def rows(tenant: Tenant, stock: Stock, *, are_sign_ins_revoked: bool) -> list[dict[str, object]]:
    """The report, in the form of contracts/schemas/removalRow.json: the session first, then each thing by its kind."""
    return [
        _session_row(tenant, stock, are_sign_ins_revoked=are_sign_ins_revoked),
        *(_row(tenant, thing) for kind in Kind for thing in stock if thing.kind is kind),
    ]


def shortcoming(tenant: Tenant, stock: Stock) -> Problem | None:
    """`cleanupIncomplete`, with the name of everything that is left or was not looked for; None when all is gone."""
    left = [(kind, things) for kind in Kind if (things := of_kind(stock, kind, State.LEFT))]
    unseen = [(kind, things) for kind in Kind if (things := of_kind(stock, kind, State.UNVERIFIED))]
    if not left and not unseen:
        return None
    message = (f"Not removed: {_listed(left)}. " if left else "") + (
        f"Removed, but nobody could look for it afterwards: {_listed(unseen)}." if unseen else ""
    )
    advice = [_advice(tenant, things) for _, things in (*left, *unseen)]
    again = "Or grant this service consent again, and disable advanced management once more."
    text = " ".join((*(each.text for each in advice), again))
    return Problem(Code.CLEANUP_INCOMPLETE, message.strip(), next_step=NextStep(text, advice[0].link))


def _session_row(tenant: Tenant, stock: Stock, *, are_sign_ins_revoked: bool) -> dict[str, object]:
    """It is off, and nothing that it stood on can be read; its user's sign-ins end with that user, if we removed it."""
    row: dict[str, object] = {"kind": "session", "name": "management session", "state": State.REMOVED.value}
    user_id = tenant.session.user_id
    is_user_gone = user_id is None and not of_kind(stock, Kind.USER, State.LEFT)
    if are_sign_ins_revoked or is_user_gone:
        return row
    whose = f"the administrator with the object id {user_id}" if user_id else _account(tenant)
    text = f"In Entra, on the page of {whose}, revoke the sessions."
    return row | {"state": State.UNVERIFIED.value, "nextStep": {"text": text, "link": _USERS}}


def _row(tenant: Tenant, thing: Thing) -> dict[str, object]:
    row: dict[str, object] = {"kind": thing.kind.value, "name": thing.name, "state": thing.state.value}
    if thing.thing_id is not None:
        row["id"] = thing.thing_id
    if thing.state in (State.LEFT, State.UNVERIFIED):
        advice = _advice(tenant, (thing,))
        row["nextStep"] = {"text": advice.text} | ({"link": advice.link} if advice.link else {})
    return row


def _advice(tenant: Tenant, things: Stock) -> NextStep:
    """What to do about things of one kind that are in one state."""
    by_hand, first = _BY_HAND[things[0].kind], things[0]
    sentence = by_hand.remove if first.state is State.LEFT else by_hand.check
    caution = "" if all(thing.is_ours for thing in things) else _NOT_OURS
    names = ", ".join(_named(thing) for thing in things)
    return NextStep((caution + sentence).format(account=_account(tenant), names=names), by_hand.link)


def _listed(groups: list[tuple[Kind, Stock]]) -> str:
    return "; ".join(f"{_BY_HAND[kind].label}: {', '.join(thing.name for thing in things)}" for kind, things in groups)


def _named(thing: Thing) -> str:
    """So that it is found even where another one is called the same."""
    match thing.kind:
        case Kind.USER:
            return _with_id(thing.name, thing.thing_id)
        case Kind.EXCLUSION:
            return f"“{thing.name}” (policy id {thing.thing_id})"
        case _:
            return f"“{thing.name}”"


def _account(tenant: Tenant) -> str:
    return _with_id(str(tenant.account.user_principal_name), tenant.account.object_id)


def _with_id(name: str, object_id: object) -> str:
    return f"{name} (object id {object_id})" if object_id else name
