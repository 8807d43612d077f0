"""Gates lie in columns, not in a document, so that one write can shut all sixteen without reading any.

Nothing is an empty text: a merge leaves a property alone that is absent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from shared.adapters.storage.rows import Kind, current, header, json_text
from shared.adapters.storage.table import Entity
from shared.domain.ids import GATES, gate_of
from shared.domain.lease import Gate, Lease
from shared.domain.store import SetGates

_LONGEST: Final = 32_000
"""Characters: a lease has none outside ASCII, so these are as many UTF-16 code units, below storage's 32,768."""
_NO_LEASE: Final[Entity] = {"Leases": "[]", "Used": False, "IdleSince": ""}


def gate_key(number: int) -> str:
    """The RowKey of a gate, 0 to 15."""
    return f"0-gate-{number:x}"


def gate_entity(partition: str, gate: Gate) -> Entity:
    """The entity that holds all of a gate.

    Raises:
        Refused: `bodyTooLarge`, it has more leases than fit.
    """
    return {
        **header(partition, gate_key(gate.number), Kind.GATE),
        "State": gate.state.value,
        "SessionId": _text(gate.session_id),
        "ExpiresAt": _text(gate.expires_at),
        "Used": gate.used,
        "IdleSince": _text(gate.idle_since),
        "Leases": _leases(gate.leases),
    }


def gate_row(entity: Entity) -> Gate:
    """The gate that an entity holds.

    Raises:
        WrittenLater: a newer release wrote it.
    """
    entity = current(entity, Kind.GATE)
    columns = {
        "number": int(str(entity["RowKey"])[-1], 16),
        "state": entity["State"],
        "session_id": entity["SessionId"] or None,
        "expires_at": entity["ExpiresAt"] or None,
        "used": entity["Used"],
        "idle_since": entity["IdleSince"] or None,
        "leases": msgspec.json.decode(str(entity["Leases"])),
    }
    return msgspec.convert(columns, Gate)


def gate_merges(partition: str, change: SetGates) -> Iterator[Entity]:
    """What to merge into each of the sixteen gates.

    The leases are no part of it when they are kept: a lease granted a moment ago is not lost.
    """
    columns: Entity = {
        "State": change.state.value,
        "SessionId": _text(change.session_id),
        "ExpiresAt": _text(change.expires_at),
        **({} if change.keep_leases else _NO_LEASE),
    }
    for number in range(GATES):
        granted = [lease for lease in change.leases if gate_of(lease.lease_id) == number]
        held: Entity = {"Leases": _leases(granted), "Used": True} if granted else {}
        yield {"PartitionKey": partition, "RowKey": gate_key(number), **columns, **held}


def _leases(leases: Sequence[Lease]) -> str:
    return json_text(leases, Kind.GATE, longest=_LONGEST)


def _text(value: object | None) -> str:
    return "" if value is None else str(msgspec.to_builtins(value))
