"""What a removal found of ours in a tenant, and what became of each: what is seen beats what is remembered."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What can be removed, in the order of the report; the words of contracts/schemas/removalRow.json."""

    EXCLUSION = "exclusion"
    POLICY = "conditionalAccessPolicy"
    LOCATION = "namedLocation"
    ROLE = "roleAssignment"
    USER = "user"
    SECRET = "secret"  # noqa: S105 - a name


class State(StrEnum):
    """What became of a thing.

    left: it is there or, where nobody may look, may be. unverified: its removal was acknowledged, and nobody has looked
    since. removed: it was there, and was looked for in vain. absent: it was not there from the beginning.
    """

    LEFT = "left"
    UNVERIFIED = "unverified"
    REMOVED = "removed"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that is to go.

    Attributes:
        name: what the customer's administrators see it under.
        thing_id: its id in the tenant, a role's template id; None where none is known, or there is none.
        is_ours: False for what does not bear our mark, or hangs on what does not: only people may remove that.
    """

    kind: Kind
    name: str
    thing_id: str | None = None
    state: State = State.LEFT
    is_ours: bool = True

    def is_same(self, other: Thing) -> bool:
        """Whether both are one: by their ids or, where one was never learnt, by their names."""
        are_known = self.thing_id is not None and other.thing_id is not None
        by = (self.thing_id, other.thing_id) if are_known else (self.name, other.name)
        return self.kind is other.kind and by[0] == by[1]

    def is_among(self, others: Collection[Thing]) -> bool:
        """Whether it is the same as one of those."""
        return any(self.is_same(other) for other in others)


Stock = tuple[Thing, ...]
"""All that is to go from one tenant, each once."""


def looked(stock: Stock, kind: Kind, there: Collection[Thing]) -> Stock:
    """The stock after a look at everything of that kind: what is there is left, what is not there has gone."""
    known = tuple(_seen(thing, there) if thing.kind is kind else thing for thing in stock)
    return (*known, *(thing for thing in there if not thing.is_among(known)))


def became(stock: Stock, thing: Thing, state: State) -> Stock:
    """The stock with another word for that thing."""
    return tuple(replace(each, state=state) if each.is_same(thing) else each for each in stock)


def disowned(stock: Stock, kind: Kind) -> Stock:
    """The stock after what bears the recorded id was seen without our mark."""
    return tuple(replace(thing, is_ours=False) if thing.kind is kind else thing for thing in stock)


def without(stock: Stock, *kinds: Kind) -> Stock:
    """The stock less the things of those kinds, which are about to be made again."""
    return tuple(thing for thing in stock if thing.kind not in kinds)


def of_kind(stock: Stock, kind: Kind, *states: State) -> Stock:
    """The things of that kind that are in one of those states."""
    return tuple(thing for thing in stock if thing.kind is kind and thing.state in states)


def _seen(thing: Thing, there: Collection[Thing]) -> Thing:
    for found in there:
        if found.is_same(thing):
            return found
    return thing if thing.state is State.ABSENT else replace(thing, state=State.REMOVED)
